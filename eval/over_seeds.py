"""One number for many seeds: means of what policies compare by, and of their differences.

A difference is taken within a seed, where both policies had the same folds and the same labels;
`eval.compare.two_way` draws questions and seeds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eval.compare import Interval, two_way
from eval.scorecard import Scorecard

__all__ = ["SUFFIX", "Summary", "over_seeds"]

Floats = NDArray[np.float64]
SUFFIX = "-over-seeds"
"""Of the metric's name: the record stands beside those of single seeds."""


@dataclass(frozen=True)
class Summary:
    """`metric` is apgr, cost-apgr or utility, or one of them `-minus-` a rival."""

    policy: str
    metric: str
    made: Interval


def over_seeds(
    cards: Sequence[Mapping[str, Scorecard]],
    rivals: Sequence[str],
    clusters: ArrayLike,
    resamples: int,
    seed: int,
) -> list[Summary]:
    """Means over seeds of every policy's areas and of their differences to `rivals`.

    cards: one mapping a seed, policy -> card; a policy that one seed lacks is left out.
    """
    names = [n for n in cards[0] if all(n in own for own in cards)]
    metrics = {n: tuple(cards[0][n].compared()) for n in names}
    asked = [(n, metric, "") for n in names for metric in metrics[n]] + [
        (n, metric, rival)
        for n in names
        for rival in rivals
        if rival in metrics and rival != n
        for metric in metrics[n]
        if metric in metrics[rival]
    ]
    made = two_way([_all(own, asked) for own in cards], clusters, resamples, seed)
    return [
        Summary(name, f"{metric}-minus-{rival}" if rival else metric, each)
        for (name, metric, rival), each in zip(asked, made, strict=True)
    ]


def _all(
    cards: Mapping[str, Scorecard], asked: Sequence[tuple[str, str, str]]
) -> Callable[[Floats], Floats]:
    """What is asked of one seed, as one function of row weights."""
    compared = {name: cards[name].compared() for name, _, _ in asked}
    of = {(name, metric): f for name, own in compared.items() for metric, f in own.items()}

    def values(weight: Floats) -> Floats:
        got = {key: f(weight) for key, f in of.items()}
        return np.array([got[n, m] - (got[rival, m] if rival else 0.0) for n, m, rival in asked])

    return values
