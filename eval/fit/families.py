"""Leave families of benchmarks out: does an axis mean anything on a benchmark it never saw?

Two questions, both asked of a contender fitted on everything else (all other families and
all written prompts), and never on a near-duplicate of what it is asked about (`NEAR`):

pairs       Does it rank the positives of one held-out family above the negatives of another?
            AUROC a pair, then the plain mean over all pairs. The interval resamples positive
            and negative families, independently of one another. A family with rows of both
            labels is also paired with itself.
families    Is the calibrated probability right on one held-out family? The calibration is
            fitted on what was seen: out-of-fold scores of the rest, folds of whole groups.

Every finished pair and family goes into a journal, so that an interrupted run goes on. What
this does not do: choose contenders, or score anything that was written for this project.
"""

import hashlib
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from eval.fit import linear
from eval.fit import table as tables
from eval.fit.contenders import Contender
from eval.fit.journal import Journal, Progress, checksum
from eval.fit.linear import platt
from eval.fit.measures import (
    RESAMPLES,
    Figure,
    binary_statistics,
    figures,
    ratio,
    sigmoid,
)
from eval.fit.signals import FOLDS, STRENGTH
from eval.fit.table import WRITTEN_SHARE, Table, fold_of_rows
from eval.metrics.calibration import auroc
from router.record import Record

__all__ = [
    "LEAST",
    "NEAR",
    "FamilyScores",
    "Pair",
    "calibration",
    "family_figures",
    "leave_one_out",
    "leave_pairs_out",
    "pair_figure",
    "score_family",
    "score_pair",
    "sides",
    "stamp_of",
]

LEAST = 25
"""Rows of a label that a family must have to stand for it."""
NEAR = 0.95
"""Training rows whose cosine with a held-out row is at least this are dropped."""

_ALONE = ("accuracy", "brier", "ece")
"""What is told of a family by itself: most have one label only."""

Say = Callable[[str], None]
_R = TypeVar("_R", bound=Record)


class Pair(Record):
    """A positive and a negative family, both held out."""

    contender: str
    axis: str
    positive: str
    negative: str
    auroc: float
    n_positive: int
    n_negative: int
    dropped: int
    """Near-duplicates taken out of the training rows."""


class FamilyScores(Record):
    """One family, held out: calibrated log odds of its labelled rows, in the table's order."""

    contender: str
    axis: str
    family: str
    log_odds: tuple[float, ...]
    labels: tuple[int, ...]
    dropped: int


def stamp_of(table: Table, contender: Contender, seed: int) -> str:
    """16 hex digits: equal stamps, equal results. Rows, constants, and the contender's code."""
    module = sys.modules[type(contender).__module__]
    sources = [inspect.getsource(m) for m in (module, linear, tables, sys.modules[__name__])]
    constants = [str(c) for c in (seed, LEAST, NEAR, FOLDS, STRENGTH, WRITTEN_SHARE)]
    text = "\0".join([checksum(table), contender.name, *constants, *sources])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sides(table: Table, axis: str) -> tuple[list[str], list[str]]:
    """Families with at least `LEAST` positive rows, and those with as many negative ones."""
    counts = Counter((e.group, e.axis(axis)) for e in table.examples if not e.written)
    positive, negative = (
        sorted(g for (g, label), n in counts.items() if label == wanted and n >= LEAST)
        for wanted in (1, 0)
    )
    return positive, negative


def score_pair(table: Table, contender: Contender, axis: str, positive: str, negative: str) -> Pair:
    """Fit on all but the two families, and rank theirs."""
    groups, labels = table.groups, _label_array(table, axis)
    held = ((groups == positive) & (labels == 1)) | ((groups == negative) & (labels == 0))
    out = (groups == positive) | (groups == negative)
    rest, dropped = _rest(table, held, out)
    scored = table.take(held)
    truth = labels[held].astype(np.int64)
    return Pair(
        contender=contender.name,
        axis=axis,
        positive=positive,
        negative=negative,
        auroc=auroc(contender.fit(rest, axis)(scored), truth),
        n_positive=int(truth.sum()),
        n_negative=int((1 - truth).sum()),
        dropped=dropped,
    )


def score_family(
    table: Table, contender: Contender, axis: str, family: str, seed: int
) -> FamilyScores:
    """Fit and calibrate on all but one family, and give its rows log odds."""
    out = table.groups == family
    held = out & table.has(axis)
    rest, dropped = _rest(table, held, out)
    scale, shift = calibration(contender, rest, axis, seed)
    scored = table.take(held)
    raw = contender.fit(rest, axis)(scored)
    return FamilyScores(
        contender=contender.name,
        axis=axis,
        family=family,
        log_odds=tuple(float(v) for v in scale * raw + shift),
        labels=tuple(scored.labels(axis)),
        dropped=dropped,
    )


def calibration(contender: Contender, table: Table, axis: str, seed: int) -> tuple[float, float]:
    """Platt's scale and shift from out-of-fold scores (as `eval.fit.signals.out_of_fold`)."""
    rows = table.labelled(axis)
    folds = fold_of_rows(rows.groups, FOLDS, seed)
    raw = np.zeros(len(rows.examples))
    for fold in range(FOLDS):
        raw[folds == fold] = contender.fit(rows.take(folds != fold), axis)(rows.take(folds == fold))
    return platt(raw, rows.labels(axis), rows.weights)


