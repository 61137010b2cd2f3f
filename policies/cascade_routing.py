"""Cascade routing: before each call, the set of arms that is worth its price; run its cheapest.

    M* = argmax over sets M of untried arms of E[max(b, Q_m for m in M)] - price * sum of usd_m
    stop where the empty set is best; else run the cheapest arm of M*, look, and choose again

(Dekoninck et al., arXiv 2410.10347, section 4.) b is the best answer in hand. Routing is its
first step and cascading its later ones, and it skips the cheap call where that call is not worth
what it shows. Two estimates of quality, both learned (`Head`, logistic on log-odds):

    before  Q_m's mean: the arm's share of right answers, or, with `scorer`, from what any
            policy's `estimate` says of the text; once arm i has answered, from that and i's `after`
    after   P(right | before, votes, log-probabilities, verdict, whether it was cut)

and Q_m = before + one of `spread[m]` with equal chances: how far `after` was from `before` on
training rows. The Q_m of one set are taken to be independent given what has been seen; an arm
whose attempts show nothing has no spread, and its call is worth what its mean is. All sets are
tried up to `ALL_SETS` open arms, of more arms sets of two at most.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from policies.case import STOP, CaseBatch, ChoiceBatch, PolicyError
from policies.evidence import evidence_of, expected_best, logit
from policies.nested import Scorer
from policies.policy import (
    Needs,
    Policy,
    choose_from,
    first_open,
    last_call_failed,
    prefer_capable,
    register,
)
from policies.tried import answered_at_all, likeliest, rungs_tried
from policies.utility import FittedArm, places_of, with_seconds

__all__ = ["CascadeRouting", "Head"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ALL_SETS = 5
"""Open arms up to which every set is tried: 31 of them."""
TINY = 1e-12
_SENTENCES = {
    "worth-it": "the set of arms that begins with this one is expected to be worth its price",
    "enough": "no further arm is expected to be worth its price",
    "unknown-arm": "nothing is known of the arms that can be run",
    "nothing-left": "no arm is left that could be run",
}


class Head(BaseModel):
    """p = sigmoid(bias + weights . x)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    bias: float
    weights: tuple[float, ...]

    def of(self, x: Floats) -> Floats:
        """(..., d) -> (...)."""
        from scipy.special import expit

        return np.asarray(expit(self.bias + x @ np.array(self.weights)))


