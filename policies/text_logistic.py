"""Two logistic models on the text: the learned baseline that every router must beat.

    score = P(large correct | x) - P(small correct | x)
    x = [TF-IDF of hashed words and pairs, L2-normalised ; sentence embedding ; lengths]

The lengths (characters, words, lines: log, standardised, scaled) are in because the other two
are normalised and hide them, and prompt length alone is a strong baseline.

Trained on the difference of two probabilities and not on one score, because routers that
regress on a score collapse to the large arm (arXiv 2602.03478). TF-IDF with sublinear term
counts as in scikit-learn. Fitting is `eval/fit/text_logistic.py`'s work; here is only the
rule, with its weights as plain data.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from policies.case import CaseBatch
from policies.policy import Needs, register
from policies.threshold import ThresholdPolicy

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["LENGTHS", "TextLogistic", "dense_matrix", "term_matrix", "term_scores"]

LENGTHS = 3
"""Columns of the block `lengths` that are read: characters, words, lines."""


def term_matrix(
    terms: NDArray[np.int64], buckets: NDArray[np.int64], idf: NDArray[np.float64]
) -> "csr_array":
    """(n, len(buckets)) TF-IDF rows, L2-normalised, of the hashed terms (n, t), -1 padding.

    `buckets` is sorted; terms that are not in it are left out. tf = 1 + log(count).
    """
    from scipy.sparse import csr_array  # half of what `import policies` would cost

    rows, slots = np.nonzero(terms >= 0)
    found = terms[rows, slots]
    columns = np.searchsorted(buckets, found)
    columns[columns == len(buckets)] = 0
    known = buckets[columns] == found if len(buckets) else np.zeros(len(found), dtype=bool)
    shape = (terms.shape[0], len(buckets))
    ones = np.ones(int(known.sum()))
    # 32-bit indices: scikit-learn's solvers take no others.
    place = (rows[known].astype(np.int32), columns[known].astype(np.int32))
    counts = csr_array((ones, place), shape=shape)
    counts.sum_duplicates()
    counts.data = (1.0 + np.log(counts.data)) * idf[counts.indices]
    norms = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    counts.data /= np.repeat(np.where(norms > 0, norms, 1.0), np.diff(counts.indptr))
    return counts


def dense_matrix(
    embedding: NDArray[np.float64],
    lengths: NDArray[np.float64],
    mean: Sequence[float],
    scale: Sequence[float],
) -> NDArray[np.float64]:
    """(n, d + 3) the embedding and the standardised lengths."""
    own = (np.asarray(lengths, dtype=np.float64)[:, :LENGTHS] - mean) * scale
    return np.hstack([np.asarray(embedding, dtype=np.float64), own])


def term_scores(
    terms: NDArray[np.int64], idf: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, k) `term_matrix` times weights, without the matrix: a decision takes a tenth of the time.

    `idf` is (v,) and `weights` (v, k) by *bucket*, 0 where a bucket is not in the vocabulary; the
    last bucket stands for all that are not, padding included.
    """
    n, width = terms.shape
    if not width:
        return np.zeros((n, weights.shape[1]))
    other = len(idf) - 1
    ordered = np.sort(np.where((terms >= 0) & (terms < other), terms, other), axis=1)
    is_first = np.ones((n, width), dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=is_first[:, 1:])
    place = np.flatnonzero(is_first)
    # A row starts a run, so no run crosses rows.
    count = np.diff(place, append=n * width)
    bucket, row = ordered.ravel()[place], place // width
    value = (1.0 + np.log(np.arange(1, width + 1)))[count - 1] * idf[bucket]
    norm = np.sqrt(np.bincount(row, value * value, n))
    hit = weights[bucket]
    sums = [np.bincount(row, value * hit[:, j], n) for j in range(weights.shape[1])]
    return np.asarray(np.stack(sums, axis=1) / np.where(norm > 0, norm, 1.0)[:, None])


@register
class TextLogistic(ThresholdPolicy):
    """A fitted pair of logistic models; it refuses the blocks of another featuriser."""

    name: ClassVar[str] = "text-logistic"
    needs: ClassVar[Needs] = Needs(features=frozenset({"terms", "embedding", "lengths"}))

    fingerprint: str = Field(min_length=1)
    """Of the featuriser whose blocks it was fitted on."""
    buckets: tuple[int, ...]
    idf: tuple[float, ...]
    length_mean: tuple[float, float, float]
    length_scale: tuple[float, float, float]
    small_weights: tuple[float, ...]
    """Terms first, then the embedding, then the lengths."""
    small_bias: float
    large_weights: tuple[float, ...]
    large_bias: float

    @model_validator(mode="after")
    def _fits(self) -> "TextLogistic":
        if len(self.idf) != len(self.buckets):
            raise ValueError("idf and buckets differ in length")
        if len(self.small_weights) != len(self.large_weights):
            raise ValueError("small_weights and large_weights differ in length")
        return self

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """idf and weights by bucket, as `term_scores` reads them, and the dense weights."""
        weights = np.array([self.small_weights, self.large_weights], dtype=np.float64).T
        split, buckets = len(self.buckets), np.array(self.buckets, dtype=np.int64)
        size = int(buckets.max(initial=-1)) + 2
        idf, by_bucket = np.zeros(size), np.zeros((size, 2))
        idf[buckets], by_bucket[buckets] = self.idf, weights[:split]
        return idf, by_bucket, weights[split:]

    def correct(self, cases: CaseBatch) -> NDArray[np.float64]:
        """(n, 2) P(correct) of the small and of the large arm. `PolicyError` on other blocks."""
        self.check_features(cases)
        from scipy.special import expit

        idf, by_bucket, weights = self._arrays
        terms = np.asarray(cases.block("terms"), dtype=np.int64)
        dense = dense_matrix(
            cases.block("embedding"), cases.block("lengths"), self.length_mean, self.length_scale
        )
        z = term_scores(terms, idf, by_bucket) + dense @ weights
        return np.asarray(expit(z + np.array([self.small_bias, self.large_bias])))

    def estimate(self, cases: CaseBatch) -> NDArray[np.float64]:
        return self._by_arm(cases, self.correct(cases))

    def score(self, cases: CaseBatch) -> NDArray[np.float64]:
        p = self.correct(cases)
        return np.asarray(p[:, 1] - p[:, 0], dtype=np.float64)

    def judge(self, cases: CaseBatch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        p = self.correct(cases)
        return p[:, 1] - p[:, 0], self._by_arm(cases, p)

    def _by_arm(self, cases: CaseBatch, p: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.full((len(cases), len(cases.arms)), np.nan)
        for column, tier in enumerate(("small", "large")):
            first = cases.columns(tier, "none")[:1]
            out[:, list(first)] = p[:, [column]]
        return out
