"""`ockham bench policies`: decisions a second, and one case's time, of every policy.

Only typer is imported before the command runs.
"""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eval.bench.policies import Timed

__all__ = ["policies"]


def policies(
    runs: Annotated[int, typer.Option(min=1, help="Runs; the median is reported.")] = 5,
    rows: Annotated[int, typer.Option(min=1, help="Cases in the batch.")] = 10**5,
    labels: Annotated[int, typer.Option(min=50, help="Made-up rows that fits see.")] = 10_000,
    only: Annotated[str, typer.Option(help="These names alone, comma-separated.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Decisions a second in batch, and one case's time, of every policy; exit 1 under a bar."""
    from eval.bench.clock import load_average
    from eval.bench.policies import BAR_MS, BAR_PER_SECOND, bench_policies

    names = tuple(name.strip() for name in only.split(",") if name.strip())
    before = load_average()
    made = []
    if not as_json:
        typer.echo(f"{'policy':<26} {'a second':>13} {'one, ms':>9} {'its own time, ms':>17}")
    for row in bench_policies(rows, runs, labels, names):
        made.append(row)
        if not as_json:
            typer.echo(_policy_line(row))
    missed = [row.policy for row in made if not row.why_not and not row.met]
    if as_json:
        body = {
            "runs": runs, "rows": rows, "labels": labels, "load": before, "missed": missed,
            "policies": [row._asdict() for row in made],
        }  # fmt: skip
        sys.stdout.write(json.dumps(body) + "\n")
    else:
        typer.echo(
            f"medians of {runs}; load {before} before, {load_average()} after; bars: "
            f"{BAR_PER_SECOND:,.0f} a second, {BAR_MS:g} ms a case; missed by: "
            + (", ".join(missed) or "none")
        )
    if missed:
        raise typer.Exit(1)


def _policy_line(row: "Timed") -> str:
    if row.why_not:
        return f"{row.policy:<26} not measured: {row.why_not}"
    return f"{row.policy:<26} {row.per_second:13,.0f} {row.one_ms:9.4f} {row.one_cpu_ms:17.4f}" + (
        "" if row.met else "   MISSED"
    )
