"""The pair curve's figures from plain arrays, and the order of the oracle.

One call, one figure. Each sorts anew: for a bootstrap keep the `PairCurve`.
"""

import numpy as np
from numpy.typing import ArrayLike

from eval.metrics.arrays import Floats, column
from eval.metrics.pair import PairCurve, PgrCurve

__all__ = ["apgr", "cost_apgr", "cpt", "oracle_score", "pgr_curve"]


def pgr_curve(
    score: ArrayLike, weak: ArrayLike, strong: ArrayLike, weight: ArrayLike | None = None
) -> PgrCurve:
    """The curve of (n,) scores and qualities; see `PairCurve`."""
    return PairCurve(score, weak, strong).curve(weight)


def apgr(
    score: ArrayLike, weak: ArrayLike, strong: ArrayLike, weight: ArrayLike | None = None
) -> float:
    """Area under `pgr_curve`; see `PairCurve.apgr`."""
    return PairCurve(score, weak, strong).apgr(weight)


def cpt(
    score: ArrayLike,
    weak: ArrayLike,
    strong: ArrayLike,
    x: float,
    weight: ArrayLike | None = None,
) -> float:
    """Share of strong calls, 0..1, at which PGR first reaches `x`; see `PairCurve.cpt`."""
    return PairCurve(score, weak, strong).cpt(x, weight)


def cost_apgr(
    score: ArrayLike,
    weak: ArrayLike,
    strong: ArrayLike,
    cost_weak: ArrayLike,
    cost_strong: ArrayLike,
    weight: ArrayLike | None = None,
) -> float:
    """Area under PGR over cost (USD, (n,) an arm); see `PairCurve.cost_apgr`."""
    return PairCurve(score, weak, strong, cost_weak, cost_strong).cost_apgr(weight)


def oracle_score(
    weak: ArrayLike,
    strong: ArrayLike,
    cost_weak: ArrayLike | None = None,
    cost_strong: ArrayLike | None = None,
) -> Floats:
    """(n,) scores of the order that knows the outcomes: gains, then ties, then losses.

    Without costs: by gain, the best order at every share of calls. With costs: by the angle
    of (extra cost, gain), which is gain per dollar where strong is dearer, puts what is both
    better and cheaper first and what loses most per dollar last. The area may exceed 1.
    """
    low = column("weak", weak)
    gain = column("strong", strong, len(low)) - low
    if cost_weak is None or cost_strong is None:
        return gain
    cheap = column("cost_weak", cost_weak, len(low))
    extra = column("cost_strong", cost_strong, len(low)) - cheap
    # Dollars a query are tiny beside qualities: on their own scale the angles stay apart.
    scale = float(np.abs(extra).mean()) or 1.0
    return np.asarray(np.arctan2(gain, extra / scale), dtype=np.float64)
