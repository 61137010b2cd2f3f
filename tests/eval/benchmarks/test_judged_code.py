"""The three steps of judging, on problems of our own."""

import asyncio
import math
from typing import Any

import pytest

from eval.benchmarks.judged_code import Judge, Problem, _call, _literal
from router.errors import SetupError
from router.verify.sandbox import Limits, Sandbox

NO_SANDBOX = asyncio.run(Sandbox().available())
sandboxed = pytest.mark.skipif(not NO_SANDBOX.ok, reason=f"no sandbox here: {NO_SANDBOX.hint}")


def problem(test: str, reference: str = "    return x\n") -> Problem:
    body = "".join(f"    {line}\n" for line in test.split("\n"))
    return Problem("same", "def same(x):\n", reference, f"def check(candidate):\n{body}")


def passes(test: str, program: str, **limits: Any) -> bool:
    judge = Judge(Sandbox(limits=Limits(**limits))) if limits else Judge()
    return asyncio.run(judge.passes(problem(test), program))


PLAIN = [
    None, True, 0, -3, 10**30, 1.5, -0.0, float("inf"), float("-inf"), 1 + 2j, "a'\"\n\x00é",
    b"\x00", [], [1, [2]], (), (1,), set(), {1}, frozenset({"a"}), {}, {"a": [1.5, (2,)]},
    {1: {float("inf")}}, complex("inf"),
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_survive_as_source(value: Any) -> None:
    again = eval(_literal(value))
    assert (type(again), repr(again)) == (type(value), repr(value))


def test_nan_and_calls() -> None:
    assert math.isnan(eval(_literal(float("nan"))))
    assert math.isnan(eval(_literal([float("nan")]))[0])
    assert _call("f", (1, "a"), {"k": [2]}) == "_ockham_flat(f(1, 'a', k=[2, ]))"


@sandboxed
def test_all_plain_values_cross() -> None:
    test = f"values = {PLAIN[:7]!r} + [{_literal(PLAIN[9:])}]\nfor v in values[0] if 0 else values:"
    test += "\n    assert repr(candidate(v)) == repr(v)\nassert candidate(x=3) == 3"
    assert passes(test, "def same(x): return x")
    assert not passes(test, "def same(x): return [x]")


@sandboxed
def test_random_arguments_are_the_same_in_both_runs() -> None:
    test = (
        "import random\nfor _ in range(50):\n    v = random.random()\n    assert candidate(v) == v"
    )
    assert passes(test, "def same(x): return x")
    assert passes(test, "import random\nrandom.seed(9)\ndef same(x): random.random(); return x")
    assert not passes(test, "import random\ndef same(x): return random.random()")


@sandboxed
def test_what_the_candidate_changes_stays_with_it() -> None:
    test = "v = [1]\nassert candidate(v) == [1, 2]\nassert candidate(v) == [1, 2]"
    append = "    return x + [2]\n"
    one = problem(test, append)
    program = "def same(x):\n    x.append(2)\n    return x"
    assert asyncio.run(Judge().passes(one, program))


@sandboxed
def test_the_candidate_sees_neither_test_nor_reference() -> None:
    """It looks through all objects of its process, its memory map and its files."""
    program = """
import gc, glob, sys
def same(x):
    needles = ["KRAMTSET", "KRAMECNEREFER"]  # backwards, or it would find itself
    seen = [repr(o)[:100000] for o in gc.get_objects() if isinstance(o, (str, dict, list, tuple))]
    for path in glob.glob("/box/*") + glob.glob("/tmp/*") + glob.glob("/proc/*/cmdline"):
        try:
            seen.append(open(path, "rb").read().decode("latin-1"))
        except OSError:
            pass
    return x if not any(n[::-1] in s for n in needles for s in seen) else "found"
"""
    one = problem('"TESTMARK"\nassert candidate(7) == 7', "    'REFERENCEMARK'\n    return x\n")
    assert asyncio.run(Judge().passes(one, program))


@sandboxed
def test_a_program_that_takes_too_long_fails() -> None:
    assert not passes("assert candidate(1) == 1", "import time\ntime.sleep(60)", seconds=0.7)


@sandboxed
@pytest.mark.parametrize("test", ["assert candidate(1) == 2", "pass", "raise SystemExit(0)", "("])
def test_a_test_that_its_reference_does_not_pass_is_an_error(test: str) -> None:
    with pytest.raises(SetupError, match="same"):
        passes(test, "def same(x): return 2")


@sandboxed
def test_calls_are_recorded_once() -> None:
    judge = Judge()
    one = problem("assert candidate(1) == 1")
    assert asyncio.run(judge.passes(one, "def same(x): return x"))
    assert asyncio.run(judge.passes(one, "def same(x): return 2")) is False
    assert list(judge._recorded) == [one]
