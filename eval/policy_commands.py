"""`ockham policy tune | promote`: which threshold, whether it may serve; and the group's others.

Only typer is imported before a command runs.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.frontier.command import frontier
from eval.gate_commands import gate
from eval.label_command import label_next
from eval.pace_command import pace
from eval.policy_options import (
    CONTAMINATED,
    AsJson,
    Benchmark,
    Exclude,
    Labels,
    Name,
    Out,
    Pair,
    Seed,
    Source,
    check_ending,
    load,
    print_json,
)
from eval.rebuild_command import rebuild
from eval.watch_command import watch

if TYPE_CHECKING:
    from eval.table import Table
    from eval.tuning import Tuned

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Tune a policy to a budget or an error rate, promote it, bound it, pace it, watch it.",
)
app.command()(frontier)
app.command()(gate)
app.command()(pace)
app.command("label-next")(label_next)
app.command()(watch)
app.command()(rebuild)


@app.command()
def tune(
    source: Source,
    benchmark: Benchmark,
    policy: Name = "text-logistic",
    budget: Annotated[float | None, typer.Option(min=0, help="USD per 1,000 queries.")] = None,
    max_error: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of wrong answers, 0..1.")
    ] = None,
    pair: Pair = None,
    labels: Labels = None,
    seed: Seed = 0,
    exclude_subject: Exclude = CONTAMINATED,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """The threshold for my budget, or my error rate, with the interval on rows not seen."""
    from eval.tuning import tune as run

    check_ending("--out", out, ".json")
    table, evidence = load(source, benchmark, pair, exclude_subject, seed)
    made = run(table, policy, budget=budget, max_error=max_error, labels=labels, seed=seed)
    facts = evidence | _facts(made) | {"budget": budget, "max_error": max_error}
    if out is not None and made.reached:
        _write(out, made, facts)
    if as_json:
        print_json(facts)
    else:
        _print(made, table)
        _judge(made, budget, max_error)
    if not made.reached:
        raise typer.Exit(1)


def _judge(made: "Tuned", budget: float | None, max_error: float | None) -> None:
    """What the held-out rows say of the aim, in a sentence where it is not simply met."""
    if not made.reached:
        aim = f"USD {budget:g} per 1,000" if budget is not None else f"an error of {max_error:g}"
        typer.echo(
            f"No threshold reaches {aim} on the rows that choose it. Above is the one that comes "
            "closest; no preset was written."
        )
    elif budget is not None and made.usd_per_1000.value > budget:
        typer.echo("On rows not seen it costs more than the budget: ask for a little less.")
    elif max_error is not None and 1 - made.accuracy.value > max_error:
        typer.echo("On rows not seen its error is above the limit: ask for a little less.")
    elif budget is not None and not made.usd_per_1000.high <= budget:
        typer.echo("The interval of the cost reaches above the budget: ask for a little less.")
    elif max_error is not None and not 1 - made.accuracy.low <= max_error:
        typer.echo("The interval of the error reaches above the limit: ask for a little less.")


@app.command()
def promote(
    source: Source,
    benchmark: Benchmark,
    out: Annotated[Path, typer.Option(help="Where the preset goes if it passes (.json).")],
    policy: Name = "text-logistic",
    usd_per_correct: Annotated[
        float | None, typer.Option(min=0, help="What a correct answer is worth; default: the tie.")
    ] = None,
    pair: Pair = None,
    labels: Labels = None,
    seed: Seed = 0,
    exclude_subject: Exclude = CONTAMINATED,
    as_json: AsJson = False,
) -> None:
    """Write a preset only if it beats best single, random and prompt length; exit 1 if not."""
    from eval.tuning import promote as run

    check_ending("--out", out, ".json")
    table, evidence = load(source, benchmark, pair, exclude_subject, seed)
    made = run(table, policy, usd_per_correct=usd_per_correct, labels=labels, seed=seed)
    margins = {name: m._asdict() for name, m in made.margins.items()}
    facts = evidence | _facts(made.tuned) | {
        "usd_per_correct": made.usd_per_correct,
        "utility_gained_over": margins,
        "best_single": made.best_single,
        "promoted": made.passed,
    }  # fmt: skip
    if made.passed:
        _write(out, made.tuned, facts)
    if as_json:
        print_json(facts)
    else:
        _print(made.tuned, table)
        typer.echo(f"a correct answer is worth USD {made.usd_per_correct:.6f}; utility gained over")
        for name, m in made.margins.items():
            verdict = "beaten" if m.low > 0 else "NOT beaten"
            shown = f"{name} ({made.best_single})" if name == "best-single" else name
            typer.echo(f"  {shown:<40} {m.value:+.4f} [{m.low:+.4f}, {m.high:+.4f}]  {verdict}")
        typer.echo("promoted" if made.passed else "not promoted: nothing was written")
    if not made.passed:
        raise typer.Exit(1)


def _facts(made: "Tuned") -> dict[str, Any]:
    threshold = made.policy.threshold
    return {
        "policy": made.policy.name,
        # JSON has no infinity: all-small and all-large are strings.
        "threshold": threshold if math.isfinite(threshold) else str(threshold),
        "fitted_on": made.labels,
        "threshold_chosen_on": made.chosen_on,
        "reached": made.reached,
        "held_out": {
            "accuracy": made.accuracy._asdict(),
            "usd_per_1000": made.usd_per_1000._asdict(),
            "large_share": made.large_share._asdict(),
        },
    }


def _print(made: "Tuned", table: "Table") -> None:
    a, c, s = made.accuracy, made.usd_per_1000, made.large_share
    typer.echo(
        f"{table.source} / {table.benchmark}, {table.arms[0].name} -> {table.arms[1].name}\n"
        f"{made.policy.name}: threshold {made.policy.threshold:.6g} "
        f"(fitted on {made.labels:,} rows, chosen on {made.chosen_on:,}, scored on {a.n:,})\n"
        f"  error        {1 - a.value:.4f} [{1 - a.high:.4f}, {1 - a.low:.4f}]\n"
        f"  accuracy     {a.value:.4f} [{a.low:.4f}, {a.high:.4f}]\n"
        f"  USD per 1000 {c.value:.4f} [{c.low:.4f}, {c.high:.4f}]\n"
        f"  large share  {s.value:.4f} [{s.low:.4f}, {s.high:.4f}]"
    )


def _write(out: Path, made: "Tuned", facts: dict[str, Any]) -> None:
    from router.presets import write_preset

    write_preset(out, made.policy, facts)
    typer.echo(f"wrote {out}: name it in policy.name, or give it as --policy", err=True)
