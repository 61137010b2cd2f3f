"""Scoring against gold, and clusters of samples. One worker serves the whole file."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from router.verify.equivalence import EquivalenceChecker


@pytest.fixture(scope="module")
def checker() -> Iterator[EquivalenceChecker]:
    with EquivalenceChecker() as one:
        yield one


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("20", "$20.00"),
        ("20", "20 dollars"),
        ("1,000", "1000"),
        (r"\frac{1}{2}", "0.5"),
        ("10", "10%"),
        ("10", r"10\%"),
        ("0.1", "10%"),
        ("10%", "0.1"),
        (r"2\sqrt{3}", r"\sqrt{12}"),
        ("x^2+1", "1+x^2"),
        (r"\{1,2\}", r"\{2,1\}"),
        ("(1,2)", "(1, 2)"),
        (r"\text{A}", "A"),
        ("5", r"so \boxed{5}, that is \boxed{5}"),
        ("5", r"<think>\boxed{4}</think> \boxed{5}"),
    ],
)
def test_equal(checker: EquivalenceChecker, gold: str, answer: str) -> None:
    result = checker.equivalent(gold, answer)
    assert (result.equal, result.status) == (True, "equal")


@pytest.mark.parametrize(
    ("gold", "answer", "status"),
    [
        ("16", "17", "different"),
        ("10", "0.1", "different"),
        ("20", "$20.50", "different"),
        ("(1,2)", "(2,1)", "different"),
        (r"\pi", "3.14", "different"),
        ("5", r"\boxed{4} or \boxed{5}", "ambiguous"),
        ("5", "", "unparsed"),
        ("5", "<think>\\boxed{5}", "unparsed"),
        ("5", "9" * 600, "too_long"),
    ],
)
def test_not_equal(checker: EquivalenceChecker, gold: str, answer: str, status: str) -> None:
    result = checker.equivalent(gold, answer)
    assert (result.equal, result.status) == (False, status)


def test_a_bomb_is_killed_and_the_next_question_answered(checker: EquivalenceChecker) -> None:
    checker.equivalent("x", "x+0")  # warm
    result = checker.equivalent("9^{9^{9^9}}", "3")
    assert (result.equal, result.status) == (None, "timeout")
    assert result.seconds < 2.5
    assert checker.equivalent("x+x", "2x").equal is True


def test_other_threads_may_ask(checker: EquivalenceChecker) -> None:
    found: list[bool | None] = []
    thread = threading.Thread(target=lambda: found.append(checker.equivalent("2x", "x+x").equal))
    thread.start()
    thread.join(30)
    assert found == [True]


def test_clusters_do_not_leak_through_a_percentage(checker: EquivalenceChecker) -> None:
    answers = ["1/2", "0.5", r"\frac12", "3", "10%", "10", "0.1", "x+1", "1+x", ""]
    assert checker.cluster(answers) == [0, 0, 0, 1, 2, 3, 2, 4, 4, 5]


def test_plain_numbers_start_no_process() -> None:
    started = time.perf_counter()
    with EquivalenceChecker() as one:
        assert one.equivalent("20", "$20.00").equal
        assert one.cluster(["1", "2", "1"]) == [0, 1, 0]
        assert one._pool is None
    assert time.perf_counter() - started < 0.5


def test_closing_ends_the_worker_and_a_later_call_starts_another() -> None:
    one = EquivalenceChecker()
    assert one.equivalent("2x", "x+x").equal is True
    one.close()
    one.close()
    assert one.equivalent("3x", "x+2x").equal is True
    one.close()


def test_importing_the_verifiers_loads_no_math_verify() -> None:
    code = (
        "import sys, router.verify, router.verify.equivalence;"
        "sys.exit(bool({'math_verify', 'sympy', 'pebble', 'doctest'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