def leave_pairs_out(
    table: Table,
    contender: Contender,
    axis: str,
    journal: Journal,
    seed: int,
    limit: int | None = None,
    say: Say = lambda _: None,
) -> list[Pair]:
    """All pairs, or a seeded sample of `limit` of them; finished ones are read off the journal."""
    positive, negative = sides(table, axis)
    pairs = _sample([(p, n) for p in positive for n in negative], limit, seed)
    rows = table.labelled(axis)

    def score(pair: tuple[str, ...]) -> Pair:
        return score_pair(rows, contender, axis, *pair)

    return _each(Pair, (contender.name, axis, "pair"), pairs, score, journal, say)


def leave_one_out(
    table: Table,
    contender: Contender,
    axis: str,
    journal: Journal,
    seed: int,
    limit: int | None = None,
    say: Say = lambda _: None,
) -> list[FamilyScores]:
    """Each family of `sides` once; `limit` and the journal as in `leave_pairs_out`."""
    families = sorted({(g,) for side in sides(table, axis) for g in side})
    rows = table.labelled(axis)

    def score(family: tuple[str, ...]) -> FamilyScores:
        return score_family(rows, contender, axis, family[0], seed)

    given = (_sample(families, limit, seed), score, journal, say)
    return _each(FamilyScores, (contender.name, axis, "family"), *given)


def pair_figure(pairs: Sequence[Pair], seed: int, resamples: int = RESAMPLES) -> Figure:
    """Macro mean over pairs; n = pairs, clusters = families of both sides."""
    positive = sorted({p.positive for p in pairs})
    negative = sorted({p.negative for p in pairs})
    grid = np.full((len(positive), len(negative)), np.nan)
    for pair in pairs:
        grid[positive.index(pair.positive), negative.index(pair.negative)] = pair.auroc
    known, filled = ~np.isnan(grid), np.nan_to_num(grid)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        up, down = (np.bincount(rng.integers(0, k, k), minlength=k) for k in grid.shape)
        mass = float(up @ known @ down)
        if mass:
            drawn.append(float(up @ filled @ down) / mass)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Figure(
        contender=pairs[0].contender,
        part="families",
        axis=pairs[0].axis,
        metric="macro-auroc",
        value=float(filled.sum() / known.sum()),
        low=float(low),
        high=float(high),
        n=len(pairs),
        clusters=len(positive) + len(negative),
    )


def family_figures(scores: Sequence[FamilyScores], seed: int) -> list[Figure]:
    """Pooled over families (clusters), the mean over families, and each family by itself.

    A family alone is one cluster: its interval is over its rows, as if they were independent.
    """
    if not scores:
        return []
    name, axis = scores[0].contender, scores[0].axis
    p, y, family = _pooled(scores)
    size = np.array([np.sum(family == f) for f in family])
    pooled = dict(binary_statistics(p, y))
    pooled["family-accuracy"] = ratio(((p >= 0.5) == y) / size, 1 / size)
    made = figures(name, "families", axis, pooled, family, seed)
    for s in scores:
        q, truth = sigmoid(s.log_odds), np.array(s.labels)
        own = {k: v for k, v in binary_statistics(q, truth).items() if k in _ALONE}
        own["mean-probability"] = ratio(q)
        made += figures(name, f"families/{s.family}", axis, own, np.arange(len(q)), seed)
    return made


def _pooled(scores: Sequence[FamilyScores]) -> tuple[Any, Any, NDArray[np.str_]]:
    p = np.concatenate([sigmoid(s.log_odds) for s in scores])
    y = np.concatenate([np.array(s.labels) for s in scores])
    return p, y, np.array([s.family for s in scores for _ in s.labels])


def _rest(table: Table, held: NDArray[np.bool_], out: NDArray[np.bool_]) -> tuple[Table, int]:
    """The rows that are not `out` and not near a `held` one, and how many of those there were."""
    nearest = (table.embedding[~out] @ table.embedding[held].T).max(axis=1)
    keep = ~out
    keep[~out] = nearest < NEAR
    return table.take(keep), int((nearest >= NEAR).sum())


def _label_array(table: Table, axis: str) -> NDArray[np.float64]:
    return np.array([np.nan if v is None else v for v in table.labels(axis)], dtype=np.float64)


def _each(
    kind: type[_R],
    about: tuple[str, ...],
    items: Sequence[tuple[str, ...]],
    score: Callable[[tuple[str, ...]], _R],
    journal: Journal,
    say: Say,
) -> list[_R]:
    """Score what the journal does not hold yet."""
    progress = Progress(", ".join(about), len(items), say)
    made: list[_R] = []
    for item in items:
        known = journal.get(*about, *item)
        made.append(kind.model_validate(known) if known else score(item))
        if not known:
            journal.put(made[-1], *about, *item)
        progress.step(" against ".join(item), fresh=not known)
    return made


def _sample(items: list[Any], limit: int | None, seed: int) -> list[Any]:
    if limit is None or limit >= len(items):
        return items
    return [items[i] for i in sorted(np.random.default_rng(seed).permutation(len(items))[:limit])]
