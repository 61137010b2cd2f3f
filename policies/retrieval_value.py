"""Four ways to know: from memory or from passages, by a small model or a large one.

    memory      q_m = sigmoid(bias_m + w_m . [verifiability, knowledge])
    passages    q_m = P * read_m + (1 - P) * miss_m        P = P(the passages hold the answer)
    value       q_m - price * (usd_m + usd_per_second * seconds_m)

"Knew it, could find it, could read it" taken apart: `bias, w` is what the model knows closed-book,
P whether the passages hold it (the block `answerability`), `read` how often the arm is right when
they do and `miss` when they do not. The first arm is that of the greatest value. An attempt whose
check failed, or that abstained, leaves `refused_m` in hand (right, and refused) and says something
of the passages: P becomes P (1 - read_m) / (1 - q_m); then the next arm runs while

    q_m - in hand > price * usd_m

(CARROT's plug-in rule, arXiv 2502.03261, with the quality of retrieval put together from parts
rather than learned whole.) All parameters are fitted on recorded outcomes of such arms
(`eval/fit/retrieval_value.py`): there is no default, since a made-up one would pass for a
measurement. Where nobody looked, P is not known, arms that read have no quality, and they are
chosen only where no arm with one is left. What it does not do: price a search that is made.
"""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from policies.case import STOP, CaseBatch, ChoiceBatch, Outcome, PolicyError
from policies.policy import (
    Needs,
    Policy,
    choose_from,
    last_call_failed,
    prefer_capable,
    register,
)
from policies.utility import best_value, with_seconds

