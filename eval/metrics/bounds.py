"""Bounds on an error rate: one calibration sample, and a stream that is looked at all the time.

    Clopper-Pearson   U(k, n, delta) = the p with P(Bin(n, p) <= k) = delta
                      Beta quantile: U = B^-1(1 - delta; k + 1, n - k), and 1 where k = n

U <= alpha iff the exact binomial test rejects "p >= alpha" at level delta. For losses of 0 or
1 that test is uniformly most powerful, and no Hoeffding-Bentkus p-value (arXiv 2110.01052,
section 3) is ever smaller: Hoeffding's term is the Chernoff bound of the same tail, Bentkus'
is e times the tail itself.

    watch   E_t = mean over p of prod_{i <= t} (p / alpha)^x_i ((1 - p) / (1 - alpha))^(1 - x_i)

over GRID alternatives p > alpha. Each product is a bet of 1 + lambda (x - alpha) with lambda =
(p - alpha) / (alpha (1 - alpha)): a supermartingale as long as E[x_t | past] <= alpha, so by
Ville's inequality P(E ever reaches 1 / level) <= level, however often one looks (betting:
Waudby-Smith and Ramdas, arXiv 2010.09686).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Watched", "least_rows", "upper_limit", "watch"]

GRID = 19


def upper_limit(wrong: ArrayLike, n: ArrayLike, delta: float) -> NDArray[np.float64]:
    """One-sided Clopper-Pearson limits at confidence 1 - delta, for counts of any one shape.

    Raises:
        ValueError: delta outside (0, 1), or counts that are not 0 <= wrong <= n.
    """
    from scipy.stats import beta

    k, of = np.asarray(wrong, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if not 0 < delta < 1:
        raise ValueError(f"delta {delta}: must lie between 0 and 1")
    if not np.all((k >= 0) & (k <= of)):
        raise ValueError("counts must hold 0 <= wrong <= n")
    open_ = k < of
    limit = beta.ppf(1 - delta, k + 1, np.where(open_, of - k, 1.0))
    return np.asarray(np.where(open_, limit, 1.0), dtype=np.float64)


def least_rows(alpha: float, delta: float) -> int:
    """The n below which not even 0 errors bound the rate by alpha: log(delta) / log(1 - alpha)."""
    # The rounding keeps a quotient that is whole on paper from becoming one more.
    return max(1, math.ceil(round(math.log(delta) / math.log1p(-alpha), 9)))


@dataclass(frozen=True)
class Watched:
    """What a stream of labelled outcomes says of "the risk is at most alpha"."""

    n: int
    wrong: int
    evidence: float
    """The largest E_t so far: 1 / evidence is an anytime-valid p-value."""
    alarm_at: int | None
    """Outcomes seen when E_t first reached 1 / level; None: never."""

    @property
    def holds(self) -> bool:
        """Not refuted. That is no proof: few labels refute nothing."""
        return self.alarm_at is None


def watch(wrong: ArrayLike, alpha: float, level: float = 0.05) -> Watched:
    """Does the bound of a gate still hold? `wrong`: (t,) 0 or 1 of kept queries, in order.

    A false alarm has probability at most `level` over the whole stream, however often this is
    called while it grows. The labels must be of all kept queries or of a sample drawn without
    regard to the answer (an audit); complaints are neither.

    Raises:
        ValueError: outcomes other than 0 and 1, or alpha or level outside (0, 1).
    """
    x = np.asarray(wrong, dtype=np.float64)
    if x.ndim != 1 or not np.all((x == 0) | (x == 1)):
        raise ValueError("outcomes must be one row of 0 (right) and 1 (wrong)")
    if not (0 < alpha < 1 and 0 < level < 1):
        raise ValueError(f"alpha {alpha} and level {level}: must lie between 0 and 1")
    p = alpha + (1 - alpha) * np.arange(1, GRID + 1) / (GRID + 1)
    step = np.outer(x, np.log(p / alpha)) + np.outer(1 - x, np.log((1 - p) / (1 - alpha)))
    paths = np.vstack([np.zeros(GRID), np.cumsum(step, axis=0)])
    log_e = np.logaddexp.reduce(paths, axis=1) - math.log(GRID)
    over = np.flatnonzero(log_e >= -math.log(level))
    return Watched(
        n=len(x),
        wrong=int(x.sum()),
        evidence=float(np.exp(min(float(log_e.max()), 700.0))),
        alarm_at=int(over[0]) if len(over) else None,
    )
