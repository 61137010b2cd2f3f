"""The text encoder, shared by the signals and the knowledge index.

`Encoder` turns texts into L2-normalised float32 rows (`encode`), or into the mean-pooled
hidden states of every layer (`layers`). The packaged model, and any folder like it, runs on
onnxruntime from an export made at first use; hub names and other architectures run on
sentence-transformers. Both give the same rows to 1e-5, so the fingerprint is the same.
Nothing heavy is imported before the first `encode`, `dim` or `load()`, and torch never is
where onnxruntime does the work. Texts seen lately cost nothing.

What this does not do: segment long texts (a text is cut at `MAX_CHARS`, and the model itself
reads its first 256 word pieces only), or download the packaged default.
"""

import hashlib
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from router.errors import SetupError
from router.paths import data_dir as default_data_dir
from router.signals.onnx_encoder import OnnxEncoder, normalised
from router.signals.onnx_export import Unsupported, ensure_export
from router.signals.onnx_graph import Precision
from router.signals.torch_encoder import TorchEncoder
from router.signals.weights import (
    PACKAGED_MODEL,
    folder_fingerprint,
    packaged_zip,
    unpack,
    zip_fingerprint,
)

__all__ = ["CACHED_BATCH", "MAX_CHARS", "Encoder"]

MAX_CHARS = 20_000
"""Texts are cut here before they are tokenised, so that 1 MB stays as quick as one page."""

CACHED_BATCH = 64
"""Larger batches are bulk work: they neither fill the cache nor read it."""

_log = logging.getLogger(__name__)

_Rows = NDArray[np.float32]


class _Backend(Protocol):
    """What runs the model; `mean_pooled` where `encode` is the normalised last of `layers`."""

    name: str
    mean_pooled: bool
    dim: int

    def encode(self, texts: Sequence[str], batch_size: int) -> _Rows: ...

    def layers(self, texts: Sequence[str], batch_size: int) -> _Rows: ...

    def count_pieces(self, texts: Sequence[str]) -> list[int]: ...


