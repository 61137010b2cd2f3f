"""Exact values, bounds, and what is not an expression."""

import time
from fractions import Fraction

import pytest

from router.verify.arithmetic import Unreadable, compute, show
from router.verify.tokens import tokenise


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12*7", 84),
        ("3^5 - 2", 241),
        ("2^3^2", 512),
        ("-3^2", -9),
        ("2^-1", Fraction(1, 2)),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("1/3 + 1/3 + 1/3", 1),
        ("17% of 250", Fraction(85, 2)),
        ("1/2 of 10", 5),
        ("50 percent", Fraction(1, 2)),
        ("12 apples * $3", 36),
        ("60 meters/sprint * 3 sprints", 180),
        ("2(3+4)", 14),
        ("(5!)", 120),
        ("9^(1/2)", 3),
        ("1,234.5 * 2", 2469),
        ("8 - -2", 10),
    ],
)
def test_values_are_exact(text: str, value: Fraction) -> None:
    assert compute(tokenise(text)).value == value


@pytest.mark.parametrize(
    "text",
    [
        "", "1 +", "(1", "1)", "1 2", "x", "2 * x", "1/0", "0^0", "0^-1", "8^(1/2)", "2^0.3",
        "3 days he eats 2", "+", "$150 (2 x 4 boards)", "1 = 1", "(201!)", "( - )!",
    ],
)  # fmt: skip
def test_anything_else_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        compute(tokenise(text))


@pytest.mark.parametrize(
    "bomb",
    [
        "9**9**9", "9^9^9^9", "(((9^9)^9)^9)^9", "2^100000", "(200!)^200",
        "1" + ("*" + "9" * 40) * 50, "(" * 5000 + "1" + ")" * 5000, "-" * 100 + "1",
        "1" + "+1" * 5000, "(((" * 30 + "9!!!", "9" * 59 + "^" + "9" * 59,
    ],
)  # fmt: skip
def test_bombs_cost_nothing(bomb: str) -> None:
    tokens = tokenise(bomb)
    started = time.perf_counter()
    with pytest.raises(Unreadable):
        compute(tokens)
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes


def test_names_are_substituted_and_products_need_no_sign() -> None:
    assert compute(tokenise("2x(x+1) - 3", letters=True), {"x": Fraction(2)}).value == 9


def test_operations_are_counted() -> None:
    assert compute(tokenise("5 apples")).operations == 0
    assert compute(tokenise("2 + 3 * 4^2")).operations == 3


@pytest.mark.parametrize(
    ("value", "shown"),
    [(Fraction(84), "84"), (Fraction(1, 4), "0.25"), (Fraction(1, 3), "1/3"),
     (Fraction(10**400), "10000000000000000000… (401 characters)"),
     (Fraction(1, 10**400), "1/100000000000000000… (403 characters)")],
)  # fmt: skip
def test_values_are_shown_short(value: Fraction, shown: str) -> None:
    assert show(value) == shown
