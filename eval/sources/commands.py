"""`ockham outcomes list | show | import | check | rescore`: the command line of outcome tables.

Only typer is imported before a command runs.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.sources.check_command import check
from eval.sources.derive_command import derive, synthetic
from eval.sources.rescore_command import rescore
from eval.sources.verify_command import verify

if TYPE_CHECKING:
    from eval.sources.fetch import Progress

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Outcome tables: import, list, show, check, rescore.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Folder = Path | None


@app.command("list")
def list_sets(as_json: AsJson = False) -> None:
    """The sources known here, where each comes from, and what is stored of it."""
    from eval.sources.stored import listed

    rows = listed()
    if as_json:
        typer.echo(json.dumps([row.model_dump(mode="json") for row in rows]))
        return
    from eval.sources.show import listing

    listing(row.cells() for row in rows)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A stored set's name, or its folder.")],
    examples: Annotated[
        int, typer.Option(min=0, help="Print so many questions too (never GPQA's).")
    ] = 0,
    scores: Annotated[
        bool | None,
        typer.Option(
            "--scores/--no-scores",
            help="Print scores; the default withholds those of a population that the "
            "pre-registration calls unseen.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a stored set holds: arms by benchmark, statuses and what they count, prices, traps."""
    from eval.sources.summary import summarise
    from router.outcomes import read_outcomes

    summary = summarise(Path(name).name, read_outcomes(name), scores, examples)
    if as_json:
        typer.echo(summary.model_dump_json())
        return
    from eval.sources.show import render

    render(summary)


@app.command("import")
def import_(
    name: Annotated[str, typer.Argument(help="A source (see `list`), or, with --file, any name.")],
    mirror: Annotated[
        Folder, typer.Option(help="Folder with the source's published files; nothing is fetched.")
    ] = None,
    normalised: Annotated[
        Folder, typer.Option(help="Folder with outcomes/ and queries/ as normalised parquet.")
    ] = None,
    file: Annotated[
        Folder, typer.Option(help="Your own table: .jsonl, .csv or .parquet, a row an outcome.")
    ] = None,
    map_: Annotated[
        list[str] | None, typer.Option("--map", help="THEIRS=OURS, a column of --file; repeat.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="A column of --file to leave out; repeat.")
    ] = None,
    stored_as: Annotated[
        str | None, typer.Option("--as", help="Store under this name; default: NAME.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read outcomes into the data directory; without an option, from the source's public home."""
    from eval.sources.importing import import_set
    from eval.sources.stored import plain_name
    from eval.sources.tables import parse_map
    from router.outcomes import write_outcomes

    kept = plain_name(stored_as or name)
    with _progress() as progress:
        data = import_set(
            name, mirror, normalised, file, parse_map(map_ or ()), ignore or (), progress
        )
    place = write_outcomes(data, kept)
    counts = {str(s): int(n) for s, n in data.outcomes.group_by("status").len().iter_rows()}
    report: dict[str, Any] = {
        "name": kept,
        "folder": str(place),
        "rows": data.outcomes.height,
        "queries": data.queries.height,
        "arms": len(data.arms),
        "statuses": dict(sorted(counts.items())),
        "absent_files": data.about.get("absent_files", []),
    }
    if as_json:
        typer.echo(json.dumps(report))
        return
    _told(report)


def _told(report: dict[str, Any]) -> None:
    statuses = ", ".join(f"{n:,} {status}" for status, n in report["statuses"].items())
    typer.echo(
        f"{report['name']}: {report['rows']:,} rows ({statuses}), {report['queries']:,} queries, "
        f"{report['arms']} arms, in {report['folder']}"
    )
    absent = report["absent_files"]
    if absent:
        typer.echo(
            f"warning: {len(absent)} of the source's files are not in the mirror, so their rows "
            f"are not in the set; the first is {absent[0]}",
            err=True,
        )
    typer.echo(f"Next: ockham outcomes check {report['name']}")


@contextmanager
def _progress() -> "Iterator[Progress]":
    """A bar a file on standard error; nothing is drawn where it is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def step(path: str, held: int, total: int | None) -> None:
            if path not in tasks:
                tasks[path] = bars.add_task(path, total=total)
            bars.update(tasks[path], completed=held, total=total)

        yield step


@app.command("join")
def join_(
    first: Annotated[str, typer.Argument(help="A stored set or a folder, with its samples.")],
    other: Annotated[str, typer.Argument(help="A stored set or a folder, one answer a query.")],
    arm: Annotated[list[str], typer.Option(help="Arm of the other set to put beside; repeat.")],
    stored_as: Annotated[str, typer.Option("--as", help="Name, or folder, of the joined set.")],
) -> None:
    """Put arms of another set beside the samples of the first, by benchmark and query id."""
    from eval.sources.join import join
    from router.outcomes import read_outcomes, write_outcomes

    made = join(read_outcomes(first), read_outcomes(other), arm)
    write_outcomes(made, stored_as)
    for note in made.about["notes"]:
        typer.echo(note, err=True)
    typer.echo(f"{len(made.queries)} queries, {len(made.outcomes)} rows: {stored_as}")


app.command("check")(check)
app.command("rescore")(rescore)
app.command("verify")(verify)
app.command("derive")(derive)
app.command("synthetic")(synthetic)
