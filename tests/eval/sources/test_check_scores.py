"""Traps of scores: guess floors, format failures, prices that mislead."""

import pytest

from eval.sources.check import Finding, check
from eval.sources.traps.options import count_options

from .check_tables import ARMS, OPTIONS, clean, codes, only, query, row, table, text


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("Which?\nA. one\nB. two\nC. three", 3),
        ("Which?\n(A) one\n(B) two", 2),
        ("Which?\nA) one\nB) two", 2),
        ("Which?\n" + "\n".join(f"({c}) x" for c in "ABCDEFGHIJ"), 10),
        ("Which?\nChoices: ['a', 'b', 'c']", 3),
        ("Which?\nChoices: {'text': ['a', 'b'], 'label': ['A', 'B']}", 2),
        ("List:\nA. one\nB. two\n\nWhich?\nA. 1\nB. 2\nC. 3\nD. 4", 4),
        ("Write it.\nChoices: ['assert f(1) == 2', 'assert f(2) == 3']", None),
        ("Write it.\nChoices: [broken", None),
        ("Which?\nA. one\nC. three", None),
        ("Mr. B. asked\nB. what?", None),
        ("How much?", None),
    ],
)
def test_options_are_counted(written: str, options: int | None) -> None:
    assert count_options(written) == options


def guessed(shares: dict[str, float], n: int = 200, options: str = OPTIONS) -> list[Finding]:
    outcomes = [row(a, k, score=float(k < s * n)) for a, s in shares.items() for k in range(n)]
    return check(table(outcomes, [query(k, query=text(k) + options) for k in range(n)]))


def test_guess_floor_at_and_below() -> None:
    found = guessed({"lost": 0.02, "guesses": 0.27, "knows": 0.6})
    floor = only(found, "guess_floor")
    assert floor.severity == "note" and "b up to 4 options, floor 0.250" in floor.message
    at, below = only(found, "at_guess_floor"), only(found, "below_guess_floor")
    assert at.examples == ("guesses/b",) and at.rows == 200
    assert below.examples == ("lost/b",) and below.severity == "warning"


def test_above_the_floor_or_without_one_nothing_is_said() -> None:
    assert (
        codes(guessed({"a": 0.5, "b": 0.6, "c": 0.7}))
        & {
            "at_guess_floor",
            "below_guess_floor",
        }
        == set()
    )
    assert "guess_floor" not in codes(guessed({"lost": 0.02, "knows": 0.6}, options=""))


def test_ten_options_have_a_lower_floor() -> None:
    ten = "".join(f"\n({c}) x{c}" for c in "ABCDEFGHIJ")
    found = guessed({"lost": 0.02, "guesses": 0.12, "weak": 0.27}, options=ten)
    assert "floor 0.100" in only(found, "guess_floor").message
    assert only(found, "at_guess_floor").examples == ("guesses/b",)


def test_unparsed_rows_and_cells() -> None:
    def found(bad: int) -> Finding:
        outcomes = [
            row(a, k, status="unparsed" if a == "small" and k < bad else "ok", score=0.5)
            for a in ARMS
            for k in range(40)
        ]
        return only(check(table(outcomes, [query(k) for k in range(40)])), "unparsed")

    assert (found(8).severity, found(8).rows) == ("note", 8)  # a fifth, not over it
    assert (found(9).severity, found(9).rows, found(9).queries) == ("warning", 9, 9)
    assert found(9).examples == ("small/b",)
    assert "unparsed" not in codes(check(clean()))


def two_benchmarks(scores: dict[tuple[str, str], float]) -> list[Finding]:
    outcomes, queries = [], []
    for k in range(60):
        benchmark = "b" if k < 30 else "c"
        queries.append(query(k, benchmark))
        outcomes += [row(a, k, benchmark, score=scores.get((a, benchmark), 0.6)) for a in ARMS]
    return check(table(outcomes, queries))


def test_zeros_of_an_arm_that_does_well_elsewhere() -> None:
    finding = only(two_benchmarks({("large", "b"): 0.01}), "format_zeros")
    assert (finding.severity, finding.examples, finding.rows) == ("warning", ("large/b",), 30)
    for scores in (
        {},
        {("large", "b"): 0.2},  # low, not zero
        {("large", "b"): 0.0, ("large", "c"): 0.1},  # it does nothing well
        {(a, "b"): 0.0 for a in ARMS},  # nobody does it well: hard
    ):
        assert "format_zeros" not in codes(two_benchmarks(scores))


def test_a_benchmark_that_is_low_for_all() -> None:
    finding = only(two_benchmarks({(a, "b"): 0.2 for a in ARMS}), "low_everywhere")
    assert (finding.severity, finding.examples, finding.rows) == ("warning", ("b",), 90)
    for scores in ({(a, "b"): 0.35 for a in ARMS}, {(a, b): 0.2 for a in ARMS for b in "bc"}):
        assert "low_everywhere" not in codes(two_benchmarks(scores))


def test_answers_that_are_empty() -> None:
    blank = [{"response_chars": 0}, {"answer": " \n"}, {"status": "unparsed", "response_chars": 0}]
    outcomes = [row("small", k, **fields) for k, fields in enumerate([*blank, {}])]
    finding = only(check(table(outcomes, [query(k) for k in range(4)])), "empty_answers")
    assert (finding.rows, finding.examples) == (2, ("b:0", "b:1"))


@pytest.mark.parametrize(("cost", "found"), [(1.0, True), (0.01, False)])
def test_the_dearer_arm_is_the_worse_one(cost: float, found: bool) -> None:
    outcomes = [row("small", k, score=0.2, cost_usd=cost) for k in range(30)]
    outcomes += [row("large", k, score=0.8) for k in range(30)]
    data = table(outcomes, [query(k) for k in range(30)])
    assert ("dearer_is_worse" in codes(check(data))) == found
    if found:
        finding = only(check(data), "dearer_is_worse")
        assert finding.examples == ("small", "large") and finding.queries == 30
