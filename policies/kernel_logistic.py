"""Logistic models of every arm on an additive kernel: what a query says, is about, and looks like.

    P(arm m correct | x) = sigmoid(b_m + u_m . t(x) + sum_c v_mc k(x, c))

    t(x)     TF-IDF of hashed words and pairs, L2-normalised, as in `text-logistic`
    k(x, c)  exp(-|e(x) - e_c|^2 / w_e)             e: the sentence embedding, at centres e_c
             exp(-|f(x) - f_c|^2 / w_f)             f: lengths and surface cues, standardised and
                                                    cut at `FORM_CUT`, at centres f_c

The embedding enters by nearness and not by direction, so a topic lends its training rows' outcomes
to its neighbours (a smooth kNN); form enters by nearness too, because a length means one thing in
a sum and another in a story. Centres are means of training rows (k-means; Zhang, Tsang and
Kwok, "Improved Nystrom low-rank approximation", ICML 2008), so a preset holds no query. Kernel
logistic regression: Zhu and Hastie, JCGS 2005; a probability an arm and not one regressed score
because of arXiv 2602.03478. Fitting is `eval/fit/kernel_logistic.py`'s work.
"""

from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from policies.case import CaseBatch
from policies.form_logistic import FORM_CUT
from policies.policy import Needs, register
from policies.text_logistic import LENGTHS, term_scores
from policies.utility import UtilityPolicy

__all__ = ["KernelLogistic", "form_matrix", "kernel_matrix"]

Floats = NDArray[np.float64]
Rows = tuple[tuple[float, ...], ...]


def form_matrix(lengths: Floats, cues: Floats, mean: Floats, scale: Floats) -> Floats:
    """(n, 3 + cues) lengths and cues, standardised, cut, and weighed by `scale`'s second row.

    `scale` is (2, 3 + cues): one over the deviation (0 for a constant), and the weight.
    """
    raw = np.hstack([lengths[:, :LENGTHS], cues]).astype(np.float64)
    return np.asarray(np.clip((raw - mean) * scale[0], -FORM_CUT, FORM_CUT) * scale[1])


def kernel_matrix(rows: Floats, centres: Floats, width: float) -> Floats:
    """(n, centres) exp(-|row - centre|^2 / width)."""
    far = (rows**2).sum(1)[:, None] + (centres**2).sum(1)[None, :] - 2.0 * (rows @ centres.T)
    return np.asarray(np.exp(-np.maximum(far, 0.0) / width))


class _Arrays(NamedTuple):
    idf: Floats
    terms: Floats
    embedding: Floats
    embedding_weights: Floats
    form: Floats
    form_weights: Floats
    mean: Floats
    scale: Floats
    bias: Floats


@register
class KernelLogistic(UtilityPolicy):
    """A fitted logistic model an arm; it refuses the blocks of another featuriser."""

    name: ClassVar[str] = "kernel-logistic"
    needs: ClassVar[Needs] = Needs(features=frozenset({"terms", "embedding", "lengths", "cues"}))

    fingerprint: str = Field(min_length=1)
    buckets: tuple[int, ...]
    idf: tuple[float, ...]
    term_weights: Rows
    """(arms, buckets)"""
    embedding_centres: Rows
    embedding_width: float = Field(gt=0)
    embedding_weights: Rows
    """(arms, centres)"""
    form_mean: tuple[float, ...]
    form_scale: tuple[tuple[float, ...], tuple[float, ...]]
    form_centres: Rows
    form_width: float = Field(gt=0)
    form_weights: Rows
    bias: tuple[float, ...]

    @model_validator(mode="after")
    def _fits(self) -> "KernelLogistic":
        wanted = {
            "idf": (len(self.idf), len(self.buckets)),
            "bias": (len(self.bias), len(self.arms)),
            "form_scale": (len(self.form_scale[0]), len(self.form_mean)),
        }
        for name, columns in (
            ("term_weights", len(self.buckets)),
            ("embedding_weights", len(self.embedding_centres)),
            ("form_weights", len(self.form_centres)),
        ):
            rows = getattr(self, name)
            wanted[name] = (len(rows), len(self.arms))
            wanted[f"{name}[0]"] = (len(rows[0]) if rows else 0, columns)
        for name, (got, expected) in wanted.items():
            if got != expected:
                raise ValueError(f"{name} has {got} entries, expected {expected}")
        return self

    @cached_property
    def _arrays(self) -> _Arrays:
        def of(rows: object) -> Floats:
            return np.array(rows, dtype=np.float64)

        # By bucket, as `term_scores` reads them; the last one stands for what is not known.
        buckets = np.array(self.buckets, dtype=np.int64)
        size = int(buckets.max(initial=-1)) + 2
        idf, terms = np.zeros(size), np.zeros((size, len(self.arms)))
        idf[buckets], terms[buckets] = self.idf, of(self.term_weights).T
        return _Arrays(
            idf,
            terms,
            of(self.embedding_centres),
            of(self.embedding_weights).T,
            of(self.form_centres),
            of(self.form_weights).T,
            of(self.form_mean),
            of(self.form_scale),
            of(self.bias),
        )

    def predict(self, cases: CaseBatch) -> Floats:
        from scipy.special import expit

        a = self._arrays
        embedding = np.asarray(cases.block("embedding"), dtype=np.float64)
        lengths, cues = np.asarray(cases.block("lengths")), np.asarray(cases.block("cues"))
        terms = np.asarray(cases.block("terms"), dtype=np.int64)
        form = form_matrix(lengths, cues, a.mean, a.scale)
        z = (
            term_scores(terms, a.idf, a.terms)
            + kernel_matrix(embedding, a.embedding, self.embedding_width) @ a.embedding_weights
            + kernel_matrix(form, a.form, self.form_width) @ a.form_weights
        )
        return np.asarray(expit(z + a.bias))
