"""Look at the small arm's answer, then buy the large one's where the gain is worth its price.

    before   gain(x)    = P(large right | x)    - P(small right | x)
    after    gain(x, a) = P(large right | x, a) - P(small right | x, a)
             log odds of each = bias + weights . [text log odds of both arms ; measures of a]

    small answered    escalate iff gain(x, a) >= price * usd_large
    nothing asked     straight to large iff E_a[max(0, price * usd_large - gain(x, a))]
                                                < price * usd_small

What small costs is spent once its answer is there, so it counts only in the second line: the
small call is worth making iff what it may save exceeds it. The expectation runs over `shifts`,
by how much the log odds moved on training rows when the answer was seen.

`a` is what the run-time check measured of the answer (`AttemptBlock.measured`: steps that
recompute, figures left out, hedges, lengths) and what the call showed (votes, log-probabilities).
The gain of a deferral learned on the weak model's answer: AutoMix (arXiv 2310.12963), with a
plain logistic regression for its belief; skipping the weak call and the value of looking: cascade
routing (arXiv 2410.10347). A pair only. Where nothing was measured the text decides, and the
reason says so. What it does not do: choose between two answers that are both there; after large
has answered, that is the answer.
"""

from dataclasses import replace
from functools import cached_property
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from policies.case import STOP, AttemptBlock, CaseBatch, ChoiceBatch, Outcome
from policies.nested import AS_STATE, BUILT
from policies.policy import Needs, Policy, best_attempt, choose_from, first_open, register
from policies.text_logistic import TextLogistic
from policies.utility import with_seconds

