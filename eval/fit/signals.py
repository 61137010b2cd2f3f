"""Fit the signals head on everything, and choose the exemplars.

Each output is a logistic regression on the head's rows (`router.signals.inputs`); the axes'
raw scores are calibrated (Platt) on folds that had not seen the row's family or topic, and
the same folds teach the confidence when to doubt. `STRENGTH` and `WRITTEN_SHARE` were chosen
once, on all groups but the held-out prompts: scores on families are a little kind for that.

How good the result is where it was not fitted: `eval/fit/evaluation.py`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.fit.examples import data_files, gather
from eval.fit.linear import Linear, Reals, fit_linear, platt
from eval.fit.prompts import PROMPTS, prompt_files
from eval.fit.table import Table, featurise, fold_of_rows, scale_of
from eval.sources.shared import checksums
from router.signals.exemplars import Exemplars
from router.signals.head import AXES, LEARNED_NEEDS, Head, confidence_facts
from router.signals.head import Linear as Map
from router.signals.inputs import Inputs
from router.state import DOMAINS, FORMS

__all__ = [
    "STRENGTH",
    "Fitted",
    "Held",
    "choose_exemplars",
    "fit_axis",
    "fit_head",
    "out_of_fold",
    "train",
]

STRENGTH = 0.1
"""Inverse of the L2 penalty, on scaled rows whose weights average 1."""
NEED_SHARE = 0.25
"""What the rows that have a need weigh together: they are one in forty."""
FOLDS = 5
EXEMPLARS = 400
_EXEMPLAR_CHARS = 160

Say = Callable[[str], None]


@dataclass(frozen=True)
class Fitted:
    """What `ockham signals train` writes."""

    head: Head
    exemplars: Exemplars


def train(data: Path, seed: int, inputs: Inputs, say: Say = lambda _: None) -> Fitted:
    """Gather, read, fit; the head carries its stamp."""
    say("gathering and sampling the sources")
    table = featurise(gather(data, seed), inputs, say)
    say("fitting")
    exemplars = choose_exemplars(table, inputs.encoder.fingerprint)
    stamp = {
        "seed": seed,
        "strength": STRENGTH,
        "data": checksums([*data_files(data), *prompt_files(PROMPTS)]),
        "n": dict(sorted(Counter(e.source.split(":")[0] for e in table.examples).items())),
    }
    return Fitted(fit_head(table, seed, inputs.fingerprint, exemplars, stamp), exemplars)


def fit_head(
    table: Table, seed: int, inputs: str, exemplars: Exemplars, stamp: dict[str, object]
) -> Head:
    """All outputs, fitted on all rows of the table; `inputs` is the rows' fingerprint."""
    held = {axis: out_of_fold(table, axis, seed) for axis in AXES}
    axes = [fit_axis(table, axis, held[axis]) for axis in AXES]
    scale = scale_of(table.x.shape[1])
    stacked = Linear(
        np.concatenate([a.weights for a in axes]), np.concatenate([a.bias for a in axes])
    )
    parts = {
        "axes": stacked,
        "domains": _fit_classes(table, "domain", DOMAINS),
        "forms": _fit_classes(table, "form", FORMS),
        "needs": _fit_needs(table),
    }
    return Head(
        inputs,
        {name: _unscaled(fit, scale) for name, fit in parts.items()},
        _fit_confidence(table, held, exemplars),
        stamp,
    )


class Held(NamedTuple):
    """Scores of rows from fits that had not seen their group, and their calibration."""

    log_odds: Reals
    """(n,) calibrated; NaN where the row has no label."""
    scale: float
    shift: float


def out_of_fold(table: Table, axis: str, seed: int) -> Held:
    """Held-out scores of all labelled rows, calibrated by Platt's method on themselves."""
    has = table.has(axis)
    rows = table.take(has)
    folds = fold_of_rows(rows.groups, FOLDS, seed)
    raw = np.zeros(len(rows.examples))
    for fold in range(FOLDS):
        rest = rows.take(folds != fold)
        fit = fit_linear(rest.x, rest.labels(axis), rest.weights, STRENGTH)
        raw[folds == fold] = fit.raw(rows.x[folds == fold])[:, 0]
    scale, shift = platt(raw, rows.labels(axis), rows.weights)
    log_odds = np.full(len(has), np.nan)
    log_odds[has] = scale * raw + shift
    return Held(log_odds, scale, shift)


