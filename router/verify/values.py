"""The number that an answer states.

What: `18 dollars`, `x = 4`, `-7/2`, `$1,200.00`, `25%`, "minus 3", "Each child got 5 books". What
not: an answer that is still to be computed (`12*7`, `14/4`, "half of 4", `4!`), one that denies or
bounds its number ("not 4", `x < 4`), several numbers, roots and other symbols: None here.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from router.verify.arithmetic import Unreadable, compute
from router.verify.text import word_set
from router.verify.tokens import Token, tokenise

__all__ = ["Value", "exact_value", "number_of", "parse_value", "twists"]

_NEGATIVE = word_set("minus negative")
_COMPARES = word_set(
    "most least less fewer more greater than over under below above beneath exceeds exceed except"
    " exceeding beyond between within almost nearly without before after until since up down"
    " maximum minimum max min"
)
_DENIES = word_set(
    "not no non never neither nor cannot cant can't isn't ain't isnt wasn't aren't won't doesn't"
    " don't didn't couldn't wouldn't shouldn't false wrong incorrect impossible unlikely instead"
    " rather"
)
_COMPUTES = word_set(
    "half halve third quarter fourth fifth sixth seventh eighth ninth tenth twice thrice double"
    " doubled triple tripled quadruple quadrupled halved dozen score hundred thousand million"
    " billion trillion squared cubed cube square root factorial sqrt cbrt log ln lg lb exp sin cos"
    " tan cot sec csc arcsin arccos arctan sinh cosh tanh abs absolute floor ceil reciprocal"
    " inverse opposite plus times divided multiplied power modulo mod gcd lcm choose percent pct"
    " per-cent halves thirds quarters fourths fifths sixths sevenths eighths ninths tenths"
    " hundredths thousandths millionths hundredth thousandth millionth dozens scores hundreds"
    " thousands millions billions twentieth twentieths"
)
_SIGNS = word_set(
    "loss losses lost loses lose gain gained profit debt deficit surplus owes owe owed east west"
    " north south ad bc bce ce"
)
_CHOICES = word_set("or to and versus vs")
_VERBS = word_set("is was are were equals would could should might may if be")
_BEFORE = _COMPARES | _DENIES | _COMPUTES | _SIGNS | _CHOICES
"""In front of a number these make another value of it, wherever they stand."""
_BEHIND = _COMPUTES | _SIGNS | _CHOICES | _VERBS | word_set("not no below")
"""Right behind a number: `5 dozen`, `5 squared`, `5 is wrong`; "5 books to read" is fine."""
_ANYWHERE = word_set("wrong incorrect false impossible isn't wasn't cannot can't ain't")
_SCIENTIFIC = re.compile(r"(?<![\w.\\])(\d+(?:\.\d+)?)[eE]([-+]?\d{1,3})(?!\w)")
_TWO_SLASHES = re.compile(r"/[^/]*/")
"""Read in two ways: 4 / 1/6."""
_HARMLESS_STOPS = frozenset(".,:;?!\n#…\"'“”")


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
    while tokens and tokens[-1].kind == "stop" and not _factorial(tokens, len(tokens) - 1):
        if tokens[-1].text not in _HARMLESS_STOPS | {"%"}:
            return None
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
    if any(_changes(t) for t in tokens):
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


def exact_value(text: str) -> Fraction | None:
    """What a sum of bare numbers comes to: `1.6\\times10^{-19}`, `3.5e4`, `10!`. No words.

    Exact, where sympy would round: two tiny numbers are not the same for being tiny.
    """
    tokens = tokenise(f"({_SCIENTIFIC.sub(_ten_power, text)})")
    if any(t.kind not in ("num", "op", "(", ")") for t in tokens) or _TWO_SLASHES.search(text):
        return None
    try:
        return compute(tokens).value
    except Unreadable:
        return None


def number_of(text: str) -> Fraction | None:
    """The number stated, else the one that a sum of bare numbers comes to."""
    value = parse_value(text)
    return value.number if value else exact_value(text)


def twists(answer: str) -> bool:
    """Does a list of solutions say more than their values: `x > 2`, "not 2", "x = minus 2"?"""
    linking = _CHOICES | _VERBS
    return any(
        t.text not in _HARMLESS_STOPS
        if t.kind == "stop"
        else _is_one_of(t, _BEFORE | _BEHIND | _NEGATIVE) and t.text.lower() not in linking
        for t in tokenise(answer, letters=True)
    )


def _without_words(tokens: list[Token], at: int) -> list[Token]:
    """The number of "Each child got 5 books" and of "$2 more than box B", with its sign.

    All of the tokens (no number) where a word makes another value of it: "not 5", "half of 5".
    """
    start = at - (at > 0 and tokens[at - 1].text == "-")
    sign = tokens[start:at]
    if not sign and at > 0 and tokens[at - 1].text.lower() in _NEGATIVE:
        start, sign = at - 1, [Token("op", "-")]
    before, behind = tokens[:start], tokens[at + 1 :]
    if not _keeps_value(before, behind):
        return tokens
    beside = tokens[max(0, start - 1) : at + 2]
    rest = [*before, *behind]
    is_prose = all(t.kind in ("word", "stop") or t.text.isalpha() for t in rest)
    plain = all(t.kind != "var" for t in beside)
    return [*sign, tokens[at]] if is_prose and plain else tokens


def _keeps_value(before: Sequence[Token], behind: Sequence[Token]) -> bool:
    """Do the words around a number leave it as it is?"""
    if any(t.kind == "stop" and t.text not in _HARMLESS_STOPS for t in (*before, *behind)):
        return False  # `x < 4`, `4 @ 5`
    if behind and (behind[0].text == "!" or _is_one_of(behind[0], _BEHIND)):
        return False
    if any(_is_one_of(t, _BEFORE | _NEGATIVE) for t in before):
        return False
    return not any(_is_one_of(t, _ANYWHERE) for t in behind) and not _turns(behind)


def _turns(behind: Sequence[Token]) -> bool:
    """`5 dollars loss`, `5 km west`, `5 books or`: a sign or a choice near the number."""
    if behind and behind[-1].text.lower() == "not":
        return True
    return any(_is_one_of(t, _SIGNS - word_set("lost gained lose loses ad")) for t in behind[:3])


def _is_one_of(token: Token, words: frozenset[str]) -> bool:
    if token.kind not in ("word", "var"):
        return False
    text = token.text.lower()
    return text in words or any(part in words for part in text.split("-")[:1] if "-" in text)


def _ten_power(match: re.Match[str]) -> str:
    return f"{match[1]}*10^({match[2]})"


def _factorial(tokens: Sequence[Token], at: int) -> bool:
    return tokens[at].text == "!" and at > 0 and tokens[at - 1].kind in ("num", ")")


def _changes(token: Token) -> bool:
    """A word that `compute` would skip as a unit, and that is none: `1/2 dozen`."""
    return _is_one_of(token, _BEFORE | _BEHIND | _NEGATIVE)
