"""All metrics of one entry, as one function of row weights: what a bootstrap recomputes.

    apgr, cpt50, cpt80, cost-apgr, aiq       of the curve that a threshold traces
    accuracy-at-budget, cost-at-accuracy     read off that curve (budget: half way between
                                             all-small's and all-large's cost; accuracy: where
                                             95 % of the gap is recovered)
    accuracy, usd-per-1000, large-share,     at the operating point
    routerarena, regret-oracle,
    regret-best-single, optimal-pick,
    cost-over-oracle, utility
    auroc-small, brier-small, ece-small      of an estimated P(small correct)
    robustness                               share of perturbed prompts (eval/perturb.py) that
                                             take the same arm, at the same threshold

Cost metrics stand three times: at the prices as they are, and at half and double the price
ratio (`@0.5`, `@2`), because prices move and are partly assumptions. The ratio scales the
arms that are dearer than the cheapest one. AIQ's cost range is all-small's to all-large's
mean cost on this table; it is fixed before the bootstrap and recorded.

`utility` is accuracy minus cost at the price of a dollar at which all-small and all-large
tie: above theirs means that routing beats both and every mixture of them. Rate, budget and
target come from the table as it is and stay fixed in the bootstrap. Units: shares and
accuracies 0..1; usd-per-1000 and cost-at-accuracy in USD per 1,000 queries.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from eval.contenders import LARGE, SMALL, Entry
from eval.metrics import (
    PairCurve,
    PgrCurve,
    accuracy_at_budget,
    aiq,
    auroc_statistic,
    brier,
    cost_at_accuracy,
    ece,
    optimal_cost,
    optimal_picks,
    regret,
    robustness,
    routerarena_score,
)
from eval.table import Table

__all__ = ["RATIOS", "Scorecard", "exchange_rate", "scaled_cost"]

Floats = NDArray[np.float64]
RATIOS = (1.0, 0.5, 2.0)
GRID = np.linspace(0, 1, 101)
"""Shares of large calls at which a curve is read."""
RECOVERED = 0.95
ENOUGH = 0.5


def scaled_cost(table: Table, ratio: float) -> Floats:
    """(n, A) USD with the price ratio to the cheapest arm scaled, to 1 at the least."""
    means = table.cost.mean(axis=0)
    floor = np.where(means > 0, means.min() / np.where(means > 0, means, 1.0), 1.0)
    scale = np.where(means == means.min(), 1.0, np.maximum(ratio, floor))
    return np.asarray(table.cost * scale)


def exchange_rate(table: Table, cost: Floats | None = None) -> float:
    """Quality per USD at which all-small and all-large tie.

    NaN where large is no dearer, or worse: no price of an answer follows.
    """
    means = (table.cost if cost is None else cost).mean(axis=0)
    gap = table.score.mean(axis=0)
    extra = means[LARGE] - means[SMALL]
    more = gap[LARGE] - gap[SMALL]
    return float(more / extra) if extra > 0 and more >= 0 else float("nan")


@dataclass
class Scorecard:
    """`values(weight)` is (k,), in the order of `names`."""

    table: Table
    entry: Entry
    names: list[str] = field(init=False)
    notes: dict[str, str] = field(init=False, default_factory=dict)
    """Metric -> the range, budget or target that it depends on."""

    def __post_init__(self) -> None:
        self._costs = {r: scaled_cost(self.table, r) for r in RATIOS}
        self._curves = {r: self._curve(cost) for r, cost in self._costs.items()}
        self._parts: list[tuple[list[str], Callable[[Floats], list[float]]]] = [self._point()]
        if self.entry.score is not None and self._curves[1.0] is not None:
            self._parts.append(self._area())
        self._parts += [self._money(r) for r in RATIOS]
        if self.entry.quality is not None and np.isfinite(self.entry.quality[:, SMALL]).all():
            self._parts.append(self._calibration())
        if self.entry.twin_large is not None:
            self._parts.append(self._robust())
        self.names = [name for names, _ in self._parts for name in names]

    def values(self, weight: Floats) -> Floats:
        """All metrics under (n,) row weights; NaN where one has no meaning."""
        return np.array([v for _, part in self._parts for v in part(weight)])

    def curve(self, ratio: float = 1.0) -> PgrCurve | None:
        """The whole curve, for pictures."""
        made = self._curves[ratio]
        return made.curve() if made is not None else None

    def compared(self) -> dict[str, Callable[[Floats], float]]:
        """What policies are compared by, each alone: a mean over many seeds needs no more."""
        own: dict[str, Callable[[Floats], float]] = {}
        made = self._curves[1.0]
        if made is not None and self.entry.score is not None:
            own["apgr"] = made.apgr
            if not np.isnan(self._costs[1.0]).any():
                own["cost-apgr"] = made.cost_apgr
        value = self.utility()
        if np.isfinite(value).all():
            own["utility"] = lambda w: _mean(value, w)
        return own

    def utility(self) -> Floats:
        """(n,) accuracy minus cost at the tie price; NaN where large is no dearer, or worse."""
        rate = exchange_rate(self.table)
        return np.asarray(self.entry.played.score - rate * self.entry.played.cost)

    def _curve(self, cost: Floats) -> PairCurve | None:
        if self.entry.score is None:
            return None
        score = self.table.score
        costs = (None, None) if np.isnan(cost).any() else (cost[:, SMALL], cost[:, LARGE])
        return PairCurve(self.entry.score, score[:, SMALL], score[:, LARGE], *costs)

    def _point(self) -> tuple[list[str], Callable[[Floats], list[float]]]:
        played, score = self.entry.played, self.table.score
        large = played.used(tuple(i for i, a in enumerate(self.table.arms) if a.tier == "large"))

        def values(w: Floats) -> list[float]:
            missed = regret(played.score, score, w)
            return [
                _mean(played.score, w),
                _mean(large.astype(np.float64), w),
                missed.to_oracle,
                missed.to_best_single,
            ]

        return ["accuracy", "large-share", "regret-oracle", "regret-best-single"], values

    def _area(self) -> tuple[list[str], Callable[[Floats], list[float]]]:
        made = self._curves[1.0]
        assert made is not None

        def values(w: Floats) -> list[float]:
            return [made.apgr(w), made.cpt(0.5, w), made.cpt(0.8, w)]

        return ["apgr", "cpt50", "cpt80"], values

    def _money(self, ratio: float) -> tuple[list[str], Callable[[Floats], list[float]]]:
        cost, score, played = self._costs[ratio], self.table.score, self.entry.played
        if np.isnan(cost).any():
            return [], lambda w: []
        rows = np.arange(len(self.table))[:, None]
        paid = np.where(played.tried >= 0, cost[rows, np.clip(played.tried, 0, None)], 0).sum(1)
        pick = np.clip(played.returned, 0, None)
        # Once, not in every resample: these do not depend on the weights.
        hit = (optimal_picks(pick, score, cost) & (played.returned >= 0)).astype(np.float64)
        least = optimal_cost(score, cost)
        rate = exchange_rate(self.table, cost)
        names = ["usd-per-1000", "routerarena", "optimal-pick", "cost-over-oracle", "utility"]
        made = self._curves[ratio]
        on_curve = self._on_curve(made, cost) if made is not None else None

        def values(w: Floats) -> list[float]:
            usd, accuracy = 1000 * _mean(paid, w), _mean(played.score, w)
            out = [
                usd,
                routerarena_score(min(max(accuracy, 0.0), 1.0), usd),
                _mean(hit, w),
                _ratio(_mean(paid, w), _mean(least, w)),
                _mean(played.score - rate * paid, w),
            ]
            return out + (on_curve(w) if on_curve else [])

        if on_curve:
            names += ["cost-apgr", "aiq", "accuracy-at-budget", "cost-at-accuracy"]
        suffix = "" if ratio == 1 else f"@{ratio:g}"
        if on_curve:
            self._note_range(cost, suffix)
        return [name + suffix for name in names], values

    def _note_range(self, cost: Floats, suffix: str) -> None:
        """What the figures read off the curve depend on: printed with them."""
        low, high = sorted((1000 * cost[:, [SMALL, LARGE]].mean(axis=0)).tolist())
        each = f"cost range USD {low:.4g} to {high:.4g} per 1,000"
        self.notes["aiq" + suffix] = each
        self.notes["accuracy-at-budget" + suffix] = f"at USD {(low + high) / 2:.4g} per 1,000"
        self.notes["cost-at-accuracy" + suffix] = (
            f"USD per 1,000 where {RECOVERED:.0%} of the gap is recovered"
        )

    def _on_curve(self, made: PairCurve, cost: Floats) -> Callable[[Floats], list[float]]:
        low, high = sorted(cost[:, [SMALL, LARGE]].mean(axis=0).tolist())
        quality = self.table.score.mean(axis=0)
        budget = (low + high) / 2
        target = quality[SMALL] + RECOVERED * (quality[LARGE] - quality[SMALL])

        def values(w: Floats) -> list[float]:
            curve = made.curve(w)
            assert curve.cost is not None
            # Straight within a block of equal scores: a coin decides there.
            dollars = np.interp(GRID, curve.share, curve.cost)
            qualities = np.interp(GRID, curve.share, curve.quality)
            area = aiq(dollars, qualities, low, high).value if low < high else float("nan")
            return [
                made.cost_apgr(w),
                area,
                accuracy_at_budget(dollars, qualities, budget),
                1000 * cost_at_accuracy(dollars, qualities, target),
            ]

        return values

    def _calibration(self) -> tuple[list[str], Callable[[Floats], list[float]]]:
        assert self.entry.quality is not None
        p = np.clip(self.entry.quality[:, SMALL], 0, 1)
        y = self.table.score[:, SMALL]
        right = (y >= ENOUGH).astype(np.float64)

        ranks = auroc_statistic(p, right)

        def values(w: Floats) -> list[float]:
            return [ranks(w), brier(p, y, w), ece(p, y, weight=w)]

        return ["auroc-small", "brier-small", "ece-small"], values

    def _robust(self) -> tuple[list[str], Callable[[Floats], list[float]]]:
        twins, twin = self.table.twins, self.entry.twin_large
        assert twins is not None and twin is not None
        choice = self.entry.played.returned
        return ["robustness"], lambda w: [robustness(choice, twin, twins.origin, w)]


def _ratio(paid: float, least: float) -> float:
    return paid / least if least > 0 else float("nan")


def _mean(values: Floats, weight: Floats) -> float:
    total = float(weight.sum())
    return float(weight @ values) / total if total else float("nan")
