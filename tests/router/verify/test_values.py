"""The one number of an answer."""

from fractions import Fraction

import pytest

from router.verify.values import exact_value, parse_value, twists


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
        ("minus 5", -5, 0),
        ("The answer is negative 3.", -3, 0),
        ("5 books!", 5, 0),
        ("$5 more than Tom", 5, 0),
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


@pytest.mark.parametrize(
    "answer",
    ["not 4", "The answer is not 4.", "The answer cannot be 5.", "no 5", "5!", "log 5", "ln 5",
     "sin 5", "sqrt 5", "square root of 5", "half of 5", "twice 5", "5 squared", "5 factorial",
     "5 dozen", "1/2 dozen", "5 hundredths", "at most 5", "greater than 5", "less than 5", "x < 4",
     "x > 2", ">2", "x \\le 4", "5 east", "5 west", "gain of 5", "loss of 5", "5 profit",
     "$5 loss", "5 dollars loss", "5 or", "minus -5", "5 is wrong", "x != 4"],
)  # fmt: skip
def test_a_word_or_sign_that_makes_another_value_is_not_thrown_away(answer: str) -> None:
    assert parse_value(answer) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"1.6\times10^{-19}", Fraction(16, 10**20)),
        ("3.5e4", 35000),
        ("1.0e-5", Fraction(1, 10**5)),
        ("5!", 120),
        ("10^2", 100),
        ("1/2/3", None),
        ("5 apples", None),
        ("2x", None),
        ("9^{9^{9^9}}", None),
    ],
)
def test_sums_of_bare_numbers_are_exact(text: str, value: Fraction | None) -> None:
    assert exact_value(text) == value


def test_what_solutions_say_beside_their_values() -> None:
    assert [twists(one) for one in ("x > 2", "not 2", "x = minus 2")] == [True] * 3
    assert not any(twists(one) for one in ("x = 2 or x = 3", "So x = 6 and y = 4.", "(6, 4)"))
