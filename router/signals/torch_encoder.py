"""Sentence-transformers on torch: what runs where no ONNX export can be made.

Hub names, and folders of another architecture or pooling, come here; so does
`Encoder(backend="torch")`, the reference that the tests compare with. Loading costs ten
seconds, one short text about 9 ms. What this does not do: run texts side by side (the
tokenizer of transformers is not safe to share, so callers wait for each other).
"""

import hashlib
import importlib
import logging
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.errors import SetupError

__all__ = ["TorchEncoder"]


class TorchEncoder:
    """A loaded sentence-transformers model; `place` is a folder or a hub name.

    `threads` is torch's, and so the whole process's.
    """

    name = "torch"
    mean_pooled = False

    def __init__(self, place: str, *, local: bool, threads: int | None = None) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        if threads is not None:
            torch.set_num_threads(threads)
        self._lock = threading.Lock()
        with _QuietTransformers():
            self._model: Any = SentenceTransformer(place, device="cpu", local_files_only=local)
        self.dim = int(self.encode(["a"]).shape[1])

    def encode(self, texts: Sequence[str], batch_size: int = 32) -> NDArray[np.float32]:
        """One L2-normalised row a text, pooled as the model says, shape (n, dim)."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        with self._lock:
            rows = self._model.encode(
                list(texts),
                batch_size=batch_size,
                convert_to_numpy=True,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return np.ascontiguousarray(rows, dtype=np.float32)

    def layers(self, texts: Sequence[str], batch_size: int = 32) -> NDArray[np.float32]:
        """The mean over tokens of each hidden state, shape (n, states, dim)."""
        import torch

        with self._lock, torch.inference_mode():
            starts = range(0, max(1, len(texts)), batch_size)
            batches = [self._pooled(list(texts[s : s + batch_size]) or [""]) for s in starts]
        return np.concatenate(batches)[: len(texts)]

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        """The word pieces of each text, special ones included, before any cut."""
        with self._lock:
            found = self._model.tokenizer(list(texts), truncation=False, verbose=False)
        return [len(ids) for ids in found["input_ids"]]

    def checksum(self) -> str:
        """Of each tensor the name, shape and first values: for models without a folder."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(f"{name}:{tuple(tensor.shape)}".encode())
            digest.update(tensor.flatten()[:64].float().cpu().numpy().tobytes())
        return digest.hexdigest()[:8]

    def _pooled(self, texts: list[str]) -> NDArray[np.float32]:
        network = getattr(self._model[0], "auto_model", None)
        if network is None:
            raise SetupError(
                "this encoder has no layers to read; name a transformer model in `signals.encoder`"
            )
        inputs = self._model.tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self._model.max_seq_length,
            return_tensors="pt",
        )
        states = network(**inputs, output_hidden_states=True).hidden_states
        mask = inputs["attention_mask"].unsqueeze(-1).float()
        means = [((s.float() * mask).sum(1) / mask.sum(1)).numpy() for s in states]
        return np.stack(means, axis=1).astype(np.float32, copy=False)


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
