"""Figures of a family of policies, each a point (mean cost in USD a query, mean quality).

RouterBench's AIQ (arXiv 2403.12031), RouterArena's score, and the two readings of a
cost-quality curve that people ask for: how good at this budget, how dear at this quality.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from eval.metrics.arrays import Floats, column

__all__ = [
    "Aiq",
    "Hull",
    "accuracy_at_budget",
    "aiq",
    "cost_at_accuracy",
    "hull",
    "routerarena_score",
]

DEAREST, CHEAPEST = 200.0, 0.0044  # RouterArena's scale, USD per 1,000 queries
BETA = 0.1


class Hull(NamedTuple):
    """Vertices of a non-decreasing hull, by rising cost, (k,) each."""

    cost: Floats
    quality: Floats


class Aiq(NamedTuple):
    """The value with the cost range it depends on: print all three."""

    value: float
    low: float
    high: float


def hull(cost: ArrayLike, quality: ArrayLike) -> Hull:
    """RouterBench's non-decreasing convex hull of (k,) points.

    The least concave line above all points, from the cheapest to the best of them. Every
    point of it is reached by tossing a coin between two policies. Dearer points that are not
    better than the best fall away.
    """
    costs = column("cost", cost)
    values = column("quality", quality, len(costs))
    kept: list[tuple[float, float]] = []
    for i in np.lexsort((-values, costs)):
        here = (float(costs[i]), float(values[i]))
        if kept and here[1] <= kept[-1][1]:
            continue  # no dearer point may be worse, nor need it be equal
        while len(kept) > 1 and _below(kept[-2], kept[-1], here):
            kept.pop()
        kept.append(here)
    return Hull(np.array([c for c, _ in kept]), np.array([q for _, q in kept]))


def aiq(cost: ArrayLike, quality: ArrayLike, low: float, high: float) -> Aiq:
    """Mean quality of the hull over the fixed cost range [low, high], USD a query.

    RouterBench's AIQ = 1 / (high - low) * integral of the hull. Right of the best point the
    hull stays at its quality; left of the cheapest nothing can be bought and the quality is
    0, as in RouterBench's code (which takes low = 0 and for `high` the dearest point of the
    comparison; fix the range, since AIQ moves with it).
    """
    if not 0 <= low < high < math.inf:
        raise ValueError(f"the cost range must be 0 <= low < high, not {low}, {high}")
    top = hull(cost, quality)
    start = max(low, float(top.cost[0]))
    if start >= high:
        return Aiq(0.0, low, high)
    inner = top.cost[(top.cost > start) & (top.cost < high)]
    at = np.concatenate([[start], inner, [high]])
    area = np.trapezoid(np.interp(at, top.cost, top.quality), at)
    return Aiq(float(area) / (high - low), low, high)


def routerarena_score(accuracy: float, cost_per_1000_usd: float) -> float:
    """RouterArena's score, 0..1, from accuracy 0..1 and USD per 1,000 queries.

    C = (log2 200 - log2 c) / (log2 200 - log2 0.0044);  S = 1.1 A C / (0.1 A + C).
    Theirs refuses c <= 0 and lets C leave 0..1; here c is clipped to [0.0044, 200], so that
    a free model has C = 1 and a ruinous one 0. A = C = 0 scores 0.
    """
    if not 0 <= accuracy <= 1 or not cost_per_1000_usd >= 0:
        raise ValueError(f"accuracy {accuracy} or cost {cost_per_1000_usd} is out of range")
    cost = min(max(cost_per_1000_usd, CHEAPEST), DEAREST)
    cheap = (math.log2(DEAREST) - math.log2(cost)) / (math.log2(DEAREST) - math.log2(CHEAPEST))
    below = BETA * accuracy + cheap
    return (1 + BETA) * accuracy * cheap / below if below > 0 else 0.0


def accuracy_at_budget(
    cost: ArrayLike, quality: ArrayLike, budget: float, mixed: bool = False
) -> float:
    """The best quality among (k,) points that cost at most `budget` USD a query; nan if none.

    `mixed`: also by a coin between two points (along the hull).
    """
    costs = column("cost", cost)
    values = column("quality", quality, len(costs))
    within = costs <= budget
    if not within.any():
        return math.nan
    if not mixed:
        return float(values[within].max())
    top = hull(costs, values)
    return float(np.interp(budget, top.cost, top.quality))


def cost_at_accuracy(
    cost: ArrayLike, quality: ArrayLike, target: float, mixed: bool = False
) -> float:
    """The least cost, USD a query, among (k,) points of quality >= `target`; nan if none.

    `mixed`: also by a coin between two points (along the hull).
    """
    costs = column("cost", cost)
    values = column("quality", quality, len(costs))
    enough = values >= target
    if not enough.any():
        return math.nan
    if not mixed:
        return float(costs[enough].min())
    top = hull(costs, values)
    return float(np.interp(target, top.quality, top.cost))


def _below(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """b lies on or under the line from a to c (costs rising from a to c)."""
    return (b[1] - a[1]) * (c[0] - a[0]) <= (c[1] - a[1]) * (b[0] - a[0])
