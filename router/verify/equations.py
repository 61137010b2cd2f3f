"""What the question itself states, recomputed: its expression, or its equations.

What: "What is 12*7?", "17% of 250", "12 times 7" are computed and compared; "Solve
2x+3=11", "x+y=10 and x-y=2" are checked by substituting the answer. What not: word
problems, functions, inequalities, and questions that ask for something other than the
unknowns, or say anything more than what to solve ("after adding 3"): then nothing is
claimed. Sources: the grammar of `arithmetic`, nothing else.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from router.verify.arithmetic import Unreadable, compute, show
from router.verify.expressions import Expression, asked_expression
from router.verify.text import word_set
from router.verify.tokens import Token, tokenise
from router.verify.values import Value, parse_value, twists

__all__ = ["PlugBack", "plug_back", "states_formula"]

MAX_QUESTION = 4000
MAX_ANSWER = 500
MAX_DEGREE = 6
MAX_UNKNOWNS = 8
SURE_DIGITS = 3
"""Digits that a rounded result has to show: 0.3 for 1/3 may as well be a guess."""

_TARGET = re.compile(
    r"(?:find|what(?:'s| is| are)|determine|calculate|compute|values? of|solve for|for)\s+"
    r"(?:all\s+)?(?:the\s+)?(?:real\s+)?(?:values?\s+of\s+)?[\\($]*([a-zA-Z])\b[\\)$]*(?!\s*[-+*/^=(\d])",
    re.IGNORECASE,
)
_SOLVE = re.compile(r"\b(?:solve|roots?|solutions?|zeros)\b", re.IGNORECASE)
_NARROWED = re.compile(
    r"\b(?:positive|negative|integers?|natural|whole|smallest|largest|greatest|least|greater|less"
    r"|sum|product|how many|number of|distinct|complex|between)\b|[<>≤≥]|\\[lg]eq?\b",
    re.IGNORECASE,
)
_PLAIN_WORDS = word_set(
    "solve find determine calculate compute what what's is are the value values of for all both"
    " each every real root roots solution solutions zeros and or if given that such when where"
    " with let suppose following equation equations system simultaneous linear quadratic cubic"
    " polynomial unknown unknowns variable variables to please kindly can could you help me hi"
    " hello thanks thank show your work step by answer give then exactly satisfying satisfy"
    " satisfies which how much does equal in"
)
"""What a question may say around its equations. Any other word could change what is asked."""


class PlugBack(NamedTuple):
    """What came of putting the answer back. `holds` is None where it proves nothing."""

    holds: bool | None
    evidence: str
    exact: bool = True
    """False where the answer is the exact value rounded."""


def states_formula(question: str) -> bool:
    """Does the question itself state an expression to compute or equations to solve?"""
    text = question[:MAX_QUESTION]
    return asked_expression(text) is not None or _asks_for_unknowns(text, _equations(text))


def plug_back(question: str, answer: str, closing: str = "") -> PlugBack | None:
    """Put the answer back into the question; None where the question states no formula.

    `closing` is the response's last line: it may name all unknowns where the answer does not.
    """
    if len(question) > MAX_QUESTION:
        return None
    if expression := asked_expression(question):
        return _compare(expression, answer)
    equations = _equations(question)
    return _substitute(question, equations, answer, closing) if equations else None


def _compare(expression: Expression, answer: str) -> PlugBack:
    value = parse_value(answer)
    if value is None:
        return PlugBack(None, f"The answer {answer!r} is no plain number to compare.")
    if expression.value == value.number:
        return PlugBack(True, f"{expression.text} = {show(expression.value)} equals {answer}.")
    told = f"{expression.text} = {show(expression.value)} is not {answer}."
    if not _could_be_rounded(expression.value, value):
        return PlugBack(False, told)
    if not _well_rounded(expression.value, value):
        return PlugBack(None, told)
    return PlugBack(True, f"{expression.text} = {show(expression.value)}, rounded {answer}.", False)


def _could_be_rounded(exact: Fraction, stated: Value) -> bool:
    """Nearer than the last place shown, of a value that cannot be written with these places."""
    places = Fraction(1, 10**stated.decimals)
    whole = (exact / places).denominator == 1
    return stated.decimals > 0 and not whole and abs(exact - stated.number) < places


def _well_rounded(exact: Fraction, stated: Value) -> bool:
    """To the nearest, not cut off, and with digits enough to tell."""
    places = Fraction(1, 10**stated.decimals)
    enough = abs(stated.number) / places >= 10 ** (SURE_DIGITS - 1)
    return enough and abs(exact - stated.number) <= places / 2


class _Equation(NamedTuple):
    left: tuple[Token, ...]
    right: tuple[Token, ...]

    @property
    def unknowns(self) -> frozenset[str]:
        return frozenset(t.text for t in (*self.left, *self.right) if t.kind == "var")

    @property
    def text(self) -> str:
        return "".join(t.text.strip() for t in (*self.left, Token("=", " = "), *self.right))

    def gap(self, names: Mapping[str, Fraction]) -> Fraction:
        """Left minus right; raises `Unreadable` where it has no exact value."""
        return compute(self.left, names).value - compute(self.right, names).value


def _equations(question: str) -> tuple[_Equation, ...]:
    """All equations of the question; empty if a single "=" of it cannot be read."""
    sides: list[list[Token]] = [[]]
    equations: list[_Equation] = []
    for token in [*tokenise(question, letters=True), Token("stop", "")]:
        if token.kind == "=":
            sides.append([])
        elif token.kind in ("stop", "word"):
            equations += [_Equation(tuple(a), tuple(b)) for a, b in pairwise(sides)]
            sides = [[]]
        else:
            sides[-1].append(token)
    readable = all(e.unknowns and _readable(e) for e in equations)
    return tuple(equations) if readable else ()


def _readable(equation: _Equation) -> bool:
    for probe in (Fraction(7), Fraction(11, 3)):
        try:
            equation.gap(dict.fromkeys(equation.unknowns, probe))
        except Unreadable:
            continue
        return True
    return False


def _substitute(
    question: str, equations: Sequence[_Equation], answer: str, closing: str
) -> PlugBack | None:
    unknowns = _unknowns(equations)
    if not _asks_for_unknowns(question, equations) or len(equations) < len(unknowns):
        return None
    solutions = _solutions(unknowns, answer) or _solutions(unknowns, closing)
    if not solutions:
        return PlugBack(None, f"The answer does not give {', '.join(unknowns)}.")
    for solution in solutions:
        shown = ", ".join(f"{name} = {show(value)}" for name, value in solution.items())
        for equation in equations:
            verdict = _satisfied(equation, solution)
            if verdict is not True:
                return PlugBack(verdict, f"{shown} does not satisfy {equation.text}.")
    if not _complete(question, equations, unknowns, solutions):
        return PlugBack(None, "The answer satisfies the equations; others may be missing.")
    told = "; ".join(e.text for e in equations)
    return PlugBack(True, f"The answer satisfies {told}.")


def _unknowns(equations: Sequence[_Equation]) -> list[str]:
    return sorted(frozenset[str]().union(*(e.unknowns for e in equations)))


def _asks_for_unknowns(question: str, equations: Sequence[_Equation]) -> bool:
    """ "Solve ...", "find x": not "what is x + 1", whose answer is no x to put back."""
    if not equations or not _says_no_more(question):
        return False
    targets = set(_TARGET.findall(question))
    return targets <= set(_unknowns(equations)) and bool(targets or _SOLVE.search(question))


def _says_no_more(question: str) -> bool:
    """Are there only equations and words that ask for their unknowns?

    "after adding 3", "and then report 2x", "what is x*y" ask for something else; a word such as
    "positive" narrows, which `_complete` weighs.
    """
    run: list[Token] = []
    for token in [*tokenise(question, letters=True), Token("stop", "")]:
        if token.kind not in ("stop", "word"):
            run.append(token)
            continue
        bare = [t for t in run if t.kind not in ("(", ")")]
        # The x of "find x." is read as a sign of multiplication.
        is_name = len(bare) < 2 and all(t.kind == "var" or t.text == "*" for t in bare)
        if not is_name and not any(t.kind == "=" for t in run):
            return False
        if token.kind == "word" and not _plain_word(token.text.lower()):
            return False
        run = []
    return True


def _plain_word(word: str) -> bool:
    if word in ("sum", "product"):  # of the roots: no root to put back
        return False
    return word in _PLAIN_WORDS or bool(_NARROWED.search(word))


def _satisfied(equation: _Equation, solution: Mapping[str, Fraction]) -> bool | None:
    try:
        gap = equation.gap(solution)
        scale = max(abs(compute(equation.right, solution).value), Fraction(1))
    except Unreadable:
        return None
    if gap == 0:
        return True
    rounded = any(value.denominator != 1 for value in solution.values())
    return None if rounded and abs(gap) < scale / 20 else False


def _solutions(unknowns: Sequence[str], answer: str) -> list[dict[str, Fraction]]:
    """The assignments an answer states: `4`, `x = 2 or x = 3`, `x=6, y=4`, `(6, 4)`."""
    if twists(answer[:MAX_ANSWER]):
        return []
    named: list[tuple[str | None, Fraction]] = []
    for piece in _pieces(answer):
        name = None
        if len(piece) > 2 and piece[1].kind == "=":
            name, piece = piece[0].text, piece[2:]
            if name not in unknowns:
                return []
        if any(t.kind == "=" for t in piece):  # `x^2 = 2`, `-x = 2`
            return []
        value = parse_value(" ".join(t.text for t in piece))
        if value is None:
            return []
        named.append((name, value.number))
    if len(unknowns) == 1:
        return [{unknowns[0]: value} for value in dict.fromkeys(v for _, v in named)]
    names = [name for name, _ in named]
    if sorted(filter(None, names)) == list(unknowns) and None not in names:
        return [{name: value for name, value in named if name}]
    if len(named) == len(unknowns) and not any(names):
        return [dict(zip(unknowns, (value for _, value in named), strict=True))]
    return []


def _pieces(answer: str) -> Iterator[list[Token]]:
    piece: list[Token] = []
    for token in [*tokenise(answer[:MAX_ANSWER], letters=True), Token("stop", ",")]:
        if token.kind in ("stop", "word"):
            if any(t.kind == "num" for t in piece):
                yield piece
            piece = []
        elif token.kind not in ("(", ")"):
            piece.append(token)


def _complete(
    question: str,
    equations: Sequence[_Equation],
    unknowns: Sequence[str],
    solutions: Sequence[Mapping[str, Fraction]],
) -> bool:
    """Are these all the solutions there are? In doubt: no."""
    if _NARROWED.search(question):
        return False
    if len(unknowns) > 1:
        linear = len(unknowns) <= MAX_UNKNOWNS and all(_linear(e) for e in equations)
        return linear and len(solutions) == 1 and _rank(equations, unknowns) == len(unknowns)
    return any(_real_roots(e, unknowns[0]) == len(solutions) for e in equations)


def _linear(equation: _Equation) -> bool:
    """No product, quotient or power of unknowns, judged by second differences along lines."""
    names = sorted(equation.unknowns)
    directions = [[int(i in (j, k)) for i in range(len(names))] for j in range(len(names))
                  for k in range(j, len(names))]  # fmt: skip
    try:
        for direction in directions:
            line = [
                equation.gap(
                    {n: Fraction(t * d + 1) for n, d in zip(names, direction, strict=True)}
                )
                for t in range(4)
            ]
            if any(c - 2 * b + a for a, b, c in zip(line, line[1:], line[2:], strict=False)):
                return False
    except Unreadable:
        return False
    return True


def _rank(equations: Sequence[_Equation], unknowns: Sequence[str]) -> int:
    """Of the linear system: below the number of unknowns, it has more solutions than one."""
    zero = dict.fromkeys(unknowns, Fraction(0))
    try:
        rows = [
            [e.gap(zero | {name: Fraction(1)}) - e.gap(zero) for name in unknowns]
            for e in equations
        ]
    except Unreadable:
        return 0
    rank = 0
    for column in range(len(unknowns)):
        pivot = next((row for row in rows[rank:] if row[column]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        rows.insert(rank, pivot)
        for i in range(rank + 1, len(rows)):
            factor = rows[i][column] / pivot[column]
            rows[i] = [a - factor * b for a, b in zip(rows[i], pivot, strict=True)]
        rank += 1
    return rank


def _real_roots(equation: _Equation, name: str) -> int | None:
    """How many real roots: exact up to degree 2, the degree itself above; None if no polynomial."""
    try:
        row = [equation.gap({name: Fraction(t)}) for t in range(MAX_DEGREE + 3)]
    except Unreadable:
        return None
    values = row[:3]
    for degree in range(MAX_DEGREE + 1):
        if len(set(row)) == 1:
            return _count(degree, values)
        row = [b - a for a, b in pairwise(row)]
    return None


def _count(degree: int, values: Sequence[Fraction]) -> int | None:
    if degree != 2:
        return degree or None
    c = values[0]
    a = (values[2] - 2 * values[1] + c) / 2
    b = values[1] - c - a
    discriminant = b * b - 4 * a * c
    return 0 if discriminant < 0 else 1 if discriminant == 0 else 2
