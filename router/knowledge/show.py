"""What `ockham index` prints: progress on standard error, results on standard output.

What this does not do: decide what is done (see `commands.py`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from router.knowledge.survey import Soundness
    from router.knowledge.update import Options, UpdateReport
    from router.state import Passage

__all__ = [
    "passage_text",
    "print_report",
    "progress_options",
    "soundness_text",
    "sources_text",
]

_SHOWN = 20
_STATES = {"ok": "read in part", "kept": "kept as it was"}
_COUNTED = ("read", "unchanged", "removed", "failed", "kept", "empty")


@contextmanager
def progress_options(force: bool, strict: bool) -> "Iterator[Options]":
    """Options whose progress is drawn on standard error while the block runs."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from router.knowledge.update import Options

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        reading = bar.add_task("reading documents", total=None)
        embedding = bar.add_task("embedding passages", total=None, visible=False)
        yield Options(
            force=force,
            strict=strict,
            told=lambda name: bar.advance(reading),
            progress=lambda done, total: bar.update(
                embedding, completed=done, total=total, visible=True
            ),
        )


def print_report(report: "UpdateReport", place: Path) -> None:
    """What was built on standard output, what could not be read on standard error."""
    built, collected = report.build, report.collected
    what = "built" if built.changed else "up to date"
    typer.echo(
        f"{what}: {built.chunks} passages ({built.embedded} embedded, {built.reused} reused) "
        f"in {built.seconds:.1f} s at {place}"
    )
    counts, skipped = collected.counts, collected.skipped
    told = [f"{counts[name]} {name}" for name in _COUNTED if counts[name] or name == "read"]
    typer.echo(f"documents: {', '.join(told)}; {counts['duplicates']} duplicate passages left out")
    if skipped:
        why = ", ".join(f"{n} x {reason}" for reason, n in skipped.most_common())
        typer.echo(f"passed over: {why}")
    for entry in report.troubles[:_SHOWN]:
        kept = f" (its {entry.passages} passages of before are kept)"
        told_of = printable(f"{entry.source}: {entry.name}: {entry.reason}")
        typer.echo(told_of + (kept if entry.status == "kept" else ""), err=True)
    if len(report.troubles) > _SHOWN:
        typer.echo(f"and {len(report.troubles) - _SHOWN} more: `ockham index list`", err=True)


def passage_text(passage: "Passage") -> str:
    """Score, title, source and text. Names of files may hold line ends and signs that turn the
    direction of writing: nothing but a passage's text begins a line."""
    title, source = printable(passage.title), printable(passage.source)
    text = "\n".join(printable(line) for line in passage.text.split("\n"))
    return f"{passage.score:.3f}  {title}  [{source}]\n  {text}"


def printable(text: str) -> str:
    """In one line, with what no terminal should be sent shown as a question mark in a diamond."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def sources_text(rows: Sequence[dict[str, Any]]) -> str:
    """The sources as a table, and under each what could not be read."""
    lines = []
    for row in rows:
        built = row["built"] or "not built yet"
        lines.append(
            printable(
                f"{row['source']}  {row['kind']}  {row['documents']} documents, {row['passages']} "
                f"passages, {row['duplicates']} duplicates  {built}  {row['place']}".rstrip()
            )
        )
        lines += [printable(f"  {_STATES.get(u['status'], u['status'])}: {u['document']}: "
                            f"{u['reason']}") for u in row["unreadable"]]  # fmt: skip
    return "\n".join(lines)


def soundness_text(found: "Soundness") -> str:
    """One line of result, and one for each thing that is broken or has changed."""
    sound = "broken" if found.broken else "sound"
    lines = [
        f"{sound}: {found.files} files, {found.passages} passages, {found.documents} documents"
    ]
    lines += [f"  broken: {line}" for line in found.broken]
    lines += [f"  changed: {printable(line)}" for line in found.changed]
    if found.broken or found.changed:
        lines.append("run `ockham index build`")
    return "\n".join(lines)
