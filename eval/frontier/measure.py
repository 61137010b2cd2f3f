"""Figures of curves of cost against quality, with intervals over whole questions.

A curve is read as RouterBench reads it (arXiv 2403.12031): its non-decreasing convex hull, of
which every point is a coin between two settings of the policy. Over seeds, what a row scored
and paid at one setting is averaged first, then questions are resampled, with the same draws for
every policy: every difference is paired.

    aiq             mean quality of the hull over the fixed cost range [low, high]
    at-25, -50, -75 quality of the hull at that part of the cost range
    best, best-cost the top of the hull and what it costs: the sweep's best point on these rows
    end, end-cost   the last setting (price 0): the policy's own idea of its best, not selected
    cost-apgr       pairs: area under (q - q_small) / (q_large - q_small) over cost, from small's
                    cost to large's, along the sweep; `eval.metrics.pair` has the definition

The path of cost-apgr starts at all-small and ends at all-large, as a pair curve does; what lies
between them and the sweep is a coin (a straight line), and what is dearer than all-large is cut.
AIQ is 0 left of a curve's cheapest point: a single arm pays for having no cheap setting. Beside
it stand the gains *at equal cost*, read where the rival's own hull tops out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.compare import Interval, bootstrap
from eval.frontier.trace import Trace
from eval.metrics import aiq, hull
from eval.table import Table
from router.errors import InputError

__all__ = ["Curve", "Figures", "curve_of", "measure", "path_area", "reading"]

Floats = NDArray[np.float64]
PARTS = (0.25, 0.5, 0.75)
NAMES = ("aiq", "at-25", "at-50", "at-75", "best", "best-cost", "end", "end-cost")
NOTHING = 1e-12
ROUNDING = 1e-9


@dataclass(frozen=True)
class Curve:
    """One policy over all seeds: (G, k) sums over the k clusters, averaged over seeds."""

    policy: str
    protocol: str
    labels: int
    knob: str
    at: tuple[float, ...]
    score: Floats
    usd: Floats

    def points(self, counts: Floats, size: Floats) -> tuple[Floats, Floats]:
        """(G,) mean cost and (G,) mean quality, every cluster counted so often."""
        total = float(counts @ size)
        return self.usd @ counts / total, self.score @ counts / total


@dataclass(frozen=True)
class Figures:
    """What is printed of one policy; `gains` are by rival, then by figure."""

    curve: Curve
    cost: Floats
    quality: Floats
    """(G,) the points on the data as they are."""
    values: dict[str, Interval]
    gains: dict[str, dict[str, Interval]]
    seed_aiq: tuple[float, ...]
    """AIQ of each seed on its own."""


def curve_of(traces: Sequence[Trace], table: Table) -> Curve:
    """The same policy under several seeds -> its mean per row, summed by cluster."""
    first = traces[0]
    if len({t.at for t in traces}) > 1:
        raise ValueError(f"{first.policy}: the seeds were swept over different settings")
    clusters, code = np.unique(table.cluster, return_inverse=True)

    def summed(rows: Floats) -> Floats:
        return np.stack([np.bincount(code, row, len(clusters)) for row in rows])

    score = summed(np.mean([t.score for t in traces], axis=0))
    usd = summed(np.mean([t.usd for t in traces], axis=0))
    labels = round(float(np.mean([t.labels for t in traces])))
    return Curve(first.policy, first.protocol, labels, first.knob, first.at, score, usd)


def reading(cost: Floats, quality: Floats, low: float, high: float) -> Floats:
    """(len(NAMES),) figures of one curve's points, in the order of NAMES.

    The accuracies at a part of the range are nan where the curve has no point that cheap.
    """
    top = hull(cost, quality)
    area = aiq(top.cost, top.quality, low, high).value
    at = [_at(top.cost, top.quality, low + part * (high - low)) for part in PARTS]
    end = len(cost) - 1
    return np.array(
        [area, *at, top.quality[-1], top.cost[-1], quality[end], cost[end]], dtype=np.float64
    )


def path_area(cost: Floats, quality: Floats, small: Floats, large: Floats) -> float:
    """cost-apgr of (G,) points in the order of the sweep; small, large: (cost, quality).

    nan where the large arm is not better or not dearer.
    """
    length, gap = float(large[0] - small[0]), float(large[1] - small[1])
    if not (length > NOTHING * abs(float(large[0])) and gap > NOTHING):
        return math.nan
    x = np.concatenate([[0.0], (cost - small[0]) / length, [1.0]])
    y = np.concatenate([[0.0], (quality - small[1]) / gap, [1.0]])
    area = 0.0
    for i in range(len(x) - 1):
        area += _segment(x[i], y[i], x[i + 1], y[i + 1])
    return area


def _segment(x0: float, y0: float, x1: float, y1: float) -> float:
    """Signed area under a straight line, without what lies right of 1."""
    if max(x0, x1) <= 1:
        return (x1 - x0) * (y0 + y1) / 2
    if min(x0, x1) >= 1:
        return 0.0
    middle = y0 + (y1 - y0) * (1 - x0) / (x1 - x0)
    return (1 - x0) * (y0 + middle) / 2 if x0 < 1 else (x1 - 1) * (middle + y1) / 2


def _at(cost: Floats, quality: Floats, budget: float) -> float:
    """A hull at a budget; nan left of it, but for what the order of a sum changes."""
    return (
        math.nan if budget < cost[0] * (1 - ROUNDING) else float(np.interp(budget, cost, quality))
    )


def measure(
    traces: dict[str, list[Trace]],
    table: Table,
    span: tuple[float, float],
    against: Sequence[str],
    resamples: int = 1000,
) -> tuple[list[Figures], list[Interval]]:
    """Figures of all policies, and the accuracy of every arm; `traces` holds one trace a seed.

    Raises:
        InputError: a rival that is not among them, or a cost range without length.
    """
    unknown = [name for name in against if name not in traces]
    if unknown:
        raise InputError(f"--against {unknown[0]}: not compared; there are: {', '.join(traces)}")
    if not 0 <= span[0] < span[1]:
        raise InputError(f"the cost range {span[0]:g} to {span[1]:g} has no length")
    return _Comparison(traces, table, span, against).figures(resamples)


class _Comparison:
    """All curves under the same draws."""

    def __init__(
        self,
        traces: dict[str, list[Trace]],
        table: Table,
        span: tuple[float, float],
        against: Sequence[str],
    ) -> None:
        self.span, self.table = span, table
        self.per_seed = traces
        self.curves = [curve_of(own, table) for own in traces.values()]
        clusters, code = np.unique(table.cluster, return_inverse=True)
        self.size = np.bincount(code, minlength=len(clusters)).astype(np.float64)
        place = {c.policy: i for i, c in enumerate(self.curves)}
        self.rivals = [place[name] for name in against]
        self.pair = len(table.arms) == 2
        self.ends = curve_of([_arms(table)], table)
        self.names = (*NAMES, "cost-apgr") if self.pair else NAMES

    def figures(self, resamples: int) -> tuple[list[Figures], list[Interval]]:
        k, width, arms = len(self.size), len(self.names), len(self.table.arms)
        drawn = bootstrap(self._all, np.arange(k), resamples)
        single, made = drawn[:arms], drawn[arms:]
        own = [made[i * width : (i + 1) * width] for i in range(len(self.curves))]
        gains = iter(made[len(self.curves) * width :])
        out = []
        for i, curve in enumerate(self.curves):
            against = {
                self.curves[r].policy: {name: next(gains) for name in self._gained()}
                for r in self.rivals
                if r != i
            }
            cost, quality = curve.points(np.ones(k), self.size)
            values = dict(zip(self.names, own[i], strict=True))
            out.append(Figures(curve, cost, quality, values, against, self._seeds(curve.policy)))
        return out, list(single)

    def _gained(self) -> tuple[str, ...]:
        return ("aiq", "equal-cost", *(("cost-apgr",) if self.pair else ()))

    def _all(self, counts: Floats) -> Floats:
        """Every arm's accuracy, every figure of every policy, every gain, as one flat array."""
        _, single = self.ends.points(counts, self.size)
        points = [c.points(counts, self.size) for c in self.curves]
        read = np.array([self._read(c, q, counts) for c, q in points])
        tops = [hull(c, q) for c, q in points]
        gains = []
        for i in range(len(self.curves)):
            for r in self.rivals:
                if r == i:
                    continue
                rival = tops[r]
                equal = _at(*tops[i], float(rival.cost[-1])) - float(rival.quality[-1])
                gains += [read[i, 0] - read[r, 0], equal]
                if self.pair:
                    gains.append(read[i, -1] - read[r, -1])
        return np.concatenate([single, read.ravel(), gains])

    def _read(self, cost: Floats, quality: Floats, counts: Floats) -> Floats:
        own = reading(cost, quality, *self.span)
        if not self.pair:
            return own
        usd, score = self.ends.points(counts, self.size)
        small, large = np.array([usd[0], score[0]]), np.array([usd[1], score[1]])
        return np.append(own, path_area(cost, quality, small, large))

    def _seeds(self, name: str) -> tuple[float, ...]:
        made = []
        for one in self.per_seed[name]:
            cost, quality = one.usd.mean(axis=1), one.score.mean(axis=1)
            made.append(float(reading(cost, quality, *self.span)[0]))
        return tuple(made)


def _arms(table: Table) -> Trace:
    names = tuple(float(i) for i in range(len(table.arms)))
    return Trace("arms", "untrained", 0, "arms", names, table.score.T, table.cost.T)
