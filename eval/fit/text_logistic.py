"""Fit `policies.text_logistic` on recorded outcomes of a pair of arms.

Terms that fewer than `MIN_ROWS` training rows hold are left out; idf is smoothed as
in scikit-learn: ln((1 + n) / (1 + df)) + 1. Regularisation is fixed, not searched: the
baseline must not be tuned on the rows it is scored on.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from eval.features import Features
from eval.fit.soft_labels import constant_log_odds, soft_labels
from policies.text_logistic import LENGTHS, TextLogistic, dense_matrix, term_matrix

__all__ = ["fit_text_logistic", "vocabulary"]

MIN_ROWS = 2
C = 0.5
LENGTH_SPREAD = 0.3
"""Standard deviation of a length column: that of an embedding's column is 0.05."""


def fit_text_logistic(
    features: Features, small: NDArray[np.float64], large: NDArray[np.float64]
) -> TextLogistic:
    """A policy fitted on (n,) scores of both arms, 0..1 (fractions weigh both classes)."""
    terms = features.blocks["terms"].astype(np.int64)
    lengths = features.blocks["lengths"].astype(np.float64)
    mean, scale = _standard(lengths[:, :LENGTHS])
    dense = dense_matrix(features.blocks["embedding"], lengths, mean, scale)
    buckets, idf = vocabulary(terms)
    x = hstack([term_matrix(terms, buckets, idf), csr_array(dense)], "csr")
    small_weights, small_bias = _logistic(x, small)
    large_weights, large_bias = _logistic(x, large)
    return TextLogistic(
        fingerprint=features.fingerprint,
        buckets=tuple(buckets.tolist()),
        idf=tuple(idf.tolist()),
        length_mean=mean,
        length_scale=scale,
        small_weights=tuple(small_weights.tolist()),
        small_bias=small_bias,
        large_weights=tuple(large_weights.tolist()),
        large_bias=large_bias,
    )


def _standard(lengths: NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """Means, and what to multiply by for a spread of `LENGTH_SPREAD` (0 for a constant)."""
    spread = lengths.std(axis=0)
    scale = np.divide(LENGTH_SPREAD, spread, out=np.zeros_like(spread), where=spread > 0)
    return lengths.mean(axis=0).tolist(), scale.tolist()


def vocabulary(terms: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sorted buckets that at least `MIN_ROWS` rows hold, and their idf."""
    n = terms.shape[0]
    rows, slots = np.nonzero(terms >= 0)
    pairs = np.unique(terms[rows, slots] * np.int64(n) + rows)
    buckets, df = np.unique(pairs // n, return_counts=True)
    kept = df >= MIN_ROWS
    return buckets[kept], np.log((1 + n) / (1 + df[kept])) + 1


def _logistic(x: csr_array, y: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Weights and bias; a fractional label is one row of each class, weighted."""
    from sklearn.linear_model import LogisticRegression

    made = soft_labels(y)
    if made.one_class:
        return np.zeros(x.shape[1]), constant_log_odds(y)
    model = LogisticRegression(C=C, solver="liblinear", random_state=0)
    model.fit(x[made.row], made.label, sample_weight=made.weight)
    return np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0])
