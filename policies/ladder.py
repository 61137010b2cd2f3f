"""Cascades: arms asked from the cheapest up, until the answer is as good as its price allows.

After the deepest rung i so far has answered, and with b the best answer in hand,

    p_i = P(right | what attempt i shows)                 learned, rising in what it shows
    q_j = P(right by rung j | p_i)                        learned, rising in p_i
    j*  = argmax over later rungs of q_j - price * usd_j;   run it iff q_j* - b > price * usd_j*

(FrugalGPT's cascade, arXiv 2305.05176, with its stopping score calibrated and the threshold
replaced by what a dollar is worth.) At price 0 another arm is asked wherever it is expected to
do better, at inf the cheapest arm's answer stands. With `tau` the published threshold rule holds
instead: keep iff what the attempt shows is >= tau, else run the next rung.

Every call is paid for, also those whose answers are thrown away. Nothing is re-used between
rungs: a voting arm draws all its samples anew. An attempt that shows nothing is as good as
training attempts that showed nothing (`Calibrated.blank`), and the reason says so; a rung whose
attempts never show anything can only be the last, which is the fit's to see to. What is not in
the rule: that a call may be worth its price only for what it shows (`cascade-routing` counts
that), and skipping the first rung.

A rule of this kind is one file: `show`, (n, k) of each attempt's kind and number.
"""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from policies.calibrated import Calibrated
from policies.case import STOP, AttemptBlock, CaseBatch, ChoiceBatch, Outcome
from policies.policy import Policy, choose_from, first_open, last_call_failed, prefer_capable
from policies.tried import answered_at_all, likeliest, rungs_tried
from policies.utility import FittedArm, best_value, places_of, with_seconds

