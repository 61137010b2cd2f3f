"""A linear bandit that keeps the mean cost of a request at a budget.

    arm = argmax_m  theta_m . x + beta * sqrt(x' A_m^-1 x) - lambda * c_m / B
    lambda <- clip(lambda + eta * (c / B - 1), 0, most_price)

(Budget-paced bandit, arXiv 2508.21141, with the cost in units of the budget B, so that eta
means the same at any price.) c_m = USD + usd_per_second * seconds: latency is a price too.
USD is what the case predicts times what this arm's attempts have lately cost over their
prediction. Equal values go to the dearer arm, so that without any label it is a paced coin.

lambda forgets what was underspent at 0, so it alone holds no budget on an ordered stream. The
guard does: with t requests served and slack = B * max(slack, tolerance * max(t, horizon)),

    spent > B t + slack: only the cheapest arm that may run
    spent < B t - slack: only the dearest that fits (unless `spend_all` is False)
    an arm fits if it leaves spent at most max(slack, c_m / 2) above the line; the cheapest does

and lambda is left alone outside the slack, since such a cost is not its choice. So spent is
at most B t + slack + the dearest request, wherever the cheapest arm costs no more than B. The
mean of T requests is thus off by max(slack / T, tolerance) + dearest / (B T) at most: where
one request can cost 2 % of everything, 2 % cannot be promised. A budget under the cheapest or
over the dearest arm cannot be met, nor one that later requests would have to make up for: an
order that begins dear and ends with requests whose dearest arm is below B ends below B. No
request may exceed its cap: an arm whose `worst_cost` is over what is left is never run.

x = [1, axes, confidence, domains, lengths] / sqrt(d), d = 12; lengths are log counts of
characters, words and lines, centred and clipped (`LENGTH_CENTRE`).

`choose` answers each row as if it were the next request: a row is the same alone and in a
batch, and pacing happens between calls of `observe`. What has been chosen and not observed yet
is not in the guard, so with k requests at once the bound above has k attempts.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from policies.case import STOP, CaseBatch, ChoiceBatch, PolicyError
from policies.linear_arm import LinearArm
from policies.online import Feedback, OnlinePolicy
from policies.policy import Needs, choose_from, last_call_failed, prefer_capable, register
from policies.random import uniform

__all__ = ["PaceState", "PacedBandit", "pace_features"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BLOCKS: Mapping[str, int] = {"axes": 2, "confidence": 1, "domains": 5, "lengths": 3}
"""Feature blocks that are read, and how many columns of each."""
WIDTH = 1 + sum(BLOCKS.values())
LENGTH_CENTRE = np.array([5.5, 4.0, 1.0])
"""log1p of 240 characters, 54 words and 2 lines: an ordinary prompt."""
TIE = 1e-12

_SENTENCES = {
    "best-value": "its estimated quality, with what is unsure of it, is worth its price",
    "explored": "drawn at random, to learn what it can do",
    "over-budget": "more than the budget was spent so far, so the cheapest arm answers",
    "under-budget": "less than the budget was spent so far, so the dearest arm answers",
    "capped": "an arm was left out: its worst case is above what this request may spend",
    "one-call": "one call was made; this policy does not look at the verdict",
    "nothing-left": "no arm is left that could be run",
}


class PaceState(BaseModel):
    """What a paced bandit has seen: plain data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests: int = Field(default=0, ge=0)
    spent: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """USD, with seconds at their price."""
    price: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """lambda: quality per budget B."""
    arms: tuple[LinearArm, ...] = ()

    def arm(self, name: str, ridge: float) -> LinearArm:
        """What is known of an arm; a fresh one where it has not been seen."""
        known = (a for a in self.arms if a.name == name)
        return next(known, None) or LinearArm.fresh(name, WIDTH, ridge)


def pace_features(cases: CaseBatch) -> Floats:
    """(n, 12) the features of the regression.

    Raises:
        PolicyError: a block is missing, too narrow, or holds numbers that are not finite.
    """
    parts = [np.ones((len(cases), 1))]
    for name, width in BLOCKS.items():
        block = cases.block(name)
        if block.shape[1] < width:
            raise PolicyError(
                f"feature block {name!r} has {block.shape[1]} columns, expected {width}"
            )
        part = np.asarray(block[:, :width], dtype=np.float64)
        if not np.isfinite(part).all():
            raise PolicyError(f"feature block {name!r} holds numbers that are not finite")
        parts.append(np.clip(part - LENGTH_CENTRE, -3, 3) if name == "lengths" else part)
    return np.asarray(np.hstack(parts) / np.sqrt(WIDTH))


