"""Statements with a passage, supported or not: made from the World Factbook's questions.

    supported     the gold value, stated in two ways of our own or said bare, with its passage
    unsupported   value      another country's value, which the passage does not hold
                  relation   another figure or name of the same passage, said as the answer
                  number     the figure with one digit changed
                  denied     the right statement with a "not"
                  passage    the right statement, cited to another field's passage of the country
                  country    the right statement, cited to another country's passage of the field
                  subject    another country's value, cited to its own passage: the words stand
                             there, and it is about somebody else

Four rows a question: two supported, two of the seven kinds, drawn by hash. A "value" or "country"
row is dropped for another kind where the passage happens to hold the value. Countries are whole in
one part (`eval.knowledge.split`). What they are not: what a model writes; models err otherwise.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from eval.knowledge.conditions import library
from eval.knowledge.questions import FactQuestion, draw, generate, says
from eval.knowledge.split import Part, part_of
from router.state import Passage
from router.verify.support import Statement

__all__ = ["KINDS", "ClaimPair", "claim_pairs"]

KINDS = ("value", "relation", "number", "denied", "passage", "country", "subject")
STATEMENTS = Path(__file__).with_name("claim_statements.yaml")
_FIGURE = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?%?(?![\w]|[.,]\d)")
_NAME = re.compile(r"\b[A-Z][a-zà-ÿ]{3,}(?: [A-Z][a-zà-ÿ]{3,})?\b")


class ClaimPair(NamedTuple):
    """One statement; `kind` is "supported" or one of `KINDS`."""

    statement: Statement
    supported: bool
    kind: str
    form: str
    """statement or bare."""
    code: str
    """Of the country: what an interval keeps whole."""


def claim_pairs(part: Part, questions: int, seed: int = 0) -> tuple[ClaimPair, ...]:
    """The rows of so many questions of one part, in a fixed order."""
    stated = _stated()
    every = [
        q for q in generate(seed) if q.field in stated and q.gold.kind in ("name", "number", "text")
    ]
    own = [q for q in every if part_of(q.code) == part]
    others: dict[str, list[FactQuestion]] = {}
    by_country: dict[str, list[FactQuestion]] = {}
    for q in own:
        others.setdefault(q.field, []).append(q)
        by_country.setdefault(q.code, []).append(q)
    made: list[ClaimPair] = []
    for q in draw(own, questions, seed):
        made += _of_one(q, others[q.field], by_country[q.code])
    return tuple(made)


def _of_one(
    q: FactQuestion, same_field: Sequence[FactQuestion], same_country: Sequence[FactQuestion]
) -> list[ClaimPair]:
    passage = _holding(q)
    if passage is None:
        return []
    value = q.gold.values[0]
    first, second, _ = _stated()[q.field]
    right = _says(second if _pick(q, "way", 2) else first, q, value)
    out = [
        _pair(q, right, passage, "supported", "statement"),
        _pair(q, value, passage, "supported", "bare"),
    ]
    start = _pick(q, "kind", len(KINDS))
    for kind in (KINDS * 2)[start:]:
        if len(out) == 4:
            break
        row = _wrong(q, kind, passage, same_field, same_country)
        if row is not None:
            out.append(row)
    return out


def _wrong(
    q: FactQuestion,
    kind: str,
    passage: Passage,
    same_field: Sequence[FactQuestion],
    same_country: Sequence[FactQuestion],
) -> ClaimPair | None:
    value = q.gold.values[0]
    bare = bool(_pick(q, f"{kind}-form", 2))
    if kind == "denied":
        return _pair(q, _says(_stated()[q.field][2], q, value), passage, kind, "statement")
    if kind == "subject":
        for other in _from(same_field, q, kind):
            cited, said = _holding(other), other.gold.values[0]
            told = other.code == q.code or said == value or cited is None
            if not told and cited is not None and not says(cited.text, q.country):
                return _pair(q, _said(q, said, bare), cited, kind, _form(bare))
        return None
    if kind in ("passage", "country"):
        pool = same_country if kind == "passage" else same_field
        for other in _from(pool, q, kind):
            cited = _holding(other)
            differs = other.field != q.field if kind == "passage" else other.code != q.code
            if differs and cited is not None and not says(cited.text, value):
                return _pair(q, _said(q, value, bare), cited, kind, _form(bare))
        return None
    wrong = _other_value(q, kind, passage, same_field)
    return None if wrong is None else _pair(q, _said(q, wrong, bare), passage, kind, _form(bare))


def _other_value(
    q: FactQuestion, kind: str, passage: Passage, same_field: Sequence[FactQuestion]
) -> str | None:
    value, number = q.gold.values[0], q.gold.kind == "number"
    if kind == "value":
        found = (o.gold.values[0] for o in _from(same_field, q, kind))
        return next((v for v in found if v != value and not says(passage.text, v)), None)
    if kind == "number":
        return _changed(q, value, passage) if number else None
    pattern = _FIGURE if number else _NAME
    there = [v for v in pattern.findall(passage.text) if v not in value and value not in v]
    told = [v for v in there if not says(q.prompt, v) and v not in q.country and not says(value, v)]
    return told[_pick(q, "relation", len(told))] if told else None


def _changed(q: FactQuestion, value: str, passage: Passage) -> str | None:
    digits = [i for i, c in enumerate(value) if c.isdigit()]
    if not digits:
        return None
    place = digits[_pick(q, "digit", len(digits))]
    for step in range(1, 10):
        digit = str((int(value[place]) + step) % 10)
        made = value[:place] + digit + value[place + 1 :]
        if not (place == digits[0] and digit == "0") and not says(passage.text, made):
            return made
    return None


def _pair(q: FactQuestion, claim: str, passage: Passage, kind: str, form: str) -> ClaimPair:
    statement = Statement(claim, q.prompt, passage.title, passage.text)
    return ClaimPair(statement, kind == "supported", kind, form, q.code)


def _said(q: FactQuestion, value: str, bare: bool) -> str:
    return value if bare else _says(_stated()[q.field][0], q, value)


def _says(template: str, q: FactQuestion, value: str) -> str:
    made = template.format(c=q.country, v=value)
    return made[0].upper() + made[1:]


def _form(bare: bool) -> str:
    return "bare" if bare else "statement"


def _holding(q: FactQuestion) -> Passage | None:
    return next(iter(library().gold(q)), None)


def _from(pool: Sequence[FactQuestion], q: FactQuestion, what: str) -> Sequence[FactQuestion]:
    """The pool from a drawn place on, so that not every row takes the same neighbour."""
    start = _pick(q, what, len(pool))
    return [*pool[start:], *pool[:start]]


def _pick(q: FactQuestion, what: str, n: int) -> int:
    digest = hashlib.blake2b(f"{what}\0{q.id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % n


@lru_cache(maxsize=1)
def _stated() -> Mapping[str, tuple[str, str, str]]:
    data = yaml.safe_load(STATEMENTS.read_text(encoding="utf-8"))
    return {field: (a, b, c) for field, (a, b, c) in data.items()}
