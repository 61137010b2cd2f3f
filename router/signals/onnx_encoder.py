"""The encoder of an export: onnxruntime and `tokenizers`, nothing heavier.

A text is cut at the model's word-piece limit. Many texts are sorted by length, so that a
batch is padded little, and batches run side by side in threads (onnxruntime leaves the
interpreter free); rows come back in the order of the texts. One text runs on one core
unless `threads` says more: for ten words the second core saves a third of 3 ms, and spins.

Memory stays flat because onnxruntime's arena is off: it keeps the largest block of every
shape it has seen. What this does not do: make the export (`router.signals.onnx_export`),
clean or cache texts (`router.signals.encoder`).
"""

import importlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.errors import SetupError
from router.signals.onnx_export import Export

__all__ = ["OnnxEncoder"]

_WINDOW = 4096
"""Texts tokenised and sorted at a time: bounds memory, and still fills batches evenly."""

_PADDED = 1024
"""Word pieces in a batch, padding included: more are slower, and cost memory."""

_MAX_WORKERS = 8

Pieces = list[int]


class OnnxEncoder:
    """An open export; safe to call from several threads at once, none waits for another."""

    name = "onnx"
    mean_pooled = True
    """Whether `encode` is the normalised last state, so that one pass gives both."""

    def __init__(self, export: Export, threads: int | None = None) -> None:
        from tokenizers import Tokenizer

        self.dim, self.states = export.dim, export.states
        self._export = export
        self._workers = threads or min(_MAX_WORKERS, _cores())
        try:
            self._tokenizer = Tokenizer.from_file(str(export.tokenizer))
            self._session = _session(export, threads or 1)
        except Exception as error:  # both raise bare exceptions of their own
            raise SetupError(
                f"the encoder's export {export.folder} cannot be opened: {error}; "
                "delete it, then run `make setup`"
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(export.max_tokens)

    def encode(self, texts: Sequence[str], batch_size: int = 32) -> NDArray[np.float32]:
        """One L2-normalised row a text, shape (n, dim)."""
        rows = np.empty((len(texts), self.dim), dtype=np.float32)
        for places, pooled in self._batches(texts, batch_size):
            rows[places] = normalised(pooled[:, -1])
        return rows

    def layers(self, texts: Sequence[str], batch_size: int = 32) -> NDArray[np.float32]:
        """The mean-pooled hidden states, embeddings first, shape (n, states, dim)."""
        rows = np.empty((len(texts), self.states, self.dim), dtype=np.float32)
        for places, pooled in self._batches(texts, batch_size):
            rows[places] = pooled
        return rows

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        """The word pieces of each text, special ones included, before any cut."""
        from tokenizers import Tokenizer

        whole = Tokenizer.from_file(str(self._export.tokenizer))
        whole.no_padding()
        whole.no_truncation()
        return [len(e.ids) for e in whole.encode_batch_fast(list(texts))]

    def _batches(
        self, texts: Sequence[str], size: int
    ) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """The rows' places and the pooled states, a batch at a time, shortest texts first."""
        for start in range(0, len(texts), _WINDOW):
            window = self._tokenizer.encode_batch_fast(list(texts[start : start + _WINDOW]))
            pieces = [e.ids for e in window]
            batches = _group([len(p) for p in pieces], size)
            inputs = [[pieces[i] for i in batch] for batch in batches]
            for batch, pooled in zip(batches, self._run_all(inputs), strict=True):
                yield [start + i for i in batch], pooled

    def _run_all(self, inputs: list[list[Pieces]]) -> Iterator[NDArray[np.float32]]:
        workers = min(self._workers, len(inputs))
        if workers < 2:
            yield from map(self._run, inputs)
            return
        with ThreadPoolExecutor(workers, thread_name_prefix="encode") as pool:
            yield from pool.map(self._run, inputs)

    def _run(self, pieces: list[Pieces]) -> NDArray[np.float32]:
        """One batch, shape (n, states, dim)."""
        ids = np.zeros((len(pieces), max(map(len, pieces))), dtype=np.int32)
        mask = np.zeros_like(ids)
        for row, kept, text in zip(ids, mask, pieces, strict=True):
            row[: len(text)], kept[: len(text)] = text, 1
        pooled: NDArray[np.float32]
        (pooled,) = self._session.run(["pooled"], {"input_ids": ids, "attention_mask": mask})
        return pooled


def _group(lengths: list[int], size: int) -> list[list[int]]:
    """Places by rising length, in batches of at most `size` texts and `_PADDED` pieces."""
    batches: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        room = min(size, _PADDED // max(1, lengths[place]))
        if not batches or len(batches[-1]) >= room:
            batches.append([])
        batches[-1].append(place)
    return batches


def _cores() -> int:
    """Those this process may use, where the system can tell."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def normalised(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row at length 1, shape (n, dim)."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = rows / np.maximum(lengths, 1e-12)
    return scaled


def _session(export: Export, threads: int) -> Any:
    """An onnxruntime session; its module is untyped, and an Any says so once."""
    # Since 1.31 it collects usage events from its import on, and sends them; nothing calls home.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    ort = importlib.import_module("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait by spinning cost a busy machine more than they save an idle one.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3  # errors: they are raised as well
    # More would replace the graph's layer norms by a fused one that is twice slower.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return ort.InferenceSession(str(export.graph), options, providers=["CPUExecutionProvider"])
