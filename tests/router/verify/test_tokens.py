"""What counts as a number, a sign, a word, an unknown."""

import time
from fractions import Fraction

import pytest

from router.verify.tokens import tokenise


def shape(text: str, *, letters: bool = False) -> str:
    """Kinds and texts, blank-separated."""
    return " ".join(
        f"{t.value}" if t.kind == "num" else t.text if t.kind in ("op", "(", ")", "=") else t.kind
        for t in tokenise(text, letters=letters)
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("12 * 7", "12 * 7"),
        ("$1,234.50 + 5", "2469/2 + 5"),
        ("25%", "1/4"),
        ("3 x 60", "3 * 60"),
        ("5 x $3", "5 * 3"),
        (r"3 \times 4 \div 2 \cdot 1", "3 * 4 / 2 * 1"),
        (r"\frac{1}{2}", "( ( 1 ) / ( 2 ) )"),
        (r"\frac12", "( ( 1 ) / ( 2 ) )"),
        ("2**3", "2 ^ 3"),
        ("**9 * 2 = 18**", "9 * 2 = 18"),
        ("5² − 3", "5 ^ 2 - 3"),
        ("60 meters/sprint", "60 word word word"),
        ("4 (Amalia) + 6", "4 + 6"),
        ("4 / 1/6", "4 / ( 1 / 6 )"),
        ("So it is 12!", "word word word 12 stop"),
        ("5! = 120", "5 ! = 120"),
        ("2x - 3 = 5", "2 var - 3 = 5"),
        ("9 * 2 = 18 a day", "9 * 2 = 18 word word"),
        ("3A + 5 = 11", "3 var + 5 = 11"),
        (r"\sqrt{9}", "var ( 9 )"),
    ],
)
def test_tokens(text: str, told: str) -> None:
    assert shape(text) == told


def test_with_letters_every_single_letter_is_an_unknown() -> None:
    assert shape("2a + I", letters=True) == "2 var + var"
    assert shape("2x(x+1)", letters=True) == "2 var ( var + 1 )"


def test_decimals_are_counted() -> None:
    assert [t.decimals for t in tokenise("18.00 5 12.5%")] == [2, 0, 3]


def test_a_number_of_endless_digits_is_no_number() -> None:
    assert [t.kind for t in tokenise("9" * 1000)] == ["stop"]
    assert tokenise("9" * 30)[0].value == Fraction("9" * 30)


@pytest.mark.parametrize(
    "piece", ["1,111", "\\frac{", "(", "x 1", "((a", "\\text{", "** ", "/ 1/2"]
)
def test_tokenising_is_linear(piece: str) -> None:
    started = time.perf_counter()
    tokenise(piece * (100_000 // len(piece)))
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes
