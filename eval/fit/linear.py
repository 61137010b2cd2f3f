"""Weighted linear fits: logistic, multinomial, and Platt's calibration.

All weights come back in the scale of the rows given, so that inference is one product.
Not covered: choosing the rows (see `eval/fit/signals.py`).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Linear", "Reals", "fit_linear", "platt"]

Reals = NDArray[np.float64]
Features = NDArray[np.float32] | NDArray[np.float64]


class Linear(NamedTuple):
    """weights (classes, columns) and bias (classes,); a binary fit has one class row."""

    weights: Reals
    bias: Reals

    def raw(self, rows: Features) -> Reals:
        """Scores before the logistic or the softmax."""
        return np.asarray(rows @ self.weights.T + self.bias, dtype=np.float64)


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
