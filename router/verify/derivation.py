"""Do right steps add up to a derivation of the answer from the question's numbers?

What: the last step yields the answer, every figure of the question goes into some step,
every result goes into a later step, and a count comes out whole. What not: whether the
operations are the ones the question asks for. Where something is missing the steps prove
nothing, which is no failure: questions hold numbers that nobody needs.
"""

import re
from collections.abc import Sequence
from fractions import Fraction

from router.verify.steps import Step, same_value
from router.verify.values import Value

__all__ = ["NUMBER", "dangling_steps", "gap_in", "numbers_of", "unused_figures"]

MAX_CHARS = 20_000
MAX_STEPS = 200

NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d{1,30})?|\d{1,30}(?:\.\d{1,30})?")
_COUNT = re.compile(
    r"how many (?!hours|minutes|miles|days|weeks|months|years|pounds|ounces|cups|gallons|liters"
    r"|meters|feet|inches|kilo|grams|dollars|percent|square|acres|tons)",
    re.IGNORECASE,
)
_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30,
    "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "hundred": 100, "thousand": 1000, "dozen": 12, "twice": 2, "double": 2, "triple": 3,
    "thrice": 3, "half": 2, "third": 3, "quarter": 4, "fifth": 5,
}  # fmt: skip


def numbers_of(text: str) -> set[Fraction]:
    """The numbers of a text in figures."""
    return {Fraction(n.replace(",", "")) for n in NUMBER.findall(text[:MAX_CHARS])}


def unused_figures(question: str, work: Sequence[Step]) -> list[Fraction]:
    """The question's numbers in figures that enter no step."""
    operands = {n for step in work for n in step.operands}
    return [n for n in numbers_of(question) if not _forms(n) & operands]


def dangling_steps(work: Sequence[Step]) -> list[Step]:
    """Steps whose result goes into no later one; the last is none of them."""
    found: list[Step] = []
    later: set[Fraction] = set()
    for step in reversed(work[-MAX_STEPS:]):
        if later and not {step.result, step.exact, step.result / 100, step.result * 100} & later:
            found.append(step)
        later |= {*step.operands, step.result}
    return found[::-1]


def gap_in(question: str, steps: Sequence[Step], answer: Value) -> str:
    """Why these (right) steps prove nothing about the answer; empty where they do."""
    work = [step for step in steps if not step.trivial]
    if not work:
        return "No step could be recomputed."
    if len(work) > MAX_STEPS:
        return "There are too many steps."
    last = work[-1]
    if not any(same_value(v, answer.number, answer.decimals) for v in (last.result, last.exact)):
        return "The answer is not the result of the last step."
    if last.exact.denominator != 1 and _COUNT.search(question[:MAX_CHARS]):
        return "The question asks for a count, and the last step does not come out whole."
    return _unconnected(question, work)


def _unconnected(question: str, work: Sequence[Step]) -> str:
    figures = numbers_of(question)
    words = {Fraction(_WORDS[w]) for w in re.findall(r"[a-z]+", question.lower()) if w in _WORDS}
    operands = {n for step in work for n in step.operands}
    if not (figures | words) & operands:
        return "The steps use no number of the question."
    if unused := unused_figures(question, work):
        return f"The steps make no use of {min(unused)}, which the question states."
    if dangling := dangling_steps(work):
        return f"Nothing follows from {dangling[0].text}."[:200]
    return ""


def _forms(number: Fraction) -> set[Fraction]:
    """How a figure may enter a step: 20 (%) as 0.2, 0.8, 80, 1.2; 25 cents as 0.25."""
    part = number / 100
    inverse = {1 / number} if number else set()
    return {number, part, 1 - part, 1 + part, 100 - number, 100 + number} | inverse
