"""Is the share of wrong answers among the kept ones at most alpha? From randomised labels alone.

Each label i was drawn with probability p_i, of which the least possible was f. With wrong_i in
[0, 1] and g_i(m) = (f / p_i) (wrong_i - m), the mean of g_i(m) is at most 0 where the risk is at
most m, and at least 0 where it is at least m, whatever was drawn before. So

    B(m) = mean over bets of prod (1 + b g_i(m)),  0 <= b < 1 / m          grows if the risk > m
    H(m) = mean over bets of prod (1 - b g_i(m)),  0 <= b <= 1 / (1 - m)   grows if the risk < m

are nonnegative supermartingales from 1 where the risk is at most (at least) m all the time, and
by Ville's inequality ever reach 1 / delta with probability at most delta: one may look after
every label (betting: Waudby-Smith & Ramdas, arXiv 2010.09686; inverse-probability weights:
Waudby-Smith et al., arXiv 2210.10768). The risks that neither refutes are a confidence sequence.

    broken   B(alpha) reached 1 / delta
    holds    H(alpha) reached 1 / delta, and B(alpha) did not

Without an error n equal labels give H its most, so holding takes at least ceil(ln delta /
ln(1 - alpha)) of them (59 for 5 % and 5 %) if one looks once, and a few more to look always.
A label that could not be told counts as wrong for `holds` and as right for `broken`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Promise", "error_free", "least_audits", "promise_of"]

Floats = NDArray[np.float64]
BETS = 19
"""Alternatives on each side, as in `eval.metrics.bounds`."""
ALL_IN = 0.5
"""Of the capital that bets on the promise, the part that bets on no error at all."""
HALVINGS = 20


@dataclass(frozen=True, slots=True)
class Promise:
    """What labels say of "the risk is at most alpha"."""

    labels: int
    """Decided ones."""
    wrong: int
    undecided: int
    effective: float
    """Labels of the least probability that would bet as much."""
    risk: float | None
    """Weighted share of wrong ones among the decided; None without labels."""
    lower: float
    upper: float
    """The confidence sequence at 1 - delta, each side."""
    holds: bool
    broken: bool


def least_audits(alpha: float, delta: float) -> int:
    """Labels without an error that bound the risk by alpha, looked at once."""
    return max(1, math.ceil(round(math.log(delta) / math.log1p(-alpha), 9)))


def error_free(alpha: float, delta: float) -> int:
    """The same where one looks after every label: until H(alpha) reaches 1 / delta."""
    low, high = 0, 1
    while not _holds_after(high, alpha, delta):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _holds_after(middle, alpha, delta) else (middle, high)
    return high


def promise_of(
    wrong: ArrayLike,
    probability: ArrayLike,
    floor: ArrayLike,
    alpha: float,
    delta: float,
    limits: bool = True,
) -> Promise:
    """Judge the labels, in the order in which they were drawn.

    Args:
        wrong: (n,) in [0, 1]; NaN where it could not be told.
        probability: (n,) with which each was drawn.
        floor: (n,) the least probability that any answer had at that time.
        limits: also find `lower` and `upper`, which takes forty times as long.

    Raises:
        ValueError: numbers outside their ranges.
    """
    x, p = np.asarray(wrong, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    f = np.asarray(floor, dtype=np.float64)
    if not (np.all((f > 0) & (f <= p) & (p <= 1)) and 0 < alpha < 1 and 0 < delta < 1):
        raise ValueError("probabilities, floors, alpha or delta are out of range")
    if not np.all(np.isnan(x) | ((x >= 0) & (x <= 1))):
        raise ValueError("wrong must hold 0..1, or NaN where it is not known")
    known, ratio = ~np.isnan(x), f / p
    worst, best = np.where(known, x, 1.0), np.where(known, x, 0.0)
    needed = -math.log(delta)
    broken = _most(_broken(best, ratio, alpha)) >= needed
    mass = float((known / p).sum())

    def above(m: float) -> bool:
        return _most(_broken(best, ratio, m)) >= needed

    def below(rest: float) -> bool:
        return _most(_holds(worst, ratio, 1.0 - rest)) >= needed

    return Promise(
        labels=int(known.sum()),
        wrong=int((x[known] >= 0.5).sum()),
        undecided=int((~known).sum()),
        effective=_effective(ratio[known], alpha),
        risk=float((np.where(known, x, 0.0) / p).sum()) / mass if mass else None,
        lower=_edge(above) if limits else 0.0,
        upper=1.0 - _edge(below) if limits else 1.0,
        holds=not broken and _most(_holds(worst, ratio, alpha)) >= needed,
        broken=broken,
    )


def _broken(x: Floats, ratio: Floats, m: float) -> Floats:
    """(n + 1,) log B(m) after each label."""
    against = m + (1 - m) * np.arange(1, BETS + 1) / (BETS + 1)
    bets = (against - m) / (m * (1 - m))
    return _capital(np.outer(ratio * (x - m), bets), np.full(BETS, 1 / BETS))


def _holds(x: Floats, ratio: Floats, m: float) -> Floats:
    """(n + 1,) log H(m) after each label."""
    against = m * np.arange(BETS + 1) / (BETS + 1)
    bets = (m - against) / (m * (1 - m))
    share = np.r_[ALL_IN, np.full(BETS, (1 - ALL_IN) / BETS)]
    return _capital(np.outer(-ratio * (x - m), bets), share)


def _capital(gains: Floats, share: Floats) -> Floats:
    """Log of the mean over bets; gains are (n, bets), each at least -1."""
    with np.errstate(divide="ignore"):
        steps = np.log(np.maximum(1.0 + gains, 0.0))
    paths = np.vstack([np.zeros(len(share)), np.cumsum(steps, axis=0)])
    return np.asarray(np.logaddexp.reduce(paths + np.log(share), axis=1))


def _most(path: Floats) -> float:
    return float(path.max())


def _edge(refuted: Callable[[float], bool]) -> float:
    """The largest number in (0, 1) that is refuted; 0 where none is."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if refuted(middle) else (low, middle)
    return low


def _effective(ratio: Floats, alpha: float) -> float:
    bet = alpha / (1 - alpha)
    return float(np.log1p(bet * ratio).sum() / math.log1p(bet))


def _holds_after(n: int, alpha: float, delta: float) -> bool:
    right = np.zeros(n)
    return _most(_holds(right, np.ones(n), alpha)) >= -math.log(delta)
