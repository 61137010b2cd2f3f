"""`ockham experiment coverage`: what facts in the prompt, and an index, are worth to a model.

Only typer is imported before the command runs.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eval.knowledge.experiment import Pair, Plan
    from eval.runs.session import Prepared

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Experiments on the hypothesis, through live runs.")


@app.callback()
def _group() -> None:
    """Experiments on the hypothesis, through live runs."""


@app.command("coverage")
def coverage(
    out: Annotated[Path, typer.Option(help="Folder of the experiment; the same one: goes on.")],
    arm: Annotated[
        list[str] | None, typer.Option(help="An arm of context none; repeat it. Default: small.")
    ] = None,
    index_arm: Annotated[
        list[str] | None,
        typer.Option(help="Its sibling of context index; default: found by model and method."),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Arm whose closed-book accuracy is the gap's upper end; 1.")
    ] = None,
    conditions: Annotated[
        str, typer.Option(help="Of closed, gold, retrieved, distractors; the first three always.")
    ] = "closed,gold,retrieved,distractors",
    limit: Annotated[int | None, typer.Option(min=1, help="Questions; all.")] = None,
    per_field: Annotated[
        int | None, typer.Option(min=1, help="Questions a field, at most.")
    ] = None,
    field: Annotated[list[str] | None, typer.Option(help="Only this field; repeat it.")] = None,
    leave_out: Annotated[
        str,
        typer.Option(
            help="Countries not asked about: Factbook codes, or parts (tune, fit, score)."
        ),
    ] = "",
    seed: Annotated[int, typer.Option(help="Of questions, distractors and resamples.")] = 0,
    config: Annotated[
        str | None, typer.Option(help="YAML file; else OCKHAM_CONFIG, else ./ockham.yaml.")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Samples in flight.")] = 4,
    rate: Annotated[float | None, typer.Option(min=0.001, help="Requests a second.")] = None,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="USD a run; it stops before it exceeds them.")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask failed samples again; their cost stays.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Ask nothing: report what is finished so far.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print coverage.json.")] = False,
) -> None:
    """Ask closed-book, with the gold passage, retrieved and distracted; report the shares.

    Each condition is a live run: the same command again goes on where the last one ended. Exit
    codes: 0 complete; 5 stopped by --max-cost or by failures in a row; 130 Ctrl-C.
    """
    from eval.knowledge.experiment import Plan, made, prepared

    plan = Plan(
        arms=tuple(arm or ["small"]),
        index_arms=tuple(index_arm or ()),
        reference=reference,
        conditions=_conditions(conditions),
        limit=limit,
        per_field=per_field,
        fields=tuple(field or ()),
        leave_out=tuple(code.strip() for code in leave_out.split(",") if code.strip()),
        seed=seed,
        config=None if config is None else str(Path(config).absolute()),
        out=out,
    )
    pairs = made(plan)
    runs = prepared(plan, pairs)
    if not partial:
        _ask(runs, concurrency, rate, max_cost, retry_failed)
    _report(plan, pairs, runs, partial, as_json)


def _conditions(given: str) -> tuple[str, ...]:
    from eval.benchmarks.coverage import CONDITIONS
    from router.errors import InputError

    asked = [name.strip() for name in given.split(",") if name.strip()]
    if unknown := sorted(set(asked) - set(CONDITIONS)):
        raise InputError(f"--conditions: no {unknown[0]!r}; there are: {', '.join(CONDITIONS)}")
    return tuple(c for c in CONDITIONS if c in asked or c != "distractors")


def _ask(
    runs: "dict[str, dict[str, Prepared]]",
    concurrency: int,
    rate: float | None,
    max_cost: float | None,
    retry_failed: bool,
) -> None:
    from eval.live import Limits
    from eval.runs.commands import sit

    done = set()
    for of in runs.values():
        for run in of.values():
            if run.folder not in done:  # models share their reference
                done.add(run.folder)
                sit(run, Limits(concurrency, rate, max_cost), "local", retry_failed, False)


def _begun(run: "Prepared") -> bool:
    from eval.runs.manifest import MANIFEST_FILE

    return (run.folder / MANIFEST_FILE).is_file()


def _report(
    plan: "Plan",
    pairs: "list[Pair]",
    runs: "dict[str, dict[str, Prepared]]",
    partial: bool,
    as_json: bool,
) -> None:
    from eval.knowledge.experiment import joined
    from eval.knowledge.report import body, show, write
    from eval.runs.session import write_partial
    from router.outcomes import write_outcomes

    if partial:
        runs = {arm: {c: r for c, r in of.items() if _begun(r)} for arm, of in runs.items()}
        for run in (run for of in runs.values() for run in of.values()):
            write_partial(run)
    made = body(plan, pairs, runs, sys.argv[1:])
    write_outcomes(joined(runs, plan), plan.out.absolute() / "outcomes")
    write(made, plan.out)
    if as_json:
        sys.stdout.write(json.dumps(made.data) + "\n")
    else:
        show(made)
        typer.echo(f"page: {plan.out / 'index.html'}", err=True)
