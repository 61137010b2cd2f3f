"""`ockham bench`: speed, always beside a reference from the same run."""

import json
import statistics
import subprocess
import sys
import time
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(help="Measure speed: medians of runs, with the machine's load.")


@app.callback()
def _group() -> None:
    """Keeps each bench a subcommand."""


@app.command("graph")
def graph(
    runs: Annotated[int, typer.Option(min=1, help="Runs; the median is reported.")] = 5,
    queries: Annotated[int, typer.Option(min=1, help="Queries a run.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The graph's own time a query: everything outside the model call."""
    from eval.bench.graph import bench_graph, load_average

    before = load_average()
    rows = bench_graph(runs, queries)
    if as_json:
        body = {
            "runs": runs,
            "queries": queries,
            "load": before,
            "rows": [r._asdict() for r in rows],
        }
        sys.stdout.write(json.dumps(body) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"{runs} runs of {queries} queries; load {before} before, {load_average()} after"
    )
    table.add_column("a query")
    for name in ("median ms", "fastest run", "slowest run"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(row.name, *(f"{v:.2f}" for v in row[1:]))
    Console().print(table)


@app.command("import")
def import_time(
    runs: Annotated[int, typer.Option(min=1, help="Runs; the median is reported.")] = 5,
) -> None:
    """Seconds of `import router` in a fresh interpreter, beside `import litellm`."""
    from eval.bench.graph import load_average

    bare = _median_seconds("pass", runs)
    sys.stdout.write(f"load {load_average()}; medians of {runs}, Python's own {bare:.3f} s off\n")
    for module in ("router", "litellm"):
        seconds = _median_seconds(f"import {module}", runs) - bare
        sys.stdout.write(f"import {module}: {seconds:.3f} s\n")


@app.command("replay")
def replay(
    runs: Annotated[int, typer.Option(min=1, help="Runs; the median is reported.")] = 5,
    rows: Annotated[int, typer.Option(min=1, help="Decisions to time.")] = 10**6,
    sizes: Annotated[bool, typer.Option(help="Also 10^4 .. 10^7 rows, with memory.")] = True,
    source: Annotated[
        str | None, typer.Option(help="Also a full replay of this stored set.")
    ] = None,
    benchmark: Annotated[str, typer.Option(help="The benchmark of it.")] = "mmlu",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Decisions a second of a threshold policy, growth with rows, a full comparison."""
    from eval.bench.graph import load_average
    from eval.bench.replay import compare, decide, grow

    before = load_average()
    made = decide(rows, runs)
    grown = grow(runs) if sizes else []
    full = compare(source, benchmark, runs) if source else None
    if as_json:
        body = {
            "runs": runs,
            "load": before,
            "decide": made._asdict(),
            "grow": [g._asdict() for g in grown],
            "compare": full and {"seconds": full[0], "questions": full[1], "policies": full[2]},
        }
        sys.stdout.write(json.dumps(body) + "\n")
        return
    out = [
        f"medians of {runs}; load {before} before, {load_average()} after",
        f"{made.rows:,} decisions: {made.policy_s:.3f} s (numpy's bare comparison "
        f"{made.bare_s:.3f} s)",
    ]
    out += [
        f"replay of {g.rows:>10,} rows: {g.play_s:8.3f} s ({g.play_s / g.rows * 1e9:5.0f} ns a "
        f"row), peak {g.peak_mib:6,.0f} MiB, {g.table_mib:,.0f} of them with the table alone"
        for g in grown
    ]
    if full:
        seconds, questions, policies = full
        out.append(
            f"{source} / {benchmark}: {questions:,} questions, {policies} policies, 5 folds, 1,000 "
            f"resamples: median {statistics.median(seconds):.1f} s of {len(seconds)}"
        )
    sys.stdout.write("\n".join(out) + "\n")


def _median_seconds(code: str, runs: int) -> float:
    """Wall clock of a fresh interpreter that runs `code`."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
