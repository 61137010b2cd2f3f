"""The learning curve of chosen labels beside random ones: APGR against the number of labels.

Both label the same pool (the training folds), fit the same model and score the same held-out
fold; only which rows are labelled differs. A seed is one draw of folds and of both labellings.

The interval of the difference resamples questions *and* seeds (`eval.compare.two_way`).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.compare import Interval, two_way
from eval.contenders import mean_cost
from eval.fit.usable import known_features
from eval.folds import draw_labels, folds_of
from eval.labelling import STRENGTH, fit_labels, label_in_rounds
from eval.metrics.pair import PairCurve
from eval.table import Table, case_of

__all__ = ["Point", "curve"]

Floats = NDArray[np.float64]
SMALL, LARGE = 0, 1


class Point(NamedTuple):
    """One number of labels."""

    labels: int
    chosen: float
    """Mean APGR over seeds."""
    drawn: float
    """The same of random labels."""
    gain: Interval
    wins: int
    """Seeds in which the chosen labels scored higher."""
    seeds: int


def curve(
    table: Table,
    sizes: Sequence[int],
    seeds: Sequence[int],
    folds: int = 5,
    resamples: int = 1000,
    strength: float = STRENGTH,
    say: Callable[[str], None] | None = None,
) -> list[Point]:
    """A point a size. `InputError` where a fold's pool is smaller than the greatest size."""
    features, cost = known_features(table, "--curve"), mean_cost(table)
    scores = {kind: np.empty((len(sizes), len(seeds), len(table))) for kind in ("chosen", "drawn")}
    for s, seed in enumerate(seeds):
        made = folds_of(table, folds, max(sizes), seed, "--sizes")
        for k in range(folds):
            held = np.flatnonzero(made.of == k)
            pool = np.flatnonzero(~np.isin(table.row_key, table.row_key[held]) & (made.of != k))
            chosen = label_in_rounds(features, table.score, pool, sizes, [seed, k], strength)
            drawn = [draw_labels(table, pool, size, seed + k) for size in sizes]
            for name, labelled in (("chosen", chosen), ("drawn", drawn)):
                for i, rows in enumerate(labelled):
                    model = fit_labels(features.take(rows), table.score[rows])
                    scores[name][i, s, held] = model.score(case_of(table.take(held), cost))
        if say is not None:
            say(f"seed {seed}: {s + 1} of {len(seeds)} done")
    return [
        _point(table, size, scores["chosen"][i], scores["drawn"][i], resamples)
        for i, size in enumerate(sizes)
    ]


def _point(table: Table, labels: int, chosen: Floats, drawn: Floats, resamples: int) -> Point:
    small, large = table.score[:, SMALL], table.score[:, LARGE]
    a = [PairCurve(row, small, large) for row in chosen]
    b = [PairCurve(row, small, large) for row in drawn]
    (gap,) = two_way([_gap(*pair) for pair in zip(a, b, strict=True)], table.cluster, resamples)
    ours, theirs = [x.apgr() for x in a], [y.apgr() for y in b]
    wins = sum(x > y for x, y in zip(ours, theirs, strict=True))
    return Point(labels, float(np.mean(ours)), float(np.mean(theirs)), gap, wins, len(a))


def _gap(chosen: PairCurve, drawn: PairCurve) -> Callable[[Floats], Floats]:
    return lambda weight: np.array([chosen.apgr(weight) - drawn.apgr(weight)])