__all__ = ["INCOMPLETE", "Ladder", "Rung"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

INCOMPLETE = "incomplete"
"""The last kind of every rule: a cut answer, an abstention."""
TINY = 1e-12
"""A gain of nothing but rounding is none."""


class Rung(BaseModel):
    """One arm of the ladder: how good its answers are by what they show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: tuple[Calibrated, ...]
    """P(right) of each kind of attempt (`Ladder.kinds`), by the number that it shows."""
    ahead: tuple[Calibrated, ...]
    """P(right) of every rung of the ladder, by this one's P(right)."""


@dataclass(frozen=True)
class _Now:
    """What is known before the next step."""

    judged: Floats
    """(n, k) P(right) of each attempt; NaN for padding and dead calls."""
    best: Floats
    """(n,) the highest of them; 0 where there is none."""
    last: Ints
    """(n,) the deepest rung's attempt that answered, -1 for none."""
    depth: Ints
    """(n,) the deepest rung that was tried, also in vain; -1 for none."""
    ahead: Floats
    """(n, A) P(right) of every arm if it were run now; NaN for one that is no rung."""


class Ladder(Policy):
    """Base of the cascades over a ladder of arms."""

    kinds: ClassVar[tuple[str, ...]]
    shown: ClassVar[str]
    """What its attempts show, in words for the reasons."""

    arms: tuple[FittedArm, ...] = Field(min_length=2)
    """The rungs, cheapest first."""
    quality: tuple[float, ...]
    """Share of right answers of each rung, over all training rows."""
    rungs: tuple[Rung, ...]
    price: float = Field(default=0.0, ge=0, allow_inf_nan=True)
    """Quality that a USD is worth."""
    usd_per_second: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    tau: float | None = Field(default=None, allow_inf_nan=True)
    """Keep iff what the last attempt shows is at least this; None: `price` decides."""

    @model_validator(mode="after")
    def _fits(self) -> "Ladder":
        m = len(self.arms)
        if len(self.quality) != m or len(self.rungs) != m:
            raise ValueError(f"quality and rungs must have one entry for each of the {m} arms")
        for rung in self.rungs:
            if len(rung.kinds) != len(self.kinds) or len(rung.ahead) != m:
                raise ValueError(
                    f"a rung needs {len(self.kinds)} kinds ({', '.join(self.kinds)}) and {m} ahead"
                )
        return self

    @classmethod
    @abstractmethod
    def show(cls, attempts: AttemptBlock) -> tuple[Ints, Floats]:
        """(n, k) which of `kinds` each attempt is, and the number that it shows (NaN: none)."""

    @classmethod
    def speaks(cls, attempts: AttemptBlock) -> Bools:
        """(n, k) where an attempt shows anything of what the rule reads."""
        return ~np.isnan(cls.show(attempts)[1])

    def number(self, rung: int, attempts: AttemptBlock) -> tuple[Ints, Floats]:
        """`show` as read on one rung: a rule with weights of its own for each says more."""
        return self.show(attempts)

    def judge(self, cases: CaseBatch) -> Floats:
        """(n, k) P(right) of every attempt; NaN for padding, dead calls and unknown arms."""
        a, place = cases.attempts, rungs_tried(self.arms, cases)
        out, said = np.full(a.arm.shape, np.nan), answered_at_all(a)
        for i, rung in enumerate(self.rungs):
            own = (place == i) & said
            if own.any():
                kind, number = self.number(i, a)
                made = np.stack([c.of(number) for c in rung.kinds])
                picked = np.take_along_axis(made, kind[None], axis=0)[0]
                out = np.where(own, picked, out)
        return out

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        now = self._now(cases)
        usable = prefer_capable(cases, cases.open)
        fresh = last_call_failed(cases)
        dearer = usable & (places_of(self.arms, cases)[None, :] > now.depth[:, None])
        usd = with_seconds(cases.predicted_cost, cases, self.usd_per_second)
        first = self._first(cases, usd, usable)
        target = self._target(cases, now, usd, dearer)
        arm = np.where(fresh, first, target)
        attempt = likeliest(cases, now.judged)
        if self.tau is not None:  # the published rule keeps what it escalated to
            attempt = np.where(now.last >= 0, now.last, attempt)
        stray = fresh & (arm != STOP) & (places_of(self.arms, cases)[np.clip(arm, 0, None)] < 0)
        silent = self._silent(cases, now)
        reasons = {
            "first-rung": fresh & (arm != STOP) & ~stray,
            "no-rung": stray,
            "escalate": ~fresh & (arm != STOP) & ~silent,
            "escalate-silent": ~fresh & (arm != STOP) & silent,
            "kept": ~fresh & (arm == STOP) & dearer.any(axis=1) & ~silent,
            "kept-silent": ~fresh & (arm == STOP) & dearer.any(axis=1) & silent,
            "nothing-left": (arm == STOP) & ~(~fresh & dearer.any(axis=1)),
        }
        made = choose_from(cases, arm, reasons, self._sentences(), attempt=attempt)
        return replace(made, quality=now.ahead, cost=usd)

    def _now(self, cases: CaseBatch) -> _Now:
        judged, place = self.judge(cases), rungs_tried(self.arms, cases)
        tried = np.where(cases.attempts.outcome == Outcome.NONE, -1, place)
        best = np.where(np.isnan(judged), -np.inf, judged).max(axis=1, initial=-np.inf)
        last = _deepest(place, ~np.isnan(judged))
        return _Now(
            judged=judged,
            best=np.where(np.isneginf(best), 0.0, best),
            last=last,
            depth=tried.max(axis=1, initial=-1).astype(np.int64),
            ahead=self._ahead(cases, judged, last),
        )

    def _ahead(self, cases: CaseBatch, judged: Floats, last: Ints) -> Floats:
        """(n, A): the training mean before anything was seen, else by the last P(right)."""
        n, places = len(cases), places_of(self.arms, cases)
        by_rung = np.tile(np.array(self.quality), (n, 1))
        if judged.shape[1]:
            rows = np.flatnonzero(last >= 0)
            p, rung_of = judged[rows, last[rows]], rungs_tried(self.arms, cases)[rows, last[rows]]
            for i, rung in enumerate(self.rungs):
                own = rung_of == i
                made = np.stack([c.of(p[own]) for c in rung.ahead], axis=1)
                by_rung[rows[own]] = made
        out = np.full((n, len(cases.arms)), np.nan)
        out[:, places >= 0] = by_rung[:, places[places >= 0]]
        return out

    def _first(self, cases: CaseBatch, usd: Floats, usable: Bools) -> Ints:
        """The lowest rung that can be run, any arm where no rung can; at price inf the cheapest
        arm, rung or not."""
        places = places_of(self.arms, cases)
        ladder = sorted(np.flatnonzero(places >= 0).tolist(), key=lambda c: int(places[c]))
        rest = [c for c in range(len(cases.arms)) if c not in ladder]
        first = first_open(usable, ladder + rest)
        if self.tau is not None or not np.isinf(self.price):
            return first
        cheapest = best_value(-usd, usd, np.inf, usable)
        return np.where(cheapest == STOP, first, cheapest)

    def _target(self, cases: CaseBatch, now: _Now, usd: Floats, dearer: Bools) -> Ints:
        """(n,) the rung to run after an answer, STOP to keep what there is."""
        if self.tau is not None:
            places = places_of(self.arms, cases)
            order = sorted(np.flatnonzero(places >= 0).tolist(), key=lambda c: int(places[c]))
            keep = self._last_number(cases, now) >= self.tau
            return np.where(keep, STOP, first_open(dearer, order))
        if np.isinf(self.price):
            return np.full(len(cases), STOP, dtype=np.int64)
        arm = best_value(now.ahead, usd, self.price, dearer)
        rows, column = np.arange(len(cases)), np.clip(arm, 0, None)
        charge = self.price * usd[rows, column] if self.price else 0.0
        gain = now.ahead[rows, column] - now.best - charge
        return np.where((arm != STOP) & (gain > TINY), arm, STOP).astype(np.int64)

    def _last_number(self, cases: CaseBatch, now: _Now) -> Floats:
        """(n,) what the deepest attempt shows; NaN where it shows nothing, or there is none."""
        out = np.full(len(cases), np.nan)
        rung_of = rungs_tried(self.arms, cases)
        for i in range(len(self.rungs)):
            rows = np.flatnonzero(now.last >= 0)
            rows = rows[rung_of[rows, now.last[rows]] == i]
            if len(rows):
                out[rows] = self.number(i, cases.attempts)[1][rows, now.last[rows]]
        return out

    def _silent(self, cases: CaseBatch, now: _Now) -> Bools:
        """(n,) the deepest answer shows nothing."""
        if not now.judged.shape[1]:
            return np.zeros(len(cases), dtype=bool)
        said = self.speaks(cases.attempts)[np.arange(len(cases)), np.clip(now.last, 0, None)]
        return np.asarray((now.last >= 0) & ~said)

    def _sentences(self) -> dict[str, str]:
        what = self.shown
        return {
            "first-rung": "the cheapest rung of the cascade answers first",
            "no-rung": "this arm is no rung of the cascade, so nothing is known of its answers",
            "escalate": f"{what} leaves room that a dearer arm is expected to fill at its price",
            "escalate-silent": f"the last answer does not show {what}: going by such answers "
            "before, a dearer arm is expected to be worth its price",
            "kept": f"{what} is high enough that no dearer arm is worth its price",
            "kept-silent": f"the last answer does not show {what}: going by such answers before, "
            "no dearer arm is worth its price",
            "nothing-left": "no dearer arm can be run, so the best answer so far is returned",
        }


def _deepest(rung: Ints, known: Bools) -> Ints:
    """(n,) place of the attempt on the highest rung among the known, -1 for none."""
    if not rung.shape[1]:
        return np.full(len(rung), -1, dtype=np.int64)
    depth = np.where(known, rung, -1)
    return np.where(depth.max(axis=1) >= 0, np.argmax(depth, axis=1), -1).astype(np.int64)
