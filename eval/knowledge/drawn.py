"""The questions that an experiment asks: drawn evenly over fields, written to one file.

The file decides the runs: each condition reads the same one, so that they are paired, and its
checksum stands in every run's manifest. One `FactQuestion` a line, in the order of asking: a
run that was stopped early has asked about as many questions of each field.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from eval.benchmarks.reading import fail, rows
from eval.knowledge.questions import FactQuestion, draw, generate
from eval.knowledge.split import part_of
from router.errors import InputError, SetupError

__all__ = ["FORMAT", "draw_evenly", "fields_of", "read_questions", "write_questions"]

FORMAT = "JSONL, one question of eval/knowledge/questions.py a line"


def fields_of(questions: Sequence[FactQuestion]) -> tuple[str, ...]:
    """In the order of the generator."""
    return tuple(dict.fromkeys(q.field for q in questions))


def draw_evenly(
    seed: int,
    limit: int | None = None,
    per_field: int | None = None,
    fields: Sequence[str] = (),
    leave_out: Sequence[str] = (),
) -> tuple[FactQuestion, ...]:
    """Round after round one question of every field, in an order by seed.

    leave_out: the Factbook's codes of countries that are not asked about (prompts were tuned on
    them), or whole parts of the split (`eval/knowledge/split.py`).

    Raises:
        InputError: an unknown field, or nothing left to ask.
    """
    every = generate(seed)
    known = fields_of(every)
    if unknown := sorted(set(fields) - set(known)):
        raise InputError(f"--field: no field {unknown[0]!r}; there are: {', '.join(known)}")
    wanted = [
        q
        for q in draw(every, len(every), seed)
        if (not fields or q.field in fields) and not {q.code, part_of(q.code)} & set(leave_out)
    ]
    rank: dict[str, int] = {}
    placed = []
    for place, question in enumerate(wanted):
        turn = rank[question.field] = rank.get(question.field, -1) + 1
        if per_field is None or turn < per_field:
            placed.append((turn, place, question))
    found = tuple(q for _, _, q in sorted(placed, key=lambda p: p[:2]))[:limit]
    if not found:
        raise InputError("--field, --limit, --per-field: no question is left to ask")
    return found


def write_questions(questions: Sequence[FactQuestion], file: Path) -> None:
    """Write the file once. Raises `InputError` where another experiment's stands there."""
    data = "".join(f"{q.model_dump_json()}\n" for q in questions).encode()
    try:
        if file.exists():
            if hashlib.sha256(file.read_bytes()).digest() == hashlib.sha256(data).digest():
                return
            raise InputError(
                f"{file} holds other questions: give the same --seed, --limit, --per-field and "
                "--field as before, or another folder with --out"
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.new")
        new.write_bytes(data)
        new.replace(file)
    except OSError as error:
        raise SetupError(f"--out: cannot write {file}: {error.strerror}") from None


def read_questions(file: Path) -> tuple[FactQuestion, ...]:
    """Raises `InputError` naming file and line."""
    found = []
    for line, row in rows(file, FORMAT):
        try:
            found.append(FactQuestion.model_validate(row))
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise fail(file, line, f"no question ({where})", FORMAT) from None
    return tuple(found)