class Encoder:
    """A sentence encoder, loaded on first use and safe to call from several threads at once.

    `model` is the packaged default, a local directory, or a name on the model hub.
    `backend` "auto" takes onnxruntime where the model can be exported, else torch;
    `backend_reason` says which and why. `precision` "int8" is twice as quick, its rows have a
    mean cosine of 0.9997 with the exact ones, and it is another encoder to whoever stores rows:
    it has a fingerprint of its own. None means int8 for the packaged model, fp32 for any other.
    `threads` is the number of cores; None means one for one text, and all for the batches of
    many. The cache holds `cache_entries` texts of up to (layers + 1) * dim floats each: 44 MB
    when full.
    """

    def __init__(
        self,
        model: str = PACKAGED_MODEL,
        data_dir: Path | None = None,
        *,
        backend: Literal["auto", "onnx", "torch"] = "auto",
        precision: Precision | None = None,
        threads: int | None = None,
        cache_entries: int = 4096,
    ) -> None:
        self.model = model
        self._data_dir = data_dir
        self._wanted = backend
        packaged = model == PACKAGED_MODEL and backend != "torch"
        self._precision: Precision = precision or ("int8" if packaged else "fp32")
        self._threads = threads
        self._lock = threading.RLock()  # held while loading, never while encoding
        self._backend: _Backend | None = None
        self._reason = "not loaded yet"
        self._fingerprint: str | None = None
        self._rows, self._states = _RowCache(cache_entries), _RowCache(cache_entries)

    def load(self) -> None:
        """Load the model now; a second call does nothing."""
        self._ready()

    def encode(self, texts: Sequence[str], batch_size: int = 32) -> _Rows:
        """One L2-normalised row a text, shape (n, dim)."""
        backend, cleaned = self._ready(), [_clean(t) for t in texts]
        if not 0 < len(texts) <= CACHED_BATCH:
            return backend.encode(cleaned, batch_size)
        if backend.mean_pooled:  # one pass and one cache serve `layers` too
            states = self._states.rows(cleaned, lambda new: backend.layers(new, batch_size))
            return normalised(states[:, -1])
        return self._rows.rows(cleaned, lambda new: backend.encode(new, batch_size))

    def layers(self, texts: Sequence[str], batch_size: int = 32) -> _Rows:
        """The mean over tokens of every hidden state, embeddings first; not normalised.

        Shape (n, layers + 1, dim).
        """
        backend, cleaned = self._ready(), [_clean(t) for t in texts]
        if not 0 < len(texts) <= CACHED_BATCH:
            return backend.layers(cleaned, batch_size)
        return self._states.rows(cleaned, lambda new: backend.layers(new, batch_size))

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        """The word pieces of each text, special ones included, before the model's cut."""
        return self._ready().count_pieces([_clean(t) for t in texts])

    @property
    def dim(self) -> int:
        """The length of a row."""
        return self._ready().dim

    @property
    def backend(self) -> str:
        """What runs the model, "onnx" or "torch"; loads it."""
        return self._ready().name

    @property
    def backend_reason(self) -> str:
        """Why this backend runs, in words."""
        return self._reason

    @property
    def fingerprint(self) -> str:
        """Model name and a checksum of its weights: equal prints, equal embeddings."""
        with self._lock:
            if self._fingerprint is None:
                suffix = "" if self._precision == "fp32" else f"-{self._precision}"
                self._fingerprint = f"{Path(self.model).name}-{self._checksum()}{suffix}"
            return self._fingerprint

    def _checksum(self) -> str:
        if self.model == PACKAGED_MODEL:
            return zip_fingerprint(packaged_zip())
        if Path(self.model).is_dir():
            return folder_fingerprint(Path(self.model))
        backend = self._ready()
        assert isinstance(backend, TorchEncoder)  # only folders are exported
        return backend.checksum()

    def _ready(self) -> _Backend:
        """The loaded backend; only the first caller waits."""
        if self._backend is None:
            with self._lock:
                if self._backend is None:
                    # Tokenising in threads of its own deadlocks after a fork, and warns of it.
                    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
                    self._backend = self._open()
        return self._backend

    def _open(self) -> _Backend:
        """The one place where a backend is chosen."""
        if self._wanted != "torch":
            try:
                return self._open_onnx()
            except Unsupported as error:
                self._reason = f"{self.model} runs on sentence-transformers: {error}"
            if self._wanted == "onnx" or self._precision != "fp32":
                raise SetupError(
                    f"the encoder `{self.model}` (setting `signals.encoder`) cannot be exported "
                    f"to ONNX ({self._reason}); use `{PACKAGED_MODEL}`, or backend `auto` in fp32"
                )
            _log.info("%s", self._reason)
        else:
            self._reason = "torch was asked for"
        return self._open_torch()

    def _open_onnx(self) -> OnnxEncoder:
        packaged, folder = self.model == PACKAGED_MODEL, Path(self.model)
        if not packaged and not folder.is_dir():
            raise Unsupported("it is a name on the hub, and only folders are exported")
        places = self._data_dir or default_data_dir()
        # Another folder of the same name has another export; the packaged one is replaced.
        stem = PACKAGED_MODEL if packaged else self.fingerprint.removesuffix("-int8")
        target = places / "models" / f"{stem}-onnx{'' if self._precision == 'fp32' else '-int8'}"
        export = ensure_export(
            target,
            lambda: unpack(places) if packaged else folder,
            self.fingerprint,
            self._precision,
        )
        self._reason = f"{self.model} runs on onnxruntime, exported to {target}"
        return OnnxEncoder(export, self._threads)

    def _open_torch(self) -> TorchEncoder:
        packaged = self.model == PACKAGED_MODEL
        place = str(unpack(self._data_dir or default_data_dir())) if packaged else self.model
        try:
            local = packaged or Path(place).is_dir()
            return TorchEncoder(place, local=local, threads=self._threads)
        except Exception as error:  # the hub, safetensors and tokenizers each raise their own
            raise SetupError(
                f"the encoder `{self.model}` (setting `signals.encoder`) cannot be loaded from "
                f"{place}: {error}; name a local model directory, or use "
                f"`{PACKAGED_MODEL}` after `make setup`"
            ) from error


class _RowCache:
    """Rows by text, the least recently asked for forgotten first; safe among threads."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._kept: OrderedDict[bytes, _Rows] = OrderedDict()
        self._lock = threading.Lock()

    def rows(self, texts: list[str], compute: Callable[[list[str]], _Rows]) -> _Rows:
        """A fresh array of one row a text; `compute` gets each unknown text once."""
        keys = [hashlib.blake2b(t.encode(), digest_size=16).digest() for t in texts]
        found: dict[bytes, _Rows] = {}
        with self._lock:
            for key in keys:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    found[key] = self._kept[key]
        unknown = {k: t for k, t in zip(keys, texts, strict=True) if k not in found}
        if unknown:
            rows = compute(list(unknown.values()))
            found |= {key: row.copy() for key, row in zip(unknown, rows, strict=True)}
            with self._lock:
                self._kept.update((key, found[key]) for key in unknown)
                while len(self._kept) > self._entries:
                    self._kept.popitem(last=False)
        return np.stack([found[key] for key in keys])


def _clean(text: str) -> str:
    """Cut, and replace lone surrogates, which no tokenizer accepts."""
    return text[:MAX_CHARS].encode("utf-8", "replace").decode("utf-8")
