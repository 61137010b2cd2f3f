"""Isotonic regression to plain data: what a number that an attempt shows says of being right.

Least squares under the rule that P(right) never falls (pool adjacent violators, scikit-learn).
Rows that lack the number make `blank`: their rate, drawn towards `prior` by `BLANK_ROWS` rows.
Fewer than `LEAST` rows with the number, or none of two kinds, make a constant.
"""

import numpy as np
from numpy.typing import NDArray

from policies.calibrated import Calibrated

__all__ = ["fit_calibrated", "shrunk"]

Floats = NDArray[np.float64]
LEAST = 10
"""Rows below which a rising map would be drawn through noise."""
BLANK_ROWS = 10.0
"""Weight, in rows, of the prior in a rate: a kind that was seen twice is no rate of its own."""


def shrunk(score: Floats, prior: float) -> float:
    """The mean of the scores, drawn towards the prior; the prior where there are none."""
    return float((score.sum() + BLANK_ROWS * prior) / (len(score) + BLANK_ROWS))


def fit_calibrated(number: Floats, score: Floats, prior: float) -> Calibrated:
    """(n,) numbers (NaN: none) and scores 0..1."""
    known = ~np.isnan(number)
    blank = shrunk(score[~known], prior)
    if known.sum() < LEAST or len(np.unique(number[known])) < 2:
        # Without a map, those with a number count too: they are what will be asked about.
        return Calibrated(blank=shrunk(score, prior))
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0.0, y_max=1.0).fit(number[known], score[known])
    at, first = np.unique(np.asarray(model.X_thresholds_, dtype=np.float64), return_index=True)
    value = np.maximum.accumulate(np.clip(np.asarray(model.y_thresholds_)[first], 0.0, 1.0))
    return Calibrated(at=tuple(at.tolist()), value=tuple(value.tolist()), blank=blank)
