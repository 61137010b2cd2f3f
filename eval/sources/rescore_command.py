"""`ockham outcomes rescore`: the stored answers of a source, scored again by our own rules.

Only typer is imported before the command runs.
"""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eval.fit.rescore import Rescored

__all__ = ["rescore"]


def rescore(
    source: Annotated[str, typer.Option(help="Whose stored answers: routellm.")] = "routellm",
    benchmark: Annotated[str, typer.Option(help="Which benchmark: gsm8k.")] = "gsm8k",
    mirror: Annotated[
        Path | None,
        typer.Option(help="Folder with the source's published files; default: the shared data's."),
    ] = None,
    golds: Annotated[
        Path | None, typer.Option(help="Questions with golds (JSONL); default: the shared ones.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write a row an answer there (JSONL, no question text).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score stored answers again: agreement, every disagreement, the run-time check's rates."""
    from eval.fit.rescore import lines, report, stored_answers
    from eval.fit.rescore import rescore as run

    rows, per_second = asyncio.run(run(stored_answers(source, benchmark, mirror), golds, _progress))
    if out:
        _write(out, rows)
    told = report(rows, per_second)
    differ = [row for row in rows if row.kind]
    if as_json:
        plain = {"disagreements": [row._asdict() for row in differ], **told._asdict()}
        typer.echo(json.dumps(plain, ensure_ascii=False))
        return
    for row in differ:
        typer.echo(_line(row))
    for line in lines(told):
        typer.echo(line)


def _line(row: "Rescored") -> str:
    marks = f"theirs {_mark(row.theirs)} (read {row.they_read}), ours {_mark(row.ours)}"
    return (
        f"{row.id} {row.model}: gold {row.gold}, answer {row.answer}; {marks}; right: {row.right}"
    )


def _mark(mark: bool) -> str:
    return "right" if mark else "wrong"


def _write(path: Path, rows: "list[Rescored]") -> None:
    from router.errors import InputError

    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(r._asdict(), ensure_ascii=False) + "\n" for r in rows)
    except OSError as error:
        raise InputError(f"--out: {path} cannot be written ({error.strerror})") from None


def _progress(done: int, of: int) -> None:
    if done % 500 == 0 or done == of:
        typer.echo(f"{done:,} of {of:,}", err=True)
