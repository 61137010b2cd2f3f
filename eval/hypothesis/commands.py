"""`ockham hypothesis`: the verdict on compression and coverage, and its page.

Only typer is imported before the command runs.
"""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["hypothesis"]


def hypothesis(
    out: Annotated[
        Path | None, typer.Option(help="Folder for index.html, PNGs and hypothesis.json.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="The outcome data; else OCKHAM_SHARED_DATA, ../shared/data, imported."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of resamples and worlds; the pre-registered one.")
    ] = None,
    coverage: Annotated[
        Path | None,
        typer.Option(
            help="Folder of `ockham experiment coverage`, for P2; confirms with the live seed."
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the live set of P3 first; again: goes on.")
    ] = False,
    live_folder: Annotated[
        Path | None, typer.Option(help="Where the live set is; OUT/live.")
    ] = None,
    small: Annotated[str, typer.Option(help="Arm of the live set.")] = "small",
    large: Annotated[
        str | None, typer.Option(help="Arm that the small one is compared with.")
    ] = None,
    config: Annotated[
        str | None, typer.Option(help="YAML file; else OCKHAM_CONFIG, else ./ockham.yaml.")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Live samples in flight.")] = 4,
    signals: Annotated[
        int,
        typer.Option(min=0, help="Queries a table whose signals are read, beside P4; 0.1 s each."),
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print hypothesis.json.")] = False,
) -> None:
    """Test the five pre-registered predictions on every table there is; print what comes out.

    Populations marked unseen in eval/preregistration.yaml are opened by this command alone; a
    verdict on them is confirmatory, all others are exploratory. Exit codes of --live: as of
    `ockham eval run`.
    """
    from eval.hypothesis.judge import Plan, judge
    from eval.hypothesis.live_set import run_live
    from eval.hypothesis.registration import read_registration
    from eval.hypothesis.report import body, show, write
    from router.errors import InputError

    folder = live_folder or (out / "live" if out is not None else None)
    place = _data(data)
    registration = read_registration()
    if live:
        if folder is None:
            raise InputError("--live: say with --out or --live-folder where its runs are kept")
        run_live(folder, [small, *([large] if large else [])], config, concurrency)
    plan = Plan(
        data=place,
        seed=registration.seed if seed is None else seed,
        coverage=coverage,
        live=folder if folder is not None and folder.is_dir() else None,
        small=small,
        large=large,
        signals=signals,
    )
    found = judge(plan, registration, lambda what: typer.echo(f"{what} ...", err=True))
    made = body(found, plan, sys.argv[1:])
    if out is not None:
        write(found, made, out)
        typer.echo(f"page: {out / 'index.html'}", err=True)
    if as_json:
        sys.stdout.write(json.dumps(made) + "\n")
    else:
        show(found)


def _data(chosen: Path | None) -> Path | None:
    """The data folder; None where there is none, but imported tables.

    Raises:
        SetupError: neither, or the folder that was named is no data folder.
    """
    from eval.sources.shared import shared_data
    from router.errors import SetupError
    from router.outcomes import stored_sets

    try:
        return shared_data(chosen)
    except SetupError as error:
        if chosen is not None or os.environ.get("OCKHAM_SHARED_DATA") or not stored_sets():
            raise SetupError(f"{error}, or import tables (ockham outcomes import)") from None
        return None
