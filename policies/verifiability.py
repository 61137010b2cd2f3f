"""Thresholds on the two axes; escalate on a failed check.

What can be checked, and needs no facts, starts on the small arm: a wrong answer is
caught, and only then paid for twice. What needs knowledge starts at the index with the
small reader, then goes to a large model; the small model alone is its last resort.
After every attempt: a passed check ends the run; a failed check, an abstention, an
incomplete answer or a dead call escalates. An answer that nothing could check is kept,
except a small model's answer to a question that needs facts: unsupported, it escalates.

    checkable, no facts needed     small, large
    facts needed                   small+index, large, large+index   (last resort: small)
    facts needed, and not there    large, small+index, large+index   (last resort: small)
    a repository needed            large, large+index                (last resort: small+index)
    neither (open)                 small, large

"Not there": P(the passages that were found hold the answer) < tau_answerable, where somebody
looked; where nobody did, the index is tried first and its reader says.

The rule is the Compression-Coverage hypothesis taken at its word (VibeThinker-3B report,
arXiv 2606.16140, section 5); whether it pays is what `eval` measures.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from policies.case import (
    ABSTAINED,
    ANSWERED,
    FAILED,
    INCOMPLETE,
    NEEDS,
    NONE,
    STOP,
    CaseBatch,
    ChoiceBatch,
)
from policies.policy import Needs, Policy, choose_from, first_open, last_call_failed, register

__all__ = ["Verifiability"]

_SENTENCES = {
    "verifiable": "an answer can be checked at run time, so start small",
    "knowledge": "needs facts beyond the prompt, so ask the index or a large model",
    "found": "the passages that were found probably hold the answer, so the index is read first",
    "not-found": "the passages that were found hardly hold the answer, so the index comes last",
    "repository": "many files, a build or tools are at stake, so ask a large model",
    "open": "neither checkable nor in need of facts, so the small model will do",
    "not-capable": "the small model is not made for this language, so it comes last",
    "escalate-failed-check": "the last answer failed its check",
    "escalate-unchecked": "nothing supports the last answer",
    "escalate-no-answer": "the last attempt gave no complete answer",
    "escalate-abstained": "the passages do not hold the answer",
    "escalate-call-failed": "the last call failed",
    "last-resort": "nothing better can be run, so the small model answers alone",
    "not-made-for-it": "no arm that is made for the query can be run, so another one answers",
    "check-passed": "the answer passed its check",
    "unchecked-kept": "nothing could check the answer, so it is kept as it is",
    "nothing-left": "no further arm can be run, so the best attempt so far is returned",
}


@register
class Verifiability(Policy):
    """Route by `verifiability >= tau_verifiability` and `knowledge >= tau_knowledge`."""

    name: ClassVar[str] = "verifiability"
    needs: ClassVar[Needs] = Needs(
        features=frozenset({"axes", "needs"}),
        attempts=frozenset({"outcome", "passed"}),
        optional=frozenset({"answerability"}),
    )

    tau_verifiability: float = Field(default=0.5, ge=0, le=1)
    tau_knowledge: float = Field(default=0.4, ge=0, le=1)
    """Below one half on purpose: a needless look-up costs a cent, a missed one a wrong guess."""
    tau_answerable: float = Field(default=0.5, ge=0, le=1)
    """More likely not there than there: set by what the words mean, tuned on nothing."""
    tau_repository: float = Field(default=0.5, ge=0, le=1)
    escalate_unchecked: bool = False
    """Also escalate answers that no check could judge."""

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        axes = cases.block("axes")
        repository = cases.block("needs")[:, NEEDS.index("repository")] >= self.tau_repository
        knowledge = ~repository & (axes[:, 1] >= self.tau_knowledge)
        verifiable = ~repository & ~knowledge & (axes[:, 0] >= self.tau_verifiability)
        answerable = cases.optional("answerability")
        last = _Last(cases)
        beyond_small = (knowledge | repository) & last.small
        kept = last.unchecked & ~beyond_small & (not self.escalate_unchecked)
        done = last.passed | kept
        absent = knowledge & (answerable < self.tau_answerable)
        if done.all():  # most live decisions after an attempt: no ladder is climbed
            arm, resort = np.full(len(cases), STOP), np.zeros(len(cases), dtype=bool)
        else:
            target, resort = self._next(cases, knowledge, absent, repository)
            arm = np.where(done, STOP, target)
        fresh, goes_on = last.none, arm != STOP
        bare = np.array([a.tier == "small" and a.context == "none" for a in cases.arms])
        alone = goes_on & bare[arm]
        reasons = {
            "verifiable": fresh & verifiable,
            "knowledge": fresh & knowledge,
            "found": fresh & knowledge & (answerable >= self.tau_answerable),
            "not-found": fresh & absent,
            "repository": fresh & repository,
            "open": fresh & ~verifiable & ~knowledge & ~repository,
            "not-capable": fresh & ~np.all(cases.capable | ~cases.available, axis=1),
            "escalate-failed-check": last.failed_check & goes_on,
            "escalate-unchecked": last.unchecked & goes_on,
            "escalate-no-answer": last.incomplete & goes_on,
            "escalate-abstained": last.abstained & goes_on,
            "escalate-call-failed": last.call_failed & goes_on,
            "last-resort": resort & alone,
            "not-made-for-it": resort & goes_on & ~alone,
            "check-passed": last.passed,
            "unchecked-kept": kept,
            "nothing-left": ~done & ~goes_on,
        }
        return choose_from(cases, arm, reasons, _SENTENCES)

    def _next(
        self,
        cases: CaseBatch,
        knowledge: NDArray[np.bool_],
        absent: NDArray[np.bool_],
        repository: NDArray[np.bool_],
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """(n,) the next column of each row's ladder, and where it is the last resort."""
        small, small_index = cases.columns("small", "none"), cases.columns("small", "index")
        large, large_index = cases.columns("large", "none"), cases.columns("large", "index")
        open_ = cases.open
        can = open_ & cases.capable
        facts = np.where(
            absent,
            first_open(can, large + small_index + large_index),
            first_open(can, small_index + large + large_index),
        )
        plain = first_open(can, small + large)
        many_files = first_open(can, large + large_index)
        target = np.where(repository, many_files, np.where(knowledge, facts, plain))
        # The last resort is for rows with nothing said yet: a closed-book guess must not
        # replace the honest "the passages do not hold it".
        resort = (target == STOP) & last_call_failed(cases)
        if not resort.any():
            return target, resort
        # Facts from the small model alone are worse than from any arm that is not made for the
        # query's language.
        anything = np.select(
            [repository, absent, knowledge],
            [
                first_open(open_, large + large_index + small_index + small),
                first_open(open_, large + small_index + large_index + small),
                first_open(open_, small_index + large + large_index + small),
            ],
            first_open(open_, small + small_index + large + large_index),
        )
        return np.where(resort, anything, target), resort


