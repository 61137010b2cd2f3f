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


def _median_seconds(code: str, runs: int) -> float:
    """Wall clock of a fresh interpreter that runs `code`."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