__all__ = ["SHOWN", "AnswerGain", "answer_columns"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SHOWN = ("agreement", "logprob", "logprob_answer", "certainty")
"""What a call may show beside its check. The check's `confidence` is none of them: its map was
fitted on labels, perhaps on those that the policy is scored by."""
SMALL, LARGE = 0, 1
_SENTENCES = {
    "look-first": "the small arm's answer may save the large arm's price, so it is asked first",
    "straight-to-large": "the small arm's answer would not change the decision often enough to pay",
    "keep": "after seeing the answer, the large arm's gain is not worth its price",
    "escalate": "after seeing the answer, the large arm's gain is worth its price",
    "answer-unread": "nothing was measured of the answer, so the text alone decides",
    "no-answer": "the small arm gave no complete answer",
    "unpriced": "the large arm's cost is not known, so it is bought only at price 0",
    "large-answered": "the large arm has answered",
    "nothing-left": "no arm is left that could be run",
}


def answer_columns(attempts: AttemptBlock, slot: Ints, names: tuple[str, ...]) -> Floats:
    """(n, len(names)) what attempt `slot` of each row shows; NaN where unknown or slot is -1."""
    rows = np.arange(len(slot))
    out = np.full((len(slot), len(names)), np.nan)
    for column, name in enumerate(names):
        block = getattr(attempts, name) if name in SHOWN else attempts.measured.get(name)
        if block is not None and block.shape[1]:
            out[:, column] = np.where(slot >= 0, block[rows, np.clip(slot, 0, None)], np.nan)
    return out


@register
class AnswerGain(Policy):
    """A fitted pair; `price` is what a USD is worth in quality: 0 buys any gain, inf none."""

    name: ClassVar[str] = "answer-gain"
    needs: ClassVar[Needs] = Needs(
        features=TextLogistic.needs.features, attempts=frozenset({"outcome", "measured"})
    )

    price: float = Field(default=0.0, ge=0, allow_inf_nan=True)
    usd_per_second: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """What a second of waiting costs."""
    text: Annotated[TextLogistic, BUILT, AS_STATE]
    """P(right) of both arms before any answer."""
    columns: tuple[str, ...] = Field(min_length=1)
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    """A column that is not known counts as its mean over the training rows."""
    small_weights: tuple[float, ...]
    """The text's log odds of small and of large first, then the columns."""
    small_bias: float
    large_weights: tuple[float, ...]
    large_bias: float
    shifts: tuple[tuple[float, float], ...] = Field(min_length=1)
    """(small, large): log odds after the answer less log odds before it, on training rows."""

    @model_validator(mode="after")
    def _fits(self) -> "AnswerGain":
        width = len(self.columns)
        if len(self.centre) != width or len(self.spread) != width:
            raise ValueError("centre and spread need one number a column")
        if len(self.small_weights) != width + 2 or len(self.large_weights) != width + 2:
            raise ValueError("small_weights and large_weights need 2 more than the columns")
        if np.isnan(self.price) or not np.all(np.array(self.spread) > 0):
            raise ValueError("price must be a number and spread positive")
        return self

    @cached_property
    def _arrays(self) -> tuple[Floats, Floats, Floats, Floats]:
        weights = np.array([self.small_weights, self.large_weights], dtype=np.float64).T
        bias = np.array([self.small_bias, self.large_bias])
        return np.array(self.centre), np.array(self.spread), weights, bias

    def before(self, cases: CaseBatch) -> Floats:
        """(n, 2) log odds that small and large are right, from the text alone."""
        p = self.text.correct(cases)
        return np.asarray(np.log(p) - np.log1p(-p))

    def seen(self, log_odds: Floats, shown: Floats) -> Floats:
        """(n, 2) P(right) from the text's log odds and (n, columns) of the answer."""
        from scipy.special import expit

        centre, spread, weights, bias = self._arrays
        scaled = np.where(np.isfinite(shown), (shown - centre) / spread, 0.0)
        return np.asarray(expit(np.hstack([log_odds, scaled]) @ weights + bias))

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        from scipy.special import expit

        small, large = cases.columns("small", "none")[:1], cases.columns("large", "none")[:1]
        slot, bought = _last_of(cases.attempts, small), _last_of(cases.attempts, large)
        outcome = _outcome(cases.attempts, slot)
        shown = answer_columns(cases.attempts, slot, self.columns)
        read = np.asarray(np.isfinite(shown).any(axis=1))
        z = self.before(cases)
        p = np.where(read[:, None], self.seen(z, shown), expit(z))
        p[(slot >= 0) & (outcome != Outcome.ANSWERED), SMALL] = 0.0
        bar, toll = self._worth(cases, large), self._worth(cases, small)
        asked = slot >= 0
        buy = np.where(asked, p[:, LARGE] - p[:, SMALL] >= bar, self._saving(z, bar) < toll)
        # A call that died is no answer to keep: another arm has to give one.
        buy |= asked & (outcome == Outcome.FAILED)
        open_, done = cases.open, _outcome(cases.attempts, bought) == Outcome.ANSWERED
        first = np.where(buy, first_open(open_, large + small), first_open(open_, small + large))
        arm = np.where(asked, np.where(buy, first_open(open_, large), STOP), first)
        arm = np.where(done, STOP, arm)
        chose_large = (arm != STOP) & np.isin(arm, large)
        reasons = {
            "look-first": ~asked & np.isin(arm, small) & (arm != STOP),
            "straight-to-large": ~asked & chose_large & buy,
            "keep": asked & ~buy & ~done,
            "escalate": asked & chose_large,
            "answer-unread": asked & ~read & ~done,
            "no-answer": asked & (outcome != Outcome.ANSWERED) & ~done,
            "unpriced": ~done & np.isinf(bar) & (not np.isinf(self.price)),
            "large-answered": done,
            "nothing-left": ~done & (arm == STOP) & (buy | ~asked),
        }
        # `best_attempt` may prefer a passed check of small's to the answer that was bought.
        given = np.where(done, bought, best_attempt(cases))
        choice = choose_from(cases, arm, reasons, _SENTENCES, attempt=given)
        quality = np.full((len(cases), len(cases.arms)), np.nan)
        quality[:, list(small)], quality[:, list(large)] = p[:, [SMALL]], p[:, [LARGE]]
        return replace(choice, quality=quality)

    def _worth(self, cases: CaseBatch, columns: tuple[int, ...]) -> Floats:
        """(n,) what an arm costs, in quality; inf where it is not known and money counts."""
        if not columns or np.isinf(self.price):
            return np.full(len(cases), np.inf)
        if self.price == 0:
            return np.zeros(len(cases))
        usd = with_seconds(cases.predicted_cost, cases, self.usd_per_second)
        worth = self.price * usd[:, columns[0]]
        return np.where(np.isnan(worth), np.inf, worth)

    def _saving(self, log_odds: Floats, bar: Floats) -> Floats:
        """(n,) what seeing small's answer is expected to save, in quality."""
        from scipy.special import expit

        moved = expit(log_odds[:, None, :] + np.array(self.shifts)[None])
        gain = moved[:, :, LARGE] - moved[:, :, SMALL]
        return np.asarray(np.maximum(0.0, bar[:, None] - gain).mean(axis=1))


def _last_of(attempts: AttemptBlock, columns: tuple[int, ...]) -> Ints:
    """(n,) index of the last attempt by these arms, -1 where there is none."""
    made = np.isin(attempts.arm, columns) & (attempts.outcome != Outcome.NONE)
    places = np.where(made, np.arange(made.shape[1]), -1)
    return np.asarray(places.max(axis=1, initial=-1), dtype=np.int64)


def _outcome(attempts: AttemptBlock, slot: Ints) -> Ints:
    """(n,) how attempt `slot` of each row ended; NONE where slot is -1."""
    if not attempts.arm.shape[1]:
        return np.full(len(slot), Outcome.NONE, dtype=np.int64)
    ended = attempts.outcome[np.arange(len(slot)), np.clip(slot, 0, None)]
    return np.where(slot >= 0, ended, Outcome.NONE)
