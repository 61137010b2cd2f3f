"""Fit `policies.answer_gain` on recorded outcomes of a pair whose answers were measured.

The text's log odds that enter the second stage come from folds of whole questions that did
not see the row, as they will when the policy serves; so do the `shifts`. The text model that
serves is fitted on all rows. The L2 penalty is the one that the check's own confidence uses
(`eval.fit.calibrate`); nothing is searched.
"""

import numpy as np
from numpy.typing import NDArray

from eval.features import Features
from eval.fit.calibrate import STRENGTH
from eval.fit.linear import fit_linear
from eval.fit.soft_labels import constant_log_odds, soft_labels
from eval.fit.text_logistic import fit_text_logistic
from eval.play import revealed
from eval.table import Table, case_of
from policies.answer_gain import SHOWN, AnswerGain, answer_columns
from policies.case import PolicyError
from policies.text_logistic import TextLogistic

__all__ = ["fit_answer_gain"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SMALL, LARGE = 0, 1
"""Columns of the pair that the fit reads."""
FOLDS = 5
SHIFTS = 64
"""How many training rows stand for how far an answer may move the log odds."""


def fit_answer_gain(table: Table, seed: int = 0) -> AnswerGain:
    """A policy for the first small arm and the first large one, as it serves.

    Raises:
        PolicyError: no features, no measured answer of the small arm, fewer than 5 questions.
    """
    table = table.pick(table.pair)
    names, shown = _shown(table)
    fold = _folds(table, seed)
    before = np.empty((len(table), 2))
    for f in range(FOLDS):
        held = fold == f
        made = _text(table.take(~held))
        before[held] = _log_odds(made, table.take(held))
    centre, spread = np.nanmean(shown, axis=0), np.nanstd(shown, axis=0)
    scaled = np.where(np.isfinite(shown), (shown - centre) / spread, 0.0)
    x = np.hstack([before, scaled])
    (small, small_bias), (large, large_bias) = (_logistic(x, table.score[:, a]) for a in range(2))
    return AnswerGain(
        text=_text(table),
        columns=names,
        centre=tuple(centre.tolist()),
        spread=tuple(spread.tolist()),
        small_weights=tuple(small.tolist()),
        small_bias=small_bias,
        large_weights=tuple(large.tolist()),
        large_bias=large_bias,
        shifts=_shifts(x, table.score, fold),
    )


def _shown(table: Table) -> tuple[tuple[str, ...], Floats]:
    """What small's answers show: the columns that differ between rows, by name."""
    attempts = revealed(table, np.full((len(table), 1), SMALL, dtype=np.int64))
    names = (*attempts.measured, *SHOWN)
    block = answer_columns(attempts, np.zeros(len(table), dtype=np.int64), names)
    known = np.asarray(np.isfinite(block).any(axis=0))
    block = block[:, known]
    if not known.any():
        block = np.zeros((len(table), 1))
    low, high = np.nanmin(block, axis=0), np.nanmax(block, axis=0)
    differs = np.asarray(high > low)
    if not differs.any():
        raise PolicyError(
            f"answer-gain: nothing differs in what was measured of the answers of "
            f"{table.arms[SMALL].name}: `ockham outcomes verify` measures stored answers"
        )
    kept = [name for name, k in zip(names, known, strict=True) if k]
    return tuple(n for n, d in zip(kept, differs, strict=True) if d), block[:, differs]


def _folds(table: Table, seed: int) -> Ints:
    """(n,) fold of each row, questions whole."""
    questions, code = np.unique(table.cluster, return_inverse=True)
    if len(questions) < FOLDS:
        raise PolicyError(f"answer-gain: {len(questions)} questions; at least {FOLDS} are needed")
    of = np.arange(len(questions)) % FOLDS
    np.random.default_rng([seed, 13]).shuffle(of)
    return np.asarray(of[code])


def _features(table: Table) -> Features:
    if table.features is None:
        raise PolicyError("answer-gain: the table has no features")
    return table.features


def _text(table: Table) -> TextLogistic:
    return fit_text_logistic(_features(table), table.score[:, SMALL], table.score[:, LARGE])


def _log_odds(policy: TextLogistic, table: Table) -> Floats:
    p = policy.correct(case_of(table, np.zeros(len(table.arms))))
    return np.asarray(np.log(p) - np.log1p(-p))


def _logistic(x: Floats, y: Floats) -> tuple[Floats, float]:
    """Weights and bias; a fractional label is a row of each class, weighted."""
    made = soft_labels(y)
    if made.one_class:
        return np.zeros(x.shape[1]), constant_log_odds(y)
    fit = fit_linear(x[made.row], made.label.tolist(), made.weight, STRENGTH)
    return fit.weights[0], float(fit.bias[0])


def _shifts(x: Floats, score: Floats, fold: Ints) -> tuple[tuple[float, float], ...]:
    """How far the answer moved the log odds of rows that the fit had not seen: every k-th row
    in the order of the gain's move, so that few rows stand for all."""
    moved = np.empty((len(x), 2))
    for f in range(FOLDS):
        held = fold == f
        for arm in (SMALL, LARGE):
            weights, bias = _logistic(x[~held], score[~held, arm])
            moved[held, arm] = x[held] @ weights + bias - x[held, arm]
    order = np.argsort(moved[:, LARGE] - moved[:, SMALL], kind="stable")
    kept = order[np.unique(np.linspace(0, len(order) - 1, SHIFTS).round().astype(int))]
    return tuple((float(a), float(b)) for a, b in moved[kept])
