"""Two logistic models on the text: the learned baseline that every router must beat.

    score = P(large correct | x) - P(small correct | x)
    x = [TF-IDF of hashed words and pairs, L2-normalised ; scale * sentence embedding]

Trained on the difference of two probabilities and not on one score, because routers that
regress on a score collapse to the large arm (arXiv 2602.03478). TF-IDF with sublinear term
counts as in scikit-learn. Fitting is `eval/fit/text_logistic.py`'s work; here is only the
rule, with its weights as plain data.
"""

from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy.sparse import csr_array
from scipy.special import expit

from policies.case import CaseBatch, PolicyError
from policies.policy import Needs, register
from policies.threshold import ThresholdPolicy

__all__ = ["TextLogistic", "term_matrix"]


def term_matrix(
    terms: NDArray[np.int64], buckets: NDArray[np.int64], idf: NDArray[np.float64]
) -> csr_array:
    """(n, len(buckets)) TF-IDF rows, L2-normalised, of the hashed terms (n, t), -1 padding.

    `buckets` is sorted; terms that are not in it are left out. tf = 1 + log(count).
    """
    rows, slots = np.nonzero(terms >= 0)
    found = terms[rows, slots]
    columns = np.searchsorted(buckets, found)
    columns[columns == len(buckets)] = 0
    known = buckets[columns] == found if len(buckets) else np.zeros(len(found), dtype=bool)
    shape = (terms.shape[0], len(buckets))
    ones = np.ones(int(known.sum()))
    counts = csr_array((ones, (rows[known], columns[known])), shape=shape)
    counts.sum_duplicates()
    counts.data = (1.0 + np.log(counts.data)) * idf[counts.indices]
    norms = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    counts.data /= np.repeat(np.where(norms > 0, norms, 1.0), np.diff(counts.indptr))
    return counts


@register
class TextLogistic(ThresholdPolicy):
    """A fitted pair of logistic models; it refuses the blocks of another featuriser."""

    name: ClassVar[str] = "text-logistic"
    needs: ClassVar[Needs] = Needs(features=frozenset({"terms", "embedding"}))

    fingerprint: str
    """Of the featuriser whose blocks it was fitted on."""
    buckets: tuple[int, ...]
    idf: tuple[float, ...]
    embedding_scale: float = Field(gt=0)
    small_weights: tuple[float, ...]
    """Terms first, then the embedding."""
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
    def _arrays(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        weights = np.array([self.small_weights, self.large_weights], dtype=np.float64).T
        return np.array(self.buckets, dtype=np.int64), np.array(self.idf), weights

    def correct(self, cases: CaseBatch) -> NDArray[np.float64]:
        """(n, 2) P(correct) of the small and of the large arm. `PolicyError` on other blocks."""
        if cases.fingerprint != self.fingerprint:
            raise PolicyError(
                f"text-logistic was fitted on features {self.fingerprint}, "
                f"these are {cases.fingerprint}: fit it again"
            )
        buckets, idf, weights = self._arrays
        terms = np.asarray(cases.block("terms"), dtype=np.int64)
        embedding = np.asarray(cases.block("embedding"), dtype=np.float64)
        split = len(buckets)
        z = term_matrix(terms, buckets, idf) @ weights[:split]
        z = z + self.embedding_scale * (embedding @ weights[split:])
        return np.asarray(expit(z + np.array([self.small_bias, self.large_bias])))

    def score(self, cases: CaseBatch) -> NDArray[np.float64]:
        p = self.correct(cases)
        return np.asarray(p[:, 1] - p[:, 0], dtype=np.float64)
