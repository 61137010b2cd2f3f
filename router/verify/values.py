"""The number that an answer states.

What: `18 dollars`, `x = 4`, `-7/2`, `$1,200.00`, `25%`, "Each child got 5 books". What not:
an answer that is still to be computed (`12*7`, `14/4`), several numbers, roots and other
symbols: those are None here.
"""

from fractions import Fraction
from typing import NamedTuple

from router.verify.arithmetic import Unreadable, compute
from router.verify.tokens import Token, tokenise

__all__ = ["Value", "parse_value"]


class Value(NamedTuple):
    """A number as an answer gives it."""

    number: Fraction
    decimals: int


def parse_value(answer: str) -> Value | None:
    """The one number an answer states: `18 dollars`, `x = 4`, `-7/2`, `$1,200.00`, `25%`.

    An answer that is still a sum to be done (`12*7`, `14/4`) is no number.
    """
    tokens = tokenise(answer.strip().strip("$"))
    scale = 1
    while tokens and tokens[-1].kind == "stop":
        if tokens.pop().text == "%":  # behind a bracket: `\\frac{1}{2}%`
            scale = 100
    if len(tokens) > 2 and tokens[0].kind in ("var", "word") and tokens[1].kind == "=":
        tokens = tokens[2:]
    numbers = [t for t in tokens if t.kind == "num"]
    if len(numbers) == 1 and len(tokens) > 1:
        tokens = _without_words(tokens, tokens.index(numbers[0]))
    operators = [t.text for t in tokens if t.kind == "op"]
    if not numbers or len(numbers) > 2 or not set(operators) <= {"-", "/"}:
        return None
    if operators.count("/") != len(numbers) - 1 or operators.count("-") > 1:
        return None
    try:
        value = compute(tokens).value
    except Unreadable:
        return None
    if len(numbers) == 2 and value.denominator != numbers[1].value:
        return None
    return Value(value / scale, 0 if len(numbers) == 2 else numbers[0].decimals)


def _without_words(tokens: list[Token], at: int) -> list[Token]:
    """The number of "Each child got 5 books" and of "$2 more than box B", with its sign."""
    start = at - (at > 0 and tokens[at - 1].text == "-")
    rest = [*tokens[:start], *tokens[at + 1 :]]
    beside = tokens[max(0, start - 1) : at + 2]
    is_prose = all(t.kind in ("word", "stop") or t.text.isalpha() for t in rest)
    return tokens[start : at + 1] if is_prose and all(t.kind != "var" for t in beside) else tokens
