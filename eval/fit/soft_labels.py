"""Fractional scores for learners that take classes, and what is left to say where all agree.

a score s in (0, 1) is two rows: one right of weight s, one wrong of weight 1 - s
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["SoftLabels", "constant_log_odds", "soft_labels"]

Floats = NDArray[np.float64]


class SoftLabels(NamedTuple):
    """Rows to fit on: the place of each among the rows given, its class, its weight."""

    row: NDArray[np.int64]
    label: Floats
    weight: Floats

    @property
    def one_class(self) -> bool:
        """All right, or all wrong: nothing to fit."""
        return len(np.unique(self.label)) < 2


def soft_labels(score: Floats) -> SoftLabels:
    """(n,) scores 0..1; the rows as they are, then the other class of the fractions."""
    label, weight = np.rint(score), np.ones(len(score))
    part = np.flatnonzero((score > 0) & (score < 1))
    weight[part] = np.where(label[part] == 1, score[part], 1 - score[part])
    return SoftLabels(
        np.r_[np.arange(len(score)), part],
        np.r_[label, 1 - label[part]],
        np.r_[weight, 1 - weight[part]],
    )


def constant_log_odds(score: Floats) -> float:
    """Of the rate, with one success and one failure added."""
    rate = (score.sum() + 1) / (len(score) + 2)
    return float(np.log(rate / (1 - rate)))
