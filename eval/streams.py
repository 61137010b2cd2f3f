"""Play a policy that learns over a table, one request after the other, in a hard order.

    recorded       as the rows stand in the table
    shuffled       by the seed
    drift          one kind of question after the other (the part of the id before the last
                   colon), kinds in the seed's order, each from short to long prompts
    costly-first   by the cost of the dearest arm, falling; costly-last: rising
    gain-first     by what the best arm scores above the cheapest, falling; gain-last: rising

Equal keys are in the seed's order. After each attempt the policy observes its cost and, with
probability `labels`, its score; then the next request sees the next policy. What a case says of
costs is what replay says: the mean of the arm over the table. Worst cases are the arm's dearest
row, so a cap that an arm might break keeps the arm out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eval.contenders import mean_cost
from eval.features import Features
from eval.fit.usable import known_features
from eval.play import revealed
from eval.table import Table, case_of
from policies.case import STOP, CaseBatch, PolicyError
from policies.online import Feedback, OnlinePolicy
from router.errors import InputError

__all__ = ["ORDERS", "Streamed", "draw_caps", "order_of", "stream"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Streamed:
    """What happened, in the order of the stream; n requests."""

    policy: OnlinePolicy
    """As it stands after the last one."""
    rows: Ints
    """(n,) rows of the table."""
    arm: Ints
    """(n,) the last arm that was run, -1 where none was."""
    cost: Floats
    """(n,) USD of all attempts."""
    score: Floats
    """(n,) of the last attempt; 0 where there was none."""
    probability: Floats
    """(n,) with which the first arm was chosen."""
    over_cap: int
    """Requests that cost more than their cap."""

    @property
    def unserved(self) -> int:
        """Requests for which no arm could run."""
        return int((self.arm == STOP).sum())

    @property
    def mean_cost(self) -> float:
        """USD a request that was served; 0 where none was."""
        return float(self.cost.sum() / max(len(self.arm) - self.unserved, 1))


def _gain(table: Table) -> Floats:
    cheapest = int(mean_cost(table).argmin())
    return np.asarray(table.score.max(axis=1) - table.score[:, cheapest])


def _dearest(table: Table) -> Floats:
    return np.asarray(table.cost[:, int(mean_cost(table).argmax())])


def _drift(table: Table, rng: np.random.Generator) -> Floats:
    ids = zip(table.benchmarks, table.query_id, strict=True)
    kinds = [f"{b}/{q.rpartition(':')[0]}" for b, q in ids]
    names, code = np.unique(kinds, return_inverse=True)
    place = rng.permutation(len(names))[code].astype(np.float64)
    if table.features is not None and "lengths" in table.features.blocks:
        length = table.features.blocks["lengths"][:, 0].astype(np.float64)
        place += (length - length.min()) / (np.ptp(length) + 1.0)
    return place


ORDERS: Mapping[str, Callable[[Table, np.random.Generator], Floats]] = {
    "recorded": lambda table, rng: np.arange(len(table), dtype=np.float64),
    "shuffled": lambda table, rng: np.zeros(len(table)),
    "drift": _drift,
    "costly-first": lambda table, rng: -_dearest(table),
    "costly-last": lambda table, rng: _dearest(table),
    "gain-first": lambda table, rng: -_gain(table),
    "gain-last": lambda table, rng: _gain(table),
}
"""Name -> key of every row; the stream runs from the least key up."""


def order_of(table: Table, order: str, seed: int) -> Ints:
    """(n,) rows in the order of the stream. `InputError` on an unknown order."""
    if order not in ORDERS:
        raise InputError(f"--order {order!r}: there are {', '.join(ORDERS)}")
    rng = np.random.default_rng(seed)
    mixed = rng.permutation(len(table))
    return mixed[np.argsort(ORDERS[order](table, rng)[mixed], kind="stable")]


def draw_caps(n: int, low: float, high: float, seed: int) -> Floats:
    """(n,) request caps in USD, log-uniform. `InputError` unless 0 < low <= high < inf."""
    if not 0 < low <= high < np.inf:
        raise InputError(f"--cap {low:g}:{high:g}: give 0 < low <= high in USD")
    drawn = np.random.default_rng([seed, 1]).uniform(np.log(low), np.log(high), n)
    return np.asarray(np.exp(drawn))


def stream(
    policy: OnlinePolicy,
    table: Table,
    order: str = "shuffled",
    seed: int = 0,
    labels: float = 1.0,
    caps: Floats | None = None,
    predicted_cost: Floats | None = None,
) -> Streamed:
    """Play it through.

    Args:
        labels: probability that an attempt's score is shown to the policy.
        caps: (n,) USD a request may cost, by row of the table; None: no caps.
        predicted_cost: (A,) what cases say that arms cost; default: their mean.

    Raises:
        PolicyError: the policy answered nonsense, or lacks features.
        InputError: the table has rows without features, or costs that are not there.
    """
    features = known_features(table, policy.name)
    if not np.isfinite(table.cost).all():
        raise InputError(f"{table.benchmark} has rows without a cost")
    rows = order_of(table, order, seed)
    limit = np.full(len(table), np.inf) if caps is None else caps[rows]
    shown = np.random.default_rng([seed, 2]).random(len(table)) < labels
    said = mean_cost(table) if predicted_cost is None else predicted_cost
    part = _read_by(policy, table, features).take(rows)
    worst = table.cost.max(axis=0)
    ends = []
    for i in range(len(part)):
        ask = _Request(part.span(i, i + 1), said, worst, float(limit[i]), bool(shown[i]))
        policy, end = ask.serve(policy)
        ends.append(end)
    arm, cost, score, probability = (np.array(column) for column in zip(*ends, strict=True))
    return Streamed(policy, rows, arm, cost, score, probability, int((cost > limit).sum()))


def _read_by(policy: OnlinePolicy, table: Table, features: Features) -> Table:
    """The table with the blocks that the policy reads, and no others to copy."""
    blocks = {k: v for k, v in features.blocks.items() if k in policy.needs.features}
    own = Features(blocks, features.known, features.fingerprint)
    return replace(table, features=own, twins=None)


@dataclass(frozen=True)
class _Request:
    """One row of the stream, as the live graph would serve it."""

    row: Table
    said: Floats
    worst: Floats
    cap: float
    labelled: bool

    def serve(self, policy: OnlinePolicy) -> tuple[OnlinePolicy, tuple[int, float, float, float]]:
        """The next policy; last arm, USD, score and probability of the first arm."""
        tried: list[int] = []
        spent, first = 0.0, 0.0
        while True:
            case = self._case(tried, self.cap - spent)
            choice = policy.choose(case)
            choice.check(case)
            arm = int(choice.arm[0])
            if arm == STOP:
                break
            if not case.open[0, arm]:
                raise PolicyError(f"policy {policy.name!r} chose an arm that was tried already")
            first = first if tried else float(choice.probability[0, arm])
            policy = policy.observe(self._feedback(case, arm))
            tried.append(arm)
            spent += float(self.row.cost[0, arm])
        score = float(self.row.score[0, tried[-1]]) if tried else 0.0
        return policy, (tried[-1] if tried else STOP, spent, score, first)

    def _case(self, tried: list[int], left: float) -> CaseBatch:
        case = case_of(self.row, self.said, revealed(self.row, np.array([tried], dtype=np.int64)))
        worst = np.maximum(self.worst, self.said)[None, :]
        return replace(case, worst_cost=worst, request_left=np.array([left]))

    def _feedback(self, case: CaseBatch, arm: int) -> Feedback:
        score = self.row.score[0, arm] if self.labelled else np.nan
        return Feedback(
            cases=case,
            arm=np.array([arm]),
            cost_usd=np.array([self.row.cost[0, arm]]),
            score=np.array([score]),
            seconds=np.array([np.nan]),
        )
