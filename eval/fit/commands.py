"""`ockham signals steering | train | eval`: the command line of the signals fit.

Only typer is imported before a command runs.
"""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Fit and score the signals head (needs the eval extra)."
)

_INTERRUPTED = 130

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


@app.command()
def steering(
    out: Annotated[Path | None, typer.Option(help="Folder; default: the package's.")] = None,
) -> None:
    """Fit what tells text aimed at the router; `train` comes after it, its rows change."""
    from eval.fit.aimed import fit_aimed
    from router.signals.aimed import AIMED_PATH

    path = (out or AIMED_PATH.parent) / AIMED_PATH.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(fit_aimed(say=_say).to_json(), encoding="utf-8")
    typer.echo(f"wrote {path} ({path.stat().st_size // 1024} KiB)", err=True)


@app.command("eval")
def evaluate(
    data: Data = None,
    seed: Seed = 0,
    encoder: Model = "all-MiniLM-L6-v2",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for report, pictures and journal; default: a journal only."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    baselines: Annotated[
        bool, typer.Option(help="Also score the baselines: most of the time it takes.")
    ] = True,
    quick: Annotated[
        bool, typer.Option(help="A sample of everything, without baselines: a trial, no result.")
    ] = False,
) -> None:
    """How good the axes are where nothing was fitted; an interrupted run goes on."""
    import sys

    from eval.fit.baselines import baselines as all_baselines
    from eval.fit.contenders import EnglishOnly, Ours
    from eval.fit.evaluation import JOURNAL, Plan
    from eval.fit.evaluation import evaluate as run
    from eval.fit.evaluation_report import text_of, write_report
    from eval.sources.shared import shared_data
    from router.errors import OckhamError
    from router.paths import data_dir
    from router.signals import Encoder

    if quick:
        _say("*** QUICK: samples only, no baselines. This is a trial run and NOT a result. ***")
    folder = out or data_dir() / "signals-eval"
    command = "ockham " + " ".join(sys.argv[1:])
    try:
        place = shared_data(data)
        model = Encoder(encoder)
        others = (EnglishOnly(), *all_baselines(model.encode)) if baselines and not quick else ()
        done = run(place, Plan((Ours(), *others), seed, folder, quick, command), model, _say)
        written = [write_report(done.report, out)] if out else []
    except OckhamError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(error.exit_code) from error
    except KeyboardInterrupt:
        _say(
            f"interrupted; finished pairs and families are kept in {folder / JOURNAL}: "
            "the same command goes on from there"
        )
        raise typer.Exit(_INTERRUPTED) from None
    if out:
        from eval.fit.pictures import draw

        written += draw(done.pictured, done.table, out)
    for path in written:
        _say(f"wrote {path}")
    typer.echo(done.report.model_dump_json() if as_json else text_of(done.report))


def _say(text: str) -> None:
    typer.echo(text, err=True)
