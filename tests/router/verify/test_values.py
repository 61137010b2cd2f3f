"""The one number of an answer."""

from fractions import Fraction

import pytest

from router.verify.values import parse_value


@pytest.mark.parametrize(
    ("answer", "number", "decimals"),
    [
        ("18", 18, 0),
        ("$20.00", 20, 2),
        ("$1,200.50", Fraction(2401, 2), 2),
        ("18 dollars.", 18, 0),
        ("-10 degrees", -10, 0),
        ("x = 4", 4, 0),
        ("25%", Fraction(1, 4), 2),
        ("-7/2", Fraction(-7, 2), 0),
        (r"\frac{5}{6}", Fraction(5, 6), 0),
        ("Each child got 5 books", 5, 0),
        ("$2 more than Juice Box B", 2, 0),
        ("the total is -5", -5, 0),
    ],
)
def test_numbers(answer: str, number: Fraction, decimals: int) -> None:
    assert parse_value(answer) == (number, decimals)


@pytest.mark.parametrize(
    "answer",
    ["", "no idea", "x", "3x", "2x+3", r"\sqrt{2}", r"2\pi", "12*7", "14/4", "3 and 1", "f(3)",
     "(3, 4)", "10^5", "1/0", "4, 6"],
)  # fmt: skip
def test_no_single_number(answer: str) -> None:
    assert parse_value(answer) is None
