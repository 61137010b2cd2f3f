"""Exact, bounded arithmetic on expressions as people write them.

What: computes `12 apples * $3`, `\\frac{1}{2} + 25%`, `2^10 - 4!`, as tokens, with
fractions. What not: no floats, no names looked up, no `eval`: an expression outside this
small grammar raises `Unreadable`. Bounds: tokens of one expression, and the size of a power
*before* it is computed, so a bomb such as 9**9**9 costs nothing.
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import takewhile
from typing import NamedTuple

from router.verify.tokens import Token

__all__ = ["Result", "Unreadable", "compute", "show"]

MAX_TOKENS = 120
MAX_BITS = 4096
MAX_DEPTH = 40


class Unreadable(Exception):
    """Not an expression of this grammar, or one that is too large."""


class Result(NamedTuple):
    """What an expression comes to, and how many operations that took."""

    value: Fraction
    operations: int


def compute(tokens: Sequence[Token], names: Mapping[str, Fraction] | None = None) -> Result:
    """The exact value of a whole token list. Words after a number are units and skipped.

    Raises `Unreadable` for anything that is not one complete expression.
    """
    if not 0 < len(tokens) <= MAX_TOKENS:
        raise Unreadable
    parser = _Parser(tokens, names or {})
    value = parser.sum(0)
    if parser.at < len(tokens):
        raise Unreadable
    return Result(value, parser.operations)


def show(value: Fraction) -> str:
    """A value for people: a short decimal where it is exact, else a fraction."""
    text = str(value)
    if value.denominator != 1:
        decimal = f"{float(value):.6g}" if len(text) < 40 else text
        text = decimal if Fraction(decimal) == value else text
    return text if len(text) <= 40 else f"{text[:20]}… ({len(text)} characters)"


class _Parser:
    """Recursive descent: sum > product > power > atom."""

    def __init__(self, tokens: Sequence[Token], names: Mapping[str, Fraction]) -> None:
        self.tokens, self.names = tokens, names
        self.at = 0
        self.operations = 0

    def _next_is(self, *marks: str) -> bool:
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        return token.kind in ("op", "(", ")") and token.text in marks

    def _take(self) -> Token:
        if self.at >= len(self.tokens):
            raise Unreadable
        self.at += 1
        return self.tokens[self.at - 1]

    def sum(self, depth: int) -> Fraction:
        value = self.product(depth)
        while self._next_is("+", "-"):
            sign = 1 if self._take().text == "+" else -1
            value = self._bounded(value + sign * self.product(depth))
        return value

    def product(self, depth: int) -> Fraction:
        value = self.signed(depth)
        while True:
            if self._next_is("*"):
                self._take()
                value = self._bounded(value * self.signed(depth))
            elif self._next_is("/"):
                self._take()
                divisor = self.signed(depth)
                if divisor == 0:
                    raise Unreadable
                value = self._bounded(value / divisor)
            elif self._juxtaposed() or self._of():
                value = self._bounded(value * self.power(depth))
            else:
                return value

    def _juxtaposed(self) -> bool:
        """`2x`, `2(3+4)`, `(1)(2)`: a product without its sign."""
        if self.at >= len(self.tokens):
            return False
        token, before = self.tokens[self.at], self.tokens[self.at - 1]
        if token.kind == "var":
            return token.text in self.names
        if token.kind != "(" or before.kind not in ("num", "var", ")"):
            return False
        inside = takewhile(lambda t: t.kind != ")", self.tokens[self.at + 1 :])
        if before.kind == "num" and any(t.kind == "word" for t in inside):
            raise Unreadable  # "$150 (2 x 4 boards)" is a remark
        return True

    def _of(self) -> bool:
        """`20% of 50`, `1/2 of 10`."""
        if self.at >= len(self.tokens) or self.tokens[self.at] != Token("word", "of"):
            return False
        before = self.tokens[max(0, self.at - 2) : self.at]
        if before[-1].text.endswith("%") or before[0] == Token("op", "/") or before[-1].kind == ")":
            self.at += 1
            return True
        return False

    def signed(self, depth: int) -> Fraction:
        if depth > MAX_DEPTH:
            raise Unreadable
        if self._next_is("-", "+"):
            sign = -1 if self._take().text == "-" else 1
            return sign * self.signed(depth + 1)
        return self.power(depth)

    def power(self, depth: int) -> Fraction:
        base = self.atom(depth)
        while self._next_is("!"):
            self._take()
            if base.denominator != 1 or not 0 <= base <= 200:
                raise Unreadable
            base = self._bounded(Fraction(math.factorial(int(base))))
        if not self._next_is("^"):
            return base
        self._take()
        exponent = self.signed(depth + 1)
        self.operations += 1
        return _power(base, exponent)

    def atom(self, depth: int) -> Fraction:
        token = self._take()
        if token.kind == "(":
            value = self.sum(depth + 1)
            if not self._next_is(")", "]"):
                raise Unreadable
            self._take()
        elif token.kind == "num":
            value = token.value
        elif token.kind == "var" and token.text in self.names:
            return self.names[token.text]
        else:
            raise Unreadable
        return self._units(value)

    def _units(self, value: Fraction) -> Fraction:
        """Skip the words behind a value; `percent` scales it, `of` is an operator."""
        while self.at < len(self.tokens) and self.tokens[self.at].kind == "word":
            word = self.tokens[self.at].text.lower()
            if word == "of" and self._peek_of():
                break
            if word in ("percent", "pct"):
                value /= 100
            self.at += 1
        return value

    def _peek_of(self) -> bool:
        at, applies = self.at, self._of()
        self.at = at
        return applies

    def _bounded(self, value: Fraction) -> Fraction:
        self.operations += 1
        if value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS:
            raise Unreadable
        return value


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    """Exact powers and square roots; anything irrational or huge is unreadable."""
    if exponent == Fraction(1, 2) and base >= 0:
        above, below = math.isqrt(base.numerator), math.isqrt(base.denominator)
        if above**2 == base.numerator and below**2 == base.denominator:
            return Fraction(above, below)
        raise Unreadable
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if exponent.denominator != 1 or abs(exponent) > MAX_BITS or bits * abs(exponent) > MAX_BITS:
        raise Unreadable
    if base == 0 and exponent <= 0:
        raise Unreadable
    result: Fraction = base ** int(exponent)
    return result
