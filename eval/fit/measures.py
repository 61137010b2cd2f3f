"""Figures with their intervals: what the parts of `ockham signals eval` are made of.

A statistic is a function of (n,) row weights (`eval/compare.py`), so that all statistics of
one set of rows share the same resamples of whole clusters. What this does not do: make the
scores (see `families`, `heldout_scores`, `perturbed`).
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

from eval.fit.linear import Reals

__all__ = [
    "BINS",
    "RESAMPLES",
    "Figure",
    "Record",
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


class Record(BaseModel):
    """Frozen; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(Record):
    """One number with its 95 % percentile interval over whole clusters; None is undefined."""

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
    """One figure a statistic, from the same resamples of (n,) clusters; none without rows."""
    from eval.compare import bootstrap

    names = np.asarray(clusters)
    if not len(names) or not statistics:
        return []
    made = bootstrap(
        lambda weight: np.array([statistic(weight) for statistic in statistics.values()]),
        names,
        resamples,
        seed,
    )
    return [
        Figure(
            contender=contender,
            part=part,
            axis=axis,
            metric=metric,
            value=_known(got.value),
            low=_known(got.low),
            high=_known(got.high),
            n=got.n,
            clusters=got.clusters,
        )
        for metric, got in zip(statistics, made, strict=True)
    ]


def binary_statistics(probability: ArrayLike, outcome: ArrayLike) -> Statistics:
    """AUROC, accuracy, macro-F1, Brier score and ECE of (n,) probabilities of a 0/1 outcome.

    A decision is p >= 1/2. AUROC and macro-F1 are nan where a class is missing. Definitions:
    `eval/metrics/calibration.py`; macro-F1 as in scikit-learn.
    """
    from eval.metrics.calibration import auroc_statistic, brier, ece

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


def ratio(part: ArrayLike, whole: ArrayLike | None = None) -> Callable[[Reals], float]:
    """sum w part / sum w whole (a share, where `whole` is left out); nan over nothing."""
    top = np.asarray(part, dtype=np.float64)
    base = np.ones(len(top)) if whole is None else np.asarray(whole, dtype=np.float64)

    def share(weight: Reals) -> float:
        below = float(weight @ base)
        return float(weight @ top) / below if below else math.nan

    return share


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


def cell(figure: Figure | None, digits: int = 3) -> str:
    """`value [low, high]`, or a dash."""
    if figure is None or figure.value is None:
        return "-"
    text = f"{figure.value:.{digits}f}"
    if figure.low is None or figure.high is None:
        return text
    return f"{text} [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def find(rows: Sequence[Figure], **asked: str) -> Figure | None:
    """The first figure whose fields are these."""
    return next((r for r in rows if all(getattr(r, k) == v for k, v in asked.items())), None)
