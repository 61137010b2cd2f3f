"""Values that come out of the sandbox, read back and compared outside of it.

What: decodes the typed JSON of `inside`, and compares with an expected literal: the same
types all the way down, with int and float equal by value, floats to within rounding. What
not: anything that is no plain value (objects, arrays of other libraries) raises
`NotPlain`: such a result is neither right nor wrong.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["NotPlain", "decode", "same"]

RELATIVE, ABSOLUTE = 1e-9, 1e-12


class NotPlain(Exception):
    """A result of a type that cannot cross, or a record that is none of ours."""


def decode(record: Any) -> Any:
    """The value that a typed record stands for."""
    try:
        kind, content = record
        return _DECODERS[kind](content)
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise NotPlain(str(record)[:80]) from error


def _plain(content: Any) -> Any:
    if content is None or isinstance(content, bool | str):
        return content
    raise ValueError


def _complex(content: Any) -> complex:
    real, imaginary = content
    return complex(float.fromhex(real), float.fromhex(imaginary))


def _many(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda content: build(decode(item) for item in content)


_DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "plain": _plain,
    "int": lambda content: int(content, 16),
    "float": float.fromhex,
    "complex": _complex,
    "bytes": bytes.fromhex,
    "list": _many(list),
    "tuple": _many(tuple),
    "set": _many(set),
    "frozenset": _many(frozenset),
    "dict": lambda content: {decode(k): decode(v) for k, v in content},
}


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
    if type(expected) is int and type(got) is int:
        return expected == got
    try:
        if math.isnan(expected) or math.isnan(got):
            return math.isnan(expected) and math.isnan(got)
        return math.isclose(expected, got, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    except OverflowError:
        return False
