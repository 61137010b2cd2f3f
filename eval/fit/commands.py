"""`ockham signals train` and `ockham signals eval`: the command line of the signals fit.

Only typer is imported before a command runs.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eval.fit.signals import Report

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Fit and score the signals head (needs the eval extra)."
)

Data = Annotated[
    Path | None,
    typer.Option(help="Outcome data; default OCKHAM_SHARED_DATA, then ../shared/data."),
]
Seed = Annotated[int, typer.Option(help="Seed of sampling, folds and bootstrap.")]
Model = Annotated[str, typer.Option("--encoder", help="Encoder name or local directory.")]


@app.command()
def train(
    data: Data = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for head.json and exemplars.json; default: the package's."),
    ] = None,
    encoder: Model = "all-MiniLM-L6-v2",
) -> None:
    """Fit the head on everything, choose the exemplars, and write both."""
    from eval.fit.signals import train as fit
    from eval.sources.shared import shared_data
    from router.errors import OckhamError
    from router.signals import Encoder
    from router.signals.exemplars import EXEMPLARS_PATH
    from router.signals.head import HEAD_PATH
    from router.signals.inputs import Inputs

    try:
        fitted = fit(shared_data(data), seed, Inputs(Encoder(encoder)), _say)
    except OckhamError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(error.exit_code) from error
    folder = out or HEAD_PATH.parent
    folder.mkdir(parents=True, exist_ok=True)
    fitted.head.save(folder / HEAD_PATH.name)
    fitted.exemplars.save(folder / EXEMPLARS_PATH.name)
    for name in (HEAD_PATH.name, EXEMPLARS_PATH.name):
        typer.echo(
            f"wrote {folder / name} ({(folder / name).stat().st_size // 1024} KiB)", err=True
        )


def _say(text: str) -> None:
    typer.echo(text, err=True)
