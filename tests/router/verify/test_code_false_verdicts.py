"""Prompts and answers that the check once passed or failed against the facts."""

import asyncio

import pytest

from router.verify.code import check_code
from router.verify.examples import read_examples
from router.verify.sandbox import Sandbox

STATE = asyncio.run(Sandbox().available())
needs_sandbox = pytest.mark.skipif(not STATE.ok, reason=f"no sandbox here: {STATE.hint}")

TWO_DEFS = (
    "def add(a, b):\n    '''\n    >>> add(2, 3)\n    5\n    '''\n\n"
    "def sub(a, b):\n    '''\n    >>> sub(3, 2)\n    1\n    '''\n"
)
ADD, SUB = "def add(a, b): return a + b", "def sub(a, b): return a - b"


@needs_sandbox
@pytest.mark.parametrize(
    "question",
    [
        "Write a Python function add(a, b) and a function sub(a, b). "
        "add(2, 3) == 5 and sub(3, 2) == 1.",
        "Write a Python function add(a, b) and a function sub(a, b). add(2, 3) == 5.",
        "Write functions add(a, b) and sub(a, b). sub(3, 2) == 1. add(2, 3) == 5.",
        TWO_DEFS,
        "Write a function add(a, b).\nassert add(2, 3) == 5\nassert abs(sub(3, 2) - 1) < 1e-9",
    ],
)
async def test_half_of_what_was_asked_is_no_pass(question: str) -> None:
    for half in (ADD, SUB):
        verdict = await check_code(question, f"```python\n{half}\n```", Sandbox())
        assert verdict.passed is not True, verdict
    both = await check_code(question, f"```python\n{ADD}\n{SUB}\n```", Sandbox())
    assert both.passed is True, both


@needs_sandbox
async def test_a_float_is_no_large_integer() -> None:
    question = "Write a function mul. mul(123456789, 1000000007) == 123456789864197523"
    wrong = await check_code(
        question, "```python\ndef mul(a, b): return float(a) * b\n```", Sandbox()
    )
    assert wrong.passed is False


@pytest.mark.parametrize(
    "text",
    [
        ">>> print(f(3))\n6",
        "`f([1, 2, 3, 4]) returns 2 lists`",
        "f(3) returns 1 more than f(2)",
        "f('abc') returns 'abc' reversed",
        "f(5) gives 5 minutes as seconds",
        "f(1) returns 3.14 approximately",
        "f(1) returns 3.14 (approximately)",
        "f(2) -> 1.414...",
        "f(2) returns 4 if squared is set",
        "f([1, 2]) returns 1 or 2",
        "f() returns 4 with probability 1/6",
        "my buggy f(2, 3) returns 6",
        "it multiplies, so f(2, 3) gives 6. Fix it.",
        "My code has a bug.\nf(2, 3) gives 6.",
    ],
)
def test_a_sentence_that_goes_on_is_no_example(text: str) -> None:
    assert read_examples(f"Write a function f. {text}") == []


@pytest.mark.parametrize(
    "text",
    [
        "f(2) returns 4 because 2 * 2 is 4.",
        "f(2) returns 4 (two squared).",
        "`f(2)` returns `4`, and f(3) returns 9.",
        "f(2) returns 4. The result is an int.",
        "(f(2) == 4)",
        "Fix it so that f(2) == 4",
    ],
)
def test_a_sentence_that_ends_is_one(text: str) -> None:
    assert [e.expected for e in read_examples(text)][:1] in ([4], [])
    if not text.startswith("Fix"):
        assert read_examples(text)[0].expected == 4


@needs_sandbox
@pytest.mark.parametrize(
    ("question", "response"),
    [
        (
            "Write a function for Fibonacci numbers, where F(0) = 0 and F(1) = 1.",
            "```python\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\n```",
        ),
        (
            "Write a function third.\n>>> third(5)\n1.67",
            "```python\ndef third(n): return n / 3\n```",
        ),
        (
            "Write a function add. add(2, 3) == 5",
            "```python\ndef add(a, b): return a + b\n```\nHere is a bug you should avoid:\n"
            "```python\ndef add(a, b): return a * b\n```",
        ),
        (
            "Write a function twoSum(nums, target). twoSum([1, 2], 3) == [0, 1]",
            "```python\nclass Solution:\n    def twoSum(self, nums, target): return [0, 1]\n```",
        ),
    ],
)
async def test_right_programs_do_not_fail(question: str, response: str) -> None:
    verdict = await check_code(question, response, Sandbox())
    assert (verdict.passed, verdict.status) == (None, "unchecked"), verdict


@needs_sandbox
async def test_a_large_integer_can_be_told() -> None:
    verdict = await check_code(
        "Write a function f. f(2) == 4", "```python\ndef f(n): return 10**5000\n```", Sandbox()
    )
    assert verdict.passed is False
