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
    out: Annotated[Path | None, typer.Option(help="Default: the head in the package.")] = None,
    encoder: Model = "all-MiniLM-L6-v2",
) -> None:
    """Fit the head on everything, stamped with held-out scores, and write it."""
    from router.signals.head import HEAD_PATH

    _run(data, seed, encoder, out or HEAD_PATH)


@app.command("eval")
def evaluate(data: Data = None, seed: Seed = 0, encoder: Model = "all-MiniLM-L6-v2") -> None:
    """Print AUROCs on held-out families and on held-out written prompts; write nothing."""
    _run(data, seed, encoder, None)


def _run(data: Path | None, seed: int, encoder: str, out: Path | None) -> None:
    from eval.fit.signals import train as fit
    from eval.sources.shared import shared_data
    from router.errors import OckhamError
    from router.signals import Encoder

    try:
        head, report = fit(
            shared_data(data), seed, Encoder(encoder), say=lambda s: typer.echo(s, err=True)
        )
    except OckhamError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(error.exit_code) from error
    typer.echo(_table(report))
    if out is not None:
        head.save(out)
        typer.echo(f"wrote {out} ({out.stat().st_size // 1024} KiB)", err=True)


def _table(report: "Report") -> str:
    lines = [f"{'held out':<36} {'score':>6}  {'95% interval':>15}  {'n':>5}"]
    for name, s in report.scores.items():
        lines.append(f"{name:<36} {s.value:6.3f}  [{s.low:6.3f}, {s.high:5.3f}]  {s.n:5d}")
    lines.append("families: n = pairs of families; written: n = prompts. AUROC unless named.")
    return "\n".join(lines)