def fit_axis(table: Table, axis: str, held: Held) -> Linear:
    """One axis on all labelled rows, with the calibration of the held-out scores."""
    rows = table.labelled(axis)
    fit = fit_linear(rows.x, rows.labels(axis), rows.weights, STRENGTH)
    return Linear(fit.weights * held.scale, fit.bias * held.scale + held.shift)


def choose_exemplars(table: Table, encoder: str, count: int = EXEMPLARS) -> Exemplars:
    """Short written prompts that cover the space: farthest-first traversal (Gonzalez 1985)."""
    fit_for_print = np.array(
        [
            e.written and len(e.query.messages) == 1 and len(e.text) <= _EXEMPLAR_CHARS
            for e in table.examples
        ]
    )
    rows = table.take(fit_for_print)
    chosen = _farthest_first(rows.embedding, min(count, len(rows.examples)))
    labels = [
        [
            np.nan if rows.examples[i].axis(axis) is None else rows.examples[i].axis(axis)
            for axis in AXES
        ]
        for i in chosen
    ]
    return Exemplars.of(
        encoder,
        [rows.examples[i].text for i in chosen],
        np.array(labels, dtype=np.float32).reshape(-1, len(AXES)),
        rows.embedding[chosen],
    )


def _farthest_first(rows: NDArray[np.float32], count: int) -> list[int]:
    chosen: list[int] = []
    near = np.full(len(rows), -1.0)
    for _ in range(count):
        chosen.append(int(np.argmin(near)))
        near = np.maximum(near, rows @ rows[chosen[-1]])
        near[chosen] = np.inf
    return sorted(chosen)


def _fit_classes(table: Table, name: str, classes: Sequence[str]) -> Linear:
    """Rows in the order of `classes`; scikit-learn sorts its classes, so labels are indices."""
    rows = table.labelled(name)
    labels = [classes.index(d) for d in rows.labels(name)]
    return fit_linear(rows.x, labels, rows.weights, STRENGTH)


def _fit_needs(table: Table) -> Linear:
    fits = [_fit_need(table, need) for need in LEARNED_NEEDS]
    return Linear(np.concatenate([f.weights for f in fits]), np.concatenate([f.bias for f in fits]))


def _fit_need(table: Table, need: str) -> Linear:
    has = np.array([need in e.needs for e in table.examples])
    weights = table.weights.copy()
    weights[has] *= NEED_SHARE / max(weights[has].sum(), 1e-12)
    weights[~has] *= (1 - NEED_SHARE) / weights[~has].sum()
    return fit_linear(table.x, has.astype(int).tolist(), weights, STRENGTH)


def _fit_confidence(table: Table, held: dict[str, Held], exemplars: Exemplars) -> Map:
    """P(no axis on the wrong side) on held-out rows; a row's own text is no neighbour of it."""
    log_odds = np.column_stack([held[axis].log_odds for axis in AXES])
    truth = np.array([[e.axis(a) for a in AXES] for e in table.examples], dtype=float)
    known = ~np.isnan(log_odds).any(axis=1)
    right = ((log_odds > 0) == (truth > 0.5))[known].all(axis=1)
    facts = _facts(table, log_odds, exemplars)[known]
    fit = fit_linear(facts, right.astype(int).tolist(), table.weights[known], 1.0)
    return Map(fit.weights.astype(np.float32), fit.bias.astype(np.float32))


def _facts(table: Table, log_odds: Reals, exemplars: Exemplars) -> NDArray[np.float32]:
    near = exemplars.similarity(table.embedding)
    own = {text: i for i, text in enumerate(exemplars.texts)}
    for row, example in enumerate(table.examples):
        if example.text in own:
            near[row, own[example.text]] = -1.0
    n = len(table.examples)
    return confidence_facts(log_odds, near, table.languages, table.leaning.tolist(), [False] * n)


def _unscaled(fit: Linear, scale: NDArray[np.float32]) -> Map:
    return Map((fit.weights * scale).astype(np.float32), fit.bias.astype(np.float32))
