"""Figures with their intervals: what the parts of `ockham signals eval` are made of.

A statistic is a function of (n,) row weights (`eval/compare.py`), so that all statistics of
one set of rows share the same resamples of whole clusters. What this does not do: make the
scores (see `families`, `heldout_scores`, `perturbed`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eval.compare import bootstrap, wilson
from eval.fit.linear import Reals
from eval.metrics.calibration import auroc_statistic, brier, ece
from router.record import Record

__all__ = [
    "BINS",
    "RESAMPLES",
    "Figure",
    "Ratio",
    "Statistics",
    "binary_statistics",
    "figures",
    "macro_f1_statistic",
    "quantile_statistic",
    "ratio",
    "sigmoid",
]

BINS = 10
"""Of the calibration error; equal mass."""
RESAMPLES = 1000

Statistics = Mapping[str, Callable[[Reals], float]]


class Figure(Record):
    """One number with its 95 % interval, over whole clusters; None is undefined."""

    contender: str
    part: str
    """What was scored: `families`, `twins`, `languages/german`, `injections`, `flips/typos`."""
    axis: str = ""
    """One of the axes, or "" where both or none are meant."""
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    """Rows (pairs of families, prompts, pairs of prompts: see the part)."""
    clusters: int
    """Independent units that were resampled."""


def figures(
    contender: str,
    part: str,
    axis: str,
    statistics: Statistics,
    clusters: ArrayLike,
    seed: int,
    resamples: int = RESAMPLES,
) -> list[Figure]:
    """One figure a statistic, from the same resamples of (n,) clusters; none without rows.

    Shares of independent rows, and shares that no resampling can spread, take Wilson's
    interval (`Ratio.wilson`).
    """
    names = np.asarray(clusters)
    if not len(names) or not statistics:
        return []
    codes = np.unique(names, return_inverse=True)[1].ravel()
    made = bootstrap(
        lambda weight: np.array([statistic(weight) for statistic in statistics.values()]),
        codes,
        resamples,
        seed,
    )
    out = []
    for (metric, statistic), got in zip(statistics.items(), made, strict=True):
        ends = statistic.wilson(codes) if isinstance(statistic, Ratio) else None
        low, high = ends or (got.low, got.high)
        out.append(
            Figure(
                contender=contender,
                part=part,
                axis=axis,
                metric=metric,
                value=_known(got.value),
                low=_known(low),
                high=_known(high),
                n=got.n,
                clusters=got.clusters,
            )
        )
    return out


def binary_statistics(probability: ArrayLike, outcome: ArrayLike) -> Statistics:
    """AUROC, accuracy, macro-F1, Brier score and ECE of (n,) probabilities of a 0/1 outcome.

    A decision is p >= 1/2. AUROC and macro-F1 are nan where a class is missing. Definitions:
    `eval/metrics/calibration.py`; macro-F1 as in scikit-learn.
    """
    p = np.asarray(probability, dtype=np.float64)
    y = np.asarray(outcome, dtype=np.float64)
    chosen = p >= 0.5
    return {
        "auroc": auroc_statistic(p, y),
        "accuracy": ratio(chosen == (y == 1)),
        "macro-f1": macro_f1_statistic(chosen, y == 1),
        "brier": lambda w: brier(p, y, w),
        "ece": lambda w: ece(p, y, BINS, w),
    }


def macro_f1_statistic(
    chosen: NDArray[np.bool_], truth: NDArray[np.bool_]
) -> Callable[[Reals], float]:
    """Mean F1 of both classes; nan where the truth has only one of them."""

    def macro(weight: Reals) -> float:
        if not (weight @ truth > 0 and weight @ ~truth > 0):
            return math.nan
        wrong = float(weight @ (chosen != truth))
        hits = (2.0 * float(weight @ (chosen & truth)), 2.0 * float(weight @ ~(chosen | truth)))
        return sum(h / (h + wrong) if h else 0.0 for h in hits) / 2

    return macro


@dataclass(frozen=True)
class Ratio:
    """sum w part / sum w whole, both (n,); nan over nothing."""

    part: Reals
    whole: Reals

    def __call__(self, weight: Reals) -> float:
        """Under (n,) weights."""
        below = float(weight @ self.whole)
        return float(weight @ self.part) / below if below else math.nan

    def wilson(self, codes: NDArray[np.intp]) -> tuple[float, float] | None:
        """Wilson's interval, where a resampling of clusters is the wrong tool; else None.

        A share of rows that are all independent has the exact kind. One that is 0 or 1 in
        every cluster has no spread to resample: then each cluster counts as one trial.
        """
        if not (np.isin(self.whole, (0, 1)).all() and np.isin(self.part, (0, 1)).all()):
            return None
        total, hits = int(self.whole.sum()), int(self.part.sum())
        asked = np.unique(codes[self.whole == 1])
        if not total or hits > total:
            return None
        if len(asked) == total:
            return wilson(hits, total)[1:3]
        if hits in (0, total):
            return wilson(len(asked) if hits else 0, len(asked))[1:3]
        return None


def ratio(part: ArrayLike, whole: ArrayLike | None = None) -> Ratio:
    """A share, or with `whole` a ratio of two (n,) columns."""
    top = np.asarray(part, dtype=np.float64)
    return Ratio(top, np.ones(len(top)) if whole is None else np.asarray(whole, np.float64))


def quantile_statistic(values: ArrayLike, level: float) -> Callable[[Reals], float]:
    """The smallest value that at least `level` of the weight does not exceed."""
    given = np.asarray(values, dtype=np.float64)
    order = np.argsort(given, kind="stable")

    def quantile(weight: Reals) -> float:
        climbed = np.cumsum(weight[order])
        if not climbed[-1]:
            return math.nan
        at = int(np.searchsorted(climbed, level * climbed[-1] * (1 - 1e-12)))
        return float(given[order[at]])

    return quantile


def sigmoid(log_odds: ArrayLike) -> Reals:
    """Probabilities of (n,) log odds, without overflow."""
    clipped = np.clip(np.asarray(log_odds, dtype=np.float64), -30, 30)
    return np.asarray(1.0 / (1.0 + np.exp(-clipped)))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
