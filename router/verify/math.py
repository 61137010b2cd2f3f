"""Checking a mathematical answer at run time, without knowing the right one.

What is covered
- A closed answer is there and is a number or an expression.
- Every stated arithmetic step recomputes exactly (`steps`).
- The steps hang together: all figures of the question go in, every result is used, the
  last one is the answer (`derivation`).
- Where the question states an expression or equations, the answer is put back (`equations`).

What is not covered
- Whether the steps are the *right* steps: a consistent derivation of a wrong model of the
  problem passes the steps-only check, with the confidence of all answers that look like it
  (eval/README.md says how many of the wrong ones pass).
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
from router.verify.confidence import MATH_CONFIDENCE, load_confidence
from router.verify.derivation import gap_in
from router.verify.equations import PlugBack, plug_back
from router.verify.evidence import EVIDENCE, math_evidence, math_measures
from router.verify.finding import Finding, as_verdict
from router.verify.reading import last_match
from router.verify.solution import MAX_CHARS, Solution, read_solution
from router.verify.steps import Step
from router.verify.text import ClosedAnswer, box_is_changed, boxes, final_answer
from router.verify.values import Value, parse_value

__all__ = ["check_math", "examine"]

PLUGGED_BACK = 0.99
"""P(right) of an answer that holds when it is put back, and P(wrong) of one that does not."""

ROUNDED = 0.9
"""P(right) of an answer that is the exact value, rounded: the question may want it exact."""

_RETRACTS = re.compile(
    r"\b(?:wait|actually|correction|corrected|sorry|scratch that|i mean|rather|mistake|mistaken"
    r"|oops|instead|wrong|incorrect|not right|not correct|should be|should have|on second thought"
    r"|let me re|alternatively|however|hmm|no,|not really|not sure|unsure|maybe|perhaps)",
    re.IGNORECASE,
)
_MARK = re.compile(r"\\(?:boxed|fbox)\s*\{|\banswer\b|####", re.IGNORECASE)
_NEGATES = (
    r"(?:\b(?:not|never|cannot|doubt|deny|denies|wrong|minus|negative|half|twice|at most|at least"
    r"|less than|more than|fewer than|greater than)\b|n't\b)[^.,;:!?\d\n]{0,25}"
)
"""Before the number of a sentence: "2+2 is not 4"."""
_OF_ANOTHER = re.compile(
    r"(?:[-+*/^√\d]\s?|sqrt\s?)\(?[a-zA-Z]\)?\s*=[^=]*$"
    r"|(?<![a-zA-Z])[a-zA-Z]\s?(?:[-+*/^²³!][^=\n]{0,40})\s*=[^=]*$"
)
"""`x^2 = 2`, `-x = 2`, `1/x = 2`: what the line ends on is not the unknown."""
_LONG_SENTENCE = re.compile(r"(?:[^\W\d_]{1,40}[^\w.?!]{1,5}){7}[^\W\d_]")
_FORMULA = re.compile(r"\d\s?[-+*/^=×÷<>]\s?[\d(a-z]")
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
    solution = read_solution(response)
    finding = examine(question, solution)
    if finding.weighed and _can_be_weighed(question, solution):
        row = math_evidence(question, solution, finding.passed)
        sure = load_confidence(MATH_CONFIDENCE, EVIDENCE).probability([row])[0]
        finding = finding._replace(confidence=float(sure))
    measured = math_measures(question, solution, finding.passed) if question.strip() else {}
    return as_verdict("math", finding, started).model_copy(update={"measured": measured})


def _can_be_weighed(question: str, solution: Solution) -> bool:
    """The map was fitted on word problems: it says nothing of a bare number to a bare line."""
    asked = question[:MAX_CHARS]
    if not asked.strip():
        return False
    told = _LONG_SENTENCE.search(asked) and not _FORMULA.search(asked)
    return bool(told or solution.steps)


def examine(question: str, solution: Solution) -> Finding:
    """`check_math` without its fitted confidence, which is made of this."""
    text, steps, closed, value = solution
    if len(text) > MAX_CHARS:
        return Finding(None, "too_long", evidence=(f"More than {MAX_CHARS} characters.",))
    if closed is None:
        return Finding(False, "no_answer", evidence=("No closed answer was found.",))
    if reason := _undecided(text, closed):
        return Finding(None, "ambiguous", evidence=(reason,))
    # A worked answer may name all unknowns in its last line; a marked one says what it says.
    ending = "" if closed.how in ("boxed", "marked") else text.rsplit("\n", 1)[-1]
    plugged = plug_back(question, closed.text, ending)
    if plugged and closed.how == "line" and _OF_ANOTHER.search(ending[-1000:]):
        return Finding(None, "unchecked", evidence=("The last line gives another expression.",))
    if value is None and plugged is None and not _SYMBOLIC.search(closed.text):
        return _unparsed(question, closed)
    return _recompute(question, steps, closed, value, plugged)


def _undecided(text: str, closed: ClosedAnswer) -> str:
    """Why it cannot be said which answer the response stands by; empty where it can."""
    if len({_squeezed(box) for box in boxes(text)}) > 1:
        return "Several different answers are boxed."
    if re.search(re.escape(closed.text) + r"[*_$}\s]{0,4}\?", text[-1000:]):
        return "The answer is a question."
    if closed.how not in ("boxed", "marked"):
        end = text.rsplit("\n", 1)[-1][-1000:]
        denied = re.search(_NEGATES + re.escape(closed.text), end, re.IGNORECASE)
        return "What stands before the number makes another answer of it." if denied else ""
    if closed.how == "boxed" and box_is_changed(text):
        return "What stands before the box makes another answer of it."
    last = last_match(_MARK, text)
    tail = text[last.end() :] if last else ""
    return "The answer is taken back, or looks so." if _RETRACTS.search(tail) else _other(text)


def _other(text: str) -> str:
    """A box, and then another answer that is marked in words."""
    boxed = boxes(text)
    after = text[text.rfind(boxed[-1]) + len(boxed[-1]) :] if boxed and boxed[-1] else ""
    found = final_answer(after) if _MARK.search(after) else None
    if found is None or found.how != "marked":
        return ""
    told, box = parse_value(found.text), parse_value(boxed[-1])
    same = told and box and told.number == box.number
    return "" if same else "The box and the words after it tell different answers."


def _squeezed(box: str) -> str:
    return "".join(box.split())


def _unparsed(question: str, closed: ClosedAnswer) -> Finding:
    told = f"The answer {closed.text[:80]!r} is neither a number nor an expression."
    # With figures in it ("half of 4", "4 dozen") it may be right: it is only not read.
    figures = re.search(r"\d", closed.text)
    if not figures and _NUMERIC_QUESTION.search(question[:MAX_CHARS]):
        return Finding(False, "unparsed", evidence=(told,))
    return Finding(None, "unchecked", evidence=(told,))


def _recompute(
    question: str,
    steps: Sequence[Step],
    closed: ClosedAnswer,
    value: Value | None,
    plugged: PlugBack | None,
) -> Finding:
    wrong = [step for step in steps if not step.holds]
    told: tuple[str, ...] = (plugged.evidence,) if plugged else ()
    if plugged and plugged.holds is False:
        return Finding(False, "failed", 1 - PLUGGED_BACK, told)
    if wrong:
        told = (*told, *map(_named, wrong[:5]))
        return Finding(False, "failed", evidence=told, weighed=value is not None)
    if plugged and plugged.holds:
        return Finding(True, "passed", PLUGGED_BACK if plugged.exact else ROUNDED, told)
    if plugged is None and value is not None and (reason := gap_in(question, steps, value)):
        return Finding(None, "unchecked", evidence=(reason,), weighed=True)
    if plugged is None and value is not None:
        count = sum(not step.trivial for step in steps)
        evidence = f"{count} steps recompute, and the last one gives {closed.text}."
        return Finding(True, "passed", evidence=(evidence,), weighed=True)
    return Finding(None, "unchecked", evidence=told or ("The answer is symbolic.",))


def _named(step: Step) -> str:
    return f"{step.text} is wrong: it comes to {show(step.exact)}."[:200]
