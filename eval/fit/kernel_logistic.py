"""Fit `policies.kernel_logistic` on recorded outcomes of any number of arms.

The kernel's square root comes from the centres (Nystrom: Williams and Seeger, NIPS 2000), which
makes the fit a plain logistic regression with an L2 penalty, solved by L-BFGS in double precision;
a fractional score is its own soft label.

The constants below were chosen by APGR on eight pairs of MMLU-Pro, whose questions partly stand in
MMLU too (other models' outcomes), and on RouteLLM's GSM8K, so its own figure on GSM8K is not clean.
One earlier variant was looked at on MMLU (three draws, no gain) before the weights were settled.
They are the same for every table; nothing is searched in a fit.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from eval.fit.soft_labels import constant_log_odds
from eval.fit.text_logistic import vocabulary
from eval.fit.usable import known_features
from eval.table import Table
from policies.kernel_logistic import KernelLogistic, form_matrix, kernel_matrix
from policies.text_logistic import LENGTHS, term_matrix
from policies.utility import fitted_arms

__all__ = ["fit_kernel_logistic"]

Floats = NDArray[np.float64]

C = 0.25
"""Inverse strength of the penalty."""
EMBEDDING_CENTRES, FORM_CENTRES = 300, 150
EMBEDDING_WIDTH = 0.6
"""Of squared distances between unit vectors: 0.6 is a cosine of 0.7."""
FORM_WIDTH = 16.0
CUE_WEIGHT = 0.3
"""Of a cue beside a length: there are 47 of them and 3 lengths."""
FORM_SHARE = 0.5
"""Weight of the form's columns beside the embedding's."""
ROWS_CLUSTERED = 4000
"""k-means reads at most so many rows: more do not move the centres, and cost minutes."""
KMEANS_ROUNDS = 20
TINY = 1e-6
"""Directions of the kernel below this are rounding."""


def fit_kernel_logistic(table: Table) -> KernelLogistic:
    """A policy fitted on all rows of the table."""
    features = known_features(table, "kernel-logistic")
    blocks = features.blocks
    terms = blocks["terms"].astype(np.int64)
    embedding = blocks["embedding"].astype(np.float64)
    buckets, idf = vocabulary(terms)
    mean, scale = _standard(blocks["lengths"], blocks["cues"])
    form = form_matrix(blocks["lengths"], blocks["cues"], mean, scale)
    near, near_root = _nystrom(embedding, EMBEDDING_CENTRES, EMBEDDING_WIDTH)
    like, like_root = _nystrom(form, FORM_CENTRES, FORM_WIDTH)
    x = term_matrix(terms, buckets, idf)
    dense = np.hstack([
        kernel_matrix(embedding, near, EMBEDDING_WIDTH) @ near_root,
        FORM_SHARE * kernel_matrix(form, like, FORM_WIDTH) @ like_root,
    ])  # fmt: skip
    fits = [logistic(x, dense, table.score[:, k], C) for k in range(len(table.arms))]
    split = len(buckets), len(buckets) + near_root.shape[1]
    parts = [np.split(weights, split) for weights, _ in fits]
    return KernelLogistic(
        arms=fitted_arms(table.arms),
        fingerprint=features.fingerprint,
        buckets=tuple(buckets.tolist()),
        idf=tuple(idf.tolist()),
        term_weights=_rows(p[0] for p in parts),
        embedding_centres=_rows(near),
        embedding_width=EMBEDDING_WIDTH,
        embedding_weights=_rows(near_root @ p[1] for p in parts),
        form_mean=tuple(mean.tolist()),
        form_scale=(tuple(scale[0].tolist()), tuple(scale[1].tolist())),
        form_centres=_rows(like),
        form_width=FORM_WIDTH,
        form_weights=_rows(FORM_SHARE * (like_root @ p[2]) for p in parts),
        bias=tuple(bias for _, bias in fits),
    )


def logistic(x: csr_array, dense: Floats, y: Floats, c: float) -> tuple[Floats, float]:
    """Weights (sparse columns, then dense) and a bias without penalty, of
    min c * sum log-loss + |w|^2 / 2; labels lie in 0..1."""
    from scipy.optimize import minimize
    from scipy.special import expit

    split, width = x.shape[1], x.shape[1] + dense.shape[1]
    if np.ptp(y) == 0 and y[0] in (0.0, 1.0):
        return np.zeros(width), constant_log_odds(y)
    back = csr_array(x.T)

    def loss(w: Floats) -> tuple[float, Floats]:
        z = x @ w[:split] + dense @ w[split:-1] + w[-1]
        off = c * (expit(z) - y)
        grad = np.r_[back @ off, dense.T @ off, off.sum()]
        grad[:-1] += w[:-1]
        value = c * (np.logaddexp(0, z) - y * z).sum() + 0.5 * (w[:-1] @ w[:-1])
        return float(value), grad

    start = np.zeros(width + 1)
    rate = np.clip(y.mean(), TINY, 1 - TINY)
    start[-1] = np.log(rate / (1 - rate))
    made = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    return np.asarray(made[:-1]), float(made[-1])


def _standard(lengths: Floats, cues: Floats) -> tuple[Floats, Floats]:
    """Means, and (2, columns): one over the deviation, and the weight of the column."""
    raw = np.hstack([lengths[:, :LENGTHS], cues]).astype(np.float64)
    spread = raw.std(axis=0)
    by = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > TINY)
    weight = np.r_[np.ones(LENGTHS), np.full(cues.shape[1], CUE_WEIGHT)]
    return raw.mean(axis=0), np.stack([by, weight])


def _nystrom(rows: Floats, count: int, width: float) -> tuple[Floats, Floats]:
    """Centres (m, d), and (m, r) what turns kernels to them into coordinates."""
    from sklearn.cluster import KMeans

    if len(rows) > ROWS_CLUSTERED:
        rows = rows[np.random.default_rng(0).permutation(len(rows))[:ROWS_CLUSTERED]]
    distinct = np.unique(rows, axis=0)
    if len(distinct) <= count:
        centres = distinct
    else:
        found = KMeans(count, n_init=1, max_iter=KMEANS_ROUNDS, random_state=0).fit(rows)
        centres = np.asarray(found.cluster_centers_, dtype=np.float64)
    values, vectors = np.linalg.eigh(kernel_matrix(centres, centres, width))
    kept = values > TINY
    return centres, vectors[:, kept] / np.sqrt(values[kept])


def _rows(rows: Iterable[Floats]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row.tolist()) for row in rows)
