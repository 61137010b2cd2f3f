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


def test_a_bomb_is_stopped_and_does_not_keep_the_others_waiting(
    checker: EquivalenceChecker,
) -> None:
    checker.warm()
    bombs = [(r"(x+1)^{9999}", "3x"), (r"(x+1)^{9998}", "3x")]
    good = [(f"x+{n}", f"{n}+x") for n in range(20)]
    results = checker.equivalent_many([bombs[0], *good, bombs[1], *good])
    assert [r.status for r in results].count("timeout") == 2
    assert [r.equal for r in results[1:21]] == [True] * 20
    assert all(r.seconds < 10 for r in results)  # minutes, where nothing stops it
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


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        (r"1.6\times10^{-19}", r"-1.6\times10^{-19}"),
        (r"1.6\times10^{-19}", r"9.1\times 10^{-31}"),
        (r"2.0\cdot10^{-20}", r"3\cdot 10^{-20}"),
        (r"1.6\times10^{-19}\pi", r"9.1\times10^{-31}\pi"),
        ("x^2+1=0", "x^2+2=0"),
        ("y^2=-1", "y^2=-4"),
        ("x in [1,2]", "x in (1,2)"),
        ("x=1,y=2", "2,1"),
        ("x=1,y=2", "x=2,y=1"),
        ("2024-01-02", "2024-02-01"),
        ("2024-01-02", "2021"),
        ("01/02/2024", "1/4048"),
        ("100, 200", "100200"),
        ("50 cents", "50 dollars"),
        ("5 km", "5 m"),
        ("5 minutes", "5 hours"),
        ("30 degrees", "30 radians"),
        ("20 mph", "20 km"),
        ("$20", "€20"),
        ("3 cm^2", "3 cm"),
        ("on", "no"),
        ("AB", "BA"),
        ("of", "fo"),
        ("x<2", "x>2"),
        ("y>5", "x<5"),
        ("x<-2", "x>-2"),
        (">2", "2"),
        ("x>2", "2"),
        ("x<2", "2<x"),
        ("5 east", "5 west"),
        ("gain of 5", "loss of 5"),
        ("5 profit", "5 loss"),
        ("4", r"not \boxed{4}"),
        ("5", "not 5"),
        ("5", "The answer is not 5"),
        ("5", "minus 5"),
        ("5", "negative 5"),
        ("5", "5!"),
        ("5", "log 5"),
        ("5", "ln 5"),
        ("5", "sin 5"),
        ("5", "sqrt 5"),
        ("5", "square root of 5"),
        ("5", "half of 5"),
        ("5", "twice 5"),
        ("5", "5 squared"),
        ("5", "5 factorial"),
        ("5", "5 dozen"),
        ("5", "5 hundredths"),
        ("5", "at most 5"),
        ("5", "greater than 5"),
        ("5", "no 5"),
        ("5", "The answer cannot be 5."),
    ],
)
def test_false_equalities_that_a_review_found(
    checker: EquivalenceChecker, gold: str, answer: str
) -> None:
    assert checker.equivalent(gold, answer).equal is False
    assert checker.equivalent(answer, gold).equal is False


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("35000", "3.5e4"),
        ("0.00001", "1.0e-5"),
        ("1/3", r"0.\overline{3}"),
        ("1/6", r"0.1\overline{6}"),
        ("3628800", "10!"),
        ("120", "5!"),
        (r"\emptyset", r"\varnothing"),
        ("(x,y)=(1,2)", "x=1,y=2"),
        ("x=1,y=2", "(x,y)=(1,2)"),
        ("x=1,y=2", "y=2,x=1"),
        ("5=x", "5"),
        ("5", "5=x"),
        (r"(-\infty,\infty)", r"\mathbb{R}"),
        ("no solution", "No solutions"),
        ("A", "Option A"),
        ("(A)", "option A"),
        ("x>2", "2<x"),
        (r"x \le 2", r"2 \ge x"),
        ("3 cm^2", "3 square cm"),
        ("$5 per hour", "5 dollars per hour"),
        ("20", "$20$ cents"),
        ("$20$ cents", "20 cents"),
        ("-5", "minus 5"),
        ("5", "Each child got 5 books"),
        ("60 mph", "60 miles per hour"),
        ("x^2/4+y^2/9=1", "9x^2+4y^2=36"),
    ],
)
def test_right_answers_in_another_dress(
    checker: EquivalenceChecker, gold: str, answer: str
) -> None:
    assert checker.equivalent(gold, answer).equal is True
    assert checker.equivalent(answer, gold).equal is True
