"""Scoring against gold, and clusters of samples. One pool serves the whole file."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

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


@pytest.mark.parametrize(
    "bomb",
    [
        "9^{9^{9^9}}", r"\sum_{i=1}^{10^9} i", "{" * 200 + "1" + "}" * 200, "999999!",
        "((9^{999})^{999})^{999}",
    ],
)  # fmt: skip
def test_what_is_plainly_too_large_meets_no_process(bomb: str) -> None:
    with EquivalenceChecker() as one:
        for result in (one.equivalent(bomb, "3x"), one.equivalent("3x", bomb)):
            assert (result.equal, result.status) == (None, "refused")
        assert not one._workers.started


def test_a_bomb_costs_less_than_a_second_and_does_not_keep_the_others_waiting(
    checker: EquivalenceChecker,
) -> None:
    checker.warm()
    bombs = [(r"(x+1)^{9999}", "3x"), (r"(x+1)^{9998}", "3x")]
    good = [(f"x+{n}", f"{n}+x") for n in range(20)]
    results = checker.equivalent_many([bombs[0], *good, bombs[1], *good])
    assert [r.status for r in results].count("timeout") == 2
    assert [r.equal for r in results[1:21]] == [True] * 20
    assert all(r.seconds < 1 for r in results)
    assert results[0].equal is None and results[21].equal is None


def test_an_undefined_value_equals_nothing(checker: EquivalenceChecker) -> None:
    for other in (r"\frac{2}{0}", r"\frac{1}{0}+0", "0", r"\infty"):
        assert checker.equivalent(r"\frac{1}{0}", other).equal is False


def test_many_keep_their_order_and_twins_are_asked_once(
    checker: EquivalenceChecker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    submit = checker._workers.submit
    monkeypatch.setattr(
        checker._workers,
        "submit",
        lambda *args, **options: asked.append(args[1:]) or submit(*args, **options),
    )
    pairs = [("2x", "x+x"), ("2", "3"), ("2x", "$x+x$"), ("2x", "3x"), ("2", "2.0")]
    assert [r.equal for r in checker.equivalent_many(pairs)] == [True, False, True, False, True]
    assert len(asked) == 2
    assert checker.equivalent_many([]) == []


def test_many_threads_may_ask_at_once(checker: EquivalenceChecker) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = threads.map(lambda n: checker.equivalent(f"x+{n}", f"{n % 7}+x").equal, range(21))
        assert list(found) == [True] * 7 + [False] * 14


async def test_a_loop_goes_on_while_a_thread_asks(checker: EquivalenceChecker) -> None:
    asks = [asyncio.to_thread(checker.equivalent, f"y+{n}", f"{n}+y") for n in range(4)]
    assert [r.equal for r in await asyncio.gather(*asks)] == [True] * 4


def test_clusters_do_not_leak_through_a_percentage(checker: EquivalenceChecker) -> None:
    answers = ["1/2", "0.5", r"\frac12", "3", "10%", "10", "0.1", "x+1", "1+x", ""]
    assert checker.cluster(answers) == [0, 0, 0, 1, 2, 3, 2, 4, 4, 5]


def test_plain_numbers_start_no_process() -> None:
    with EquivalenceChecker() as one:
        assert one.equivalent("20", "$20.00").equal
        assert one.cluster(["1", "2", "1"]) == [0, 1, 0]
        assert not one._workers.started


def test_a_base_is_left_out_against_gold_only(checker: EquivalenceChecker) -> None:
    assert checker.equivalent("52_8", "52").equal is True
    assert checker.equivalent("52", "52_8").equal is False
    assert checker.cluster(["52_8", "52", "52_9"]) == [0, 1, 2]


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
