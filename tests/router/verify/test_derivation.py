"""Do the steps lead from the question to the answer?"""

from fractions import Fraction

import pytest

from router.verify.derivation import gap_in, numbers_of
from router.verify.steps import read_steps
from router.verify.values import Value

QUESTION = "A box holds 12 eggs. How many eggs are in 7 boxes?"


def gap(steps: str, answer: str, question: str = QUESTION) -> str:
    return gap_in(question, read_steps(steps), Value(Fraction(answer), 0))


def test_a_whole_derivation_has_no_gap() -> None:
    assert gap("12 * 7 = 84", "84") == ""


@pytest.mark.parametrize(
    ("steps", "answer", "reason"),
    [
        ("", "84", "No step"),
        ("84 * 1 = 84", "84", "No step"),
        ("12 * 7 = 84", "85", "not the result"),
        ("12 * 7 = 84\n84 + 1 = 85", "84", "not the result"),
        ("20 + 22 = 42", "42", "no number of the question"),
        ("12 + 12 = 24", "24", "no use of 7"),
        ("12 + 7 = 19\n12 * 7 = 84", "84", "Nothing follows"),
        ("12 / 7 = 1.71", "1.71", "whole"),
    ],
)
def test_gaps(steps: str, answer: str, reason: str) -> None:
    question = QUESTION
    value = Value(Fraction(answer), len(answer.partition(".")[2]))
    assert reason in gap_in(question, read_steps(steps), value)


def test_percentages_and_words_count_as_used() -> None:
    assert gap("80 * 0.8 = 64", "64", "A shirt of $80 is 20% off. What is its price?") == ""
    assert gap("2 * 3 = 6", "6", "Two boys have three toys each. How many toys?") == ""


def test_numbers_of() -> None:
    assert numbers_of("1,200 eggs, 3.5 boxes, no 7th") == {1200, Fraction(7, 2), 7}