__all__ = ["KnowingArm", "RetrievalValue"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SURE = 1e-6
"""No attempt is believed to be right with certainty: what it says of P stays finite."""
_SENTENCES = {
    "small-knows": "what the small model knows by itself is worth most per dollar",
    "small-reads": "the passages probably hold the answer, so the small reader is worth more per "
    "dollar than the large model",
    "small-tries": "the passages hardly hold the answer, and yet the small reader is worth most "
    "per dollar",
    "large-knows": "what the large model knows by itself is worth its price",
    "large-reads": "the large model with the passages is worth its price",
    "unread": "nobody looked for passages, so arms that read them are not estimated",
    "escalate": "the last attempt gave no answer that holds, and this arm is still worth its price",
    "enough": "no other arm is worth its price",
    "check-passed": "the answer passed its check",
    "unknown-arm": "nothing is known of the arms that can be run, so the cheapest answers",
    "nothing-left": "no further arm can be run, so the best attempt so far is returned",
}


class KnowingArm(BaseModel):
    """One fitted arm: what it knows (context none), or how it reads (context index)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    tier: Literal["small", "large"]
    context: Literal["none", "index"]
    bias: float = 0.0
    weights: tuple[float, float] = (0.0, 0.0)
    """Of verifiability and knowledge demand; memory only."""
    read: float = Field(default=0.0, ge=0, le=1)
    miss: float = Field(default=0.0, ge=0, le=1)
    refused: float = Field(default=0.0, ge=0, le=1)
    """P(right) where its check failed or it abstained."""


@register
class RetrievalValue(Policy):
    """Arms by estimated quality and price; fitted, never guessed."""

    name: ClassVar[str] = "retrieval-value"
    needs: ClassVar[Needs] = Needs(
        features=frozenset({"axes"}),
        attempts=frozenset({"outcome", "passed"}),
        optional=frozenset({"answerability"}),
    )

    arms: tuple[KnowingArm, ...] = Field(min_length=1)
    price: float = Field(default=0.0, ge=0, allow_inf_nan=True)
    """Quality that a USD is worth."""
    usd_per_second: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    fingerprint: str = Field(min_length=1)
    """Of the featuriser on whose axes it was fitted; another is refused."""

    @model_validator(mode="after")
    def _fits(self) -> "RetrievalValue":
        if np.isnan(self.price):
            raise ValueError("price must be a number")
        if len({arm.name for arm in self.arms}) < len(self.arms):
            raise ValueError("arms: a name stands twice")
        return self

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        self._check(cases)
        places = self._places(cases)
        p, in_hand, passed, refused = self._seen(cases, places)
        quality = self._quality(cases, places, p)
        usd = with_seconds(cases.predicted_cost, cases, self.usd_per_second)
        fresh = last_call_failed(cases)
        usable = prefer_capable(cases, cases.open)
        arm = best_value(quality, usd, self.price, usable)
        worth = self._worth(quality, usd, arm) > in_hand
        arm = np.where(fresh | (worth & ~passed), arm, STOP)
        unknown = fresh & (arm == STOP) & usable.any(axis=1)
        if unknown.any():
            cheapest = best_value(np.zeros_like(usd), usd, 0.0, usable)
            arm = np.where(unknown, cheapest, arm)
        reasons = self._reasons(cases, arm, p, unknown)
        reasons |= {
            "escalate": refused & ~passed & (arm != STOP),
            "enough": ~fresh & ~passed & (arm == STOP) & usable.any(axis=1),
            "check-passed": passed,
            "nothing-left": ~passed & (arm == STOP) & ~usable.any(axis=1),
        }
        return replace(choose_from(cases, arm, reasons, _SENTENCES), quality=quality, cost=usd)

    def _check(self, cases: CaseBatch) -> None:
        if cases.fingerprint != self.fingerprint:
            raise PolicyError(
                f"{self.name} was fitted on features {self.fingerprint}, these are "
                f"{cases.fingerprint}: fit it again"
            )

    def _places(self, cases: CaseBatch) -> Ints:
        """(A,) which fitted arm each arm is, by name, else by tier and context; -1 for none."""
        names = [arm.name for arm in self.arms]
        kinds = [(arm.tier, arm.context) for arm in self.arms]
        found = []
        for arm in cases.arms:
            kind = (arm.tier, arm.context)
            by_kind = kinds.index(kind) if kinds.count(kind) == 1 else -1
            found.append(names.index(arm.name) if arm.name in names else by_kind)
        return np.asarray(found, dtype=np.int64)

    def _quality(self, cases: CaseBatch, places: Ints, p: Floats) -> Floats:
        """(n, A) P(right) of each arm, given P(answerable); NaN where it is not known."""
        from scipy.special import expit

        axes = cases.block("axes")
        out = np.full((len(cases), len(cases.arms)), np.nan)
        for column, place in enumerate(places.tolist()):
            if place < 0:
                continue
            arm = self.arms[place]
            if arm.context == "index":
                out[:, column] = p * arm.read + (1 - p) * arm.miss
            else:
                score = axes[:, 0] * arm.weights[0] + axes[:, 1] * arm.weights[1]
                out[:, column] = expit(arm.bias + score)
        return out

    def _seen(self, cases: CaseBatch, places: Ints) -> tuple[Floats, Floats, Bools, Bools]:
        """(n,) P(answerable) after what was tried, P(right) of the best in hand, whether the last
        attempt passed its check, whether it gave nothing that holds."""
        a, p = cases.attempts, cases.optional("answerability").astype(np.float64)
        n, k = a.arm.shape
        in_hand = np.zeros(n)
        passed, refused = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        for slot in range(k):
            made = a.outcome[:, slot] != Outcome.NONE
            said = made & (a.outcome[:, slot] != Outcome.FAILED)
            right = said & (a.passed[:, slot] == 1.0) & (a.outcome[:, slot] == Outcome.ANSWERED)
            wrong = said & ((a.outcome[:, slot] != Outcome.ANSWERED) | (a.passed[:, slot] == 0.0))
            for column, place in enumerate(places.tolist()):
                own = said & (a.arm[:, slot] == column)
                if place < 0 or not own.any():
                    continue
                arm, lost = self.arms[place], own & wrong
                worth = self._quality(
                    cases, np.where(np.arange(len(places)) == column, place, -1), p
                )
                kept = np.where(wrong, arm.refused, np.nan_to_num(worth[:, column]))
                in_hand = np.where(own, np.maximum(in_hand, kept), in_hand)
                if arm.context == "index":
                    q = np.clip(p * arm.read + (1 - p) * arm.miss, 0.0, 1 - SURE)
                    p = np.where(lost, p * (1 - arm.read) / (1 - q), p)
            passed = np.where(made, right, passed)
            refused = np.where(made, wrong | (made & ~said), refused)
        return p, in_hand, passed, refused

    def _worth(self, quality: Floats, usd: Floats, arm: Ints) -> Floats:
        """(n,) value of the chosen column; -inf where none was."""
        rows, column = np.arange(len(arm)), np.clip(arm, 0, None)
        if np.isinf(self.price):
            return np.full(len(arm), -np.inf)
        paid = self.price * usd[rows, column] if self.price else np.zeros(len(arm))
        return np.where(arm == STOP, -np.inf, quality[rows, column] - paid)

    def _reasons(self, cases: CaseBatch, arm: Ints, p: Floats, unknown: Bools) -> dict[str, Bools]:
        chosen = (arm != STOP) & ~unknown
        kinds = np.array(
            [f"{a.tier}-{'reads' if a.context == 'index' else 'knows'}" for a in cases.arms]
        )[np.clip(arm, 0, None)]
        small_reads = chosen & (kinds == "small-reads")
        return {
            "small-knows": chosen & (kinds == "small-knows"),
            "small-reads": small_reads & (p >= 0.5),
            "small-tries": small_reads & (p < 0.5),
            "large-knows": chosen & (kinds == "large-knows"),
            "large-reads": chosen & (kinds == "large-reads"),
            "unread": chosen & np.isnan(p) & any(arm.context == "index" for arm in cases.arms),
            "unknown-arm": unknown,
        }
