"""What the head is compared with: what published routers use, and the plain recipes.

    name                     what                                                  fitted
    keyword scorer           LiteLLM's complexity router, its score                sign only
    prompt length            characters of the last user turn                      sign only
    TF-IDF + logistic        words and pairs of words, scikit-learn                all of it
    kNN on embeddings        20 nearest rows by cosine, weighted vote              all of it
    semantic-router          Aurelio's package, routes described by utterances     nothing
    plain head               logistic regression on the embedding alone            all of it

Texts are the last user turn, as these routers read it; embeddings are those of the table, so
that no baseline loses by its encoder. Nothing was tuned: the settings are the packages' own
or the usual ones, but for the signs, which are chosen on the training rows in favour of the
baseline. Nothing heavy is imported before `fit`.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from eval.fit.contenders import Contender, Score
from eval.fit.linear import Reals, fit_linear
from eval.fit.table import Table
from eval.fit.zero_shot import Encode, SemanticRouter
from eval.metrics.calibration import auroc
from router.models.loading import load_litellm

__all__ = [
    "BASELINES",
    "KeywordScorer",
    "Neighbours",
    "PlainHead",
    "PromptLength",
    "TfIdf",
    "baselines",
]

NEIGHBOURS = 20
_PLAIN_STRENGTH = 1.0
"""scikit-learn's default C."""
_LEAST_ROWS = 2
_CHUNK = 1024
_CACHED = 32_768


class KeywordScorer:
    """The heuristic of LiteLLM's complexity router, run from the package with its defaults.

    `ComplexityRouter.classify(prompt)` (litellm.router_strategy.complexity_router) gives a
    weighted sum of seven dimensions: length, code, reasoning, technical and simple keywords,
    multi-step patterns, question marks. It knows one direction only, simple to complex; the
    score of an axis is that sum, or its negative where that ranks the training rows better.
    """

    name: ClassVar[str] = "keyword scorer"
    log_odds: ClassVar[bool] = False

    def fit(self, table: Table, axis: str) -> Score:
        """Choose the sign."""
        return _signed(table, axis, lambda rows: _measured(rows, _complexity))


class PromptLength:
    """Characters of the last user turn; the sign is chosen on the training rows."""

    name: ClassVar[str] = "prompt length"
    log_odds: ClassVar[bool] = False

    def fit(self, table: Table, axis: str) -> Score:
        """Choose the sign."""
        return _signed(table, axis, lambda rows: _measured(rows, len))


class TfIdf:
    """Logistic regression (C = 1) on TF-IDF of words and pairs of words, scikit-learn."""

    name: ClassVar[str] = "TF-IDF + logistic"
    log_odds: ClassVar[bool] = True

    def fit(self, table: Table, axis: str) -> Score:
        """Fit vocabulary and weights on the rows that have a label."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        rows = table.labelled(axis)
        words = TfidfVectorizer(
            ngram_range=(1, 2), min_df=_LEAST_ROWS, sublinear_tf=True, dtype=np.float32
        )
        model = LogisticRegression(max_iter=400)
        x = words.fit_transform(_texts(rows))
        model.fit(x, rows.labels(axis), sample_weight=rows.weights / rows.weights.mean())
        return lambda held: np.asarray(
            model.decision_function(words.transform(_texts(held))), dtype=np.float64
        )


class Neighbours:
    """Share of the label 1 among the `NEIGHBOURS` nearest rows, weighted by their cosine."""

    name: ClassVar[str] = "kNN on embeddings"
    log_odds: ClassVar[bool] = False

    def fit(self, table: Table, axis: str) -> Score:
        """Keep the rows that have a label."""
        rows = table.labelled(axis)
        labels = np.array(rows.labels(axis), dtype=np.float64)

        def score(held: Table) -> Reals:
            parts = [
                _vote(held.embedding[start : start + _CHUNK] @ rows.embedding.T, labels)
                for start in range(0, len(held.examples), _CHUNK)
            ]
            return np.concatenate([*parts, np.empty(0)])

        return score


class PlainHead:
    """The recipe that MiniLM routers ship: logistic regression (C = 1) on the embedding."""

    name: ClassVar[str] = "plain head"
    log_odds: ClassVar[bool] = True

    def fit(self, table: Table, axis: str) -> Score:
        """Fit on the rows that have a label."""
        rows = table.labelled(axis)
        fit = fit_linear(rows.embedding, rows.labels(axis), rows.weights, _PLAIN_STRENGTH)
        return lambda held: fit.raw(held.embedding)[:, 0]


def baselines(encode: Encode | None = None) -> tuple[Contender, ...]:
    """All of them; `encode` is what made the table's embeddings, None the packaged encoder."""
    return (
        KeywordScorer(), PromptLength(), TfIdf(), Neighbours(), SemanticRouter(encode), PlainHead()
    )  # fmt: skip


BASELINES: tuple[Contender, ...] = baselines()


def _texts(table: Table) -> list[str]:
    return [e.text for e in table.examples]


def _measured(table: Table, measure: Callable[[str], float]) -> Reals:
    return np.array([measure(text) for text in _texts(table)], dtype=np.float64)


def _signed(table: Table, axis: str, score: Score) -> Score:
    """The score, or its negative where that ranks the table's labelled rows better."""
    rows = table.labelled(axis)
    value = auroc(score(rows), np.array(rows.labels(axis)), rows.weights)
    sign = -1.0 if value < 0.5 else 1.0
    return lambda held: sign * score(held)


@lru_cache(maxsize=_CACHED)
def _complexity(text: str) -> float:
    """A pure function of the text, of two milliseconds: folds share its values."""
    return float(_complexity_router().classify(text)[1])


@cache
def _complexity_router() -> Any:
    load_litellm()
    from litellm.router_strategy.complexity_router.complexity_router import ComplexityRouter

    nobody: Any = None  # the router that it would send requests to
    return ComplexityRouter("baseline", nobody)


def _vote(cosine: NDArray[np.float32], labels: Reals) -> Reals:
    """(n,) from (n, rows) cosines; a row that is near to nothing gets 1/2."""
    k = min(NEIGHBOURS, len(labels))
    near = np.argpartition(-cosine, k - 1, axis=1)[:, :k]
    weight = np.maximum(np.take_along_axis(cosine, near, axis=1), 0).astype(np.float64)
    total = weight.sum(axis=1)
    ones = (weight * labels[near]).sum(axis=1)
    share: Reals = np.divide(ones, total, out=np.full(len(total), 0.5), where=total > 0)
    return share
