"""`ockham eval`: run a benchmark through an arm or a policy, and look at runs.

Only typer is imported before a command runs.
"""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from eval.live import Ended, Limits
    from eval.runs.manifest import Arguments
    from eval.runs.session import Prepared

__all__ = ["app", "sit"]

STOPPED_EARLY = 5
"""Exit code of a run that the ceiling, or failures in a row, ended: resume it."""
INTERRUPTED = 130

app = typer.Typer(no_args_is_help=True, help="Run a benchmark through an arm or a policy.")


class Where(StrEnum):
    """Engines."""

    LOCAL = "local"
    RAY = "ray"


@app.callback()
def _group() -> None:
    """Run a benchmark through an arm or a policy."""


@app.command("run")
def run(
    benchmark: Annotated[str | None, typer.Option(help="See `ockham eval list`.")] = None,
    arm: Annotated[str | None, typer.Option(help="A bare arm: one call, no routing.")] = None,
    policy: Annotated[
        str | None, typer.Option(help="A registered policy, or your own as module:Class.")
    ] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="Runs a question; 1.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="The first n in the benchmark's order; all.")
    ] = None,
    offset: Annotated[int | None, typer.Option(min=0, help="Questions to leave out first.")] = None,
    seed: Annotated[int | None, typer.Option(help="For benchmarks that draw questions; 0.")] = None,
    path: Annotated[Path | None, typer.Option(help="Your own copy of the benchmark.")] = None,
    config: Annotated[
        str | None, typer.Option(help="YAML file; else OCKHAM_CONFIG, else ./ockham.yaml.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder; default: in the data directory, by its inputs.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with a run folder; takes its arguments from there.")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Samples in flight.")] = 4,
    rate: Annotated[float | None, typer.Option(min=0.001, help="Requests a second.")] = None,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="USD; the run stops before it exceeds them.")
    ] = None,
    engine: Annotated[Where, typer.Option(help="Where the questions are asked from.")] = (
        Where.LOCAL
    ),
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask failed samples again; their cost stays.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Ask nothing: write the results so far.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask, journal, resume: the same command again goes on where the last one ended.

    Exit codes: 0 complete; 5 stopped by --max-cost or by failures in a row; 130 Ctrl-C.
    """
    from eval.live import Limits
    from eval.runs.session import prepare, write_partial

    given = {
        "benchmark": benchmark, "arm": arm, "policy": policy, "samples": samples,
        "limit": limit, "offset": offset, "seed": seed, "path": path, "config": config,
    }  # fmt: skip
    prepared = prepare(_arguments(given, resume, out), resume or out)
    if partial:
        write_partial(prepared)
    else:
        limits = Limits(concurrency, rate, max_cost)
        sit(prepared, limits, engine.value, retry_failed, as_json)
    _show(prepared.folder, as_json)


def _arguments(given: dict[str, Any], resume: Path | None, out: Path | None) -> "Arguments":
    from eval.runs.manifest import Arguments, read_manifest
    from eval.runs.subject import SubjectSpec
    from router.errors import InputError

    asked = {name: value for name, value in given.items() if value is not None}
    if resume is not None:
        extra = [*asked, *(["out"] if out else [])]
        if extra:
            raise InputError(f"--{extra[0]}: --resume takes it from the run folder; leave it out")
        return read_manifest(resume).arguments
    if "benchmark" not in asked:
        raise InputError("--benchmark: say which one; `ockham eval list` shows them")
    if ("arm" in asked) == ("policy" in asked):
        raise InputError("give --arm or --policy, one of the two")
    spec = SubjectSpec(arm=asked.pop("arm", None), policy=asked.pop("policy", None))
    for name in ("path", "config"):
        if name in asked:
            asked[name] = str(Path(asked[name]).absolute())
    return Arguments(subject=spec, **asked)


def sit(
    prepared: "Prepared", limits: "Limits", engine: Any, retry_failed: bool, quiet: bool
) -> None:
    """One sitting; leaves by its exit code where the run is not complete."""
    import asyncio

    from eval.runs.progress import progress
    from eval.runs.session import run_session

    typer.echo(f"run folder: {prepared.folder}", err=True)
    try:
        with progress(quiet) as show:
            work = run_session(prepared, limits, show, engine=engine, retry_failed=retry_failed)
            ended: Ended = asyncio.run(work)
    except KeyboardInterrupt:
        _show(prepared.folder, quiet)
        typer.echo("interrupted: run the same command again to go on", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if ended.reason != "complete":
        _show(prepared.folder, quiet)
        typer.echo(ended.message, err=True)
        raise typer.Exit(STOPPED_EARLY)


def _show(folder: Path, as_json: bool) -> None:
    from eval.runs.summary import summarise, summary_text

    data = summarise(folder)
    sys.stdout.write((json.dumps(data) if as_json else summary_text(data)) + "\n")
    sys.stdout.flush()


@app.command("record")
def record(
    plan: Annotated[
        Path, typer.Option(help="YAML file that says what is recorded; see eval/runs/record.py.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the joined table, written when complete.")],
    concurrency: Annotated[int, typer.Option(min=1, help="Samples in flight.")] = 8,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="USD a run; it stops before it exceeds them.")
    ] = None,
) -> None:
    """Record samples of several benchmarks as one table without texts; again: goes on.

    Exit codes as of `run`.
    """
    from eval.live import Limits
    from eval.runs.record import joined, prepared_runs, read_plan
    from router.outcomes import write_outcomes

    wanted = read_plan(plan)
    runs = prepared_runs(wanted, plan)
    for prepared in runs:
        sit(prepared, Limits(concurrency, None, max_cost), "local", False, False)
        _show(prepared.folder, False)
    place = write_outcomes(joined(runs, wanted), out.absolute())
    size = sum(file.stat().st_size for file in place.iterdir())
    typer.echo(f"wrote {out} ({size / 1024:.0f} KiB)", err=True)


@app.command("list")
def list_benchmarks(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The benchmarks that can be run, each with its protocol."""
    from eval.benchmarks.benchmark import available_benchmarks, create

    found = [create(name) for name in available_benchmarks()]
    if as_json:
        rows = [{"name": b.name, "version": b.version, "protocol": b.protocol} for b in found]
        typer.echo(json.dumps(rows))
        return
    for b in found:
        typer.echo(f"{b.name} (version {b.version}): {b.protocol}")


@app.command("show")
def show(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Status of a run, also of one that is running: counts, accuracy, cost, latency."""
    _show(folder, as_json)
