"""What an answer itself says about how likely it is right, as numbers.

`math_evidence` reads a question and a solution, never a gold answer: what was recomputed, how
the steps hang together, what the answer looks like, how it is told. `router.verify.confidence`
turns the row into P(correct); `math_measures` names the same numbers, and some more that a
policy may learn from (`Verdict.measured`). Left out on purpose are marks of one model's style
(annotations, `####`): they would tell who wrote the answer, not whether it is right.

Everything is bounded: counts are capped, logarithms are taken of sizes.
"""

import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from router.verify.derivation import dangling_steps, numbers_of, unused_figures
from router.verify.solution import Solution
from router.verify.steps import Step
from router.verify.text import final_answer
from router.verify.values import Value

__all__ = ["EVIDENCE", "math_evidence", "math_measures"]

EVIDENCE = (
    "passed",
    "failed",
    "no_value",
    "answer_is_marked",
    "wrong_steps",
    "share_of_steps_wrong",
    "steps",
    "last_step_gives_answer",
    "some_step_gives_answer",
    "unused_figures",
    "dangling_steps",
    "steps_beyond_figures",
    "share_of_results_not_whole",
    "share_of_results_repeated",
    "products",
    "answer_is_whole",
    "answer_is_zero",
    "answer_size",
    "answer_decimals",
    "hedges",
    "lines",
    "length_of_question",
    "figures_of_question",
)
"""Names of the columns, in order."""

_HEDGE = re.compile(
    r"\b(?:however|but|assum\w*|wait|sorry|cannot|can't|doesn't|does not|not possible|negative"
    r"|unclear|if we|should be|actually|note that|since)\b",
    re.IGNORECASE,
)
_READ = 20_000
_PRODUCT = re.compile(r"[*×]")
_RATE = re.compile(r"\b(?:per|each|every)\b", re.IGNORECASE)
_MULTIPLE = re.compile(
    r"\b(?:half|twice|double|triple|third|quarter|times|percent)\b|%", re.IGNORECASE
)
_MOST = 6
"""Where counts of words and marks are cut off."""


def math_evidence(question: str, solution: Solution, passed: bool | None) -> NDArray[np.float32]:
    """(len(EVIDENCE),) of one answer; `passed` is what `examine` said of it."""
    facts = _facts(question, solution, passed)
    return np.array([facts.get(name, 0.0) for name in EVIDENCE], dtype=np.float32)


def math_measures(question: str, solution: Solution, passed: bool | None) -> dict[str, float]:
    """The evidence by name, and what the fitted map does not read: lengths, counts, wording."""
    facts = _facts(question, solution, passed)
    named = {name: float(facts.get(name, 0.0)) for name in EVIDENCE}
    return named | _of_wording(question[:_READ], solution.text[:_READ], solution.value)


def _facts(question: str, solution: Solution, passed: bool | None) -> Mapping[str, float]:
    text, steps, _, value = solution
    return {
        "passed": float(passed is True),
        "failed": float(passed is False),
        "no_value": float(value is None),
        "answer_is_marked": float(final_answer(text) is not None),
        "hedges": min(6, len(_HEDGE.findall(text))),
        "lines": math.log1p(text.count("\n")),
        **_of_steps(question, steps, value),
        **_of_question(question, value),
    }


def _of_wording(question: str, text: str, value: Value | None) -> dict[str, float]:
    asked, told = numbers_of(question), numbers_of(text)
    return {
        "length_of_answer": math.log1p(len(text)),
        "length_over_question": math.log1p(len(text) / max(1, len(question))),
        "numbers": math.log1p(len(told)),
        "numbers_not_of_question": math.log1p(len(told - asked)),
        "figures_not_told": math.log1p(len(asked - told)),
        "answer_is_a_figure": float(value is not None and value.number in asked),
        "equals_signs": math.log1p(text.count("=")),
        "question_marks": float(min(_MOST, text.count("?"))),
        "rates_in_question": float(min(_MOST, len(_RATE.findall(question)))),
        "multiples_in_question": float(min(_MOST, len(_MULTIPLE.findall(question)))),
    }


def _of_steps(question: str, steps: Sequence[Step], value: Value | None) -> Mapping[str, float]:
    work = [s for s in steps if not s.trivial]
    results = [s.result for s in work]
    wrong = sum(not s.holds for s in steps)
    facts = {
        "wrong_steps": min(3, wrong),
        "share_of_steps_wrong": wrong / max(1, len(steps)),
        "steps": math.log1p(len(work)),
        "unused_figures": min(4, len(unused_figures(question, work))),
        "dangling_steps": min(4, len(dangling_steps(work))),
        "steps_beyond_figures": max(-10, min(10, len(work) - len(numbers_of(question)))),
        "share_of_results_not_whole": _share([r.denominator != 1 for r in results]),
        "share_of_results_repeated": (len(results) - len(set(results))) / max(1, len(results)),
        "products": min(4, sum(len(_PRODUCT.findall(s.text)) for s in work)),
    }
    if value is not None and work:
        last = work[-1]
        facts["last_step_gives_answer"] = float(value.number in (last.result, last.exact))
        facts["some_step_gives_answer"] = float(value.number in results)
    return facts


def _of_question(question: str, value: Value | None) -> Mapping[str, float]:
    figures = numbers_of(question)
    facts = {
        "length_of_question": math.log1p(min(len(question), _READ)),
        "figures_of_question": min(12, len(figures)),
    }
    if value is None:
        return facts
    return facts | {
        "answer_is_whole": float(value.number.denominator == 1),
        "answer_is_zero": float(value.number == 0),
        "answer_size": _log(value.number),
        "answer_decimals": min(4, value.decimals),
    }


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / max(1, len(flags))


def _log(number: Fraction) -> float:
    """log(1 + |number|), capped; exact integers may be too large for a float."""
    return min(20.0, math.log1p(min(abs(number), Fraction(10**9))))
