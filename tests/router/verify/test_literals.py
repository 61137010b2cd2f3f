"""Literals at the start of a text."""

import math
import time
from typing import Any

import pytest

from router.verify.literals import closing, literal


@pytest.mark.parametrize(
    ("text", "value", "used"),
    [
        ("4", 4, 1),
        (" -3.5, and", -3.5, 5),
        ("4. Then", 4, 1),
        ("True", True, 4),
        ("true", True, 4),
        ("null", None, 4),
        ("'a b' # c", "a b", 5),
        ("b'x'", b"x", 4),
        ("[1, (2, 'a]')] rest", [1, (2, "a]")], 14),
        ("{'a': 1}", {"a": 1}, 8),
        ("{1, 2}.", {1, 2}, 6),
        ("frozenset({1})", frozenset({1}), 14),
        ("set()", set(), 5),
        ("float('inf')", math.inf, 12),
        ("1e3", 1000.0, 3),
        ("2j", 2j, 2),
    ],
)
def test_literals(text: str, value: Any, used: int) -> None:
    found, end = literal(text)
    assert (found, end) == (value, used)
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["", "a list", "f(2)", "x", "[1, x]", "[1, 2", "'open", "4abc", "__import__('os')", "Truex"],
)
def test_no_literal(text: str) -> None:
    assert literal(text) == (None, 0)


def test_nan_is_read() -> None:
    assert math.isnan(literal("nan")[0])


@pytest.mark.parametrize("text", ["(" * 9000, "[" * 900 + "]" * 900, "-" * 9000 + "1", "'" * 9000])
def test_hostile_literals_are_cheap(text: str) -> None:
    started = time.perf_counter()
    literal(text)
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes


def test_closing_knows_strings() -> None:
    assert closing('(\')\', "\\"(") x', 0) == 12
    assert closing("(1", 0) == 0
