"""Inside a worker: are two spelled answers the same? Structure first, then math-verify.

What: `judge` for one pair, `prepare` for what has to be imported before the clock runs.
What not: no time limit of its own (`workers` has it), and math-verify's is off: it works
by signals. math-verify may not guess here: only the whole value is read, as LaTeX.
"""

import logging
import re
from functools import lru_cache
from typing import Any, Literal

from router.verify.spelling import DATE, has_words, is_words, words
from router.verify.structure import alike, shape_of
from router.verify.values import number_of

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


_LETTERS = re.compile(r"[^\W\d_]{2,}")
_TINY = re.compile(r"10\s*\^\s*\{?\s*-\s*(?:[5-9]|\d\d)|\.\d{6}|\d[eE]-")


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
    a, b = number_of(gold), number_of(answer)
    if a is not None and b is not None:
        return a == b
    if is_words(gold) or is_words(answer):
        return words(gold) == words(answer)
    if _as_written(gold) or _as_written(answer):
        return False
    left, right = (_read(_without_percent(text)) for text in (gold, answer))
    from math_verify import verify

    try:
        return bool(verify(left, right, timeout_seconds=None)) and _same_relation(left, right)
    except (ArithmeticError, TypeError, ValueError, AttributeError, NotImplementedError):
        return False  # of sympy, on things that have no such comparison


def _as_written(text: str) -> bool:
    """What is the same only as it is written: dates, runs of letters (`on` is no product).

    Raises `_Unparsed` for tiny figures: math-verify rounds, and would take any two for equal.
    """
    if DATE.fullmatch(text) or _LETTERS.fullmatch(text) or has_words(text):
        return True
    if _TINY.search(text):
        raise _Unparsed
    return False


def _same_relation(left: list[Any], right: list[Any]) -> bool:
    """Two equations are the same where one is a multiple of the other.

    math-verify compares their solutions: without real ones, all would be the same.
    """
    import sympy

    a, b = left[0], right[0]
    if not (isinstance(a, sympy.Eq) and isinstance(b, sympy.Eq)):
        return True
    ratio = sympy.simplify((a.lhs - a.rhs) / (b.lhs - b.rhs))
    return bool(ratio.is_number and ratio.is_finite and ratio != 0)


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
