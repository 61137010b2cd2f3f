"""Policies that estimate the quality of every arm: any number of arms, two kinds of price.

    arm = argmax_m  q_m(x) - price * (usd_m + usd_per_second * seconds_m)

`price` is what a dollar is worth in quality: at 0 the best arm answers, at inf the cheapest,
and sweeping it traces the policy's curve of cost against quality (CARROT, arXiv 2502.03261).
With `price` None it is a pair policy: large iff q_large - q_small >= threshold, the same rule
where both arms' costs are constant.

A rule is one file: it says `predict`, (n, m) qualities of the arms that it was fitted on. An
arm of a case is the fitted one of its name; a pair's are known by their tiers, so that a preset
made on recorded models serves with other names. An arm that is not known has no quality and is
chosen only where no known one can be run.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from policies.case import STOP, Arm, CaseBatch, ChoiceBatch
from policies.policy import choose_from, last_call_failed, prefer_capable
from policies.threshold import ThresholdPolicy

__all__ = [
    "FittedArm",
    "UtilityPolicy",
    "best_value",
    "fitted_arms",
    "places_of",
    "with_seconds",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_SENTENCES = {
    "best-value": "its estimated quality, less what it costs, is the highest",
    "unknown-arm": "nothing is known of the arms that can be run, so the cheapest answers",
    "one-call": "one call was made; this policy does not look at the verdict",
    "nothing-left": "no arm is left that could be run",
}


class FittedArm(BaseModel):
    """An arm that outcomes were fitted on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    tier: Literal["small", "large"]


def best_value(quality: Floats, usd: Floats, price: float, usable: Bools) -> Ints:
    """(n,) column of the greatest quality - price * usd among the usable; STOP where none is.

    Of equals the cheaper. A NaN quality or cost is not usable; at price 0, where nothing is
    charged, a cost need not be known. At price inf only cost counts.
    """
    if price == 0:
        usd = np.where(np.isnan(usd), np.finfo(np.float64).max, usd)
    can = usable & np.isfinite(quality) & np.isfinite(usd)
    value = -usd if np.isinf(price) else quality - price * usd
    top = np.where(can, value, -np.inf)
    ties = can & (top >= top.max(axis=1, keepdims=True))
    arm = np.argmin(np.where(ties, usd, np.inf), axis=1)
    return np.where(can.any(axis=1), arm, STOP).astype(np.int64)


def with_seconds(usd: Floats, cases: CaseBatch, usd_per_second: float) -> Floats:
    """(n, A) USD with seconds at their price; time that is not known is not charged."""
    if not usd_per_second:
        return usd
    return np.asarray(usd + usd_per_second * np.nan_to_num(cases.predicted_seconds))


def fitted_arms(arms: Sequence[Arm]) -> tuple[FittedArm, ...]:
    """Arms as a fitted policy keeps them."""
    return tuple(FittedArm(name=arm.name, tier=arm.tier) for arm in arms)


def places_of(arms: Sequence[FittedArm], cases: CaseBatch) -> Ints:
    """(A,) which of the fitted `arms` each arm of the case is, -1 for none; a pair by tier, where
    the case does not have both of its names."""
    names, tiers = [arm.name for arm in arms], [arm.tier for arm in arms]
    found = [names.index(a.name) if a.name in names else -1 for a in cases.arms]
    missing = not set(names) <= {a.name for a in cases.arms}
    if len(tiers) == 2 and set(tiers) == {"small", "large"} and missing:
        found = [-1] * len(cases.arms)
        for tier in ("small", "large"):
            for column in cases.columns(tier, "none")[:1]:
                found[column] = tiers.index(tier)
    return np.asarray(found, dtype=np.int64)


class UtilityPolicy(ThresholdPolicy):
    """Base of the policies that learn; `threshold` is of the gain, for pairs."""

    arms: tuple[FittedArm, ...] = Field(min_length=2)
    """Those that it was fitted on, in the order of `predict`'s columns."""
    price: float | None = Field(default=None, ge=0, allow_inf_nan=True)
    """Quality that a USD is worth; None: a pair, decided by `threshold`."""
    usd_per_second: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """What a second of waiting costs."""

    @abstractmethod
    def predict(self, cases: CaseBatch) -> Floats:
        """(n, len(arms)) estimated quality, 0..1."""

    def usd(self, cases: CaseBatch) -> Floats:
        """(n, A) expected USD of each arm; what the case predicts, where a rule knows no better."""
        return cases.predicted_cost

    def places(self, cases: CaseBatch) -> Ints:
        """(A,) which fitted arm each arm of the case is, -1 for none."""
        return places_of(self.arms, cases)

    def estimate(self, cases: CaseBatch) -> Floats:
        self.check_features(cases)
        return self._by_arm(cases, self.predict(cases))

    def score(self, cases: CaseBatch) -> Floats:
        """(n,) the gain of the first large arm over the first small one that it was fitted on."""
        self.check_features(cases)
        return self._gain(self.predict(cases))

    def judge(self, cases: CaseBatch) -> tuple[Floats, Floats]:
        self.check_features(cases)
        made = self.predict(cases)
        return self._gain(made), self._by_arm(cases, made)

    def _by_arm(self, cases: CaseBatch, made: Floats) -> Floats:
        """(n, A) of `predict`'s columns; NaN for an arm that is not known."""
        places = self.places(cases)
        out = np.full((len(cases), len(cases.arms)), np.nan)
        known = places >= 0
        out[:, known] = made[:, places[known]]
        return out

    def _gain(self, made: Floats) -> Floats:
        tiers = [arm.tier for arm in self.arms]
        return np.asarray(made[:, tiers.index("large")] - made[:, tiers.index("small")])

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        if self.price is None:
            return super().choose(cases)
        quality, usd = self.estimate(cases), self.priced(cases)
        fresh = last_call_failed(cases)
        usable = prefer_capable(cases, cases.open & fresh[:, None])
        arm = best_value(quality, usd, self.price, usable)
        unknown = (arm == STOP) & usable.any(axis=1)
        if unknown.any():
            # All alike: the cheapest, whose cost may not be known either.
            arm = np.where(unknown, best_value(np.zeros_like(usd), usd, 0.0, usable), arm)
        reasons = {
            "best-value": (arm != STOP) & ~unknown,
            "unknown-arm": unknown,
            "one-call": ~fresh,
            "nothing-left": fresh & (arm == STOP),
        }
        return replace(choose_from(cases, arm, reasons, _SENTENCES), quality=quality, cost=usd)

    def priced(self, cases: CaseBatch) -> Floats:
        """(n, A) USD with seconds at their price."""
        return with_seconds(self.usd(cases), cases, self.usd_per_second)
