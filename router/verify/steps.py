"""The arithmetic a response states, found and recomputed.

What: every link `a = b` of every chain in the text where both sides can be read and at
least one of them holds an operation. What not: links with unknowns, unit conversions,
compound quantities (1 hour 30 minutes) and everything said in words are left out: they
neither pass nor fail. A result may differ from the exact one only as far as its own
decimals say that it was rounded, or where the line says "about".
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from router.verify.arithmetic import Unreadable, compute
from router.verify.text import word_set
from router.verify.tokens import Token, tokenise

__all__ = ["Step", "read_steps", "same_value"]

MAX_STEPS = 2000
MAX_SIDE = 60

_ANNOTATION = re.compile(r"<<([^<>\n]{1,200})>>")
_ABOUT = word_set(
    """
    about approximately roughly around nearly almost approx
    """
)
_ROUNDED = re.compile(
    r"round|approx|about|nearest|whole|full|remainder|remaining|at least|integer|≈", re.IGNORECASE
)
_SCALES = word_set(
    """
    half third quarter fourth fifth sixth eighth tenth twice double triple thrice times plus
    minus negative square root sqrt log sin cos tan floor ceil round max min gcd lcm mod choose
    sum difference product by per
    """
)
_DENIES = word_set("not isn't isnt never cannot can't no wasn't doesn't don't")
_MEASURES = tuple(
    frozenset(group.split())
    for group in (
        "hour hr minute min second day week month year decade",
        "foot feet ft inch inche yard mile meter metre km cm mm m",
        "kg gram g pound lb ounce oz ton",
        "dollar cent quarter dime nickel penny pennie buck",
        "gallon quart pint cup liter litre ml tablespoon teaspoon",
    )
)
_UNITS = frozenset[str]().union(*_MEASURES)
_MULTIPLES = word_set(
    """
    dozen pair hundred thousand million billion half third quarter
    """
)


class Step(NamedTuple):
    """One recomputed link: what stood there, and whether it holds."""

    text: str
    exact: Fraction
    result: Fraction
    """As stated: what later steps and the final answer may build on."""
    operands: tuple[Fraction, ...]
    holds: bool
    trivial: bool
    """A restatement such as 5 * 1 = 5: it could hardly have failed."""


class _Side(NamedTuple):
    tokens: Sequence[Token]
    value: Fraction
    operations: int

    @property
    def numbers(self) -> tuple[Fraction, ...]:
        return tuple(t.value for t in self.tokens if t.kind == "num")

    @property
    def units(self) -> set[str]:
        money = {"dollar"} if any("$" in t.text for t in self.tokens) else set()
        return money | {_unit(t) for t in self.tokens if _unit(t) in _UNITS}

    @property
    def text(self) -> str:
        return " ".join(t.text.strip() for t in self.tokens if t.kind != "word")


def read_steps(response: str) -> list[Step]:
    """Every readable step of a response, in the order in which it is written."""
    lines = _unannotated(response).split("\n")
    return [step for line in lines for step in _line_steps(line)][:MAX_STEPS]


def _unannotated(response: str) -> str:
    """GSM8K's `= <<9*2=18>>18`: the annotation gets a line of its own, before its sentence."""
    lines = []
    for line in response.split("\n"):
        lines += [found.group(1) for found in _ANNOTATION.finditer(line)]
        lines.append(_ANNOTATION.sub("", line))
    return "\n".join(lines)


def _line_steps(line: str) -> Iterator[Step]:
    if "=" not in line and "≈" not in line and "approx" not in line:
        return
    rounded = bool(_ROUNDED.search(line))
    for chain in _chains(tokenise(line)):
        for left, equals, right in zip(chain[::2], chain[1::2], chain[2::2], strict=False):
            about = equals[0].text == "≈"
            step = _link(left, right, about=about, rounded=rounded)
            if step:
                yield step


def _chains(tokens: Sequence[Token]) -> Iterator[list[list[Token]]]:
    """Runs without a stop, as [side, [=], side, [=], side]."""
    chain: list[list[Token]] = [[]]
    for token in [*tokens, Token("stop", "")]:
        if token.kind == "stop":
            if len(chain) > 1:
                yield chain
            chain = [[]]
        elif token.kind == "=":
            chain += [[token], []]
        else:
            chain[-1].append(token)


def _link(
    left: Sequence[Token], right: Sequence[Token], *, about: bool, rounded: bool
) -> Step | None:
    while right and right[0].kind == "word" and right[0].text.lower() in _ABOUT:
        right, about = right[1:], True
    a, b = _suffix(left[-MAX_SIDE:]), _prefix(right[:MAX_SIDE])
    if a is None or b is None or not a.operations + b.operations:
        return None
    if not a.operations and len(a.tokens) < len(left):
        return None  # "the other 16 students = 0.25 * 16"
    work, stated = (a, b) if a.operations else (b, a)
    holds = _holds(work, stated, about=about, rounded=rounded) or _runs_on(a, b)
    if not holds and _converts(a, b):
        return None
    operands = work.numbers
    return Step(
        text=f"{a.text} = {b.text}",
        exact=work.value,
        result=work.value if _runs_on(a, b) else stated.value,
        operands=operands,
        holds=holds,
        trivial=work.value in operands and len(operands) <= 2 and bool({0, 1} & set(operands)),
    )


