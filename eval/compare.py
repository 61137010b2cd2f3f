"""Intervals and tests: every number with its uncertainty, every comparison paired.

The unit of resampling is the cluster (a question with its epochs, a template, a passage):
rows of one cluster stand or fall together (Miller, "Adding error bars to evals",
arXiv 2411.00640). A statistic is a function of (n,) row weights, so that a bootstrap is a
reweighing over an order made once, not a re-sorting.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

__all__ = [
    "Interval",
    "Seeds",
    "bootstrap",
    "epoch_weight",
    "holm",
    "paired_difference",
    "paired_permutation",
    "seeds",
    "share",
    "two_way",
    "wilson",
]

Floats = NDArray[np.float64]
Scalar = Callable[[Floats], float]
Vector = Callable[[Floats], Floats]


class Interval(NamedTuple):
    """A value with its interval. `value` is the estimate on the data as they are."""

    value: float
    low: float
    high: float
    n: int  # rows
    clusters: int = 0  # independent units that were resampled; 0: none were
    undefined: int = 0  # resamples in which the statistic was nan

    @property
    def in_points(self) -> str:
        """A difference of shares: `+1.5 [-0.2, +3.1]`."""
        # Adding 0.0 turns a rounded -0.0 into 0.0.
        value, low, high = (round(100 * x, 1) + 0.0 for x in self[:3])
        return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


class Seeds(NamedTuple):
    """Mean and standard deviation (n - 1; nan for one seed) over repeated seeds."""

    mean: float
    sd: float
    n: int


@overload
def bootstrap(
    statistic: Scalar,
    clusters: ArrayLike,
    resamples: int = ...,
    seed: int = ...,
    level: float = ...,
) -> Interval: ...
@overload
def bootstrap(
    statistic: Vector,
    clusters: ArrayLike,
    resamples: int = ...,
    seed: int = ...,
    level: float = ...,
) -> tuple[Interval, ...]: ...
def bootstrap(
    statistic: Scalar | Vector,
    clusters: ArrayLike,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval | tuple[Interval, ...]:
    """Percentile interval over whole clusters.

    statistic: (n,) weights -> a number, or a (k,) array (then k intervals from the same
    draws). clusters: (n,) labels of any kind; np.arange(n) where every row is its own.
    Each resample draws as many clusters as there are, with replacement, which makes their
    counts multinomial; every row weighs what its cluster was drawn.

    nan results are counted in `undefined`. The interval is over the others, except that
    where more than 1 - level of all are nan its ends are nan too: what is missing could be
    the whole tail. One cluster has no spread to show: its ends are nan.
    """
    code, k = _codes(clusters)
    first = np.asarray(statistic(np.ones(len(code))), dtype=np.float64)
    draws = np.empty((resamples, first.size))
    rng = np.random.default_rng(seed)
    # One thread: sums of some thousand rows are over before a second one has woken up, and
    # on a busy machine waiting for it takes ten times as long as the sum.
    with threadpool_limits(1, "blas"):
        for i in range(resamples):
            # k draws of one of k, counted: multinomial, and quicker than asking for it.
            counts = np.bincount(rng.integers(0, k, k), minlength=k).astype(np.float64)
            draws[i] = np.ravel(statistic(counts[code]))
    made = tuple(
        _percentiles(float(v), draws[:, j], level, len(code), k)
        for j, v in enumerate(first.ravel())
    )
    return made if first.ndim else made[0]


def paired_difference(
    stat_a: Scalar,
    stat_b: Scalar,
    clusters: ArrayLike,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Interval of stat_a - stat_b, both under the same weights in every resample."""

    return bootstrap(lambda w: stat_a(w) - stat_b(w), clusters, resamples, seed, level)


