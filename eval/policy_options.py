"""What the commands of `ockham policy` share: options, the table they name, JSON.

Only typer is imported before a command runs.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from eval.table import Table

__all__ = [
    "CONTAMINATED",
    "AsJson",
    "Benchmark",
    "Exclude",
    "Labels",
    "Name",
    "Out",
    "Pair",
    "Seed",
    "Source",
    "check_ending",
    "load",
    "print_json",
]

Source = Annotated[str, typer.Option(help="A stored outcome set, or the folder of one.")]
Benchmark = Annotated[str, typer.Option(help="A benchmark of it, or a pool as a+b.")]
Name = Annotated[str, typer.Option("--policy", help="A policy with a threshold.")]
Pair = Annotated[str | None, typer.Option(help="small::large arms; default: the first pair.")]
Labels = Annotated[int | None, typer.Option(min=1, help="Labels to fit on; default: all 40 %.")]
Seed = Annotated[int, typer.Option(help="Of the split and the resamples.")]
Exclude = Annotated[str, typer.Option(help="Leave out queries whose subject contains this.")]
Out = Annotated[Path | None, typer.Option(help="Write the preset here (.json).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

CONTAMINATED = "|contaminated"


def check_ending(option: str, path: Path | None, ending: str) -> None:
    """Raise `InputError` before the work, where the file could not be written at its end."""
    from router.errors import InputError

    if path is not None and path.suffix != ending:
        raise InputError(f"{option} {path}: the file's name ends in {ending}")


def load(
    source: str, benchmark: str, pair: str | None, exclude: str, seed: int
) -> "tuple[Table, dict[str, Any]]":
    """The table of a pair of arms, and what a preset's evidence says of it."""
    import sys

    from eval.replay_files import data_checksum
    from eval.tables import load_set, load_table, pair_of

    data = load_set(source)
    arms = pair_of(data, pair)
    table = load_table(data, arms, benchmark, exclude, say=lambda s: typer.echo(s, err=True))
    return table, {
        "command": "ockham " + " ".join(sys.argv[1:]),
        "source": table.source,
        "benchmark": table.benchmark,
        "pair": list(arms),
        "data": data_checksum(table),
        "questions": table.questions,
        "seed": seed,
    }


def print_json(facts: dict[str, Any]) -> None:
    """One line of JSON, which has no NaN and no infinity: null stands for what is undefined."""
    import json

    from eval.writing import finite

    typer.echo(json.dumps(finite(facts), allow_nan=False))