def _runs_on(a: _Side, b: _Side) -> bool:
    """`6 * 6 = 36 / 12 = 3`: the equals sign used as "and then"."""
    return bool(a.operations and b.operations and b.numbers and b.numbers[0] == a.value)


def _unit(token: Token) -> str:
    return token.text.lower().rstrip("s") if token.kind == "word" else ""


def _suffix(tokens: Sequence[Token]) -> _Side | None:
    """The longest expression that ends right before the equals sign."""
    for start, token in enumerate(tokens):
        if token.kind not in ("num", "(") and not (start == 0 and token.text == "-"):
            continue
        side = _read(tokens[start:])
        if side:
            return None if _bound_before(tokens[:start], tokens[start:]) else side
    return None


def _bound_before(before: Sequence[Token], side: Sequence[Token]) -> bool:
    """Does what stands before belong to the expression, so that it is not whole?"""
    if not before:
        return False
    last = before[-1]
    if last.kind != "word":
        return True
    if any(t.text.lower() in _DENIES for t in before if t.kind == "word"):
        return True  # "It is not 3 * 4 = 12" states no step
    tail = [t.text.lower() for t in before[-3:] if t.kind == "word"]
    if _SCALES.intersection(tail) or (side[0].kind == "(" and len(last.text) <= 2):
        return True
    return len(before) > 1 and _goes_on(before, side)


def _goes_on(before: Sequence[Token], after: Sequence[Token]) -> bool:
    """One quantity in two numbers: `1 hour 30 minutes`, `2 feet and 3 inches`, `2 and 1/2`."""
    link = before[-1]
    if link.kind == "word" and link.text.lower() == "and":
        fraction = len(after) > 1 and after[1].text == "/"
        return fraction or _unit(before[-2]) in _UNITS
    return _unit(link) in _UNITS and before[-2].kind == "num"


def _prefix(tokens: Sequence[Token]) -> _Side | None:
    """The longest expression that starts right after the equals sign."""
    for end in range(len(tokens), 0, -1):
        side = _read(tokens[:end])
        if side is None:
            continue
        if end == len(tokens):
            return side
        if tokens[end].kind != "num" or tokens[end - 1].kind != "word":
            return None
        return None if _goes_on(tokens[:end], tokens[end:]) else side
    return None


def _read(tokens: Sequence[Token]) -> _Side | None:
    try:
        result = compute(tokens)
    except Unreadable:
        return None
    return _Side(tokens, result.value, result.operations)


def _converts(a: _Side, b: _Side) -> bool:
    """`1/4 * 1 hour = 15 minutes`: two units of one measure, so the numbers need not agree."""
    units = a.units | b.units
    if any(_unit(t) in _MULTIPLES for t in (*a.tokens, *b.tokens)):
        return True
    return any(len(units & measure) > 1 for measure in _MEASURES)


def _holds(work: _Side, stated: _Side, *, about: bool, rounded: bool) -> bool:
    if work.value == stated.value:
        return True
    slack = _rough(work) or _rough(stated) or about
    if stated.operations:
        return slack and _near(work.value, stated.value)
    number = next(t for t in stated.tokens if t.kind == "num")
    exact, value, decimals = work.value, stated.value, number.decimals
    if number.text.endswith("%") and abs(exact - value * 100) < abs(exact - value):
        value, decimals = value * 100, max(0, decimals - 2)  # 5/20*100 = 25%
    if slack and _near(exact, value):
        return True
    return same_value(exact, value, decimals, rounded=rounded)


def same_value(exact: Fraction, stated: Fraction, decimals: int, *, rounded: bool = False) -> bool:
    """Equal, or apart by less than the last decimal of a visibly rounded result."""
    if exact == stated:
        return True
    if decimals == 0 and not rounded:
        return False
    places = Fraction(1, 10**decimals)
    if (exact / places).denominator == 1:  # it could be written in full
        return False
    cut_off = abs(stated) < abs(exact)
    slack = places if cut_off or rounded else places / 2
    return abs(exact - stated) < slack or abs(exact - stated) == places / 2


def _rough(side: _Side) -> bool:
    """Does it compute with a number that looks rounded, such as 0.667?"""
    return any(t.decimals >= 3 or t.text.endswith((".33", ".67", ".66")) for t in side.tokens)


def _near(a: Fraction, b: Fraction) -> bool:
    return abs(a - b) <= max(abs(a), abs(b)) / 100
