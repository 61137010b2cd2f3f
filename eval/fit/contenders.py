"""What is compared by `ockham signals eval`: anything that ranks queries along an axis.

A contender is fitted on a table and an axis, and gives a function from a table to one score a
row; more means nearer to 1. A contender that cannot be fitted (a keyword count) ignores the
table it is given. `log_odds` says whether the scores are log odds, so that thresholds,
Brier score and calibration mean something; the others are ranked only.
"""

from collections.abc import Callable
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from eval.fit.linear import Reals, fit_linear
from eval.fit.signals import STRENGTH
from eval.fit.table import Table
from router.signals.cues import CUES
from router.signals.foreign import DIM as FOREIGN_DIM

__all__ = ["Contender", "EnglishOnly", "Ours", "Score"]

Score = Callable[[Table], Reals]


class Contender(Protocol):
    """A way to score an axis."""

    @property
    def name(self) -> str:
        """As tables print it."""

    @property
    def log_odds(self) -> bool:
        """Whether scores are log odds (before calibration)."""

    def fit(self, table: Table, axis: str) -> Score:
        """Learn from the table's labelled rows; must not keep anything between calls."""


class Ours:
    """The shipped kind of head: a logistic regression on the featuriser's rows."""

    name: ClassVar[str] = "ours"
    log_odds: ClassVar[bool] = True

    def fit(self, table: Table, axis: str) -> Score:
        """Fit on the rows that have a label."""
        rows = table.labelled(axis)
        fit = fit_linear(rows.x, rows.labels(axis), rows.weights, STRENGTH)
        return lambda held: fit.raw(held.x)[:, 0]


class EnglishOnly:
    """Ours without the multilingual encoder's columns: detect a language, and no more."""

    name: ClassVar[str] = "ours, English encoder only"
    log_odds: ClassVar[bool] = True

    def fit(self, table: Table, axis: str) -> Score:
        """Fit on the rows that have a label."""
        rows = table.labelled(axis)
        kept = _english(rows.x)
        fit = fit_linear(kept, rows.labels(axis), rows.weights, STRENGTH)
        return lambda held: fit.raw(_english(held.x))[:, 0]


def _english(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows without the multilingual encoder's columns (see `router.signals.inputs`)."""
    end = x.shape[1] - len(CUES)
    return np.delete(x, np.s_[end - FOREIGN_DIM : end], axis=1)
