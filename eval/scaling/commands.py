"""`ockham bench scaling`: accuracy against tokens of every method, beside majority vote.

Only typer is imported before the command runs.
"""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eval.scaling.draw import Wanted
    from eval.scaling.pool import Pool

__all__ = ["scaling"]

STOPPED_EARLY, INTERRUPTED = 5, 130
"""Exit codes of `ockham eval run`: run the same command again to go on."""
PICTURE, TABLE = "scaling.png", "scaling.json"


class Price(StrEnum):
    """What is held equal."""

    TOKENS = "tokens"
    USD = "usd"


def scaling(
    pool: Annotated[
        list[str] | None,
        typer.Option(help="Recorded samples, [plain|clr|forced|spectrum=]NAME_OR_FOLDER; repeat."),
    ] = None,
    benchmark: Annotated[
        list[str] | None,
        typer.Option(help="Draw samples of this first (`ockham eval list`); repeat it."),
    ] = None,
    model: Annotated[str, typer.Option(help="Drawing: the configured model.")] = "small",
    k: Annotated[int, typer.Option("--k", min=2, max=256, help="Drawing: samples a question.")] = 8,
    limit: Annotated[int | None, typer.Option(min=1, help="Drawing: the first n questions.")] = 50,
    config: Annotated[
        str | None, typer.Option(help="Drawing: YAML file; else OCKHAM_CONFIG, ./ockham.yaml.")
    ] = None,
    temperature: Annotated[
        float, typer.Option(min=0, max=2, help="Drawing: of the samples; above 0.")
    ] = 0.7,
    budget_tokens: Annotated[
        int, typer.Option(min=16, help="Drawing: where a forced sample's thinking is closed.")
    ] = 128,
    check_tokens: Annotated[
        int, typer.Option(min=8, help="Drawing: cap of extracting claims, and of checking one.")
    ] = 2048,
    concurrency: Annotated[int, typer.Option(min=1, help="Drawing: samples in flight.")] = 4,
    methods: Annotated[
        str,
        typer.Option(
            help="Comma-separated; default: all of the pools there are, or of plain ones."
        ),
    ] = "",
    orders: Annotated[
        int, typer.Option(min=1, help="Random orders of a question's samples, at least.")
    ] = 50,
    bootstrap: Annotated[int, typer.Option(min=10, help="Resamples of whole questions.")] = 1000,
    seed: Annotated[
        int, typer.Option(help="Of orders and resamples, and of a benchmark's questions.")
    ] = 0,
    axis: Annotated[Price, typer.Option(help="What is held equal.")] = Price.TOKENS,
    out: Annotated[
        Path | None, typer.Option(help="Folder for scaling.png, scaling.json, and drawn pools.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What more samples win, at what price: every method beside majority at equal tokens.

    Either --pool replays recorded samples, or --benchmark with --out draws them first: journalled,
    so that the same command goes on after a kill. Exit codes as of `ockham eval run`.
    """
    from eval.scaling.comparison import Plan, compare
    from eval.scaling.inputs import by_benchmark, read_pools
    from eval.scaling.lineup import chosen
    from eval.scaling.report import as_json as body_of
    from eval.scaling.report import show, stamp
    from router.errors import InputError

    names = [name.strip() for name in methods.split(",") if name.strip()]
    if bool(pool) == bool(benchmark):
        raise InputError(
            "give --pool to replay samples, or --benchmark to draw them, one of the two"
        )
    if pool:
        pools = read_pools(pool)
        wanted = chosen(names, {p.kind for p in pools})
    else:
        from eval.scaling.draw import Wanted
        from eval.scaling.lineup import kinds_of

        if out is None:
            raise InputError("--out: say in which folder the drawn samples are to be kept")
        wanted, kinds = kinds_of(names)
        pools = _drawn(
            Wanted(
                tuple(dict.fromkeys(benchmark or ())), kinds, model, k, limit, temperature,
                budget_tokens, check_tokens, seed, config, out,
            ),
            concurrency,
            as_json,
        )  # fmt: skip
    plan = Plan(wanted, orders, seed, bootstrap, axis.value)
    found = [compare(own, plan) for own in by_benchmark(pools).values()]
    body = body_of(found, stamp(plan, sys.argv[1:]))
    if out is not None:
        from eval.scaling.plot import picture
        from eval.writing import write_files

        write_files(out, {TABLE: json.dumps(body, indent=1).encode(), PICTURE: picture(found)})
        typer.echo(f"wrote {out / PICTURE} and {out / TABLE}", err=True)
    if as_json:
        sys.stdout.write(json.dumps(body) + "\n")
    else:
        show(found, plan)


def _drawn(wanted: "Wanted", concurrency: int, quiet: bool) -> "list[Pool]":
    """Pools from the live runner; leaves by an exit code where they are not complete."""
    from eval.scaling.draw import draw, planned, read_drawn

    runs = planned(wanted)
    try:
        ended = draw(runs, concurrency, quiet)
    except KeyboardInterrupt:
        typer.echo("interrupted: run the same command again to go on", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if ended is not None:
        typer.echo(f"{ended.message}\nrun the same command again to go on", err=True)
        raise typer.Exit(STOPPED_EARLY)
    return read_drawn(runs)
