"""GSM8K questions with other numbers, beside the same questions as published.

Twenty-four questions of the test whose answer is a formula of the figures in the text
(`gsm8k_renumbered.yaml`). Each is asked as published and with figures drawn anew, the gold answer
recomputed; both share the template as their cluster, so that they are paired. New figures are
drawn until the answer is a whole number above zero, as the published answers are, and is another
one than before. `--seed` draws them.

What this is not: a rewording. Prompt, reading and scoring are those of `gsm8k.py`.
"""

import ast
import hashlib
import operator
import random
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from eval.benchmarks.benchmark import Question, benchmark
from eval.benchmarks.gsm8k import INSTRUCTION, Gsm8k
from eval.benchmarks.reading import question_file
from router.errors import InputError

__all__ = ["CANONICAL", "INSTANCES", "PERTURBED", "Gsm8kRenumbered", "Template", "renumbered"]

CANONICAL, PERTURBED = "canonical", "perturbed"
"""A question's subject says which of the two it is."""
INSTANCES = 2
_TRIES = 500
_FILE = Path(__file__).with_name("gsm8k_renumbered.yaml")
_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")
_NAMES = "abcdefgh"
_SIGNS: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class Template(BaseModel):
    """One question: its formula, and where new figures come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    answer: str
    draw: dict[str, tuple[float, float, float]]


@benchmark
class Gsm8kRenumbered(Gsm8k):
    """Each template as published, and with new figures."""

    name = "gsm8k-renumbered"
    version = "1"

    def questions(self, path: Path | None, seed: int) -> Sequence[Question]:
        """Template by template: the published question, then its new ones."""
        known = {q.id: q for q in super().questions(path, seed)}
        return [q for one in _templates() for q in _asked(one, known, seed)]

    def checksums(self, path: Path | None) -> Mapping[str, str]:
        """Of the question file and of the formulas."""
        own = hashlib.sha256(_FILE.read_bytes()).hexdigest()[:16]
        return {**super().checksums(path), _FILE.name: own}


def _asked(template: Template, known: Mapping[str, Question], seed: int) -> list[Question]:
    if template.id not in known:
        raise InputError(f"{_FILE.name}: {template.id} is not in {question_file(None, '').name}")
    published = known[template.id]
    text = published.prompt.removesuffix(f"\n\n{INSTRUCTION}")
    own = {"cluster_id": template.id, "subject": CANONICAL}
    rng = random.Random(f"{seed}:{template.id}")  # noqa: S311
    seen = {text}
    found = [published.model_copy(update=own)]
    while len(found) <= INSTANCES:
        new, gold = renumbered(template, text, published.gold, rng)
        if new not in seen:
            seen.add(new)
            found.append(
                Question(
                    id=f"gsm8k_renumbered:{template.id.partition(':')[2]}:{seed}:{len(found)}",
                    prompt=f"{new}\n\n{INSTRUCTION}",
                    gold=gold,
                    cluster_id=template.id,
                    subject=PERTURBED,
                )
            )
    return found


def renumbered(template: Template, text: str, gold: str, rng: random.Random) -> tuple[str, str]:
    """(text with new figures, its answer).

    Raises:
        InputError: the formula does not give `gold` for the published figures, or no figures in
            the ranges give a whole answer.
    """
    figures = _FIGURE.findall(text)
    values = {n: Fraction(f.replace(",", "")) for n, f in zip(_NAMES, figures, strict=False)}
    if _value(template.answer, values) != Fraction(gold):
        raise InputError(f"{_FILE.name}: {template.id}: the formula does not give {gold}")
    for _ in range(_TRIES):
        drawn = {name: _drawn(range_, rng) for name, range_ in template.draw.items()}
        answer = _value(template.answer, {**values, **drawn})
        if answer.denominator == 1 and answer > 0 and answer != Fraction(gold):
            return _written(text, figures, drawn), str(answer)
    raise InputError(f"{_FILE.name}: {template.id}: no figures in the ranges give a whole answer")


def _drawn(range_: tuple[float, float, float], rng: random.Random) -> Fraction:
    low, high, step = (Fraction(str(end)) for end in range_)
    return low + step * rng.randrange(int((high - low) / step) + 1)


def _written(text: str, figures: Sequence[str], drawn: Mapping[str, Fraction]) -> str:
    """The text with the figures of those names replaced, dressed as they were."""
    names = iter(_NAMES[: len(figures)])

    def dress(found: re.Match[str]) -> str:
        old, value = found.group(), drawn.get(next(names))
        if value is None:
            return old
        if "." in old or value.denominator != 1:
            return f"{float(value):,.2f}" if "," in old else f"{float(value):.2f}"
        return f"{int(value):,}" if "," in old else str(int(value))

    return _FIGURE.sub(dress, text)


def _value(formula: str, values: Mapping[str, Fraction]) -> Fraction:
    """Four operations on figures and whole numbers, exactly; nothing else is a formula."""

    def of(node: Any) -> Fraction:
        if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
            return _SIGNS[type(node.op)](of(node.left), of(node.right))
        if isinstance(node, ast.Name) and node.id in values:
            return values[node.id]
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return Fraction(node.value)
        raise InputError(f"{_FILE.name}: {formula!r} is no formula of the question's figures")

    return of(ast.parse(formula, mode="eval").body)


@cache
def _templates() -> tuple[Template, ...]:
    rows = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return tuple(Template.model_validate(row) for row in rows)
