"""An answer from passages, statement by statement: is each supported by what it cites?

    no answer, no citation, a passage that was not shown, an invented quote    failed
    a statement whose P(supported) is below the lower threshold                failed
    a statement that cites nothing, or lies between the thresholds             could not be told
    every statement at or above the upper threshold                            passed

P(supported) is `router.verify.support`'s, of words and meaning; of several passages the best
counts. Without an encoder the words decide alone, by the older rule (`router.verify.grounding`),
which fails most paraphrases. What it does not do: check that the statements are all that was asked
for, or that the passage is right.
"""

import re
import time
from collections.abc import Sequence

from router.state import Attempt, CitedClaim, Verdict
from router.verify.finding import Finding, as_verdict
from router.verify.grounding import (
    SUPPORTED,
    answer_of,
    check_grounding,
    numbers_of,
    unusable,
    words_of,
)
from router.verify.support import (
    Encode,
    Statement,
    Support,
    load_support,
    meaning,
    word_features,
)

__all__ = ["check_citations", "claims_of"]

MAX_CLAIMS = 12
"""Statements that are checked; an answer with more is not told."""
MAX_CHARS = 4_000
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'“(])")


def check_citations(
    question: str, attempt: Attempt, encode: Encode | None = None, support: Support | None = None
) -> Verdict:
    """The verdict on an answer from passages, with its claims."""
    if encode is None:
        return check_grounding(question, attempt)
    started = time.perf_counter()
    finding = unusable(attempt)
    if finding is not None:
        return as_verdict("grounding", finding, started)
    claims = claims_of(attempt)
    if len(claims) > MAX_CLAIMS:
        told = f"The answer makes {len(claims)} statements; {MAX_CLAIMS} are checked at most."
        return as_verdict("grounding", Finding(None, "unchecked", evidence=(told,)), started)
    checked = _checked(question, claims, attempt, encode, support or load_support())
    verdict = as_verdict("grounding", _together(checked), started)
    least = min((c.support for c in checked if c.support is not None), default=None)
    if least is None:
        return verdict.model_copy(update={"claims": checked})
    right = {"confidence": _p_right(attempt, least)} if verdict.passed else {}
    return verdict.model_copy(update={"claims": checked, "measured": {"support": least}, **right})


def _p_right(attempt: Attempt, support: float) -> float:
    """P(right) of an answer that passed: P(the passages hold the answer) x P(they support it).

    A small reader that can only quote is nearly always supported, so the first factor tells. The
    judge is calibrated for passages that were searched for; others keep the stated value.
    """
    searched = any(passage.dense is not None for passage in attempt.passages)
    if attempt.answerable is None or not searched:
        return SUPPORTED
    return support * attempt.answerable


def claims_of(attempt: Attempt) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The statements of an answer, each with the numbers of the passages it cites."""
    if not any(c.claim for c in attempt.citations):
        cited = tuple(c.number for c in attempt.citations)
        return tuple((sentence, cited) for sentence in _sentences(answer_of(attempt)))
    own: dict[str, tuple[int, ...]] = {}
    rest = answer_of(attempt)
    for citation in attempt.citations:
        own[citation.claim] = (*own.get(citation.claim, ()), citation.number)
        rest = rest.replace(citation.claim, " ", 1)
    uncited = [(s, ()) for s in _sentences(rest) if words_of(s) or numbers_of(s)]
    return (*own.items(), *uncited)


def _sentences(text: str) -> list[str]:
    return [s.strip() for s in _SENTENCE.split(text) if s.strip()]


def _checked(
    question: str,
    claims: Sequence[tuple[str, tuple[int, ...]]],
    attempt: Attempt,
    encode: Encode,
    support: Support,
) -> tuple[CitedClaim, ...]:
    pairs = [
        (i, Statement(claim[:MAX_CHARS], question[:MAX_CHARS], p.title, p.text[:MAX_CHARS]))
        for i, (claim, numbers) in enumerate(claims)
        for p in (attempt.passages[n - 1] for n in numbers)
    ]
    best: dict[int, tuple[float, dict[str, float]]] = {}
    meant = meaning([one for _, one in pairs], encode)
    for (i, one), values in zip(pairs, meant, strict=True):
        told = word_features(one) | values
        p = support.probability(told)
        if i not in best or p > best[i][0]:
            best[i] = (p, told)
    return tuple(_claim(c, numbers, best.get(i), support) for i, (c, numbers) in enumerate(claims))


def _claim(
    claim: str,
    numbers: tuple[int, ...],
    found: tuple[float, dict[str, float]] | None,
    support: Support,
) -> CitedClaim:
    if found is None:
        told = "It cites no passage."
        return CitedClaim(
            claim=claim, passages=(), passed=None, status="no_citation", evidence=told
        )
    p, values = found
    passed = True if p >= support.passes else False if p < support.fails else None
    status = "passed" if passed else "unchecked" if passed is None else "unsupported"
    where = f"passage {', '.join(map(str, numbers))}"
    said = (
        "supports it" if passed else "may support it" if passed is None else "does not support it"
    )
    return CitedClaim(
        claim=claim, passages=numbers, passed=passed, status=status, support=p,
        evidence=f"{where.capitalize()} {said} (P {p:.2f}){_why(values, passed)}.",
    )  # fmt: skip


def _why(values: dict[str, float], passed: bool | None) -> str:
    """What the words lack, where that is why."""
    if passed:
        return ""
    lacks = {
        "a number is not there": values["numbers_missing"],
        "a name is not there": values["names_missing"],
        "what was asked about is not there": values["subject_missing"],
        "it denies what the passage says": values["negation"],
    }
    found = [why for why, value in lacks.items() if value]
    return f": {', '.join(found)}" if found else ""


def _together(checked: Sequence[CitedClaim]) -> Finding:
    told = tuple(f"{c.claim[:80]!r}: {c.evidence}" for c in checked)
    if any(c.passed is False for c in checked):
        worst = tuple(t for t, c in zip(told, checked, strict=True) if c.passed is False)
        return Finding(False, "unsupported", evidence=worst)
    if not checked or any(c.passed is None for c in checked):
        open_ = tuple(t for t, c in zip(told, checked, strict=True) if c.passed is None)
        return Finding(None, "unchecked", evidence=open_)
    return Finding(True, "passed", SUPPORTED, told)