def two_way(
    statistics: Sequence[Vector],
    clusters: ArrayLike,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[Interval, ...]:
    """Intervals of means over seeds, over questions and seeds together.

    statistics: one function a seed, (n,) row weights -> (k,) values. A seed draws the folds and
    the labels of every fit, the questions are the table's: both are samples, so both are drawn
    anew, in each resample the questions once for all seeds, and the seeds with replacement (the
    pigeonhole bootstrap of two crossed factors: Owen, Annals of Applied Statistics 2007; a little
    wide). Differences taken within a seed are paired. nan as in `bootstrap`.
    """
    code, k = _codes(clusters)
    seeds, rng = len(statistics), np.random.default_rng([seed, len(statistics)])
    ones = np.ones(len(code))
    first = np.mean([of(ones) for of in statistics], axis=0)
    draws = np.empty((resamples, first.size))
    with threadpool_limits(1, "blas"):
        for i in range(resamples):
            weight = np.bincount(rng.integers(0, k, k), minlength=k)[code].astype(np.float64)
            times = np.bincount(rng.integers(0, seeds, seeds), minlength=seeds)
            drawn = np.flatnonzero(times)
            values = np.array([statistics[s](weight) for s in drawn.tolist()])
            draws[i] = times[drawn] @ values / seeds
    return tuple(
        _percentiles(float(v), draws[:, j], level, len(code), k) for j, v in enumerate(first)
    )


def paired_permutation(
    a: ArrayLike,
    b: ArrayLike,
    clusters: ArrayLike,
    resamples: int = 10_000,
    seed: int = 0,
    questions: ArrayLike | None = None,
) -> float:
    """Two-sided p of "a and b do not differ", by random sign flips of whole clusters.

    a, b: (n,) paired values. Under the null the sign of each cluster's summed difference is
    a coin: p = (1 + #{|flipped sum| >= |sum|}) / (1 + resamples), never 0. `questions`:
    (n,) labels; the epochs of one question are averaged first.
    """
    gap = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    if not np.isfinite(gap).all():
        raise ValueError("a and b must be finite")
    weight = np.ones(len(gap)) if questions is None else epoch_weight(questions)
    code, k = _codes(clusters)
    sums = np.bincount(code, weights=gap * weight, minlength=k)
    rng = np.random.default_rng(seed)
    # A flip that only reorders the same additions is a tie, not a smaller sum.
    seen = abs(float(sums.sum())) - 1e-12 * float(np.abs(sums).sum())
    step, extreme = max(1, 2**22 // k), 0
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        signs = rng.integers(0, 2, (rows, k), dtype=np.int8) * 2.0 - 1.0
        extreme += int((np.abs(signs @ sums) >= seen).sum())
    return (1 + extreme) / (1 + resamples)


def holm(pvalues: ArrayLike) -> Floats:
    """(k,) p-values adjusted by Holm's step-down rule (statsmodels)."""
    given = np.asarray(pvalues, dtype=np.float64)
    if not given.size:
        return given
    if not ((given >= 0) & (given <= 1)).all():
        raise ValueError("p-values lie in 0..1")
    from statsmodels.stats.multitest import multipletests

    return np.asarray(multipletests(given, method="holm")[1], dtype=np.float64)


def wilson(successes: float, n: int, level: float = 0.95) -> Interval:
    """A share of independent trials with Wilson's interval (statsmodels); n = 0: 0 to 1."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} trials")
    if n == 0:
        return Interval(math.nan, 0.0, 1.0, 0)
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    return Interval(successes / n, float(low), float(high), n)


def share(mean: float, n: int) -> Interval:
    """`wilson` from a mean of n scores in 0..1; wider than needed where they are graded."""
    return wilson(min(max(mean, 0.0), 1.0) * n, n)


def seeds(values: Sequence[float]) -> Seeds:
    """One value a seed -> their mean and standard deviation. nan values stay nan."""
    got = np.asarray(values, dtype=np.float64)
    if not got.size:
        raise ValueError("no seed was run")
    sd = float(got.std(ddof=1)) if len(got) > 1 else math.nan
    return Seeds(float(got.mean()), sd, len(got))


def epoch_weight(questions: ArrayLike) -> Floats:
    """(n,) weights 1 / epochs of the row's question: each question counts once (Miller)."""
    code, k = _codes(questions)
    return np.asarray(1.0 / np.bincount(code, minlength=k)[code], dtype=np.float64)


def _codes(labels: ArrayLike) -> tuple[NDArray[np.intp], int]:
    """(n,) labels of any kind -> (n,) whole numbers from 0, and how many there are."""
    names, code = np.unique(np.asarray(labels), return_inverse=True)
    if not len(names):
        raise ValueError("there are no rows")
    return code.ravel(), len(names)


def _percentiles(value: float, draws: Floats, level: float, n: int, k: int) -> Interval:
    tail = (1 - level) / 2
    good = draws[~np.isnan(draws)]
    undefined = len(draws) - len(good)
    if k < 2 or not len(good) or undefined > (1 - level) * len(draws):
        return Interval(value, math.nan, math.nan, n, k, undefined)
    low, high = np.quantile(good, [tail, 1 - tail])
    return Interval(value, float(low), float(high), n, k, undefined)
