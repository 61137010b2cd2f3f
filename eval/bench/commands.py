"""`ockham bench`: speed beside a reference; claims beside their theory; what samples win."""

import json
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from eval.bench.gateway_command import gateway
from eval.bench.index_command import index
from eval.bench.operations_commands import chaos, fuzz, money, soak
from eval.bench.policies_command import policies
from eval.bench.serving_command import serving
from eval.scaling.commands import scaling

if TYPE_CHECKING:
    from eval.bench.claims import Row
    from eval.bench.signals import Timed

__all__ = ["app"]

app = typer.Typer(
    help="Measure speed (medians of runs, with the machine's load), and what more samples win."
)


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
    from eval.bench.clock import load_average
    from eval.bench.graph import bench_graph

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
    from eval.bench.clock import load_average, median_seconds

    def seconds(code: str) -> float:
        return median_seconds(
            lambda: subprocess.run([sys.executable, "-c", code], check=True), runs
        )

    bare = seconds("pass")
    sys.stdout.write(f"load {load_average()}; medians of {runs}, Python's own {bare:.3f} s off\n")
    for module in ("router", "litellm"):
        sys.stdout.write(f"import {module}: {seconds(f'import {module}') - bare:.3f} s\n")


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
    from eval.bench.clock import load_average
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


@app.command("signals")
def signals(
    runs: Annotated[int, typer.Option(min=1, help="Runs; the median is reported.")] = 5,
    queries: Annotated[int, typer.Option(min=20, help="Short queries a run.")] = 200,
    threads: Annotated[str, typer.Option(help="Numbers of threads, comma-separated.")] = "1,2",
    walk: Annotated[int, typer.Option(min=0, help="Also memory over so many queries.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """One routing decision beside the same encoder on torch and beside semantic-router."""
    from eval.bench.clock import load_average
    from eval.bench.signals import axes_agree, bench_signals, loop_lag, memory

    before = load_average()
    rows = bench_signals([int(n) for n in threads.split(",")], runs, queries)
    longest, middle = loop_lag(queries)
    agree = axes_agree()
    walked = memory(walk) if walk else []
    if as_json:
        body = {
            "runs": runs,
            "queries": queries,
            "load": before,
            "rows": [r._asdict() for r in rows],
            "loop_late_ms": {"longest": longest, "median": middle},
            "auroc": {a: {"shipped": v[0], "torch": v[1]} for a, v in agree.items()},
            "memory": [m._asdict() for m in walked],
        }
        sys.stdout.write(json.dumps(body) + "\n")
        return
    _print_signals(rows, f"{runs} runs of {queries} short queries; load {before} before, "
                         f"{load_average()} after")  # fmt: skip
    sys.stdout.write(
        f"event loop late while classifying: median {middle:.2f} ms, longest {longest:.1f} ms\n"
    )
    for axis, (ours, exact) in agree.items():
        sys.stdout.write(
            f"{axis} AUROC, held-out prompts: {ours:.4f}, with torch's rows {exact:.4f}\n"
        )
    for mark in walked:
        sys.stdout.write(f"memory after {mark.queries:,} queries: {mark.mib:.0f} MiB\n")


@app.command("verify")
def verify(
    runs: Annotated[int, typer.Option(min=1, help="Runs; the median is reported.")] = 5,
    pairs: Annotated[
        int, typer.Option(min=1, help="Answers a run, of GSM8K and of MATH-500.")
    ] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The sandbox and the judge beside a bare Python; answers against gold, a second."""
    from eval.bench.clock import load_average
    from eval.bench.verify import bench_gold, bench_sandbox, gold_pairs
    from router.errors import SetupError

    before = load_average()
    times = bench_sandbox(runs)
    try:
        rates = bench_gold(gold_pairs(pairs), runs)
        rates += bench_gold(gold_pairs(pairs, "math500.jsonl"), runs, "math500")
    except SetupError as error:
        rates = []
        sys.stderr.write(f"answers against gold were skipped: {error}\n")
    if as_json:
        body = {
            "runs": runs,
            "load": before,
            "times": [t._asdict() for t in times],
            "rates": [r._asdict() for r in rates],
        }
        sys.stdout.write(json.dumps(body) + "\n")
        return
    out = [f"medians of {runs}; load {before} before, {load_average()} after"]
    out += [
        f"{t.name:20} {t.median_ms:7.1f} ms (fastest run {t.low_ms:.1f}, slowest {t.high_ms:.1f})"
        for t in times
    ]
    out += [f"{r.name:20} {r.per_second:9,.0f} a second, {r.equal} of {r.of} equal" for r in rates]
    sys.stdout.write("\n".join(out) + "\n")


@app.command("claims")
def claims(
    k: Annotated[int, typer.Option(min=1, max=32, help="Samples a question.")] = 8,
    questions: Annotated[int, typer.Option(min=1, help="Simulated questions a cell.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulation.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """When claim-level reliability beats a majority vote: exact theory, and simulated."""
    from eval.bench.claims import bench_claims

    rows = bench_claims(k, questions, seed)
    if as_json:
        cells = [
            {**r._asdict(), "simulated": r.simulated._asdict(), "winner": r.winner} for r in rows
        ]
        body = {"k": k, "questions": questions, "seed": seed, "rows": cells}
        sys.stdout.write(json.dumps(body) + "\n")
        return
    _print_claims(rows, f"P(right) of {k} samples; {questions:,} simulated questions a cell, "
                        f"seed {seed}")  # fmt: skip


def _print_claims(rows: "list[Row]", title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    caption = "equal K, not equal tokens: CLR also pays 1 + M more calls a sample"
    table = Table(title=title, caption=caption)
    for name in ("checker", "distractor"):
        table.add_column(name)
    for name in ("majority", "CLR", "difference", "simulated", "limits"):
        table.add_column(name, justify="right")
    table.add_column("wins")
    for r in rows:
        got = r.simulated
        table.add_row(
            r.checker,
            r.distractor,
            f"{r.majority:.3f}",
            f"{r.clr:.3f}",
            f"{r.clr - r.majority:+.3f}",
            f"{got.majority:.3f} {got.clr:.3f} ({got.difference:+.3f} ± {1.96 * got.error:.3f})",
            f"{r.majority_limit}, {r.clr_limit}",
            r.winner,
        )
    Console().print(table)


app.command("chaos")(chaos)
app.command("fuzz")(fuzz)
app.command("gateway")(gateway)
app.command("index")(index)
app.command("money")(money)
app.command("policies")(policies)
app.command("scaling")(scaling)
app.command("serving")(serving)
app.command("soak")(soak)


def _print_signals(rows: "list[Timed]", title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title)
    table.add_column("one query")
    for name in ("threads", "p50 ms", "p99 ms", "times decision", "batch, texts/s"):
        table.add_column(name, justify="right")
    base = {r.threads: r.p50 for r in rows if r.name == "decision"}
    for row in rows:
        batch = "" if row.batch_per_s is None else f"{row.batch_per_s:.0f}"
        times = f"{row.p50 / base[row.threads]:.2f}"
        table.add_row(row.name, str(row.threads), f"{row.p50:.2f}", f"{row.p99:.2f}", times, batch)
    Console().print(table)
