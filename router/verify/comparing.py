"""Inside a worker: are two spelled answers the same? Structure first, then math-verify.

What: `judge` for one pair, `prepare` for what has to be imported before the clock runs.
What not: no time limit of its own (`workers` has it), and math-verify's is off: it works
by signals. math-verify may not guess here: only the whole value is read, as LaTeX.
"""

import logging
import re
from functools import lru_cache
from typing import Any, Literal

from router.verify.spelling import is_words, words
from router.verify.structure import alike, shape_of
from router.verify.values import parse_value

__all__ = ["Judgement", "judge", "prepare"]

Judgement = Literal["equal", "different", "unparsed"]

_WARM = (
    ("x+1", "1+x"),
    (r"3\sqrt{13}", "3{13}"),
    (r"\frac{\pi}{6}", r"\sin 2"),
    (r"\cot x", r"\frac{1}{\tan x}"),
    ("y = 2x", "y - 3x = 0"),
    ("6-5i", r"e^{2}\ln 3"),
)
"""Kinds of values whose first comparison would cost one of the callers a quarter second."""


class _Unparsed(Exception):
    """A value that math-verify cannot read."""


def prepare() -> None:
    """Import sympy, all that it imports late, and keep math-verify's warnings to itself."""
    logging.disable(logging.CRITICAL)
    for gold, answer in _WARM:
        judge(gold, answer, against_gold=True)


def judge(gold: str, answer: str, against_gold: bool) -> Judgement:
    """ "equal", "different" or "unparsed".

    Against gold, what the question asked for may be left out: the sign of a percentage, the
    base of a number.
    """
    left, right = shape_of(gold), shape_of(answer)
    if against_gold and left.kind == "based" and right.kind == "value":
        right = right._replace(kind="based", mark=left.mark)
    try:
        is_same = alike(left, right, _same)
        if not is_same and against_gold and ("%" in gold) != ("%" in answer):
            bare = [shape_of(text.replace("%", "").strip()) for text in (gold, answer)]
            is_same = alike(bare[0], bare[1], _same)
    except _Unparsed:
        return "unparsed"
    return "equal" if is_same else "different"


def _same(gold: str, answer: str) -> bool:
    if _squeezed(gold) == _squeezed(answer):
        return True
    a, b = parse_value(gold), parse_value(answer)
    if a is not None and b is not None:
        return a.number == b.number
    if is_words(gold) or is_words(answer):
        return words(gold) == words(answer)
    left, right = (_read(_without_percent(text)) for text in (gold, answer))
    from math_verify import verify

    try:
        return bool(verify(left, right, timeout_seconds=None))
    except (ArithmeticError, TypeError, ValueError, AttributeError, NotImplementedError):
        return False  # of sympy, on things that have no such comparison


def _without_percent(text: str) -> str:
    """`X%` as the fraction that it is: math-verify takes it for X as well."""
    return f"\\frac{{{text[:-1]}}}{{100}}" if text.endswith("%") else text


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@lru_cache(maxsize=256)
def _read(text: str) -> list[Any]:
    """What math-verify reads. Raises `_Unparsed` where that is nothing, or no number."""
    from math_verify import LatexExtractionConfig, parse

    config = LatexExtractionConfig(boxed_match_priority=0)
    found: list[Any] = parse(
        f"\\boxed{{{text}}}",
        extraction_config=[config],
        fallback_mode="no_fallback",
        parsing_timeout=None,
    )
    if not found or re.search(r"\b(?:zoo|nan)\b", str(found[0])):
        raise _Unparsed
    return found