class _Last:
    """What the last attempt of each row says, as (n,) flags."""

    def __init__(self, cases: CaseBatch) -> None:
        a = cases.attempts
        n = len(cases)
        made = (a.outcome != NONE).sum(axis=1)
        self.none: NDArray[np.bool_] = made == 0
        if a.outcome.shape[1] == 0:
            outcome, passed = np.zeros(n, dtype=np.int64), np.full(n, np.nan)
            arm = np.zeros(n, dtype=np.int64)
        else:
            rows, slot = np.arange(n), np.maximum(made - 1, 0)
            outcome, passed = a.outcome[rows, slot], a.passed[rows, slot]
            arm = np.maximum(a.arm[rows, slot], 0)
        answered = outcome == ANSWERED
        self.small: NDArray[np.bool_] = np.array([x.tier == "small" for x in cases.arms])[arm]
        self.passed: NDArray[np.bool_] = answered & (passed == 1.0)
        self.failed_check: NDArray[np.bool_] = answered & (passed == 0.0)
        self.unchecked: NDArray[np.bool_] = answered & np.isnan(passed)
        self.incomplete: NDArray[np.bool_] = outcome == INCOMPLETE
        self.abstained: NDArray[np.bool_] = outcome == ABSTAINED
        self.call_failed: NDArray[np.bool_] = outcome == FAILED