@register
class CascadeRouting(Policy):
    """Sets of arms by expected best quality and price."""

    name: ClassVar[str] = "cascade-routing"

    arms: tuple[FittedArm, ...] = Field(min_length=2)
    scorer: Scorer | None = None
    """Whose `estimate` is read before any call; its own threshold or price is not used."""
    heads: tuple[int, ...] = ()
    """Fitted arms whose estimate the scorer gives."""
    before: tuple[Head, ...]
    """Of each arm, on the log-odds of the scorer's estimates of `heads`."""
    after: tuple[Head, ...]
    """Of each arm, on [log-odds before, *EVIDENCE]."""
    link: tuple[tuple[Head, ...], ...]
    """[tried][untried], on [log-odds before of the untried, log-odds after of the tried]."""
    spread: tuple[tuple[float, ...], ...]
    """Of each arm: after - before, centred, as likely as each other."""
    reads: tuple[str, ...] = ()
    """What the attempts showed that it was fitted on; a table without it cannot replay it."""
    price: float = Field(default=0.0, ge=0, allow_inf_nan=True)
    """Quality that a USD is worth."""
    usd_per_second: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _fits(self) -> "CascadeRouting":
        m = len(self.arms)
        for name in ("before", "after", "link", "spread"):
            if len(getattr(self, name)) != m:
                raise ValueError(f"{name} must have one entry for each of the {m} arms")
        if any(len(row) != m for row in self.link) or not all(self.spread):
            raise ValueError("link must be square, and no spread empty")
        if (self.scorer is None) != (not self.heads):
            raise ValueError("heads are the scorer's arms: give both or neither")
        return self

    @property
    def needs(self) -> Needs:  # type: ignore[override]  # the scorer's, and what was fitted on
        """The scorer's blocks, and what attempts showed in training."""
        features = self.scorer.needs.features if self.scorer is not None else frozenset()
        return Needs(features=features, attempts=frozenset({"outcome", *self.reads}))

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        places, fresh = places_of(self.arms, cases), last_call_failed(cases)
        judged = self.judge(cases)
        best = np.where(np.isnan(judged), -np.inf, judged).max(axis=1, initial=-np.inf)
        best = np.where(np.isneginf(best), 0.0, best)
        quality = self._quality(cases, judged)
        usd = with_seconds(cases.predicted_cost, cases, self.usd_per_second)
        usable = prefer_capable(cases, cases.open)
        # Where nothing is charged, a cost need not be known.
        can = usable & (places >= 0)[None, :] & (~np.isnan(usd) | (self.price == 0))
        arm = self._best_set(quality, best, usd, can, fresh, places)
        lost = fresh & (arm == STOP)
        arm = np.where(lost, first_open(usable, range(len(cases.arms))), arm)
        reasons = {
            "worth-it": (arm != STOP) & ~lost,
            "enough": ~fresh & (arm == STOP) & can.any(axis=1),
            "unknown-arm": lost & (arm != STOP),
            "nothing-left": (arm == STOP) & ~(~fresh & can.any(axis=1)),
        }
        best_said = likeliest(cases, judged)
        made = choose_from(cases, arm, reasons, _SENTENCES, attempt=best_said)
        return replace(made, quality=quality, cost=usd)

    def judge(self, cases: CaseBatch) -> Floats:
        """(n, k) P(right) of every attempt; NaN for padding, dead calls and unknown arms."""
        a = cases.attempts
        out = np.full(a.arm.shape, np.nan)
        if not a.arm.shape[1]:
            return out
        place, first = rungs_tried(self.arms, cases), logit(self._first(cases))
        shown, said = evidence_of(a), answered_at_all(a)
        for i, head in enumerate(self.after):
            own = (place == i) & said
            if not own.any():
                continue
            x = np.concatenate(
                [np.broadcast_to(first[:, [i], None], (*own.shape, 1)), shown], axis=-1
            )
            out = np.where(own, head.of(x), out)
        return out

    def _first(self, cases: CaseBatch) -> Floats:
        """(n, m) quality of every fitted arm before anything was run. `PolicyError` where the
        scorer knows nothing of an arm that it was fitted on."""
        n = len(cases)
        x = np.empty((n, 0))
        if self.scorer is not None:
            self.scorer.check_features(cases)
            x = logit(self._told(self.scorer.estimate(cases), cases))
        return np.stack([head.of(x) for head in self.before], axis=1)

    def _told(self, estimate: Floats, cases: CaseBatch) -> Floats:
        places = places_of(self.arms, cases).tolist()
        names = [self.arms[h].name for h in self.heads]
        lacking = [n for n, h in zip(names, self.heads, strict=True) if h not in places]
        told = estimate[:, [places.index(h) for h in self.heads if h in places]]
        if not lacking:
            unknown = [bool(np.isnan(column).any()) for column in told.T]
            lacking = [n for n, bad in zip(names, unknown, strict=True) if bad]
        if lacking:
            have = ", ".join(a.name for a in cases.arms)
            raise PolicyError(
                f"cascade-routing: its estimates are of {', '.join(names)}; {', '.join(lacking)} "
                f"has none here (arms: {have}): name the arms so, in that order, or fit it again"
            )
        return told

    def _quality(self, cases: CaseBatch, judged: Floats) -> Floats:
        """(n, A) mean of Q before its call, NaN for unknown arms; of tried ones, what was seen."""
        made, place = self._first(cases), rungs_tried(self.arms, cases)
        first = logit(made)
        for slot in range(judged.shape[1]):  # in the order of the calls: the last word is newest
            for i, row in enumerate(self.link):
                own = (place[:, slot] == i) & ~np.isnan(judged[:, slot])
                seen = logit(judged[own, slot])
                for j, head in enumerate(row):
                    if j != i:
                        made[own, j] = head.of(np.stack([first[own, j], seen], axis=1))
        for slot in range(judged.shape[1]):
            own = (place[:, slot] >= 0) & ~np.isnan(judged[:, slot])
            made[own, place[own, slot]] = judged[own, slot]
        places = places_of(self.arms, cases)
        out = np.full((len(cases), len(cases.arms)), np.nan)
        out[:, places >= 0] = made[:, places[places >= 0]]
        return out

    def _best_set(
        self, quality: Floats, best: Floats, usd: Floats, can: Bools, must: Bools, places: Ints
    ) -> Ints:
        """(n,) the cheapest arm of the best set, STOP where none is worth it (and none must be)."""
        arm = np.full(len(best), STOP, dtype=np.int64)
        if np.isinf(self.price):
            cheapest = np.argmin(np.where(can, usd, np.inf), axis=1)
            return np.where(must & can.any(axis=1), cheapest, STOP).astype(np.int64)
        # Rows with the same arms open: which sets are tried may not hang on the rows beside.
        patterns, of = np.unique(can, axis=0, return_inverse=True)
        for i, pattern in enumerate(patterns):
            columns = np.flatnonzero(pattern).tolist()
            if columns:
                own = np.flatnonzero(of.ravel() == i)
                top = np.where(must[own], -np.inf, best[own])
                arm[own] = self._best_of(columns, quality[own], best[own], top, usd[own], places)
        return arm

    def _best_of(
        self,
        columns: list[int],
        quality: Floats,
        best: Floats,
        top: Floats,
        usd: Floats,
        places: Ints,
    ) -> Ints:
        """The same for rows on which exactly these columns can be run."""
        paid = np.zeros_like(usd) if self.price == 0 else self.price * usd
        usd = np.where(np.isnan(usd), np.inf, usd)
        arm = np.full(len(best), STOP, dtype=np.int64)
        atoms = [_likely(quality[:, [c]], self.spread[places[c]]) for c in columns]
        most = len(columns) if len(columns) <= ALL_SETS else 2
        sets = [s for k in range(1, most + 1) for s in combinations(range(len(columns)), k)]
        for members, gained in zip(sets, expected_best(best, atoms, sets), strict=True):
            own = [columns[i] for i in members]
            value = gained - paid[:, own].sum(axis=1)
            better = value > top + TINY
            cheapest = np.array(own)[np.argmin(usd[:, own], axis=1)]
            arm, top = np.where(better, cheapest, arm), np.where(better, value, top)
        return arm


def _likely(mean: Floats, spread: Sequence[float]) -> Floats:
    """(n, q) equally likely values of Q; 0 where there is no estimate, which is never chosen."""
    return np.asarray(np.clip(np.nan_to_num(mean) + np.array(spread), 0.0, 1.0))
