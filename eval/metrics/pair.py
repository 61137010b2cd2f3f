"""One weak and one strong arm: the curve of quality recovered over strong calls, and its area.

A score orders the queries, the highest goes to the strong arm first. With w_i the weight of
row i, g_i = strong_i - weak_i its gain and S the rows sent to the strong arm,

    share(S) = sum_S w / sum w           PGR(S) = sum_S w g / sum w g

(performance gap recovered, RouteLLM, arXiv 2406.18665: (router - weak) / (strong - weak)).
Equal scores cannot be told apart by a threshold, so they move as one block; the curve runs
over every distinct threshold, from (0, 0) to (1, 1), straight within a block.

APGR is the trapezoid area under it. Gain that arrives in block b, in the middle of which the
share is m_b, is held for 1 - m_b of the axis, so

    APGR = sum_b G_b (1 - m_b) / sum_b G_b,    G_b = sum of w g in the block

which is the trapezoid rule, exactly, without building the curve. The order and the blocks do
not depend on the weights: a `PairCurve` makes them once and a bootstrap only reweighs, O(n).

Where the strong arm is not better in total, sum w g <= 0, PGR has no meaning: areas and CPT
are nan and `PairCurve.undefined` says why.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from eval.metrics.arrays import Floats, column, row_weight

__all__ = ["PairCurve", "PgrCurve"]

NOTHING = 1e-12  # a mean this small is a sum that should be 0 and was rounded


class PgrCurve(NamedTuple):
    """The vertices of a curve, (k,) each, k = distinct scores + 1; nothing strong first."""

    share: Floats  # of calls to the strong arm, 0..1
    pgr: Floats  # nan throughout where `undefined` is not empty
    quality: Floats  # mean quality, 0..1
    cost: Floats | None  # mean USD a query, where costs were given
    undefined: str  # why PGR is nan; empty where it is not


class PairCurve:
    """The order and the tied blocks of one score over one pair, made once.

    score, weak, strong: (n,); a higher score goes to the strong arm first (infinities are
    fine, nan is not); qualities in 0..1. cost_weak, cost_strong: (n,) USD, both or neither.
    Every method takes `weight`, (n,) >= 0, in the order of the rows given here; an integer
    weight is that many copies of the row.
    """

    def __init__(
        self,
        score: ArrayLike,
        weak: ArrayLike,
        strong: ArrayLike,
        cost_weak: ArrayLike | None = None,
        cost_strong: ArrayLike | None = None,
    ) -> None:
        scores = column("score", score, finite=False)
        self.n = len(scores)
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        # Not np.diff: it makes nan of two equal infinities.
        self._starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        low, high = column("weak", weak, self.n), column("strong", strong, self.n)
        self._weak, self._gain = low, (high - low)[self._order]
        if (cost_weak is None) != (cost_strong is None):
            raise ValueError("give the costs of both arms, or of neither")
        self._cost_weak: Floats | None = None
        self._extra: Floats | None = None
        if cost_weak is not None and cost_strong is not None:
            self._cost_weak = column("cost_weak", cost_weak, self.n)
            extra = column("cost_strong", cost_strong, self.n) - self._cost_weak
            self._extra = extra[self._order]

    def curve(self, weight: ArrayLike | None = None) -> PgrCurve:
        """All vertices, for pictures and for `cpt`."""
        given = row_weight(weight, self.n)
        mass = given[self._order]
        total = float(given.sum())
        calls, gain = self._climb(mass), self._climb(mass * self._gain)
        reason = self.undefined(given)
        if not total:
            nothing = np.full(len(calls), np.nan)
            return PgrCurve(nothing, nothing, nothing, None, reason)
        pgr = np.full(len(gain), np.nan) if reason else gain / gain[-1]
        cost = None
        if self._cost_weak is not None and self._extra is not None:
            cost = (given @ self._cost_weak + self._climb(mass * self._extra)) / total
        quality = (given @ self._weak + gain) / total
        return PgrCurve(calls / calls[-1], pgr, quality, cost, reason)

    def undefined(self, weight: ArrayLike | None = None, cost: bool = False) -> str:
        """Why PGR (`cost`: or PGR over cost) has no value under this weight; else empty."""
        mass = row_weight(weight, self.n)[self._order]
        if not mass.any():
            return "no row has any weight"
        gap = float((mass * self._gain).sum() / mass.sum())
        if gap <= NOTHING:
            return f"the strong arm is not better than the weak one (mean gain {gap:+.4f})"
        if cost:
            extra = self._need_cost()
            more = float((mass * extra).sum() / mass.sum())
            if more <= NOTHING * float(np.abs(extra).mean()):
                return f"the strong arm is not dearer than the weak one ({more:+.3g} USD a query)"
        return ""

    def apgr(self, weight: ArrayLike | None = None) -> float:
        """Area under PGR over the share of strong calls; 0.5 for a random order, on average."""
        return self._area(weight, None)

    def cost_apgr(self, weight: ArrayLike | None = None) -> float:
        """Area under PGR over total cost / all-strong's cost, from all-weak's cost up to 1.

        Divided by that range, 1 - all-weak's cost / all-strong's cost, it is the area over
        sum_S w d / sum w d, d_i = cost_strong_i - cost_weak_i. A random order scores 0.5 on
        average here too: it recovers quality and spends money in proportion. Where single
        queries are dearer on the weak arm (d < 0) the path runs back for a while and the
        area is the signed one along it. nan where the strong arm is not dearer in total.
        """
        return self._area(weight, self._need_cost())

    def cpt(self, x: float, weight: ArrayLike | None = None) -> float:
        """CPT(x): the smallest share of strong calls, 0..1, at which PGR reaches `x`.

        Straight within a block; nan if PGR never gets there. PGR is not monotone (a block
        may lose), so this is the *first* crossing. RouteLLM's code calls np.interp on the
        accuracies, which presumes them sorted: after a dip it may answer with a later
        crossing, or with none at all (`eval.metrics.routellm` keeps that definition).
        """
        share, pgr, *_ = self.curve(weight)
        reached = np.flatnonzero(pgr >= x)  # nan compares false
        if not len(reached):
            return float("nan")
        k = int(reached[0])
        if k == 0:
            return 0.0
        part = (x - pgr[k - 1]) / (pgr[k] - pgr[k - 1])
        return float(share[k - 1] + part * (share[k] - share[k - 1]))

    def _need_cost(self) -> Floats:
        if self._extra is None:
            raise ValueError("this pair was given without costs")
        return self._extra

    def _climb(self, increments: Floats) -> Floats:
        """(n,) in order -> (k,) running totals at the block ends, 0 first."""
        ends = np.cumsum(np.add.reduceat(increments, self._starts))
        return np.concatenate([np.zeros(1), ends])

    def _area(self, weight: ArrayLike | None, extra: Floats | None) -> float:
        """The area under (n,) weights; over calls, or over `extra` cost where given."""
        mass = row_weight(weight, self.n)[self._order]
        gain = np.add.reduceat(mass * self._gain, self._starts)
        step = np.add.reduceat(mass if extra is None else mass * extra, self._starts)
        middle = np.cumsum(step) - 0.5 * step
        length, gap, total = float(step.sum()), float(gain.sum()), float(mass.sum())
        unit = 1.0 if extra is None else float(np.abs(extra).mean())
        if not (length > NOTHING * unit * total and gap > NOTHING * total):
            return float("nan")
        return 1.0 - float((gain * middle).sum()) / (length * gap)
