"""Text into the tokens of arithmetic: numbers, signs, words, unknowns.

What: LaTeX, markdown, money, percent, thousands separators, `x` as a sign of multiplication.
What not: it does not decide what belongs to an expression (`arithmetic` does), and it
computes nothing. Linear in the length of the text.
"""

import re
from fractions import Fraction
from typing import Literal, NamedTuple

__all__ = ["Token", "tokenise"]

MAX_DIGITS = 60

Kind = Literal["num", "op", "(", ")", "=", "word", "var", "stop"]


class Token(NamedTuple):
    """One token; `value` and `decimals` belong to numbers."""

    kind: Kind
    text: str
    value: Fraction = Fraction(0)
    decimals: int = 0


_LATEX = (
    (re.compile(r"\\(?:text|textbf|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\(?:times|cdot|ast)(?![A-Za-z])"), "*"),
    (re.compile(r"\\div(?![A-Za-z])"), "/"),
    (re.compile(r"\\(?:approx|simeq)(?![A-Za-z])"), "≈"),
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
    r"""(?P<num>(?:[$£€]\s?)?(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)\s?%?)
      | (?P<cross>(?<![A-Za-z])[xX](?=\s*[$£€\d(.]))
      | (?P<word>[A-Za-z][A-Za-z']+(?:-[A-Za-z']+)*|[A-Za-z])
      | (?P<not_equal>!=|<=|>=|≠|≤|≥|=>|->|:=|[<>])
      | (?P<equal>={1,2}|≈)
      | (?P<op>[-+*/^]|!(?=\s*[-+*/^=)!?]))
      | (?P<command>\\[A-Za-z]+)
      | (?P<open>[(\[])
      | (?P<close>[)\]])
      | (?P<skip>[ \t\r"']+|[$£€](?!\s?[.\d])|,(?=\s*and\b))
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


def _token(match: "re.Match[str]", before: Token | None, text: str, letters: bool) -> Token | None:
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
    before, after = (
        text[max(0, match.start() - 2) : match.start()],
        text[match.end() : match.end() + 2].lstrip(),
    )
    return (
        before[-1:].isdigit()
        or before.rstrip()[-1:] in tuple("+-*/^=(")
        or after[:1] in tuple("+*/^=)-")
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
