"""Pair policies: one score a query, one threshold, one call.

    large iff score(x) >= threshold

`score` is (n,) and higher means more need of the large arm. The threshold is the only
thing a budget or an error rate moves: every curve of cost against quality in `eval` is
traced by it, so the score of a table is computed once (RouteLLM, arXiv 2406.18665, section 3).

    prompt-length             log(1 + characters): the baseline that beats several published routers
    verifiability-threshold   1 - verifiability: what cannot be checked goes to the large arm

What such a policy does not do: look at the answer. It makes one call, and a second one
only where the call itself failed.
"""

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from policies.case import STOP, CaseBatch, ChoiceBatch, PolicyError
from policies.policy import (
    Needs,
    Policy,
    choose_from,
    first_open,
    last_call_failed,
    register,
)

__all__ = ["PromptLength", "ThresholdPolicy", "VerifiabilityThreshold"]

_SENTENCES = {
    "above-threshold": "the score reaches the threshold, so the large arm is worth its price",
    "below-threshold": "the score is below the threshold, so the small arm will do",
    "tier-unavailable": "the wanted tier cannot be run, so the other one answers",
    "one-call": "one call was made; this policy does not look at the verdict",
    "nothing-left": "no arm is left that could be run",
}


class ThresholdPolicy(Policy):
    """Base of the pair policies; `inf` is all-small, `-inf` is all-large."""

    threshold: float = Field(default=0.0, allow_inf_nan=True)
    fingerprint: str = ""
    """Featuriser on whose blocks the threshold was chosen; another is refused. "": any."""

    @abstractmethod
    def score(self, cases: CaseBatch) -> NDArray[np.float64]:
        """(n,) need of the large arm, in any unit; never NaN."""

    def estimate(self, cases: CaseBatch) -> NDArray[np.float64]:
        """(n, A) estimated P(correct); NaN from a policy that does not estimate it."""
        return np.full((len(cases), len(cases.arms)), np.nan)

    def judge(self, cases: CaseBatch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """`score` and `estimate`; a rule that makes both of one model makes them here at once."""
        return self.score(cases), self.estimate(cases)

    def check_features(self, cases: CaseBatch) -> None:
        """`PolicyError` where another featuriser made the blocks."""
        if self.fingerprint and cases.fingerprint != self.fingerprint:
            raise PolicyError(
                f"{self.name} was set on features {self.fingerprint}, these are "
                f"{cases.fingerprint}: tune or fit it again (`ockham policy tune`)"
            )

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        small, large = cases.columns("small", "none"), cases.columns("large", "none")
        self.check_features(cases)
        score, quality = self.judge(cases)
        wants = score >= self.threshold
        fresh = last_call_failed(cases)
        open_ = cases.open
        arm = np.where(wants, first_open(open_, large + small), first_open(open_, small + large))
        arm = np.where(fresh, arm, STOP)
        got_large = np.isin(arm, large)
        reasons = {
            "above-threshold": fresh & wants,
            "below-threshold": fresh & ~wants,
            "tier-unavailable": (arm != STOP) & (got_large != wants),
            "one-call": ~fresh,
            "nothing-left": fresh & (arm == STOP),
        }
        choice = choose_from(cases, arm, reasons, _SENTENCES)
        return replace(choice, quality=quality)


@register
class PromptLength(ThresholdPolicy):
    """score = log(1 + characters of the prompt)."""

    name: ClassVar[str] = "prompt-length"
    needs: ClassVar[Needs] = Needs(features=frozenset({"lengths"}))

    def score(self, cases: CaseBatch) -> NDArray[np.float64]:
        return np.asarray(cases.block("lengths")[:, 0], dtype=np.float64)


@register
class VerifiabilityThreshold(ThresholdPolicy):
    """score = 1 - P(verifiable): the hypothesis taken at its word, before any answer is seen."""

    name: ClassVar[str] = "verifiability-threshold"
    needs: ClassVar[Needs] = Needs(features=frozenset({"axes"}))

    def score(self, cases: CaseBatch) -> NDArray[np.float64]:
        return 1.0 - np.asarray(cases.block("axes")[:, 0], dtype=np.float64)
