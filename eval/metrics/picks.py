"""What a policy chose against what it could have chosen, query by query.

Shapes: n queries, m arms. arm_quality, arm_cost: (n, m), the whole table; quality, cost:
(n,), what the policy got and paid (a cascade pays for all it ran); choice: (n,) arm indices.
weight: (n,) >= 0, bootstrap counts. A nan in a table is refused: restrict to complete rows.

The optimal pick of a query is its cheapest *correct* arm, correct where quality >= `correct`.
Where every arm is wrong, money buys nothing and the cheapest arm is optimal.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eval.metrics.arrays import Floats, column, row_weight

__all__ = [
    "Regret",
    "optimal_cost",
    "optimal_pick_share",
    "optimal_picks",
    "oracle_cost_ratio",
    "regret",
    "robustness",
]

CORRECT = 0.5


class Regret(NamedTuple):
    """Mean quality missed, 0..1 each; `to_best_single` < 0: better than any one arm."""

    to_oracle: float
    to_best_single: float
    best_single: int  # the arm


def regret(
    quality: ArrayLike,
    arm_quality: ArrayLike,
    weight: ArrayLike | None = None,
    best_single: int | None = None,
) -> Regret:
    """Mean quality of the oracle (best arm of each query), and of the best arm, less ours.

    The best single arm is picked on the rows scored, which flatters it; give the arm that
    other rows chose to avoid that. Under bootstrap weights it is picked anew each time.
    """
    table = _table("arm_quality", arm_quality)
    ours = column("quality", quality, len(table))
    given = row_weight(weight, len(table))
    total = float(given.sum())
    if not total:
        return Regret(math.nan, math.nan, -1 if best_single is None else best_single)
    means = given @ table / total
    best = int(means.argmax()) if best_single is None else best_single
    mine = float(given @ ours) / total
    oracle = float(given @ table.max(axis=1)) / total
    return Regret(oracle - mine, float(means[best]) - mine, best)


def optimal_pick_share(
    choice: ArrayLike,
    arm_quality: ArrayLike,
    arm_cost: ArrayLike,
    weight: ArrayLike | None = None,
    correct: float = CORRECT,
) -> float:
    """Share of queries on which the chosen arm is the optimal one; equally cheap ones count."""
    return _mean(optimal_picks(choice, arm_quality, arm_cost, correct), weight)


def optimal_picks(
    choice: ArrayLike, arm_quality: ArrayLike, arm_cost: ArrayLike, correct: float = CORRECT
) -> NDArray[np.bool_]:
    """(n,) where the chosen arm is the optimal one: what `optimal_pick_share` averages."""
    right, cost, least = _optimal(arm_quality, arm_cost, correct)
    picked = np.asarray(choice)
    if picked.shape != (len(cost),) or not np.issubdtype(picked.dtype, np.integer):
        raise ValueError(f"choice must be ({len(cost)},) arm indices")
    if picked.min() < 0 or picked.max() >= cost.shape[1]:
        raise ValueError(f"choice must lie in 0..{cost.shape[1] - 1}")
    rows = np.arange(len(cost))
    solvable = right.any(axis=1)
    hit = (cost[rows, picked] == least) & (right[rows, picked] | ~solvable)
    return np.asarray(hit, dtype=bool)


def optimal_cost(arm_quality: ArrayLike, arm_cost: ArrayLike, correct: float = CORRECT) -> Floats:
    """(n,) what the optimal pick of each query costs."""
    return _optimal(arm_quality, arm_cost, correct)[2]


def oracle_cost_ratio(
    cost: ArrayLike,
    arm_quality: ArrayLike,
    arm_cost: ArrayLike,
    weight: ArrayLike | None = None,
    correct: float = CORRECT,
) -> float:
    """Total cost of the optimal picks / total cost paid; nan where nothing was paid.

    1 is as frugal as the oracle. Above 1 is possible, for a policy that saves on queries
    that the oracle pays to get right: read it beside the quality.
    """
    _, table, least = _optimal(arm_quality, arm_cost, correct)
    paid = column("cost", cost, len(table))
    given = row_weight(weight, len(table))
    spent = float(given @ paid)
    return float(given @ least) / spent if spent > 0 else math.nan


def robustness(
    choice: ArrayLike,
    perturbed: ArrayLike,
    origin: ArrayLike | None = None,
    weight: ArrayLike | None = None,
) -> float:
    """Share of perturbed prompts on which the choice stays what it was, paired by query.

    choice: (n,) on the original prompts. perturbed: (p,) on the perturbed ones, the i-th made
    from query origin[i] (default: one each, in order). The versions of one query are averaged
    first; queries without one do not count. nan where none counts.
    """
    first, second = np.asarray(choice), np.asarray(perturbed)
    source = np.arange(len(first)) if origin is None else np.asarray(origin, dtype=np.intp)
    if first.ndim != 1 or second.shape != source.shape:
        raise ValueError(f"{second.shape} perturbed choices for {source.shape} origins")
    if len(source) and (source.min() < 0 or source.max() >= len(first)):
        raise ValueError("an origin is not the index of a query")
    given = row_weight(weight, len(first))
    same = (second == first[source]).astype(np.float64)
    versions = np.bincount(source, minlength=len(first))
    has = versions > 0
    kept = np.bincount(source, weights=same, minlength=len(first))[has] / versions[has]
    total = float(given[has].sum())
    return float(given[has] @ kept) / total if total else math.nan


def _optimal(
    arm_quality: ArrayLike, arm_cost: ArrayLike, correct: float
) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """(n, m) which arms are correct, (n, m) costs, (n,) the cost of the optimal pick."""
    quality, cost = _table("arm_quality", arm_quality), _table("arm_cost", arm_cost)
    if quality.shape != cost.shape:
        raise ValueError(f"arm_quality is {quality.shape}, arm_cost {cost.shape}")
    right = quality >= correct
    allowed = right | ~right.any(axis=1, keepdims=True)
    return right, cost, np.where(allowed, cost, np.inf).min(axis=1)


def _table(name: str, values: ArrayLike) -> Floats:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise ValueError(f"{name} must be a finite (n, m) array, not of shape {table.shape}")
    return table


def _mean(hit: NDArray[np.bool_], weight: ArrayLike | None) -> float:
    given = row_weight(weight, len(hit))
    total = float(given.sum())
    return float(given @ hit) / total if total else math.nan