@register
class PacedBandit(OnlinePolicy):
    """LinUCB with a dual price of the budget and a guard of the running mean."""

    name: ClassVar[str] = "paced-bandit"
    needs: ClassVar[Needs] = Needs(features=frozenset(BLOCKS))

    budget: float = Field(gt=0, allow_inf_nan=False)
    """B: mean USD a request (with `usd_per_second`, of time as well)."""
    usd_per_second: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    bonus: float = Field(default=0.2, ge=0, allow_inf_nan=False)
    """beta."""
    step: float = Field(default=0.005, gt=0, allow_inf_nan=False)
    """eta."""
    most_price: float = Field(default=2.0, ge=0, allow_inf_nan=False)
    """Ceiling of lambda: after a price shock it must be able to come down again."""
    ridge: float = Field(default=0.1, gt=0, allow_inf_nan=False)
    forget: float = Field(default=0.999, gt=0, le=1)
    """Weight of a label beside that of the arm's next one."""
    slack: float = Field(default=5.0, ge=0, allow_inf_nan=False)
    """Budgets of so many requests may be run ahead or behind."""
    tolerance: float = Field(default=0.005, ge=0, allow_inf_nan=False)
    """Share of everything spent that may be run ahead or behind."""
    horizon: int = Field(default=0, ge=0)
    """Requests in all, where known: the slack is then that of the end from the start."""
    spend_all: bool = True
    """False: a budget that labels do not call for is left unspent."""
    exploration: float = Field(default=0.02, ge=0, le=1)
    """Share of requests that draw one of the permitted arms; recorded in `probability`."""
    seed: int = Field(default=0, ge=0)
    fingerprint: str = ""
    """Featuriser on whose blocks the state was learnt; another is refused. "": any."""
    state: PaceState = PaceState()

    @model_validator(mode="after")
    def _fits(self) -> "PacedBandit":
        for arm in self.state.arms:
            if len(arm.reward) != WIDTH:
                raise ValueError(
                    f"state.arms: {arm.name!r} has {len(arm.reward)} features, expected {WIDTH}"
                )
        return self

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        fresh = last_call_failed(cases)
        affordable = self._affordable(cases)
        usable = prefer_capable(cases, affordable & cases.open & fresh[:, None])
        quality, width, price = self._estimates(cases)
        allowed, side = self._guarded(usable, price)
        value = quality + self.bonus * width - self.state.price * price / self.budget
        best = _dearest_of_best(value, price, allowed)
        drawn, probability = self._explored(cases, best, allowed)
        arm = np.where(usable.any(axis=1), drawn, STOP).astype(np.int64)
        runs = arm != STOP
        reasons = {
            "best-value": runs & (arm == best) & (side == 0),
            "explored": runs & (arm != best),
            "over-budget": runs & (side > 0),
            "under-budget": runs & (side < 0),
            "capped": fresh & (cases.open & ~affordable).any(axis=1),
            "one-call": ~fresh,
            "nothing-left": fresh & ~runs,
        }
        choice = choose_from(cases, arm, reasons, _SENTENCES, probability)
        labelled = {arm.name for arm in self.state.arms if arm.labels > 0}
        seen = [arm.name in labelled for arm in cases.arms]
        return replace(choice, quality=np.where(seen, np.clip(quality, 0, 1), np.nan))

    def observe(self, feedback: Feedback) -> "PacedBandit":
        """The policy after that feedback. A row without a label moves only money and prices;
        an attempt after another one of the same request is no new request; a row that ran
        nothing is left out."""
        x = pace_features(feedback.cases)
        again = np.asarray(feedback.cases.tried.any(axis=1), dtype=bool)
        state = self.state
        for row in np.nonzero(feedback.arm != STOP)[0]:
            state = self._after(state, feedback, x[row], int(row), bool(again[row]))
        return self.model_copy(update={"state": state})

    def _after(
        self, state: PaceState, feedback: Feedback, x: Floats, row: int, again: bool
    ) -> PaceState:
        cases, column = feedback.cases, int(feedback.arm[row])
        cost, seconds = float(feedback.cost_usd[row]), float(feedback.seconds[row])
        predicted = float(cases.predicted_cost[row, column])
        if not (np.isfinite(predicted) and predicted >= 0):
            raise PolicyError(f"predicted_cost of {cases.arms[column].name!r} is {predicted}")
        arm = state.arm(cases.arms[column].name, self.ridge).charged(cost, predicted, seconds)
        score = float(feedback.score[row])
        if not np.isnan(score):
            arm = arm.labelled(x, score, self.ridge, self.forget)
        charge = cost + self.usd_per_second * (0.0 if np.isnan(seconds) else seconds)
        # What the guard made it cost is no verdict on lambda, and would undo what it has learnt.
        step = 0.0 if self._side(state) else self.step
        price = state.price + step * (charge / self.budget - (0.0 if again else 1.0))
        change = {
            "requests": state.requests + (not again),
            "spent": state.spent + charge,
            "price": min(max(price, 0.0), self.most_price),
            "arms": (*(a for a in state.arms if a.name != arm.name), arm),
        }
        return state.model_copy(update=change)

    def _affordable(self, cases: CaseBatch) -> Bools:
        """(n, A) a known price whose worst case is within what is left; NaN is not."""
        left = np.minimum(cases.request_left, cases.tenant_left)[:, None]
        known = np.isfinite(cases.predicted_cost) & (cases.predicted_cost >= 0)
        return np.asarray(known & (cases.worst_cost <= left))

    def _estimates(self, cases: CaseBatch) -> tuple[Floats, Floats, Floats]:
        """(n, A) theta . x, its width, and the price of an attempt in USD."""
        if self.fingerprint and cases.fingerprint != self.fingerprint:
            raise PolicyError(
                f"{self.name} learnt on features {self.fingerprint}, these are {cases.fingerprint}"
            )
        x = pace_features(cases)
        quality, width, price = (np.empty(cases.predicted_cost.shape) for _ in range(3))
        for i, declared in enumerate(cases.arms):
            arm = self.state.arm(declared.name, self.ridge)
            quality[:, i], width[:, i] = arm.estimate(x)
            usd = cases.predicted_cost[:, i]
            clock = cases.predicted_seconds[:, i]
            # Not known and never measured: no time is charged rather than one guessed.
            known = np.where(np.isnan(clock), arm.seconds or 0.0, clock)
            price[:, i] = usd * arm.price_ratio(usd) + self.usd_per_second * known
        return quality, width, price

    def _room(self, state: PaceState) -> float:
        """USD that may be run ahead or behind."""
        most = max(self.slack, self.tolerance * max(state.requests, self.horizon))
        return self.budget * most

    def _side(self, state: PaceState) -> int:
        """1 where too much was spent, -1 where too little, 0 where lambda decides."""
        ahead, room = state.spent - self.budget * state.requests, self._room(state)
        if ahead > room:
            return 1
        return -1 if self.spend_all and ahead < -room else 0

    def _guarded(self, usable: Bools, price: Floats) -> tuple[Bools, int]:
        """(n, A) arms that the running mean permits, and its side."""
        side, state = self._side(self.state), self.state
        cheapest = np.where(usable, price, np.inf).min(axis=1, keepdims=True)
        least: Bools = usable & (price <= cheapest)
        if side > 0:
            return least, side
        after = state.spent + price - self.budget * (state.requests + 1)
        # An arm dearer than twice the room straddles the line: as far above as it was below.
        fits: Bools = usable & (after <= np.maximum(self._room(state), price / 2)) | least
        if side == 0:
            return fits, side
        dearest = np.where(fits, price, -np.inf).max(axis=1, keepdims=True)
        return fits & (price >= dearest), side

    def _explored(
        self, cases: CaseBatch, best: NDArray[np.int64], allowed: Bools
    ) -> tuple[NDArray[np.int64], Floats]:
        """(n,) the arm after the draw, and (n, A) the exact probability of each."""
        count = allowed.sum(axis=1)
        # Keyed by the request's number too: a query asked again is drawn anew.
        u = uniform(cases.row_key ^ np.uint64(self.state.requests), self.seed)
        chance = self.exploration
        nth = np.floor(u / max(chance, TIE) * count)
        place = np.cumsum(allowed, axis=1) - 1
        pick = np.argmax(allowed & (place == nth[:, None]), axis=1)
        arm = np.where(u < chance, pick, best)
        probability = np.where(allowed, chance / np.maximum(count, 1)[:, None], 0.0)
        rows = np.nonzero(count)[0]
        probability[rows, best[rows]] += 1 - chance
        return arm, np.minimum(probability, 1.0)


def _dearest_of_best(value: Floats, price: Floats, allowed: Bools) -> NDArray[np.int64]:
    """(n,) column of the greatest value among the allowed; of equals the dearest."""
    masked = np.where(allowed, value, -np.inf)
    top = masked >= masked.max(axis=1, keepdims=True) - TIE
    return np.asarray(np.argmax(np.where(top & allowed, price, -np.inf), axis=1))
