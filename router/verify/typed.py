"""Plain values that came out of the sandbox, compared outside of it.

What: compares with an expected literal: the same types all the way down, with int and float
equal by value, floats to within rounding where a float is expected. What not: reading
values (`wire`); anything that is no plain value.
"""

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["same"]

RELATIVE, ABSOLUTE = 1e-9, 1e-12


def same(expected: Any, got: Any) -> bool:
    """Are two plain values the same, type for type? True is not 1, a list is no tuple."""
    if _is_number(expected) and _is_number(got):
        return _close(expected, got)
    if type(expected) is not type(got):
        return False
    if isinstance(expected, list | tuple):
        return len(expected) == len(got) and all(map(same, expected, got))
    if isinstance(expected, dict):
        return _same_dicts(expected, got)
    if isinstance(expected, set | frozenset):
        return bool(expected == got) and {(type(v), v) for v in expected} == {
            (type(v), v) for v in got
        }
    return bool(expected == got)


def _same_dicts(expected: Mapping[Any, Any], got: Mapping[Any, Any]) -> bool:
    if {(type(k), k) for k in expected} != {(type(k), k) for k in got}:
        return False
    return all(same(value, got[key]) for key, value in expected.items())


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _close(expected: float, got: float) -> bool:
    if type(expected) is int:  # nobody rounds to an integer of twenty digits
        return expected == got
    try:
        if math.isnan(expected) or math.isnan(got):
            return math.isnan(expected) and math.isnan(got)
        return math.isclose(expected, got, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    except OverflowError:
        return False
