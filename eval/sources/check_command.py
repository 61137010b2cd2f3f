"""`ockham outcomes check`: what to know of an outcome table before it is used.

Exits 1 if there is a finding of severity error, so that a script can stop on it. Only typer
is imported before the command runs.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from eval.sources.check import Finding

__all__ = ["check"]

TELLING = frozenset(
    {
        "format_zeros", "low_everywhere", "at_guess_floor", "below_guess_floor",
        "dearer_is_worse", "misaligned_arm",
    }
)  # fmt: skip
"""Findings that bound a score or an order of scores."""


def check(
    name: Annotated[str, typer.Argument(help="A stored set's name, or its folder.")],
    against: Annotated[
        list[str] | None,
        typer.Option(help="Another set that may share queries with it; may be repeated."),
    ] = None,
    contaminated: Annotated[
        Path | None,
        typer.Option(help="JSONL of contaminated prompts, each with `eval_prompt`."),
    ] = None,
    scores: Annotated[
        bool,
        typer.Option("--scores", help="Also findings that tell scores of an unseen population."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the traps of an outcome table: misaligned rows, twins, guessing, format failures."""
    from eval.sources.check import check as find
    from eval.sources.summary import unseen
    from router.outcomes import read_outcomes

    prompts = _prompts(contaminated) if contaminated else []
    others = {other: read_outcomes(other) for other in against or ()}
    data = read_outcomes(name)
    found = find(data, others, prompts)
    if not scores and str(data.about.get("name", name)) in unseen():
        # A cell that is called zero is a score that was told.
        kept = [f for f in found if f.code not in TELLING]
        if len(kept) < len(found):
            typer.echo(
                f"{len(found) - len(kept)} findings on scores are withheld: "
                "eval/preregistration.yaml calls this population unseen; --scores shows them",
                err=True,
            )
        found = kept
    if as_json:
        typer.echo(json.dumps([f.model_dump(mode="json") for f in found], ensure_ascii=False))
    else:
        _show(name, found)
    if any(f.severity == "error" for f in found):
        raise typer.Exit(1)


def _prompts(path: Path) -> list[str]:
    """The `eval_prompt` of every line.

    Raises:
        InputError: the file cannot be read, or a line holds no such text.
    """
    from router.errors import InputError

    try:
        with path.open(encoding="utf-8") as file:  # splitlines() would cut at U+2028 in a text
            lines = list(file)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--contaminated: {path} cannot be read ({error})") from None
    prompts = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            prompt = json.loads(line)["eval_prompt"]
        except (ValueError, KeyError, TypeError):
            prompt = None
        if not isinstance(prompt, str):
            raise InputError(f"--contaminated: {path}:{number} has no text `eval_prompt`")
        prompts.append(prompt)
    return prompts


def _show(name: str, found: "list[Finding]") -> None:
    from rich.console import Console

    from eval.sources.traps.finding import SEVERITIES

    console = Console()
    if found:
        console.print(_table(name, found))
    counts = [f"{sum(f.severity == s for f in found)} {s}s" for s in SEVERITIES]
    console.print(f"{name}: {', '.join(counts)}", markup=False, highlight=False)


def _table(name: str, found: "list[Finding]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    styles = {"error": "bold red", "warning": "yellow", "note": "dim"}
    table = Table(title=Text(f"Findings in {name}"), show_lines=True)
    for column in ("severity", "code", "what", "examples", "advice"):
        # A code must stay in one piece: it is what one searches for.
        table.add_column(column, no_wrap=column in {"severity", "code"}, overflow="fold")
    for f in found:
        table.add_row(
            Text(f.severity, style=styles[f.severity]),
            f.code,
            Text(f.message),  # Text: ids may hold brackets, which are no markup
            Text("\n".join(f.examples)),
            Text(f.advice),
        )
    return table
