"""k nearest neighbours: the mean score of each arm on the k training queries most alike.

    q_m(x) = mean of s_m(i) over the k rows i of the greatest cos(x, x_i)

The plain baseline of many-arm routing, hard to beat when its k is chosen with care (arXiv
2505.12601). Rows as near as the k-th count too. Similarities are rounded before they are
compared: alone and in a batch a row then has the same neighbours.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from policies.case import CaseBatch
from policies.packed import Packed
from policies.policy import Needs, register
from policies.utility import UtilityPolicy

__all__ = ["Knn", "neighbour_mean", "unit_rows"]

Floats = NDArray[np.float64]
DIGITS = 9
"""Far coarser than what the order of a sum changes, far finer than neighbours differ."""
ROWS = 1024
"""Queries whose similarities are in memory at once."""


def unit_rows(x: NDArray[np.generic]) -> Floats:
    """(n, d) rows of length 1; a row of zeros stays."""
    rows = np.asarray(x, dtype=np.float64)
    length = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.where(length > 0, length, 1.0))


def neighbour_mean(
    x: Floats, table: Floats, score: Floats, k: int, temperature: float = np.inf
) -> Floats:
    """(n, m) mean scores of the neighbours of unit rows x (n, d) in a table (t, d) of unit rows.

    Each weighs exp(cos / temperature): all the same at inf. At most all t are neighbours.
    """
    out = np.empty((len(x), score.shape[1]))
    place = len(table) - min(k, len(table))
    for start in range(0, len(x), ROWS):
        near = np.round(x[start : start + ROWS] @ table.T, DIGITS)
        # A copy: np.partition reorders what it is given.
        kth = np.partition(near, place, axis=1)[:, [place]]
        weight = (near >= kth) * np.exp((near - near.max(axis=1, keepdims=True)) / temperature)
        out[start : start + ROWS] = (weight @ score) / weight.sum(axis=1, keepdims=True)
    return out


@register
class Knn(UtilityPolicy):
    """Its training table is its state."""

    name: ClassVar[str] = "knn"
    holds_rows: ClassVar[bool] = True
    needs: ClassVar[Needs] = Needs(features=frozenset({"embedding"}))

    fingerprint: str = Field(min_length=1)
    """Of the featuriser whose embeddings the table holds."""
    k: int = Field(ge=1)
    table: Packed
    """(t, d) embeddings of length 1."""
    table_score: Packed
    """(t, m) scores of the arms, 0..1."""

    @model_validator(mode="after")
    def _fits(self) -> "Knn":
        if len(self.table.shape) != 2 or not self.table.shape[0]:
            raise ValueError("table must be (rows, width) with at least one row")
        if self.table_score.shape != (self.table.shape[0], len(self.arms)):
            raise ValueError("table_score must be (rows of table, arms)")
        return self

    def predict(self, cases: CaseBatch) -> Floats:
        x = unit_rows(cases.block("embedding"))
        return neighbour_mean(x, self.table.array, self.table_score.array, self.k)
