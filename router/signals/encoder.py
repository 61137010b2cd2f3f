"""The text encoder, shared by the signals and the knowledge index.

`Encoder` turns texts into L2-normalised float32 rows. Nothing heavy happens before the first
`encode`, `dim` or `load()`: importing this module imports neither torch nor
sentence-transformers.

What this does not do: segment long texts (a text is cut at `MAX_CHARS`, and the model itself
reads its first 256 word pieces only), or download the packaged default.
"""

import hashlib
import importlib
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.errors import SetupError
from router.paths import data_dir as default_data_dir
from router.signals.weights import PACKAGED_MODEL, packaged_zip, unpack, zip_fingerprint

__all__ = ["MAX_CHARS", "Encoder"]

MAX_CHARS = 20_000
"""Texts are cut here before they are tokenised, so that 1 MB stays as quick as one page."""

_EDGE = 1 << 16


class Encoder:
    """A sentence encoder, loaded on first use and safe to call from several threads.

    `model` is the packaged default, a local directory, or a name on the model hub.
    """

    def __init__(self, model: str = PACKAGED_MODEL, data_dir: Path | None = None) -> None:
        self.model = model
        self._data_dir = data_dir
        self._lock = threading.RLock()
        self._loaded: Any = None
        self._fingerprint: str | None = None
        self._dim: int | None = None

    def load(self) -> None:
        """Load the model now; a second call does nothing."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._open()

    def encode(self, texts: Sequence[str], batch_size: int = 32) -> NDArray[np.float32]:
        """One L2-normalised row a text, shape (n, dim)."""
        with self._lock:
            self.load()
            if not texts:
                return np.zeros((0, self.dim), dtype=np.float32)
            rows = self._loaded.encode(
                [_clean(t) for t in texts],
                batch_size=batch_size,
                convert_to_numpy=True,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return np.ascontiguousarray(rows, dtype=np.float32)

    @property
    def dim(self) -> int:
        """The length of a row."""
        with self._lock:
            if self._dim is None:
                self._dim = int(self.encode(["a"]).shape[1])
            return self._dim

    @property
    def fingerprint(self) -> str:
        """Model name and a checksum of its weights: equal prints, equal embeddings."""
        with self._lock:
            if self._fingerprint is None:
                self._fingerprint = f"{Path(self.model).name}-{self._checksum()}"
            return self._fingerprint

    def _checksum(self) -> str:
        if self.model == PACKAGED_MODEL:
            return zip_fingerprint(packaged_zip())
        folder = Path(self.model)
        if folder.is_dir():
            return _folder_checksum(folder)
        self.load()
        return _tensor_checksum(self._loaded)

    def _open(self) -> Any:
        # Tokenising in threads of its own deadlocks after a fork, and warns about it.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        packaged = self.model == PACKAGED_MODEL
        place = str(unpack(self._data_dir or default_data_dir())) if packaged else self.model
        from sentence_transformers import SentenceTransformer

        try:
            with _QuietTransformers():
                local = packaged or Path(place).is_dir()
                return SentenceTransformer(place, device="cpu", local_files_only=local)
        except Exception as error:  # the hub, safetensors and tokenizers each raise their own
            raise SetupError(
                f"the encoder `{self.model}` (setting `signals.encoder`) cannot be loaded from "
                f"{place}: {error}; name a local model directory, or use "
                f"`{PACKAGED_MODEL}` after `make setup`"
            ) from error


class _QuietTransformers:
    """No progress bars and no advice on standard error while a model loads."""

    def __enter__(self) -> None:
        hf = self._hf = _transformers_logging()
        self._level, self._bars = hf.get_verbosity(), hf.is_progress_bar_enabled()
        self._logger = logging.getLogger("sentence_transformers")
        self._st_level = self._logger.level
        hf.set_verbosity_error()
        hf.disable_progress_bar()
        self._logger.setLevel(logging.ERROR)

    def __exit__(self, *_: object) -> None:
        hf = self._hf
        hf.set_verbosity(self._level)
        self._logger.setLevel(self._st_level)
        if self._bars:
            hf.enable_progress_bar()


def _transformers_logging() -> Any:
    """Its module is untyped; an Any says so once."""
    return importlib.import_module("transformers.utils.logging")


def _clean(text: str) -> str:
    """Cut, and replace lone surrogates, which no tokenizer accepts."""
    return text[:MAX_CHARS].encode("utf-8", "replace").decode("utf-8")


def _folder_checksum(folder: Path) -> str:
    """Small files whole; of weight files the size and both ends (cheap at any size)."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()}:{size}\n".encode())
        with path.open("rb") as file:
            digest.update(file.read(_EDGE))
            if size > _EDGE:
                file.seek(max(_EDGE, size - _EDGE))
                digest.update(file.read(_EDGE))
    return digest.hexdigest()[:8]


def _tensor_checksum(model: Any) -> str:
    """For a model of the hub: each tensor's name, shape and first values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name}:{tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten()[:64].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:8]
