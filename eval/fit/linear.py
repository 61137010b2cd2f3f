"""Weighted linear fits and their scores: logistic, multinomial, Platt, AUROC with intervals.

All weights come back in the scale of the rows given, so that inference is one product.
Not covered: choosing the rows (see `eval/fit/signals.py`).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Interval", "Linear", "Reals", "auroc", "auroc_interval", "fit_linear", "platt"]

Reals = NDArray[np.float64]
Features = NDArray[np.float32] | NDArray[np.float64]


class Linear(NamedTuple):
    """weights (classes, columns) and bias (classes,); a binary fit has one class row."""

    weights: Reals
    bias: Reals

    def raw(self, rows: Features) -> Reals:
        """Scores before the logistic or the softmax."""
        return np.asarray(rows @ self.weights.T + self.bias, dtype=np.float64)


class Interval(NamedTuple):
    """An estimate with its 95 % bootstrap interval and n."""

    value: float
    low: float
    high: float
    n: int


def fit_linear(rows: Features, labels: Sequence[Any], weights: Reals, c: float) -> Linear:
    """L2-regularised logistic regression (multinomial above two classes)."""
    from sklearn.linear_model import LogisticRegression

    # Rows with a large common part converge slowly: it is taken out, and put into the bias.
    centre = np.asarray(np.average(rows, axis=0, weights=weights), dtype=np.float32)
    model = LogisticRegression(C=c, max_iter=400, tol=1e-4)
    model.fit(rows - centre, np.asarray(labels), sample_weight=weights / weights.mean())
    slopes = np.asarray(model.coef_, dtype=np.float64)
    return Linear(slopes, np.asarray(model.intercept_, dtype=np.float64) - slopes @ centre)


def platt(raw: Reals, labels: Sequence[int], weights: Reals) -> tuple[float, float]:
    """Scale and shift that calibrate raw scores (Platt 1999), from rows the fit had not seen."""
    fit = fit_linear(raw.reshape(-1, 1), labels, weights, c=1e6)
    return max(float(fit.weights[0, 0]), 1e-3), float(fit.bias[0])


def auroc(scores: Reals, labels: NDArray[np.int64], weights: Reals | None = None) -> float:
    """Area under the ROC curve, ties counted half; nan where a class is missing."""
    from sklearn.metrics import roc_auc_score

    if len(np.unique(labels)) < 2:
        return float("nan")
    return float(roc_auc_score(labels, scores, sample_weight=weights))


def auroc_interval(
    scores: Reals, labels: NDArray[np.int64], clusters: Sequence[str], seed: int, draws: int = 500
) -> Interval:
    """AUROC, resampling whole clusters: prompts of one topic are no independent draws."""
    value = auroc(scores, labels)
    if np.isnan(value):
        return Interval(value, value, value, len(labels))
    names, index = np.unique(np.asarray(clusters), return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn: list[float] = []
    for _ in range(draws):
        times = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        weight = times[index].astype(float)
        taken = weight > 0
        drawn.append(auroc(scores[taken], labels[taken], weight[taken]))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Interval(value, float(low), float(high), len(labels))
