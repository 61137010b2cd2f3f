"""`ockham bench gateway`: prints what `eval.bench.gateway` measures."""

import json
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eval.bench.gateway import Measured

__all__ = ["gateway"]


def gateway(
    runs: Annotated[int, typer.Option(min=1, help="Runs; the median is reported.")] = 5,
    seconds: Annotated[float, typer.Option(min=1, help="Of one run of one server.")] = 5,
    stream: Annotated[bool, typer.Option("--stream", help="Streamed answers.")] = False,
    reference: Annotated[bool, typer.Option(help="Also LiteLLM's proxy.")] = True,
    itemise: Annotated[bool, typer.Option("--itemise", help="Where the time goes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The gateway beside LiteLLM's proxy: same fake upstream, load tool and worker count."""
    from eval.bench.clock import load_average

    before = load_average()
    if itemise:
        from eval.bench.itemise import itemise as measure_stages
        from eval.bench.itemise import show

        made = show(measure_stages(runs), as_json)
        head = "" if as_json else f"load {before} before, {load_average()} after\n"
        sys.stdout.write(head + made)
        return
    from eval.bench.gateway import bench_gateway

    measured = bench_gateway(runs, seconds, stream=stream, reference=reference)
    loads = f"load {before} before, {load_average()} after"
    if as_json:
        body = {**measured._asdict(), "rows": [r._asdict() for r in measured.rows]}
        sys.stdout.write(json.dumps({"runs": runs, "load": loads, **body}) + "\n")
        return
    _print(measured, f"medians of {runs} runs of {seconds:g} s; {loads}", reference)


def _print(measured: "Measured", title: str, reference: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from eval.bench.gateway import MANY, ONE, overhead_ms, speedup

    table = Table(title=title, caption=f"LiteLLM {version('litellm')}; the upstream is a fake")
    table.add_column("server")
    for name in ("connections", "p50 ms", "p95 ms", "requests/s", "CPU ms", "requests", "errors"):
        table.add_column(name, justify="right")
    for row in measured.rows:
        if row.server.startswith("warm-up"):
            continue
        cpu = "" if row.cpu_ms is None else f"{row.cpu_ms:.2f}"
        table.add_row(
            row.server, str(row.connections), f"{row.p50_ms:.2f}", f"{row.p95_ms:.2f}",
            f"{row.per_second:.1f}", cpu, f"{row.requests:,}", f"{row.errors:,}",
        )  # fmt: skip
    Console().print(table)
    out = [
        f"p50 overhead: ockham {overhead_ms(measured, 'ockham'):.2f} ms"
        + (f", LiteLLM proxy {overhead_ms(measured, 'LiteLLM proxy'):.2f} ms" if reference else "")
    ]
    if reference:
        out.append(
            f"requests/s over LiteLLM's proxy: {speedup(measured, ONE):.2f} x with one connection, "
            f"{speedup(measured, MANY):.2f} x with {MANY} (the bar: 1.2)"
        )
    out.append(
        f"ockham answered {measured.acknowledged:,} requests with {measured.graph_runs:,} runs of "
        f"the graph, {measured.litellm_calls:,} calls of LiteLLM and {measured.upstream_calls:,} "
        "of the upstream"
    )
    sys.stdout.write("\n".join(out) + "\n")
