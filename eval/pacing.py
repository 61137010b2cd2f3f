"""How well a paced policy keeps its budget, and what the money bought.

Beside each run stand, on the same rows, the coin between single arms that costs as much (the
upper hull of the arms at what was spent), and the oracle that knows every score and spends
no more: min over mu of mean max_m (score_m - mu cost_m) + mu * cost, an upper bound.

`reachable` is the mean that a perfect pacer without foresight would end at: after every request
it stands as near to the budget's line as that request's cheapest and dearest arm allow. Where
that misses the budget, the order and not the policy does.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.compare import Interval, bootstrap
from eval.contenders import mean_cost
from eval.streams import draw_caps, stream
from eval.table import Table
from policies.paced import PacedBandit
from router.errors import InputError

__all__ = ["Paced", "Setting", "coin_at", "oracle_at", "pace", "reachable"]

Floats = NDArray[np.float64]
RESAMPLES = 2000
TOLERANCE = 0.02
"""The bar: how far the mean cost may be from the budget, as a share of it."""


@dataclass(frozen=True)
class Setting:
    """What is the same for all orders."""

    budget: float
    """USD a request."""
    seeds: int = 10
    labels: float = 1.0
    """Share of attempts whose score is shown."""
    caps: tuple[float, float] | None = None
    """Request caps in USD, drawn log-uniformly between these."""


@dataclass(frozen=True)
class Paced:
    """One order over all seeds."""

    order: str
    n: int
    deviation: tuple[float, ...]
    """(seeds,) mean cost of a served request over the budget, minus 1."""
    reachable: float
    """The same of a perfect pacer; the seed that is farthest from 0."""
    overshoot: float
    """Most USD ever spent beyond budget times requests, in budgets; worst seed."""
    accuracy: Interval
    """Over questions; a question counts with its mean over seeds."""
    over_coin: Interval
    """Accuracy above the coin that costs the same."""
    oracle: float
    """Upper bound of the accuracy at that cost; mean over seeds."""
    large_share: float
    """Share of requests that the dearest arm answered."""
    explored: float
    """Share of requests whose arm had a probability below 1/2."""
    over_cap: int
    unserved: int

    @property
    def worst(self) -> float:
        """The seed whose deviation is farthest from 0."""
        return max(self.deviation, key=abs)

    @property
    def feasible(self) -> bool:
        """A perfect pacer without foresight meets the bar."""
        return abs(self.reachable) <= TOLERANCE

    @property
    def met(self) -> bool:
        """Every seed is within 2 % of the budget, and no request above its cap."""
        return abs(self.worst) <= TOLERANCE and self.over_cap == 0


def coin_at(table: Table, cost: float) -> tuple[Floats, float]:
    """(A,) probabilities of the best mix of single arms whose mean cost is `cost`, and its
    accuracy. Outside the arms' costs it is the cheapest or the dearest arm."""
    usd, right = mean_cost(table), table.score.mean(axis=0)
    at = float(np.clip(cost, usd.min(), usd.max()))
    best, weight = -np.inf, np.zeros(len(usd))
    for i in range(len(usd)):
        for j in range(len(usd)):
            if not usd[i] <= at <= usd[j]:
                continue
            share = (at - usd[i]) / (usd[j] - usd[i]) if usd[j] > usd[i] else 0.0
            value = (1 - share) * right[i] + share * right[j]
            if value > best:
                best, weight = float(value), np.zeros(len(usd))
                weight[i] += 1 - share
                weight[j] += share
    return weight, best


def oracle_at(table: Table, cost: float) -> float:
    """Upper bound of the accuracy that any choice of one arm a row can have at a mean cost."""

    def bound(mu: float) -> float:
        return float((table.score - mu * table.cost).max(axis=1).mean() + mu * cost)

    # Convex in mu; beyond 1 over the least gap in cost nobody moves any more.
    low, high = 0.0, 1e3 / max(float(np.ptp(table.cost)), 1e-12)
    for _ in range(100):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, b) if bound(a) <= bound(b) else (a, high)
    return bound((low + high) / 2)


def reachable(cost: Floats, budget: float, allowed: NDArray[np.bool_] | None = None) -> float:
    """Mean USD of the pacer that stays as near to the line as it can.

    `cost` is (n, A) in the order of the stream, `allowed` (n, A) what the caps leave; a request
    without an arm is not served and does not count.
    """
    may = np.ones(cost.shape, dtype=bool) if allowed is None else allowed
    may, cost = may[may.any(axis=1)], cost[may.any(axis=1)]
    low, high = np.where(may, cost, np.inf).min(axis=1), np.where(may, cost, 0.0).max(axis=1)
    spent = 0.0
    for t in range(len(cost)):
        spent = min(max(budget * (t + 1), spent + low[t]), spent + high[t])
    return float(spent / max(len(cost), 1))


def pace(table: Table, order: str, setting: Setting, policy: PacedBandit | None = None) -> Paced:
    """Run every seed of one order.

    Raises:
        InputError: no seeds, a label share outside 0..1, or the table cannot be streamed.
    """
    if setting.seeds < 1:
        raise InputError(f"--seeds {setting.seeds}: at least one is needed")
    if not 0 <= setting.labels <= 1:
        raise InputError(f"--feedback {setting.labels:g}: give a share, 0..1")
    start = policy or PacedBandit(budget=setting.budget)
    n = len(table)
    score, coin = np.zeros(n), np.zeros(n)
    runs, reach, oracle = [], [], []
    for seed in range(setting.seeds):
        caps = draw_caps(n, *setting.caps, seed) if setting.caps else None
        run = stream(start.model_copy(update={"seed": seed}), table, order, seed,
                     setting.labels, caps)  # fmt: skip
        score[run.rows] += run.score / setting.seeds
        coin += table.score @ coin_at(table, float(run.cost.mean()))[0] / setting.seeds
        may = None if caps is None else table.cost.max(axis=0) <= caps[run.rows, None]
        reach.append(reachable(table.cost[run.rows], setting.budget, may) / setting.budget - 1)
        oracle.append(oracle_at(table, float(run.cost.mean())))
        runs.append(run)
    line = setting.budget * np.arange(1, n + 1)
    dearest = int(mean_cost(table).argmax())
    return Paced(
        order=order,
        n=n,
        deviation=tuple(r.mean_cost / setting.budget - 1 for r in runs),
        reachable=max(reach, key=abs),
        overshoot=max(float((np.cumsum(r.cost) - line).max()) for r in runs) / setting.budget,
        accuracy=_mean(score, table),
        over_coin=_mean(score - coin, table),
        oracle=float(np.mean(oracle)),
        large_share=float(np.mean([(r.arm == dearest).mean() for r in runs])),
        explored=float(np.mean([(r.probability < 0.5).mean() for r in runs])),
        over_cap=sum(r.over_cap for r in runs),
        unserved=sum(r.unserved for r in runs),
    )


def _mean(values: Floats, table: Table) -> Interval:
    def mean(weight: Floats) -> float:
        return float(weight @ values / weight.sum())

    return bootstrap(mean, table.cluster, RESAMPLES, 0)
