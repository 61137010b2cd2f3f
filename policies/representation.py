"""One representation of a query for the rules that learn many arms from it.

    x = [embedding ; the other dense blocks, standardised and scaled ; TF-IDF of frequent terms]

The standardised blocks are scaled to the spread of an embedding's column, so that one
regularisation fits all; TF-IDF as in `policies.text_logistic`, over the terms that most
training queries hold (a rare term says little of 27 arms at once, and costs as much).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator

from policies.packed import Packed
from policies.text_logistic import term_matrix

__all__ = ["BLOCKS", "Representation", "dense_blocks"]

Floats = NDArray[np.float64]
BLOCKS = ("lengths", "cues", "axes", "domains", "needs")
"""Dense feature blocks that stand beside the embedding."""


def dense_blocks(blocks: Mapping[str, NDArray[np.generic]]) -> Floats:
    """(n, d) the blocks of BLOCKS side by side."""
    return np.hstack([np.asarray(blocks[name], dtype=np.float64) for name in BLOCKS])


@lru_cache(maxsize=8)
def _vocabulary(
    buckets: tuple[int, ...], idf: tuple[float, ...]
) -> tuple[NDArray[np.int64], Floats]:
    """As arrays, made once: a decision takes less time than they do."""
    return np.array(buckets, dtype=np.int64), np.array(idf)


class Representation(BaseModel):
    """The fitted numbers of x."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: ClassVar[frozenset[str]] = frozenset({"embedding", "terms", *BLOCKS})
    """Blocks that it reads."""
    mean: Packed
    scale: Packed
    """(d,) of the standardised blocks."""
    buckets: tuple[int, ...]
    idf: tuple[float, ...]

    @model_validator(mode="after")
    def _fits(self) -> "Representation":
        if len(self.idf) != len(self.buckets):
            raise ValueError("idf and buckets differ in length")
        if self.mean.shape != self.scale.shape:
            raise ValueError("mean and scale differ in length")
        return self

    def of(self, blocks: Mapping[str, NDArray[np.generic]]) -> Floats:
        """(n, w) rows of x."""
        own = (dense_blocks(blocks) - self.mean.array) * self.scale.array
        terms = np.asarray(blocks["terms"], dtype=np.int64)
        words = term_matrix(terms, *_vocabulary(self.buckets, self.idf)).toarray()
        return np.hstack([np.asarray(blocks["embedding"], dtype=np.float64), own, words])
