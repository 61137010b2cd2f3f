"""Exact, bounded arithmetic on expressions as people write them.

What: reads `12 apples * $3`, `\\frac{1}{2} + 25%`, `2^10 - 4!` into tokens and computes them
with fractions. What not: no floats, no names looked up, no `eval`: an expression outside
this small grammar raises `Unreadable`. Bounds: tokens of one expression, digits of one
number, and the size of a power *before* it is computed, so a bomb such as 9**9**9 costs
nothing.
"""

import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import takewhile
from typing import Literal, NamedTuple

__all__ = ["Token", "Unreadable", "compute", "tokenise"]

MAX_TOKENS = 120
MAX_DIGITS = 60
MAX_BITS = 4096
MAX_DEPTH = 40

Kind = Literal["num", "op", "(", ")", "=", "word", "var", "stop"]


class Unreadable(Exception):
    """Not an expression of this grammar, or one that is too large."""


class Token(NamedTuple):
    """One token; `value` and `decimals` belong to numbers."""

    kind: Kind
    text: str
    value: Fraction = Fraction(0)
    decimals: int = 0


_LATEX = (
    (re.compile(r"\\(?:text|textbf|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\(?:times|cdot|ast)\b"), "*"),
    (re.compile(r"\\div\b"), "/"),
    (re.compile(r"\\(?:approx|simeq)\b"), "≈"),
    (re.compile(r"\\(?:left|right|displaystyle|quad|qquad|,|;|!|:| )"), " "),
    (re.compile(r"\\(?:implies|Rightarrow|rightarrow|to|therefore|Longrightarrow|iff)\b"), "\n"),
    (re.compile(r"\\\\|\\[()\[\]]"), "\n"),
    (re.compile(r"\\([$%{}&#_*])"), r"\1"),
)
_FRAC = re.compile(r"\\[dtc]?frac\s*(?:\{([^{}]*)\}\s*\{([^{}]*)\}|(\d)\s*(\d))")
_PLAIN = (
    (re.compile(r"(?<=[\d)])\*\*(?=[\d(-])"), "^"),
    (re.compile(r"\*\*|__|`|&"), ""),
    (re.compile(r"\(\s*[A-Za-z][A-Za-z', -]{2,60}\)"), " "),  # an aside such as "(spiders)"
    (re.compile(r"/(?=[a-z]{2})"), " per "),
    (re.compile(r"(?<=/ )(\d{1,9})/(\d{1,9})(?![\d/.])"), r"(\1/\2)"),  # 4 / 1/6 is 4 / (1/6)
    (re.compile(r"(?<![A-Za-z])(?:USD|EUR|GBP)\b"), " "),
)
_SYMBOLS = str.maketrans(
    {
        "×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "⁄": "/", "−": "-", "–": "-",
        "²": "^2", "³": "^3", "½": " 1/2", "¼": " 1/4", "¾": " 3/4", "{": "(", "}": ")",
        "≃": "≈", "≅": "≈", "’": "'",
    }
)  # fmt: skip
_TOKEN = re.compile(
    r"""(?P<num>[$£€]?\s?(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)\s?%?)
      | (?P<cross>(?<![A-Za-z])[xX](?=\s*[$£€\d(.]))
      | (?P<word>[A-Za-z][A-Za-z']*(?:-[A-Za-z']+)*)
      | (?P<not_equal>!=|<=|>=|≠|≤|≥|=>|->|:=|[<>])
      | (?P<equal>={1,2}|≈)
      | (?P<op>[-+*/^]|!(?=\s*[-+*/^=)!?]))
      | (?P<command>\\[A-Za-z]+)
      | (?P<open>[(\[])
      | (?P<close>[)\]])
      | (?P<skip>[ \t\r$£€"']+|,(?=\s*and\b))
      | (?P<stop>.|\n)""",
    re.VERBOSE,
)


def tokenise(text: str, *, letters: bool = False) -> list[Token]:
    """All tokens of a text, in linear time. With `letters`, "a" and "I" are unknowns too."""
    text = _normalise(text)
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        token = _token(match, tokens[-1] if tokens else None, text, letters)
        if token:
            tokens.append(token)
    return tokens


def _normalise(text: str) -> str:
    for pattern, new in _LATEX:
        text = pattern.sub(new, text)
    for _ in range(3):  # nested fractions, from the inside out
        text, done = _FRAC.subn(_fraction, text)
        if not done:
            break
    text = text.translate(_SYMBOLS)
    for pattern, new in _PLAIN:
        text = pattern.sub(new, text)
    return text


def _fraction(match: "re.Match[str]") -> str:
    above, below = match.group(1) or match.group(3), match.group(2) or match.group(4)
    return f"(({above})/({below}))"


def _token(
    match: "re.Match[str]", before: Token | None, text: str, letters: bool
) -> Token | None:
    kind, raw = match.lastgroup, match.group()
    if kind == "num":
        return _number(raw)
    if kind == "cross":
        after_value = before is not None and before.kind in ("num", ")", "word")
        attached = before is not None and text[match.start() - 1].isalnum()
        lopsided = attached and text[match.end()].isspace()  # "2x 3" is no product
        in_formula = letters and (text[match.end() : match.end() + 2].lstrip()[:1] == "(")
        is_times = after_value and not lopsided and not in_formula
        return Token("op", "*") if is_times else Token("var", raw.lower())
    if kind == "word":
        unknown = len(raw) == 1 and (letters or raw not in "aAI" or _in_formula(match, text))
        return Token("var" if unknown else "word", raw)
    if kind == "equal":
        return Token("=", raw)
    if kind == "op":
        return Token("op", raw)
    if kind in ("open", "close"):
        return Token("(" if kind == "open" else ")", raw)
    if kind == "command":
        return Token("var", raw)
    return None if kind == "skip" else Token("stop", raw)


def _in_formula(match: "re.Match[str]", text: str) -> bool:
    """Is this "a" an unknown rather than the article?"""
    before, after = text[max(0, match.start() - 2) : match.start()], text[match.end() : match.end() + 2].lstrip()
    return (
        before[-1:].isdigit() or before.rstrip()[-1:] in tuple("+-*/^=(") or after[:1] in tuple("+*/^=)-")
    )


def _number(raw: str) -> Token:
    digits = raw.strip("$£€% \t\r\n").replace(",", "")
    if len(digits) > MAX_DIGITS:
        return Token("stop", raw)
    value = Fraction(digits if digits[0] != "." else "0" + digits)
    decimals = len(digits.partition(".")[2])
    if raw.endswith("%"):
        return Token("num", raw, value / 100, decimals + 2)
    return Token("num", raw, value, decimals)


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
