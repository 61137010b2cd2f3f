"""One face for the verifiers: which one an attempt will meet, and its verdict.

What: `kind_for` is decided from the query alone, before an arm runs, so that a stream can
say whether its text may still be thrown away. `verify` never raises for what an answer
holds. What not: it does not choose what happens after a failed check (a policy does).
"""

import asyncio
import time
from typing import Literal

from router.samples import AttemptStatus
from router.state import Attempt, Query, Signals, Verdict
from router.verify.asked import asks_for_code
from router.verify.citations import check_citations
from router.verify.clusters import AnswerClusters
from router.verify.code import check_code, extract_code
from router.verify.equations import states_formula
from router.verify.equivalence import EquivalenceChecker
from router.verify.examples import read_examples
from router.verify.languages import language_of
from router.verify.math import check_math
from router.verify.runner import Runner
from router.verify.sandbox import Sandbox
from router.verify.stated import StatedChecks, kind_of
from router.verify.support import Encode
from router.verify.text import final_answer

__all__ = ["Kind", "Verifiers", "answer_is_closed"]

Kind = Literal["math", "code", "grounding", "format", "logic", "none"]

MATH_SECONDS = 5.0
"""Never reached by bounded inputs; if it is, the verdict is unchecked and the run goes on."""
SHORT = 160
"""Characters of question and answer whose arithmetic is done where it stands, without a thread."""


class Verifiers:
    """All run-time checks, with the one sandbox they share. `close()` ends their processes.

    encode: the signals' encoder, for claims against passages; without it words decide alone.
    """

    def __init__(self, sandbox: Runner | None = None, encode: Encode | None = None) -> None:
        self._encode = encode
        self.sandbox: Runner = sandbox or Sandbox()
        self._stated = StatedChecks()
        self._equivalence = EquivalenceChecker()

    def close(self) -> None:
        """End the processes that checks started; a later check starts new ones."""
        self._stated.close()
        self._equivalence.close()

    def clusters(self, query: Query, kind: Kind) -> AnswerClusters:
        """Which of several answers to this query are the same."""
        return AnswerClusters(query.text, kind, self.sandbox, self._equivalence)

    def kind_for(self, query: Query, signals: Signals, context: Literal["none", "index"]) -> Kind:
        """The check that an answer to this query meets; known before any arm runs."""
        text = query.text
        if query.checks:
            return kind_of(query.checks)
        if context == "index":
            return "grounding"
        examples = bool(read_examples(text))
        if asks_for_code(text, has_examples=examples) and (signals.domain == "code" or examples):
            return _of_code(query)
        if signals.domain == "math" or states_formula(text):
            return "math"
        return _of_code(query) if signals.domain == "code" else "none"

    async def verify(self, query: Query, signals: Signals, attempt: Attempt, kind: Kind) -> Verdict:
        """Check one attempt."""
        started = time.perf_counter()
        verdict = _without_answer(attempt, kind) or await self._check(query, attempt, kind)
        if attempt.answerable is not None:
            known = {**verdict.measured, "answerable": attempt.answerable}
            verdict = verdict.model_copy(update={"measured": known})
        if attempt.status is AttemptStatus.PROVISIONAL and verdict.passed is not True:
            told = (
                f"The thinking never closed, and no check carries its last box: {verdict.status}."
            )
            verdict = _failed(kind, "provisional", told)
        return verdict.model_copy(update={"seconds": time.perf_counter() - started})

    async def _check(self, query: Query, attempt: Attempt, kind: Kind) -> Verdict:
        if kind in ("format", "logic"):
            return await asyncio.to_thread(self._stated.verdict, query.checks, attempt.text)
        if kind == "grounding":
            return await asyncio.to_thread(check_citations, query.text, attempt, self._encode)
        if kind == "code":
            return await check_code(query.text, attempt.text, self.sandbox)
        if kind == "math":
            if len(query.text) + len(attempt.text) <= SHORT:
                return check_math(query.text, attempt.text)
            # Off the event loop: other streams must not wait for arithmetic.
            work = asyncio.to_thread(check_math, query.text, attempt.text)
            try:
                return await asyncio.wait_for(work, MATH_SECONDS)
            except TimeoutError:
                told = (f"The check took longer than {MATH_SECONDS:.0f} s.",)
                return Verdict(kind="math", passed=None, status="timeout", evidence=told)
        told = ("No check can reject an answer to this question.",)
        return Verdict(kind="none", passed=None, status="not_applicable", evidence=told)


def _of_code(query: Query) -> Kind:
    """Only Python is run."""
    return "none" if language_of([m.content for m in query.messages]) else "code"


def _without_answer(attempt: Attempt, kind: Kind) -> Verdict | None:
    """The verdict on an attempt that leaves nothing to check."""
    if attempt.status is AttemptStatus.FAILED:
        return _failed(kind, "failed", attempt.error or "The call failed.")
    if attempt.status is AttemptStatus.ABSTAINED:
        return _failed(kind, "abstained", "The reader found no answer in the passages.")
    if attempt.status is AttemptStatus.NO_ANSWER:
        return _failed(kind, "no_answer", "The attempt holds no answer.")
    if attempt.status is AttemptStatus.TRUNCATED and not answer_is_closed(attempt.text, kind):
        return _failed(kind, "no_answer", "The token cap was reached before the answer closed.")
    return None


def answer_is_closed(text: str, kind: str) -> bool:
    """Did the answer close before the token cap cut the text off?"""
    if kind == "code":
        return "```" in text and extract_code(text) is not None
    answer = final_answer(text) if kind == "math" else None
    # A bare last line proves nothing where the text was cut: it may be a number's first half.
    return answer is not None and answer.how == "boxed"


def _failed(kind: Kind, status: str, told: str) -> Verdict:
    return Verdict(kind=kind, passed=False, status=status, evidence=(told,))
