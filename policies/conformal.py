"""The conformal gate: keep the small arm where a certified threshold on a trust score allows it.

    keep iff trust(x) >= tau;    everything else goes to the large arm

`tau` is chosen on labelled calibration questions (`eval/fit/conformal.py`) so that

    P( risk(tau) <= alpha ) >= 1 - delta,    risk(tau) = P(small wrong | trust >= tau)

The outer probability is over the draw of the calibration questions, which must be
exchangeable with the queries served. Learn-then-Test (arXiv 2110.01052) with a
Clopper-Pearson limit, tested strictest first (ACL-SRW 2026.70).

What is promised: the share of wrong answers among all kept queries. What is not: anything
about one query, one subject or one user; anything once the queries drift (watch labelled
outcomes with `eval.metrics.bounds.watch`); anything about the answers of the large arm. The
bound is about one arm, the first small one without an index: where that arm cannot be run,
or a query that was not kept finds no large arm, the reason says that the bound does not hold.

    by           trust                                       asked
    quality      the scorer's estimated P(small correct)     before any call
    need         minus the scorer's need of the large arm    before any call
    confidence   the verdict's confidence in small's answer  after small's call
"""

import math
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from policies.case import STOP, CaseBatch, ChoiceBatch, Outcome
from policies.nested import Scorer
from policies.policy import (
    Needs,
    Policy,
    best_attempt,
    choose_from,
    first_open,
    last_call_failed,
    register,
)

__all__ = ["By", "ConformalGate"]

By = Literal["quality", "need", "confidence"]


