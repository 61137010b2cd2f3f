"""Fit the signals head, and say how good it is where it was not fitted.

Fit: rows are [embedding, cues]; families weigh by the square root of their size, the written
prompts together `WRITTEN_SHARE` of the whole. The strength of the regularisation is chosen
by cross-validation over groups (a family, or a topic of written prompts, is never split);
the raw scores of the same folds calibrate the axes.

Scores, both from heads that saw nothing of what they score:
- families: AUROC for each pair of a held-out positive and a held-out negative family,
  then the mean over pairs; the interval resamples families;
- written: the contrastive prompts in three parts by topic, each scored by a head fitted on
  the other two (and on all benchmarks); the interval resamples topics.

The regularisation and WRITTEN_SHARE were chosen once, on all groups: scores are a little
kind for that. The shipped head is fitted on everything. Not covered: perturbed texts,
baselines, languages one by one.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.fit.examples import CONTRASTIVE, Example, data_files, gather
from eval.fit.linear import Interval, Linear, Rows, auroc, auroc_interval, fit_linear, platt
from eval.fit.table import EMBEDDING_SCALE, Table, featurise, fold_of_rows
from eval.sources.shared import checksums
from router.signals.cues import cues
from router.signals.encoder import Encoder
from router.signals.head import AXES, Head
from router.state import DOMAINS

__all__ = ["Report", "evaluate", "fit_head", "train"]

STRENGTHS = (0.01, 0.03, 0.1, 0.3)
FOLDS = 5
PARTS = 3
MIN_ROWS = 50

Say = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """Held-out scores, by name."""

    scores: Mapping[str, Interval]


def train(
    data: Path, seed: int, encoder: Encoder, say: Say = lambda _: None, scored: bool = True
) -> tuple[Head, Report]:
    """Gather, embed, score on held-out parts, fit on everything; the head carries its stamp."""
    say("reading and sampling the sources")
    table = featurise(gather(data, seed), encoder, say)
    strength = {axis: _choose(table, axis, seed) for axis in (*AXES, "domain")}
    say(f"regularisation C, by grouped cross-validation: {strength}")
    report = evaluate(table, strength, seed, say) if scored else Report({})
    head = fit_head(table, strength, seed, encoder.fingerprint)
    stamp = {
        "seed": seed,
        "strength": strength,
        "data": checksums([*data_files(data), CONTRASTIVE]),
        "n": dict(sorted(Counter(_source(e) for e in table.examples).items())),
        "scores": {
            name: {"value": round(s.value, 4), "low": round(s.low, 4), "high": round(s.high, 4),
                   "n": s.n}
            for name, s in report.scores.items()
        },
    }  # fmt: skip
    return Head(
        head.encoder,
        head.axes_weights,
        head.axes_bias,
        head.domain_weights,
        head.domain_bias,
        stamp,
    ), report


def fit_head(table: Table, strength: Mapping[str, float], seed: int, encoder: str) -> Head:
    """Fit both axes and the domains on all rows of the table."""
    axes = [_fit_axis(table, axis, strength[axis], seed) for axis in AXES]
    weights = np.concatenate([a.weights for a in axes])
    bias = np.concatenate([a.bias for a in axes])
    domains = _fit_domains(table, strength["domain"])
    return Head(
        encoder=encoder,
        axes_weights=_unscaled(weights, table),
        axes_bias=bias.astype(np.float32),
        domain_weights=_unscaled(domains.weights, table),
        domain_bias=domains.bias.astype(np.float32),
    )


def evaluate(
    table: Table, strength: Mapping[str, float], seed: int, say: Say = lambda _: None
) -> Report:
    """Both kinds of held-out scores."""
    scores: dict[str, Interval] = {}
    for axis in AXES:
        say(f"leave-one-family-out: {axis}")
        scores[f"families/{axis}"] = _family_pairs(table, axis, strength[axis], seed)
        raw, held = _written_scores(table, axis, strength[axis], seed)
        scores[f"written/{axis}"] = _written_interval(raw, held, axis, seed)
        if axis == "knowledge_demand":
            code = np.array([e.domain == "code" for e in held.examples])
            scores["written code/knowledge_demand"] = _written_interval(
                raw[code], held.take(code), axis, seed
            )
    scores["written/domain accuracy"] = _domain_accuracy(table, strength["domain"], seed)
    return Report(scores)


def _source(example: Example) -> str:
    return example.source.split(":")[0]


def _unscaled(weights: Rows, table: Table) -> NDArray[np.float32]:
    dim = table.x.shape[1] - cues([""]).shape[1]
    out = weights.copy()
    out[:, :dim] *= EMBEDDING_SCALE
    return out.astype(np.float32)


def _out_of_fold(table: Table, axis: str, c: float, seed: int) -> Rows:
    folds = fold_of_rows(table, FOLDS, seed)
    raw = np.zeros(len(table.examples))
    for fold in range(FOLDS):
        rest = table.take(folds != fold)
        fit = fit_linear(rest.x, rest.labels(axis), rest.weights, c)
        raw[folds == fold] = fit.raw(table.x[folds == fold])[:, 0]
    return raw


def _choose(table: Table, axis: str, seed: int) -> float:
    """The strength with the least held-out log loss after calibration (domains: fixed folds)."""
    rows = table.labelled(axis)
    if axis == "domain":
        return _choose_domain(rows, seed)
    losses = {}
    for c in STRENGTHS:
        raw, y = _out_of_fold(rows, axis, c, seed), np.array(rows.labels(axis))
        scale, shift = platt(raw, list(y), rows.weights)
        signed = np.where(y == 1, 1.0, -1.0) * (scale * raw + shift)
        losses[c] = float(np.average(np.logaddexp(0, -signed), weights=rows.weights))
    return min(losses, key=lambda c: losses[c])


def _choose_domain(rows: Table, seed: int) -> float:
    folds = fold_of_rows(rows, FOLDS, seed)
    losses = {}
    for c in STRENGTHS:
        wrong = 0.0
        for fold in range(FOLDS):
            fit = _fit_domains(rows.take(folds != fold), c)
            held = rows.take(folds == fold)
            wrong += float(held.weights @ _log_loss(fit.raw(held.x), held))
        losses[c] = wrong
    return min(losses, key=lambda c: losses[c])


def _log_loss(raw: Rows, held: Table) -> Rows:
    index = [DOMAINS.index(d) for d in held.labels("domain")]
    total = np.log(np.exp(raw - raw.max(axis=1, keepdims=True)).sum(axis=1)) + raw.max(axis=1)
    return np.asarray(total - raw[np.arange(len(index)), index])


def _fit_axis(table: Table, axis: str, c: float, seed: int) -> Linear:
    rows = table.labelled(axis)
    raw = _out_of_fold(rows, axis, c, seed)
    scale, shift = platt(raw, rows.labels(axis), rows.weights)
    fit = fit_linear(rows.x, rows.labels(axis), rows.weights, c)
    return Linear(fit.weights * scale, fit.bias * scale + shift)


def _fit_domains(table: Table, c: float) -> Linear:
    """Rows in `DOMAINS` order; scikit-learn sorts its classes, so labels are indices."""
    rows = table.labelled("domain")
    return fit_linear(rows.x, [DOMAINS.index(d) for d in rows.labels("domain")], rows.weights, c)


def _family_pairs(table: Table, axis: str, c: float, seed: int) -> Interval:
    """Mean AUROC over pairs of held-out families, n = pairs."""
    rows = table.labelled(axis)
    sides: dict[int, list[str]] = {0: [], 1: []}
    for label in (0, 1):
        counts = Counter(e.group for e in rows.examples if not e.written and e.axis(axis) == label)
        sides[label] = sorted(g for g, n in counts.items() if n >= MIN_ROWS)
    grid = np.array([[_pair(rows, axis, p, q, c) for q in sides[0]] for p in sides[1]])
    rng = np.random.default_rng(seed)
    drawn = [
        grid[np.ix_(*(rng.integers(0, size, size) for size in grid.shape))].mean()
        for _ in range(500)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(grid.mean()), float(low), float(high), int(grid.size))


def _pair(rows: Table, axis: str, positive: str, negative: str, c: float) -> float:
    rest = rows.without({positive, negative})
    held = rows.take(
        np.array(
            [
                (e.group == positive and e.axis(axis) == 1)
                or (e.group == negative and e.axis(axis) == 0)
                for e in rows.examples
            ]
        )
    )
    fit = fit_linear(rest.x, rest.labels(axis), rest.weights, c)
    return auroc(fit.raw(held.x)[:, 0], np.array(held.labels(axis)))


def _written_scores(table: Table, axis: str, c: float, seed: int) -> tuple[Rows, Table]:
    rows = table.labelled(axis)
    written = rows.take(np.array([e.written for e in rows.examples]))
    folds = fold_of_rows(written, PARTS, seed)
    raw = np.zeros(len(written.examples))
    for part in range(PARTS):
        held = {e.group for e, f in zip(written.examples, folds, strict=True) if f == part}
        fit = _fit_axis(rows.without(held), axis, c, seed)
        raw[folds == part] = fit.raw(written.x[folds == part])[:, 0]
    return raw, written


def _written_interval(raw: Rows, held: Table, axis: str, seed: int) -> Interval:
    return auroc_interval(raw, np.array(held.labels(axis)), [e.group for e in held.examples], seed)


def _domain_accuracy(table: Table, c: float, seed: int) -> Interval:
    rows = table.labelled("domain")
    written = rows.take(np.array([e.written for e in rows.examples]))
    folds = fold_of_rows(written, PARTS, seed)
    right = np.zeros(len(written.examples))
    for part in range(PARTS):
        held = {e.group for e, f in zip(written.examples, folds, strict=True) if f == part}
        fit = _fit_domains(rows.without(held), c)
        guess = fit.raw(written.x[folds == part]).argmax(axis=1)
        truth = [DOMAINS.index(d) for d in written.take(folds == part).labels("domain")]
        right[folds == part] = guess == np.array(truth)
    rng = np.random.default_rng(seed)
    drawn = [rng.choice(right, len(right)).mean() for _ in range(500)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(right.mean()), float(low), float(high), len(right))
