"""The examples a prompt gives."""

import time
from typing import Any

import pytest

from router.verify.examples import read_examples


@pytest.mark.parametrize(
    ("text", "call", "expected"),
    [
        ("f(2) == 4", "f(2)", 4),
        ("assert f(2) == 4", "f(2)", 4),
        ("f(2) -> 4", "f(2)", 4),
        ("f(2) ➞ 4", "f(2)", 4),
        ("f(2) => true", "f(2)", True),
        ("f(2) returns 4.", "f(2)", 4),
        ("f(2) should return 4", "f(2)", 4),
        ("`f(2)` should be `4`", "f(2)", 4),
        ("e.g. f([1,2]) = 3", "f([1,2])", 3),
        ("f('a(b')  # 'c'", "f('a(b')", "c"),
        ("f(2)  # returns 4", "f(2)", 4),
        ("f(x=2) == (1, 2)", "f(x=2)", (1, 2)),
        ("f([\n 1,\n 2]) == [3]", "f([  1,  2])", [3]),
        (">>> f(2)\n4", "f(2)", 4),
        ("'''\n    >>> f(2)\n    [1, 2]\n    '''", "f(2)", [1, 2]),
        (">>> f(2) == 4\nTrue", "f(2)", 4),
        (">>> round(f(2), 2)\n4.13", "round(f(2), 2)", 4.13),
        (">>> f(1)\n>>> f(2)\n4", "f(1)", None),
    ],
)
def test_forms(text: str, call: str, expected: Any) -> None:
    first = read_examples(f"Write a function f.\n{text}")[0]
    assert (first.call, first.expected, first.function) == (call, expected, "f")
    assert type(first.expected) is type(expected)


@pytest.mark.parametrize(
    "text",
    [
        "f(n) == n * n",
        "f(a) => False",
        "f(2) == 1 + 3",
        "f(3) -> 19 - 5 - 6 = 8",
        "f(2) == 4x",
        'f(["a"]) == ""a"',
        "f(2) returns a list",
        "f(2) is not 4",
        "f(2) != 4",
        "f(2) should not return 4",
        "f(2) returns 5 but should return 4",
        "currently f(2) returns 5",
        'f("Earth") ==> ("Venus")',
        "print(2) == 4",
        "def f(2) -> 4",
        ">>> f(x)\n4",
        ">>> f(2)\n<object at 0x1>",
        ">>> f(2)\nTraceback (most recent call last):\nValueError: no",
        ">>> f(2)",
        "tri(4) = 3 and tri(3) = [1, 3, 2, 8]",
        "self.f(2) == 4",
        "",
    ],
)
def test_what_is_no_example(text: str) -> None:
    assert read_examples(text) == []


def test_setup_of_a_doctest_is_kept() -> None:
    (example,) = read_examples(">>> x = [3, 1]\n>>> f(x)\n[1, 3]")
    assert example.setup.strip() == "x = [3, 1]"


def test_several_in_a_line_and_no_repetitions() -> None:
    examples = read_examples("f(2) == 4 and f(3) == 9. f(2) == 4")
    assert [(e.call, e.expected) for e in examples] == [("f(2)", 4), ("f(3)", 9)]


@pytest.mark.parametrize(
    "piece", ["f(", "f(1)==", ">>> f(", ">>> f(1)\n1\n", "f('", "f(1) = 2 ", "[" * 9]
)
def test_hostile_prompts_are_cheap(piece: str) -> None:
    started = time.perf_counter()
    assert len(read_examples(piece * (1_000_000 // len(piece)))) <= 40
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes
