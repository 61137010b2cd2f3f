"""`ockham bench chaos | soak | fuzz | money`: what a gateway must survive."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from eval.bench.audit import Audit

__all__ = ["chaos", "fuzz", "money", "soak"]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def chaos(
    n: Annotated[int, typer.Option("--requests", "-n", min=1, help="Requests.")] = 10_000,
    concurrency: Annotated[int, typer.Option(min=1, help="Requests at once.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="Of the faults.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Requests while upstreams are killed, hang, lie: every end is an answer or a clean error."""
    from eval.bench.chaos import bench_chaos

    came = bench_chaos(n, concurrency=concurrency, seed=seed)
    out = [f"{n:,} requests, {came.kills} kills of an upstream", *_outcomes(came.outcomes)]
    body = {**came._asdict(), "books": came.books._asdict()}
    _end(out + _books(came.books), body, came.faults, as_json)


def money(
    n: Annotated[int, typer.Option("--requests", "-n", min=8, help="Requests at once.")] = 200,
    budget: Annotated[float, typer.Option(min=0, help="Of the tenant, USD a day.")] = 0.01,
    as_json: AsJson = False,
) -> None:
    """One budget, two replicas on one Postgres, one of them killed with -9."""
    from eval.bench.money import bench_money

    came = bench_money(n, budget)
    out = [
        f"{n} clients, {came.tries} requests on USD {budget:g}; {came.lost} died with their replica"
    ]
    body = {**came._asdict(), "books": came.books._asdict()}
    _end([*out, *_outcomes(came.outcomes), *_books(came.books)], body, came.faults, as_json)


def soak(
    minutes: Annotated[float, typer.Option(min=0.2, help="Length of the run.")] = 30,
    clients: Annotated[int, typer.Option(min=1, help="Steady clients.")] = 4,
    out: Annotated[Path | None, typer.Option(help="PNG of the samples.")] = None,
    as_json: AsJson = False,
) -> None:
    """Steady load: memory, files, threads and tasks stay flat."""
    from eval.bench.soak import bench_soak

    came = bench_soak(minutes, clients=clients)
    slope, last = came.slope, came.samples[-1]
    lines = [
        f"{minutes:g} minutes, the first {came.warm_up_s / 60:.1f} to warm up",
        *_outcomes(came.outcomes),
        f"memory: {last.rss_mib:.0f} MiB at the end, {slope.mib_h:+.1f} MiB an hour "
        f"[{slope.low:+.1f}, {slope.high:+.1f}] ({slope.n} samples)",
        f"files {last.files}, threads {last.threads}, tasks {last.tasks}",
    ]
    if out is not None:
        from eval.bench.soak_plot import picture
        from eval.writing import write_files

        write_files(out.parent, {out.name: picture(came)})
        lines.append(f"plot: {out}")
    body = {**came._asdict(), "slope": slope._asdict()}
    _end(lines, body, came.faults, as_json)


def fuzz(
    n: Annotated[int, typer.Option("--cases", "-n", min=1, help="Cases at least.")] = 5000,
    seed: Annotated[int, typer.Option(min=0, help="Of the cases.")] = 0,
) -> None:
    """schemathesis on the OpenAPI document of a running gateway."""
    from eval.bench.fuzz import bench_fuzz

    came = bench_fuzz(n, seed)
    sys.stdout.write(came.told)
    faults = [] if came.passed else ["schemathesis found failures"]
    if came.cases < n:
        faults.append(f"only {came.cases:,} cases were made")
    _end([*_outcomes(came.statuses), f"{came.cases:,} cases"], {}, faults, False)


def _outcomes(outcomes: Any) -> list[str]:
    rows = sorted(outcomes.items(), key=lambda item: -item[1])
    return [f"{count:7,} {what}" for what, count in rows]


def _books(books: "Audit") -> list[str]:
    usd = [f"{nano / 1e9:.9f}" for nano in (books.upstream_nano, books.ledger_nano)]
    return [
        f"ledger: {books.rows:,} rows; upstream USD {usd[0]}, ledger USD {usd[1]}, of it "
        f"USD {books.unsure_nano / 1e9:.9f} reserved or estimated"
    ]


def _end(lines: list[str], body: dict[str, Any], faults: list[str], as_json: bool) -> None:
    """Print; exit status 1 where a bar is missed."""
    if as_json:
        sys.stdout.write(json.dumps({**body, "faults": faults}) + "\n")
    else:
        sys.stdout.write("\n".join([*lines, *(f"MISSED: {fault}" for fault in faults)]) + "\n")
    if faults:
        _fail()


def _fail() -> NoReturn:
    raise typer.Exit(1)
