"""`ockham verify calibrate`: from what an answer shows to P(it is right).

Answers with known truth (RouteLLM's stored GSM8K answers) become rows of evidence
(`router.verify.evidence`), a logistic regression ranks them, and isotonic regression on
out-of-fold log odds makes probabilities of the ranks. Scores come from five folds of whole
questions, for several seeds: the isotonic map is fitted inside the training folds, so that
nothing scored was seen.

What it does not show: how well the map holds for other questions and other models. The one
test of that here leaves each model out in turn.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.compare import Interval, bootstrap
from eval.fit.linear import Reals, fit_linear
from eval.fit.rescore import answer_files, rescore, stored_answers
from eval.metrics.calibration import auroc, auroc_statistic, brier, ece
from eval.sources.shared import checksums
from router.verify.confidence import Confidence
from router.verify.evidence import EVIDENCE, math_evidence
from router.verify.solution import read_solution

__all__ = ["Answers", "Calibrated", "Scored", "calibrate", "fit_confidence", "read_answers"]

FOLDS = 5
STRENGTH = 0.05
"""Inverse of the L2 penalty, on columns of unit spread."""
_LABELS = ("corrected", "published")


class Answers(NamedTuple):
    """Rows of evidence; all arrays have one entry an answer."""

    rows: NDArray[np.float32]
    corrected: NDArray[np.int64]
    published: NDArray[np.int64]
    question: NDArray[np.int64]
    model: NDArray[np.str_]


class Scored(NamedTuple):
    """How well held-out probabilities separate right from wrong, by one of the labels."""

    label: str
    part: str
    """"all", the name of a model within a common fit, or "left out: <model>"."""
    n: int
    auroc: float
    """Mean over seeds."""
    spread: float
    """SD over seeds."""
    interval: Interval
    """Of the first seed, over whole questions."""
    ece: float
    brier: float
    base: float
    """Share of right answers: P by itself has the Brier score base * (1 - base)."""


class Calibrated(NamedTuple):
    """What the command prints, draws and writes."""

    confidence: Confidence
    scores: tuple[Scored, ...]
    held_out: Reals
    """(n,) probabilities of the first seed, by the corrected label."""
    answers: Answers


def read_answers(data: Path) -> Answers:
    """Evidence and labels of RouteLLM's stored GSM8K answers; `InputError` where they lack."""
    table = stored_answers("routellm", "gsm8k", data / "raw" / "routellm")
    golds = data / "questions" / "gsm8k_test.jsonl"
    marks, _ = asyncio.run(rescore(table, golds, lambda done, of: None))
    answers = table.outcomes.select("query_id", "arm", "answer")
    told = {(query, arm): text for query, arm, text in answers.iter_rows()}
    asked = dict(table.queries.select("query_id", "query").iter_rows())
    places = {name: i for i, name in enumerate(dict.fromkeys(m.id for m in marks))}
    rows = [
        math_evidence(asked[m.id], read_solution(told[m.id, m.model]), m.checked) for m in marks
    ]
    return Answers(
        np.stack(rows),
        np.array([m.correct for m in marks], dtype=np.int64),
        np.array([m.theirs for m in marks], dtype=np.int64),
        np.array([places[m.id] for m in marks], dtype=np.int64),
        np.array([m.model for m in marks]),
    )


def calibrate(data: Path, seeds: int) -> Calibrated:
    """Fit on all answers of the data folder, and score on held-out folds."""
    answers = read_answers(data)
    scores: list[Scored] = []
    first: dict[str, Reals] = {}
    for label in _LABELS:
        truth: NDArray[np.int64] = getattr(answers, label)
        held = [_held_out(answers, truth, seed) for seed in range(seeds)]
        first[label] = held[0]
        scores.append(_scored(label, "all", held, truth, answers.question))
        for model in np.unique(answers.model):
            own = answers.model == model
            part = [p[own] for p in held]
            scores.append(_scored(label, str(model), part, truth[own], answers.question[own]))
            away = fit_confidence(answers.rows[~own], truth[~own], answers.question[~own])
            part = [away.probability(answers.rows[own])]
            name = f"left out: {model}"
            scores.append(_scored(label, name, part, truth[own], answers.question[own]))
    stamp = {"data": checksums(answer_files(data)), "n": len(answers.rows), "strength": STRENGTH}
    fitted = fit_confidence(answers.rows, answers.corrected, answers.question)
    return Calibrated(fitted._replace(stamp=stamp), tuple(scores), first["corrected"], answers)


def fit_confidence(
    rows: NDArray[np.float32], truth: NDArray[np.int64], question: NDArray[np.int64], seed: int = 0
) -> Confidence:
    """The ranking on all rows, its isotonic map on folds that had not seen the question."""
    from sklearn.isotonic import IsotonicRegression

    raw = np.zeros(len(rows))
    fold = _folds(question, seed)
    for f in range(FOLDS):
        raw[fold == f] = _rank(rows[fold != f], truth[fold != f]).log_odds(rows[fold == f])
    isotonic = IsotonicRegression(out_of_bounds="clip")
    # One answer more on each side: no answer is certain, however it looks.
    isotonic.fit(np.concatenate([raw, [raw.max(), raw.min()]]), np.concatenate([truth, [0, 1]]))
    return _rank(rows, truth)._replace(
        knots=np.asarray(isotonic.X_thresholds_, dtype=np.float64),
        levels=np.asarray(isotonic.y_thresholds_, dtype=np.float64),
    )


def _rank(rows: NDArray[np.float32], truth: NDArray[np.int64]) -> Confidence:
    centre, spread = rows.mean(axis=0).astype(np.float64), rows.std(axis=0).astype(np.float64)
    spread = np.where(spread > 0, spread, 1.0)
    fit = fit_linear((rows - centre) / spread, truth.tolist(), np.ones(len(rows)), STRENGTH)
    none = np.zeros(0)
    return Confidence(EVIDENCE, centre, spread, fit.weights[0], float(fit.bias[0]), none, none, {})


def _held_out(answers: Answers, truth: NDArray[np.int64], seed: int) -> Reals:
    """(n,) probabilities from fits that had not seen the question."""
    fold = _folds(answers.question, seed)
    out = np.zeros(len(truth))
    for f in range(FOLDS):
        rest = fold != f
        fitted = fit_confidence(answers.rows[rest], truth[rest], answers.question[rest], seed)
        out[~rest] = fitted.probability(answers.rows[~rest])
    return out


def _folds(question: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """(n,) a fold for each row; a question is in one of them."""
    of_question = np.random.default_rng(seed).integers(0, FOLDS, int(question.max()) + 1)
    out: NDArray[np.int64] = of_question[question]
    return out


def _scored(
    label: str,
    part: str,
    held: Sequence[Reals],
    truth: NDArray[np.int64],
    question: NDArray[np.int64],
) -> Scored:
    each = [auroc(p, truth) for p in held]
    statistic = auroc_statistic(held[0], truth)
    (interval,) = bootstrap(lambda w: np.array([statistic(w)]), question, 1000, 0)
    return Scored(
        label,
        part,
        len(truth),
        float(np.mean(each)),
        float(np.std(each, ddof=1)) if len(each) > 1 else 0.0,
        interval,
        float(np.mean([ece(p, truth) for p in held])),
        float(np.mean([brier(p, truth) for p in held])),
        float(truth.mean()),
    )
