"""What the head reads of a query: one row of numbers, made the same way live and in the fit.

    columns                      what
    len(LAYERS) * dim            mean-pooled hidden states of the encoder's layers `LAYERS`,
                                 each L2-normalised, pooled over views and segments by weight
    foreign.DIM                  the multilingual encoder's row, zero for English
    len(CUES)                    surface cues of the ask

The last layer says what a text is about, and was trained to forget how it is put; what is
*asked for* stands in the layers below (probing studies: Tenney et al., arXiv 1905.05950).
Adding two of them is worth more than any other change that was tried (eval/README.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router.signals.conversation import Reading, read
from router.signals.cues import CUES, cues
from router.signals.encoder import Encoder
from router.signals.foreign import DIM as FOREIGN_DIM
from router.signals.foreign import ForeignEncoder
from router.signals.language import guess_language
from router.signals.segments import segments
from router.state import Query

__all__ = ["LAYERS", "Inputs", "Rows", "width"]

LAYERS = (2, 4, 6)
"""Counted from the embeddings (0); an encoder with fewer layers gives its last one instead."""

_Floats = NDArray[np.float32]


def width(dim: int) -> int:
    """Columns of a row for an encoder of this dimension."""
    return len(LAYERS) * dim + FOREIGN_DIM + len(CUES)


@dataclass(frozen=True)
class Rows:
    """n queries: what was read of them, and their numbers."""

    readings: tuple[Reading, ...]
    languages: tuple[str, ...]
    embedding: _Floats
    """(n, dim) the encoder's own row, pooled over views, L2-normalised."""
    states: _Floats
    """(n, len(LAYERS) * dim)"""
    foreign: _Floats
    """(n, 512)"""
    cues: _Floats
    """(n, len(CUES))"""

    @property
    def matrix(self) -> _Floats:
        """(n, width) the head's input."""
        return np.concatenate([self.states, self.foreign, self.cues], axis=1)


class Inputs:
    """Makes rows; holds both encoders."""

    def __init__(self, encoder: Encoder, foreign: ForeignEncoder | None = None) -> None:
        self.encoder = encoder
        self.foreign = foreign or ForeignEncoder()

    @property
    def fingerprint(self) -> str:
        """Equal prints, equal rows (for the same version of this code)."""
        return f"{self.encoder.fingerprint}+{self.foreign.fingerprint}"

    def rows(self, queries: Sequence[Query]) -> Rows:
        """Rows of queries, in order; blocking work."""
        readings = tuple(read(q) for q in queries)
        asks = [r.ask for r in readings]
        languages = tuple(guess_language(ask) for ask in asks)
        states = self._states(readings)
        n = len(readings)
        last = states[:, -1]
        norm = np.linalg.norm(last, axis=1, keepdims=True)
        return Rows(
            readings,
            languages,
            np.divide(last, norm, out=np.zeros_like(last), where=norm > 0),
            np.ascontiguousarray(states.reshape(n, states.shape[1] * states.shape[2])),
            self.foreign.encode(asks, languages),
            _cues(readings),
        )

    def _states(self, readings: Sequence[Reading]) -> _Floats:
        """(n, len(LAYERS), dim) pooled over views and their segments."""
        texts: list[str] = []
        owner: list[int] = []
        weight: list[float] = []
        for i, reading in enumerate(readings):
            for view in reading.views:
                for segment in segments(view.text):
                    texts.append(segment.text)
                    owner.append(i)
                    weight.append(view.weight * segment.weight)
        pooled = self.encoder.layers(texts)
        top = pooled.shape[1] - 1
        chosen = pooled[:, [min(layer, top) for layer in LAYERS]]
        norms = np.linalg.norm(chosen, axis=2, keepdims=True)
        chosen = np.divide(chosen, norms, out=np.zeros_like(chosen), where=norms > 0)
        out = np.zeros((len(readings), len(LAYERS), chosen.shape[2]), dtype=np.float32)
        np.add.at(out, owner, chosen * np.asarray(weight, dtype=np.float32)[:, None, None])
        return out


def _cues(readings: Sequence[Reading]) -> _Floats:
    """Cues of the asks; a passage that stood around one is as good as one inside it."""
    found = cues([r.ask for r in readings])
    column = CUES.index("passage_given")
    found[:, column] = np.maximum(found[:, column], [float(r.passage) for r in readings])
    return found
