"""What an answer is made of: a list, a tuple, an interval, a union, a matrix, or one value.

What: takes an answer apart and compares it part by part: lists and sets in any order,
tuples and intervals in theirs and with the same brackets, matrices cell by cell, `a \\pm b` as two
values, numbers in another base with that base. What not: it knows no algebra. Two
single values go to the caller's `same`. A bare `1, 2` is a list and no tuple.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from router.verify.spelling import thousands

__all__ = ["Shape", "alike", "shape_of"]

Kind = Literal["value", "list", "ordered", "union", "matrix", "based"]

MAX_PARTS = 100

_NAME = r"[a-zA-Z](?:_\{?\w\}?)?(?:\s*\([a-zA-Z]\))?"
_NAMED = re.compile(rf"({_NAME}|\({_NAME}(?:\s*,\s*{_NAME})*\))\s*(?:=|\\in(?![a-z]))\s*([^=]+)")
_NAMED_BEHIND = re.compile(r"([-+]?[\d.,/]+)\s*=\s*([a-zA-Z])")
_BASED = re.compile(
    r"([0-9A-Fa-f]+)\s*(?:_\s*\{?\s*(?:\(?\s*)?(?:base\s*)?(\d+|[a-z]{3,9})\s*\)?\s*\}?"
    r"|\(?\s*(?:in\s*)?base[\s-](\d+|[a-z]{3,9})\s*\)?)"
)
_BASES = {"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
          "eight": "8", "nine": "9", "twelve": "12", "sixteen": "16"}  # fmt: skip
_MATRIX = re.compile(r"\\begin\{([pbB]?matrix|array)\}(?:\{[lcr| ]*\})?(.*)\\end\{\1\}", re.DOTALL)
_INTERVALS = (
    (re.compile(r"[a-zA-Z]\s*(<|>|\\leq?|\\geq?|<=|>=)\s*([^<>=]+)"), "one"),
    (re.compile(r"([^<>=]+?)\s*(<=?|\\leq?)\s*[a-zA-Z]\s*(<=?|\\leq?)\s*([^<>=]+)"), "two"),
)
_TURNED = re.compile(
    r"([-+]?[\d./]+|[-+]?\\frac\{\d+\}\{\d+\})\s*(<=?|>=?|\\leq?|\\geq?)\s*([a-zA-Z])"
)
_TURNS = {"<": ">", ">": "<", "<=": "\\ge", ">=": "\\le", "\\le": "\\ge", "\\leq": "\\ge",
          "\\ge": "\\le", "\\geq": "\\le"}  # fmt: skip
"""`2 < x` is x > 2."""
_OR = re.compile(r"\s*,?\s*(?<![a-zA-Z\\])(?:or|and)(?![a-zA-Z])\s*|;")


class Shape(NamedTuple):
    """One answer: its parts, or its text where it is a single value."""

    kind: Kind
    text: str
    parts: tuple["Shape", ...] = ()
    mark: str = ""
    """The brackets of an interval or tuple, the form of a matrix, the base of a number."""
    name: str = ""
    """`x` of `x = 5`."""


def shape_of(text: str) -> Shape:
    """Takes a spelled answer apart."""
    if named := _NAMED.fullmatch(text):
        return _with_name(shape_of(named[2].strip()), "".join(named[1].split()))
    if back := _NAMED_BEHIND.fullmatch(text):
        return shape_of(back[1].strip())._replace(name=back[2])
    if based := _BASED.fullmatch(text):
        base = based[2] or based[3]
        return Shape("based", based[1].lower(), mark=_BASES.get(base, base))
    if matrix := _MATRIX.fullmatch(text):
        return _matrix(text, matrix[2])
    pieces = _split(_OR.sub(",", text), ",")
    if len(pieces) > 1 and thousands(text) == text:
        return _listed(text, pieces)
    unions = _split(text, "\\cup")
    if len(unions) > 1:
        return Shape("union", text, tuple(map(shape_of, unions)))
    return _bracketed(text) or _inequality(text) or _plus_minus(text)


def _with_name(shape: Shape, name: str) -> Shape:
    """`(x,y)=(1,2)` says of each part what it is: its parts are named too."""
    names = name.strip("()").split(",")
    if shape.kind == "ordered" and shape.mark == "()" and len(names) == len(shape.parts) > 1:
        parts = tuple(p._replace(name=n) for p, n in zip(shape.parts, names, strict=True))
        shape = shape._replace(parts=parts)
    return shape._replace(name=name)


def _matrix(text: str, inside: str) -> Shape:
    rows = [row.split("&") for row in re.split(r"\\\\(?:\[[^\]]*\])?", inside) if row.strip()]
    cells = tuple(shape_of(" ".join(cell.split())) for row in rows for cell in row[:MAX_PARTS])
    return Shape("matrix", text, cells, mark=",".join(str(len(row)) for row in rows))


def _listed(text: str, pieces: Sequence[str]) -> Shape:
    parts: list[Shape] = []
    for piece in pieces[:MAX_PARTS]:
        part = shape_of(thousands(piece))
        parts.extend(part.parts if part.kind == "list" else [part])
    name = parts[0].name
    same_name = name if all(part.name in ("", name) for part in parts) else ""
    if same_name:
        parts = [part._replace(name="") for part in parts]
    return Shape("list", text, tuple(parts), name=same_name)


def _bracketed(text: str) -> Shape | None:
    """`\\{1, 2\\}` as a list, `(1, 2]` with its brackets, `(5)` as what is inside."""
    if text.startswith("\\{") and text.endswith("\\}") and _closes_last(text[1:]):
        pieces = _split(text[2:-2].rstrip("\\"), ",")
        return _listed(text, pieces) if len(pieces) > 1 else shape_of(pieces[0])
    if text[:1] not in ("(", "[") or text[-1:] not in (")", "]") or not _closes_last(text):
        return None
    pieces = _split(text[1:-1], ",")
    if len(pieces) < 2:
        return shape_of(text[1:-1].strip()) if text[1:-1].strip() else None
    return Shape("ordered", text, tuple(map(shape_of, pieces[:MAX_PARTS])), text[0] + text[-1])


def _inequality(text: str) -> Shape | None:
    """`x > 2` as the interval that it is."""
    if turned := _TURNED.fullmatch(text):
        text = f"{turned[3]} {_TURNS[turned[2]]} {turned[1]}"
    for pattern, form in _INTERVALS:
        found = pattern.fullmatch(text)
        if found and form == "one":
            above, closed = ">" in found[1] or "ge" in found[1], found[1] not in "<>"
            end = shape_of(found[2].strip())
            without = Shape("value", "\\infty" if above else "-\\infty")
            mark = ("[" if closed else "(") + ")" if above else "(" + ("]" if closed else ")")
            return Shape("ordered", text, (end, without) if above else (without, end), mark)
        if found:
            mark = ("(" if found[2] == "<" else "[") + (")" if found[3] == "<" else "]")
            ends = (shape_of(found[1].strip()), shape_of(found[4].strip()))
            return Shape("ordered", text, ends, mark)
    return None


def _plus_minus(text: str) -> Shape:
    if text.count("\\pm") != 1:
        return Shape("value", text)
    before, after = text.split("\\pm")
    both = tuple(Shape("value", f"{before.strip()} {sign} {after.strip()}") for sign in "+-")
    return Shape("list", text, both)


def _split(text: str, mark: str) -> list[str]:
    """The pieces between marks that stand in no bracket."""
    pieces, depth, start, at = [], 0, 0, 0
    while at < len(text):
        if text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            depth -= 1
        elif depth == 0 and text.startswith(mark, at):
            pieces.append(text[start:at].strip())
            start = at = at + len(mark)
            continue
        at += 1
    pieces.append(text[start:].strip())
    return pieces if all(pieces) else [text]


def _closes_last(text: str) -> bool:
    """Does the first bracket close with the last sign?"""
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0:
            return at == len(text) - 1
    return False


def alike(gold: Shape, answer: Shape, same: Callable[[str, str], bool]) -> bool:
    """Is it the same answer? `same` compares two single values, the gold's first."""
    if gold.kind != answer.kind and {gold.kind, answer.kind} == {"list", "ordered"}:
        if _all_named(gold) and _all_named(answer):
            return _in_any_order(gold.parts, answer.parts, same)
        return False
    if gold.kind != answer.kind or (gold.name and answer.name and gold.name != answer.name):
        return False
    if gold.kind == "value":
        return same(gold.text, answer.text)
    if gold.kind == "based":
        return (gold.text.lstrip("0"), gold.mark) == (answer.text.lstrip("0"), answer.mark)
    if len(gold.parts) != len(answer.parts):
        return False
    if gold.kind in ("ordered", "matrix"):
        pairs = zip(gold.parts, answer.parts, strict=True)
        return gold.mark == answer.mark and all(alike(a, b, same) for a, b in pairs)
    return _in_any_order(gold.parts, answer.parts, same)


def _all_named(shape: Shape) -> bool:
    return all(part.name for part in shape.parts)


def _names(parts: Sequence[Shape]) -> set[str]:
    """Names that tell the parts of a list apart: none where it is one unknown's values."""
    names = {part.name for part in parts if part.name}
    return names if len(names) > 1 else set()


def _in_any_order(
    gold: Sequence[Shape], answer: Sequence[Shape], same: Callable[[str, str], bool]
) -> bool:
    if len(gold) != len(answer) or _names(gold) != _names(answer):
        return False
    left = list(answer)
    for part in gold:
        found = next((other for other in left if alike(part, other, same)), None)
        if found is None:
            return False
        left.remove(found)
    return True