@register
class ConformalGate(Policy):
    """A bound of alpha on the errors among kept queries, around any score.

    It has no default threshold: a gate that was not calibrated is an error, not a constant.
    `tau` inf: no threshold could be certified, so nothing is kept and the reason says so.
    """

    name: ClassVar[str] = "conformal-gate"

    alpha: float = Field(gt=0, lt=1)
    """Largest share of wrong answers among kept queries."""
    delta: float = Field(gt=0, lt=1)
    """Probability, over the calibration draw, with which the bound may be false."""
    tau: float = Field(allow_inf_nan=True)
    calibrated: int = Field(ge=0)
    """Questions that certified tau: one row of each cluster."""
    by: By
    scorer: Scorer | None = None
    """Whose score is wrapped; its own threshold is not used. None: the verdict's confidence."""

    @model_validator(mode="after")
    def _fits(self) -> "ConformalGate":
        if (self.scorer is None) != (self.by == "confidence"):
            raise ValueError("by confidence takes no scorer; by quality or need takes one")
        if math.isnan(self.tau):
            raise ValueError("tau is NaN")
        return self

    @property
    def needs(self) -> Needs:  # type: ignore[override]  # what it reads is what its scorer reads
        """The scorer's, or the verdict's confidence."""
        if self.scorer is not None:
            return self.scorer.needs
        return Needs(attempts=frozenset({"outcome", "confidence"}))

    @property
    def bound(self) -> str:
        """The promise in words."""
        if self.tau == math.inf:
            return (
                f"no threshold keeps the error within {self.alpha:g} at confidence "
                f"{1 - self.delta:g} on {self.calibrated:,} questions, so nothing is kept"
            )
        return (
            f"among all queries kept like this at most {self.alpha:g} are answered wrong, at "
            f"confidence {1 - self.delta:g} over {self.calibrated:,} calibration questions; no "
            "promise about one query, nor once queries change"
        )

    def trust(self, cases: CaseBatch) -> NDArray[np.float64]:
        """(n,) higher is safer to keep; NaN where there is no score, which is never kept.

        Raises:
            PolicyError: the blocks of another featuriser, or a block is missing.
        """
        small = cases.columns("small", "none")[:1]
        if not small:
            return np.full(len(cases), np.nan)
        if self.scorer is None:
            said = _answered(cases, small) & ~np.isnan(cases.attempts.confidence)
            value = np.where(said, cases.attempts.confidence, -np.inf).max(1, initial=-np.inf)
            return np.where(said.any(axis=1), value, np.nan)
        self.scorer.check_features(cases)
        if self.by == "need":
            return -np.asarray(self.scorer.score(cases), dtype=np.float64)
        return np.asarray(self.scorer.estimate(cases)[:, small[0]], dtype=np.float64)

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        trust = self.trust(cases)
        kept = (trust >= self.tau) & (self.tau != math.inf)
        choice = self._after(cases, kept) if self.scorer is None else self._before(cases, kept)
        if self.scorer is None:
            return choice
        return replace(choice, quality=self.scorer.estimate(cases))

    def _before(self, cases: CaseBatch, kept: NDArray[np.bool_]) -> ChoiceBatch:
        """One call, decided before it; a second one only where the call itself failed."""
        small, large = cases.columns("small", "none"), cases.columns("large", "none")
        fresh = last_call_failed(cases)
        first, rest = small[:1], small[1:]
        arm = np.where(
            kept,
            first_open(cases.open, first + large + rest),
            first_open(cases.open, large + small),
        )
        arm = np.where(fresh, arm, STOP)
        reasons = {
            "kept": kept & np.isin(arm, first),
            "not-kept": fresh & ~kept,
            "outside-bound": np.isin(arm, small) & ~(kept & np.isin(arm, first)),
            "one-call": ~fresh,
            "nothing-left": fresh & (arm == STOP),
        }
        return choose_from(cases, arm, reasons, self._sentences())

    def _after(self, cases: CaseBatch, kept: NDArray[np.bool_]) -> ChoiceBatch:
        """Small answers; what is not kept goes to large, whose answer is then the answer."""
        small, large = cases.columns("small", "none"), cases.columns("large", "none")
        answered = _last(_answered(cases, large))
        done = kept | (answered >= 0)
        # Where nothing can be kept, the small call would be paid for nothing.
        order = large + small if self.tau == math.inf else small[:1] + large + small[1:]
        arm = np.where(done, STOP, first_open(cases.open, order))
        asked = cases.tried[:, list(small[:1])].any(axis=1)
        # `best_attempt` would prefer a passed check of small's to large's unchecked answer:
        # that answer was not kept, so it must not come back.
        attempt = np.where(kept, _last(_answered(cases, small[:1])), answered)
        attempt = np.where(done, attempt, np.where(arm == STOP, best_attempt(cases), -1))
        made = np.where(attempt >= 0, _arm_of(cases, attempt), STOP)
        reasons = {
            "kept": kept,
            "ask-small": np.isin(arm, small[:1]) & (self.tau != math.inf),
            "not-kept": ~kept & (asked | (self.tau == math.inf)),
            "outside-bound": (arm == STOP) & ~kept & np.isin(made, small)
            | np.isin(arm, small) & (~np.isin(arm, small[:1]) | (self.tau == math.inf)),
            "nothing-left": ~done & (arm == STOP),
        }
        return replace(choose_from(cases, arm, reasons, self._sentences()), attempt=attempt)

    def _sentences(self) -> dict[str, str]:
        lower = f"trust is below {self.tau:.4g}, or unknown, so it goes to the large arm"
        return {
            "kept": f"trust reaches {self.tau:.4g}: {self.bound}",
            "ask-small": "the small arm answers first; its verdict's confidence decides",
            "not-kept": self.bound if self.tau == math.inf else lower,
            "outside-bound": "no other arm can be run: the gate's bound does not hold here",
            "one-call": "one call was made; this policy does not look at the verdict",
            "nothing-left": "no arm is left that could be run",
        }


def _answered(cases: CaseBatch, columns: tuple[int, ...]) -> NDArray[np.bool_]:
    """(n, attempts) complete answers of these arms."""
    a = cases.attempts
    return np.asarray(np.isin(a.arm, columns) & (a.outcome == Outcome.ANSWERED))


def _last(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n,) index of the last flag of each row, -1 where none is set."""
    places = np.where(flags, np.arange(flags.shape[1]), -1)
    return np.asarray(places.max(axis=1, initial=-1), dtype=np.int64)


def _arm_of(cases: CaseBatch, attempt: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) column that made the attempt; any where `attempt` is -1."""
    if not cases.attempts.arm.shape[1]:
        return np.full(len(cases), STOP, dtype=np.int64)
    return np.asarray(cases.attempts.arm[np.arange(len(cases)), np.clip(attempt, 0, None)])
