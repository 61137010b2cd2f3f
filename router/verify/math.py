"""Checking a mathematical answer at run time, without knowing the right one.

What is covered
- A closed answer is there and is a number or an expression.
- Every stated arithmetic step recomputes exactly (`steps`).
- The steps hang together: all figures of the question go in, every result is used, the
  last one is the answer (`derivation`).
- Where the question states an expression or equations, the answer is put back (`equations`).

What is not covered
- Whether the steps are the *right* steps: a consistent derivation of a wrong model of the
  problem can pass the steps-only check. Its confidence says so.
- Proofs, geometry, words for numbers in the steps, irrational results.

`passed` is True only where a check held that could have failed. The confidence is P(right):
for numeric answers that are not put back, from all that the answer shows (`evidence`), as
`ockham verify calibrate` fitted it on grade-school word problems; put back, as stated here.
"""

import re
import time
from collections.abc import Sequence

from router.state import Verdict
from router.verify.arithmetic import show
from router.verify.concluding import closed_answer
from router.verify.confidence import MATH_CONFIDENCE, load_confidence
from router.verify.derivation import gap_in
from router.verify.equations import plug_back
from router.verify.evidence import EVIDENCE, math_evidence
from router.verify.finding import Finding, as_verdict
from router.verify.steps import Step, read_steps
from router.verify.text import ClosedAnswer, boxes, strip_thinking
from router.verify.values import Value, parse_value

__all__ = ["check_math", "examine"]

MAX_CHARS = 100_000
"""Of the text after the thinking: longer ones are not checked (status "too_long")."""

PLUGGED_BACK = 0.99
"""P(right) of an answer that holds when it is put back, and P(wrong) of one that does not."""

_NUMERIC_QUESTION = re.compile(
    r"\b(?:how (?:many|much|old|long|far|tall|fast|often)|what(?:'s| is| are)? the (?:total|sum"
    r"|product|value|number|area|volume|perimeter|average|probability|remainder|difference|ratio|cost"
    r"|price)"
    r"|compute|calculate|evaluate|solve|find the (?:value|number|sum|area|total|probability))\b",
    re.IGNORECASE,
)
_SYMBOLIC = re.compile(r"\\[a-zA-Z]+|[\^_=+*/{}<>√π∞∪]|\d\s*[a-z]\b|^[a-zA-Z]$|[\[(].*\d.*[\])]")


def check_math(question: str, response: str) -> Verdict:
    """Check a response against itself and its question. Never raises for bad content."""
    started = time.perf_counter()
    finding = examine(question, response)
    if finding.weighed:
        row = math_evidence(question, response, finding.passed)
        sure = load_confidence(MATH_CONFIDENCE, EVIDENCE).probability([row])[0]
        finding = finding._replace(confidence=float(sure))
    return as_verdict("math", finding, started)


def examine(question: str, response: str) -> Finding:
    """`check_math` without its fitted confidence, which is made of this."""
    text = strip_thinking(response)
    if len(text) > MAX_CHARS:
        return Finding(None, "too_long", evidence=(f"More than {MAX_CHARS} characters.",))
    steps = read_steps(text)
    closed = closed_answer(text)
    if closed is None:
        return Finding(False, "no_answer", evidence=("No closed answer was found.",))
    value = parse_value(closed.text)
    if value is None and not _SYMBOLIC.search(closed.text):
        return _unparsed(question, closed)
    if len({_squeezed(box) for box in boxes(text)}) > 1:
        return Finding(None, "ambiguous", evidence=("Several different answers are boxed.",))
    return _recompute(question, text, steps, closed, value)


def _squeezed(box: str) -> str:
    return "".join(box.split())


def _unparsed(question: str, closed: ClosedAnswer) -> Finding:
    told = f"The answer {closed.text[:80]!r} is neither a number nor an expression."
    if _NUMERIC_QUESTION.search(question[:MAX_CHARS]):
        return Finding(False, "unparsed", evidence=(told,))
    return Finding(None, "unchecked", evidence=(told,))


def _recompute(
    question: str,
    text: str,
    steps: Sequence[Step],
    closed: ClosedAnswer,
    value: Value | None,
) -> Finding:
    plugged = plug_back(question, closed.text, text.rsplit("\n", 1)[-1])
    wrong = [step for step in steps if not step.holds]
    told: tuple[str, ...] = (plugged.evidence,) if plugged else ()
    if plugged and plugged.holds is False:
        return Finding(False, "failed", 1 - PLUGGED_BACK, told)
    if wrong:
        told = (*told, *map(_named, wrong[:5]))
        return Finding(False, "failed", evidence=told, weighed=value is not None)
    if plugged and plugged.holds:
        return Finding(True, "passed", PLUGGED_BACK, told)
    if plugged is None and value is not None and (reason := gap_in(question, steps, value)):
        return Finding(None, "unchecked", evidence=(reason,), weighed=True)
    if plugged is None and value is not None:
        count = sum(not step.trivial for step in steps)
        evidence = f"{count} steps recompute, and the last one gives {closed.text}."
        return Finding(True, "passed", evidence=(evidence,), weighed=True)
    return Finding(None, "unchecked", evidence=told or ("The answer is symbolic.",))


def _named(step: Step) -> str:
    return f"{step.text} is wrong: it comes to {show(step.exact)}."[:200]
