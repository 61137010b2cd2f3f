"""Methods against majority vote at the same price, with paired intervals.

Majority with k samples is known at k = 1 .. K. Between two of them lies a real policy: a coin,
thrown for each question, that says which k to use; its score and its price are the mixture
of theirs. So at any price from one sample's to K samples' there is a majority vote to compare
with. Beyond that nothing is known: there is no comparison, and nothing is extrapolated.

The coin is set once, at the mean price over all questions, and stays as it is in the
resamples: the interval is of the difference between two policies that are fixed.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from eval.compare import Interval, bootstrap
from eval.scaling.pool import Floats
from eval.scaling.replay import Axis, Curve

__all__ = ["Mix", "Point", "compared", "intervals", "mix", "mixed"]

ROUNDING = 1e-9


class Mix(NamedTuple):
    """Majority at a price: with k = `low` samples, or with the chance `share` with one more."""

    where: Literal["at", "below", "beyond"]
    """`below` one sample's price and `beyond` that of K there is no comparison."""
    low: int
    share: float


@dataclass(frozen=True)
class Point:
    """One method with k samples; accuracies and their differences in 0..1."""

    k: int
    tokens: float
    """A question, mean."""
    usd: float | None
    accuracy: Interval
    over_single: Interval
    mix: Mix
    majority: float | None
    """What majority scores at the same price; None where there is no comparison."""
    over_majority: Interval | None


def mix(spent: Floats, spend: float) -> Mix:
    """spent: (K,) mean price of majority with k = 1 .. K, rising; spend: a price."""
    if spend < spent[0] * (1 - ROUNDING):
        return Mix("below", 1, 0.0)
    if spend > spent[-1] * (1 + ROUNDING):
        return Mix("beyond", len(spent), 0.0)
    low = int(np.clip(np.searchsorted(spent, spend, side="right"), 1, max(1, len(spent) - 1)))
    if len(spent) == 1 or spent[low] == spent[low - 1]:
        return Mix("at", low, 0.0)
    share = (spend - spent[low - 1]) / (spent[low] - spent[low - 1])
    return Mix("at", low, float(np.clip(share, 0, 1)))


def mixed(values: Floats, coin: Mix) -> Floats:
    """(questions, K) -> (questions,): what the coin makes of them, on average."""
    below = values[:, coin.low - 1]
    if coin.share == 0:
        return np.asarray(below, np.float64)
    return np.asarray((1 - coin.share) * below + coin.share * values[:, coin.low], np.float64)


def compared(
    curve: Curve,
    majority: Curve,
    clusters: ArrayLike,
    axis: Axis = "tokens",
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[Point, ...]:
    """A method at every k, beside a single sample and beside majority at equal `axis`.

    majority: without early stop, on plain samples, of the same questions in the same order;
    its k = 1 is the single sample. The same seed draws the same clusters for every method.
    """
    price = curve.spent(axis).mean(axis=0)
    known = majority.spent(axis).mean(axis=0)
    coins = [mix(known, float(p)) for p in price]
    single = majority.score[:, :1]
    there = np.column_stack([mixed(majority.score, coin) for coin in coins])
    columns = np.hstack([curve.score, curve.score - single, curve.score - there])
    found = intervals(columns, clusters, resamples, seed)
    k = len(coins)
    return tuple(
        Point(
            k=i + 1,
            tokens=float(curve.tokens[:, i].mean()),
            usd=None if curve.usd is None else float(curve.usd[:, i].mean()),
            accuracy=found[i],
            over_single=found[k + i],
            mix=coin,
            majority=float(there[:, i].mean()) if coin.where == "at" else None,
            over_majority=found[2 * k + i] if coin.where == "at" else None,
        )
        for i, coin in enumerate(coins)
    )


def intervals(
    columns: Floats, clusters: ArrayLike, resamples: int, seed: int
) -> tuple[Interval, ...]:
    """Means of (questions, m) columns, each with its interval over whole clusters, 95 %."""

    def means(weight: Floats) -> Floats:
        return np.asarray(weight @ columns / weight.sum(), np.float64)

    return bootstrap(means, clusters, resamples, seed)
