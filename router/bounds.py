"""What a caller bounds of a run: USD, seconds, P(right). The settings' limits hold as well.

Seconds are the deadline, and more: an arm that takes longer here is passed over where a faster
one can be run. `min_confidence` sends an answer that the policy would keep to another arm, where
its verdict knows P(right) and it is below. A bound never makes an answer be thrown away.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from policies import STOP, CaseBatch, ChoiceBatch, Outcome, first_open
from policies.policy import prefer_capable
from policies.wrapper import with_reasons
from router.settings import LimitSettings
from router.state import Bounds, Verdict

__all__ = [
    "Left",
    "escalated",
    "left_of",
    "most_seconds",
    "seconds_left",
    "time_limit",
    "too_slow",
    "unmet",
]

_SENTENCES = {
    "below-min-confidence": "P(right) of the best answer is below the min_confidence asked for"
}


@dataclass(frozen=True, slots=True)
class Left:
    """What a run may still spend."""

    request_usd: float
    """Under limits.max_cost_usd and the caller's max_cost_usd."""
    tenant_usd: float = float("inf")
    """Of the budget that pays for it."""
    cap: str = "limits.max_cost_usd"
    """What sets the request's."""

    @property
    def usd(self) -> float:
        """The smaller one."""
        return min(self.request_usd, self.tenant_usd)


def left_of(limits: LimitSettings, bounds: Bounds, spent: float, tenant_usd: float) -> Left:
    """What a run has left that has spent so much, USD."""
    own = bounds.max_cost_usd
    if own is not None and own < limits.max_cost_usd:
        return Left(own - spent, tenant_usd, "max_cost_usd")
    return Left(limits.max_cost_usd - spent, tenant_usd)


def most_seconds(limits: LimitSettings, bounds: Bounds) -> float:
    """Most seconds of a run."""
    own = bounds.max_seconds
    return limits.timeout_s if own is None else min(limits.timeout_s, own)


def time_limit(limits: LimitSettings, bounds: Bounds) -> str:
    """The setting or field that bounds a run's seconds, and its value."""
    seconds = most_seconds(limits, bounds)
    name = "limits.timeout_s" if seconds == limits.timeout_s else "max_seconds"
    return f"{name} = {seconds:g}"


def too_slow(seconds: Mapping[str, float], left_s: float) -> dict[str, str]:
    """Of arms with their predicted seconds (NaN: unknown) those that would end too late, and why.

    Empty where that is all of them: a prediction must not leave a caller without an answer.
    """
    slow = {
        name: f"its answers take about {s:.1f} s here, above the {max(left_s, 0):.1f} s left "
        "under max_seconds"
        for name, s in seconds.items()
        if s > left_s
    }
    return slow if len(slow) < len(seconds) else {}


def escalated(choice: ChoiceBatch, case: CaseBatch, bounds: Bounds) -> ChoiceBatch:
    """The choice of a batch of one; where it stops below `min_confidence`, another arm's turn.

    A larger arm first. Where none is left, an answer that reaches the bound is preferred.
    """
    least, at = bounds.min_confidence, int(choice.attempt[0])
    if least is None or choice.arm[0] != STOP or at < 0:
        return choice
    known = case.attempts.confidence[0]
    if not known[at] < least:  # also where it is not known
        return choice
    answered = case.attempts.outcome[0] == Outcome.ANSWERED
    reached = np.flatnonzero(answered & (known >= least))
    if reached.size:
        return replace(choice, attempt=np.array([reached[np.argmax(known[reached])]]))
    can = prefer_capable(case, case.open)
    arm = first_open(can, case.columns("large") + case.columns("small"))
    if arm[0] == STOP:
        return choice
    probability = np.zeros_like(choice.probability)
    probability[0, arm[0]] = 1.0
    asked = replace(choice, arm=arm, attempt=np.array([-1]), probability=probability)
    flag = {"below-min-confidence": np.array([True])}
    return with_reasons(asked, flag, _SENTENCES)


def unmet(bounds: Bounds, verdict: Verdict) -> str | None:
    """What to tell of an answer that does not reach the bound; None where it does."""
    least = bounds.min_confidence
    if least is None or (verdict.passed is True and verdict.confidence is None):
        return None
    if verdict.confidence is None:
        return f"P(right) is not known, so min_confidence {least:g} could not be held against it"
    if verdict.confidence < least:
        return f"P(right) {verdict.confidence:.2f} is below the min_confidence {least:g} asked for"
    return None


def seconds_left(bounds: Bounds, deadline: float) -> float | None:
    """Seconds until the deadline, where the caller bounds them."""
    return None if bounds.max_seconds is None else deadline - time.perf_counter()
