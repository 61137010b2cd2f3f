"""Is a probability what it says? Expected calibration error, Brier score, AUROC.

probability or score: (n,); outcome: (n,) in 0..1 (0 or 1 for AUROC); weight: (n,) >= 0.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from eval.metrics.arrays import Floats, column, row_weight
from eval.metrics.pair import PairCurve

__all__ = ["auroc", "auroc_statistic", "brier", "ece"]


def ece(
    probability: ArrayLike, outcome: ArrayLike, bins: int = 10, weight: ArrayLike | None = None
) -> float:
    """sum over bins of |sum w (p - y)| / sum w, in bins of equal mass.

    Equal mass rather than equal width: scores crowd, and an almost empty bin is noise. Equal
    probabilities share a bin (the one their middle falls in), so the order of rows cannot
    matter. Biased upwards on few rows; compare at equal n.
    """
    p, y, given = _probabilities(probability, outcome, weight)
    total = float(given.sum())
    if not total:
        return math.nan
    _, block = np.unique(p, return_inverse=True)
    mass = np.bincount(block, weights=given)
    middle = (np.cumsum(mass) - mass / 2) / total
    place = np.minimum((middle * bins).astype(np.intp), bins - 1)
    gaps = np.bincount(place[block], weights=given * (p - y), minlength=bins)
    return float(np.abs(gaps).sum()) / total


def brier(probability: ArrayLike, outcome: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Mean of (p - y)^2."""
    p, y, given = _probabilities(probability, outcome, weight)
    total = float(given.sum())
    return float(given @ (p - y) ** 2) / total if total else math.nan


def auroc(score: ArrayLike, outcome: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Chance that a 1 is scored above a 0, ties half (scikit-learn); nan without both."""
    scores, truth = _truth(score, outcome)
    given = row_weight(weight, len(scores))
    if not (given @ truth > 0 and given @ (1 - truth) > 0):
        return math.nan
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores, sample_weight=given))


def auroc_statistic(score: ArrayLike, outcome: ArrayLike) -> Callable[[Floats], float]:
    """`auroc` as a function of the weights alone, sorted once: for a bootstrap.

    The ROC curve is a pair curve: each 1 is a unit of gain at no cost, each 0 a unit of cost
    without gain, and the area under recovered gain over money spent is the AUROC.
    """
    scores, truth = _truth(score, outcome)
    free = np.zeros(len(scores))
    return PairCurve(scores, free, truth, free, 1 - truth).cost_apgr


def _truth(score: ArrayLike, outcome: ArrayLike) -> tuple[Floats, Floats]:
    scores = column("score", score)
    truth = column("outcome", outcome, len(scores))
    if not np.isin(truth, (0.0, 1.0)).all():
        raise ValueError("auroc needs outcomes 0 or 1")
    return scores, truth


def _probabilities(
    probability: ArrayLike, outcome: ArrayLike, weight: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    p = column("probability", probability)
    if p.min() < 0 or p.max() > 1:
        raise ValueError("probabilities lie in 0..1")
    return p, column("outcome", outcome, len(p)), row_weight(weight, len(p))
