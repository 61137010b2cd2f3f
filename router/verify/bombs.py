"""Expressions that are too large to be computed, seen before anything computes them.

What: deep nesting, towers of powers, huge exponents, factorials, sums and determinants. It
looks at the text only, in linear time, and leaves room for what people answer: `2^{1000}`,
`2^{2^3}`, `100!`. What not: it cannot see every bomb; the others meet the time limit.
"""

import math
import re

__all__ = ["too_costly"]

MAX_DEPTH = 30
MAX_ROOTS = 20
MAX_CELLS = 64
MAX_DIGITS = 4
"""Of an exponent, an argument of a factorial, a bound of a sum."""
MAX_RAISED: int = 10**MAX_DIGITS

_OPENS, _CLOSES = frozenset("{(["), frozenset("})]")
_LONG = rf"\d{{{MAX_DIGITS + 1},}}"
_COSTLY = re.compile(
    rf"\^[\s{{(+-]*{_LONG}"  # 2^{{100000}}
    rf"|{_LONG}\s*!|[!)}}]\s*!"  # 10000!, 9!!, (9!)!
    rf"|\\[dt]?binom\s*\{{?\s*{_LONG}"
    r"|\^[\s{(]*\d+\s*\^[\s{(]*\d+\s*\^"  # 9^{9^{9^9}}
)
_SERIES = re.compile(r"\\(?:sum|prod|lim|int)\b")
_POWER = re.compile(r"(\d+)\s*\^[\s{(]*(\d+)")
_TOWER = re.compile(r"\^[\s{(]*(\d+)\s*\^[\s{(]*(\d+)")
_OUTER = re.compile(r"[)}\]]\s*\^[\s{(]*(\d+)")
_NUMBER = re.compile(_LONG)


def too_costly(text: str) -> bool:
    """Would computing this take longer than anybody waits?"""
    if _depth(text) > MAX_DEPTH or text.count("\\sqrt") + text.count("√") > MAX_ROOTS:
        return True
    if text.count("&") > MAX_CELLS or _COSTLY.search(text):
        return True
    if any(_is_long(*power) for power in _TOWER.findall(text)) or _raised_again(text):
        return True
    in_series = _SERIES.search(text) is not None
    return in_series and (
        _NUMBER.search(text) is not None or any(_is_long(*power) for power in _POWER.findall(text))
    )


def _depth(text: str) -> int:
    depth = deepest = 0
    for sign in text:
        if sign in _OPENS:
            depth += 1
            deepest = max(deepest, depth)
        elif sign in _CLOSES:
            depth -= 1
    return deepest


def _is_long(base: str, exponent: str) -> bool:
    """Has base^exponent more digits than we take?"""
    if len(base) > 300 or len(exponent) > MAX_DIGITS:
        return True
    return bool(int(exponent) * math.log10(max(int(base), 1)) > MAX_DIGITS)


def _raised_again(text: str) -> bool:
    """`((9^{999})^{999})^{999}`: exponents of brackets multiply."""
    digits = slice(MAX_DIGITS + 1)
    outer: list[int] = [int(exponent[digits]) for exponent in _OUTER.findall(text)]
    inner: list[int] = [int(exponent[digits]) for _, exponent in _POWER.findall(text)]
    return max(inner, default=1) * math.prod(outer[:50]) > MAX_RAISED
