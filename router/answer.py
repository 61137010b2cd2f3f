"""From a finished run to what the caller gets: the answer, its price, its explanation.

The all-large figure is a counterfactual, so an estimate: one call of the reference model
with this run's own prompt (no passages) and as many completion tokens as the returned
answer has, by the answering model's tokenizer. A larger model may write more or less.
"""

import time
from collections.abc import Sequence
from typing import Literal

from policies import OnlyArm, Policy
from router.bounds import unmet
from router.config import Settings
from router.errors import (
    BudgetError,
    InputError,
    NoAnswerError,
    RejectedError,
    TooLateError,
    TooLongError,
)
from router.models.prices import reference_price
from router.runlog import trace_of
from router.samples import AttemptStatus
from router.state import Answer, ArmEstimate, Attempt, Decision, RunState, Signals, Verdict

__all__ = ["TOKEN_MODEL", "conclude", "returned"]

TOKEN_MODEL = "this run's own prompt and answer tokens, without passages"  # noqa: S105
"""Name of the token model behind the all-large estimate."""


def conclude(
    settings: Settings,
    policy: Policy,
    state: RunState,
    started: float,
    tenant_usd: float = float("inf"),
) -> Answer:
    """The answer of a finished run.

    Args:
        tenant_usd: what the budget that paid has left.

    Raises:
        BudgetError: nothing was said that could be returned, and an arm that could have been
            run was not, because the budget does not hold its worst case.
        InputError: the caller's own max_cost_usd lets no arm be run that could be, or no model
            of the configuration can do what the request needs.
        TooLateError: nothing was said that could be returned within the caller's max_seconds.
        TooLongError: the prompt fits the context of no model that was asked or could be.
        RejectedError: every model that was asked says that it cannot serve this request.
        NoAnswerError: nothing was said that could be returned; the message tells why each
            arm failed or could not be run.
    """
    decision, attempts = state["decision"], state["attempts"]
    index = decision.attempt
    if index is None or not _says_something(attempts[index], state["verdicts"][index]):
        raise _no_answer(settings, policy, state, time.perf_counter() - started, tenant_usd)
    best, verdict = attempts[index], state["verdicts"][index]
    verified = verdict.passed is True
    return Answer(
        answer=best.text,
        route=tuple(a.arm for a in attempts),
        arm=best.arm,
        model=best.model,
        verdict=verdict,
        verified=verified,
        finish=_finish(best),
        choices=best.choices,
        cost_usd=sum(a.cost_usd for a in attempts),
        prompt_tokens=sum(a.prompt_tokens for a in attempts),
        completion_tokens=sum(a.completion_tokens for a in attempts),
        all_large_usd_estimate=_all_large(settings, state, best),
        citations=best.citations,
        note=_noted(state, decision, best, verdict),
        signals=state["signals"],
        trace=trace_of(policy, state, started),
    )


def returned(answer: Answer) -> Attempt:
    """The attempt whose text the answer is: the last one of its arm."""
    made = [step.attempt for step in answer.trace.steps if step.attempt is not None]
    return next(a for a in reversed(made) if a.arm == answer.arm)


_CUT = (AttemptStatus.TRUNCATED, AttemptStatus.PROVISIONAL)


def _finish(best: Attempt) -> Literal["stop", "length", "tool_calls"]:
    if best.status in _CUT:
        return "length"
    called = best.choices and best.choices[0].get("finish_reason") == "tool_calls"
    return "tool_calls" if called else "stop"


def _says_something(attempt: Attempt, verdict: Verdict) -> bool:
    """Whether an attempt can be returned: a provisional one only if its check passed."""
    if attempt.status is AttemptStatus.PROVISIONAL:
        return verdict.passed is True
    said = attempt.text or attempt.choices
    return bool(said) and attempt.status is not AttemptStatus.FAILED


def _all_large(settings: Settings, state: RunState, best: Attempt) -> float:
    bare = next((a.one_call[0] for a in state["attempts"] if not a.passages), None)
    if not bare:
        bare = sum(len(m.content) for m in state["query"].messages) // 4 + 8
    return reference_price(settings).cost(bare, best.one_call[1])


def _noted(state: RunState, decision: Decision, best: Attempt, verdict: Verdict) -> str | None:
    """What to know of the answer; None where it is verified and reaches what was asked for."""
    missed = unmet(state["query"].bounds, verdict)
    if verdict.passed is True:
        return missed
    note = _note(decision, best, verdict, state["signals"])
    return f"{note}; {missed}" if missed else note


def _note(decision: Decision, best: Attempt, verdict: Verdict, signals: Signals) -> str:
    """Why the answer is not verified, and what would have helped."""
    parts = [f"unverified: {_why_unverified(best, verdict)}"]
    missing = [
        f"{name}: {arm.why_not.split(':')[0]}"
        for name, arm in decision.arms.items()
        if arm.why_not and name != best.arm
    ]
    wanted = verdict.passed is False or signals.domain == "knowledge"
    if missing and wanted:
        parts.append("could not be run: " + ", ".join(missing))
    return "; ".join(parts)


def _why_unverified(best: Attempt, verdict: Verdict) -> str:
    if best.status is AttemptStatus.TRUNCATED:
        return "it was cut at the token cap"
    if best.status is AttemptStatus.ABSTAINED:
        return "the passages do not hold the answer"
    if verdict.passed is False:
        return f"its check failed ({verdict.evidence[0] if verdict.evidence else verdict.status})"
    return "nothing could check it"


def _no_answer(
    settings: Settings, policy: Policy, state: RunState, seconds: float, tenant_usd: float
) -> BudgetError | InputError | NoAnswerError:
    """The error says whose turn it is: who pays, who asks, or who runs the models.

    Args:
        seconds: that the run took.
    """
    decision, attempts = state["decision"], state["attempts"]
    what = _nothing(decision, attempts)
    arms = [
        arm
        for name, arm in decision.arms.items()
        if not isinstance(policy, OnlyArm) or name == policy.arm
    ]
    if any(arm.over_budget for arm in arms):
        return BudgetError(what, tenant_usd)
    if not attempts and all(arm.unable for arm in arms):
        return InputError(what)
    bounds = state["query"].bounds
    if bounds.max_seconds is not None and bounds.max_seconds <= seconds:
        return TooLateError(f"{what}\n  the run ended with max_seconds = {bounds.max_seconds:g}")
    own = bounds.max_cost_usd
    bounded = own is not None and own < settings.limits.max_cost_usd
    if bounded and not attempts and any(arm.over_cap for arm in arms):
        return InputError(what)
    return _at_fault(attempts, arms)(what)


def _at_fault(attempts: Sequence[Attempt], arms: Sequence[ArmEstimate]) -> type[NoAnswerError]:
    """Whether the request itself is to blame, so that asking again would end the same."""
    faults = {attempt.fault for attempt in attempts}
    if None in faults or any(arm.away for arm in arms):  # they may answer it another time
        return NoAnswerError
    if "rejected" in faults:
        return RejectedError
    return TooLongError if faults or any(arm.too_long for arm in arms) else NoAnswerError


def _nothing(decision: Decision, attempts: Sequence[Attempt]) -> str:
    lines = ["no answer:"]
    lines += [f"  {a.arm}: {a.error or a.status.value}" for a in attempts]
    tried = {a.arm for a in attempts}
    lines += [
        f"  {name}: {arm.why_not}"
        for name, arm in decision.arms.items()
        if arm.why_not and name not in tried
    ]
    if len(lines) == 1:
        lines += [f"  {reason}" for reason in decision.reasons]
    return "\n".join(lines)
