"""`ockham replay`: policies over a recorded outcome table, on the command line.

Only typer is imported before the command runs.
"""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["replay"]


def replay(
    source: Annotated[str, typer.Option(help="A stored outcome set, or the folder of one.")],
    benchmark: Annotated[
        list[str] | None,
        typer.Option(help="A benchmark, or a pool as a+b; repeat for more; default: each."),
    ] = None,
    pair: Annotated[
        str | None, typer.Option(help="small::large arms; default: the source's first pair.")
    ] = None,
    policies: Annotated[
        str, typer.Option(help="Beside the baselines: comma-separated names, or module:Class.")
    ] = "",
    against: Annotated[
        list[str] | None,
        typer.Option(
            help="A policy that all others are also held against, paired; repeat for more."
        ),
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Folds of whole questions.")] = 5,
    labels: Annotated[
        int | None, typer.Option(min=1, help="Training labels of a fit; default: all of the folds.")
    ] = None,
    train_on: Annotated[
        str | None, typer.Option(help="Fit on this benchmark instead: transfer.")
    ] = None,
    seed: Annotated[int, typer.Option(help="First seed of folds, draws and resamples.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, one after another.")] = 1,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Large share of the operating point.")
    ] = 0.5,
    bootstrap: Annotated[int, typer.Option(min=10, help="Resamples of whole questions.")] = 1000,
    robustness: Annotated[
        int, typer.Option(min=0, help="Perturb so many queries; do they take the same arm?")
    ] = 0,
    exclude_subject: Annotated[
        str, typer.Option(help="Leave out queries whose subject contains this; '' keeps all.")
    ] = "|contaminated",
    off_policy: Annotated[
        bool, typer.Option("--off-policy", help="The source is routed traffic: what of another?")
    ] = False,
    steps: Annotated[
        str,
        typer.Option(help="With --off-policy: sequence, or first (the log goes on from there)."),
    ] = "sequence",
    clip: Annotated[
        float | None,
        typer.Option(help="With --off-policy: no weight above this; default: none cut."),
    ] = None,
    label_source: Annotated[
        str, typer.Option(help="With --off-policy: randomised labels, or feedback (self-selected).")
    ] = "randomised",
    served: Annotated[
        str | None, typer.Option(help="With --off-policy: only the traffic of this policy.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write records and curves for a report.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print records as JSON lines.")] = False,
) -> None:
    """Compare routing policies on recorded outcomes: curves, areas, intervals, tests."""
    import sys
    import time

    if off_policy:
        from eval.offpolicy.command import off_policy_replay

        named = tuple(p.strip() for p in policies.split(",") if p.strip())
        off_policy_replay(
            source, (*named, *(against or ())), steps, clip, label_source, served, bootstrap, seed,
            out, as_json,
        )  # fmt: skip
        return

    from eval.contenders import check_policies
    from eval.replay import Plan, Record
    from eval.replay import replay as run
    from eval.replay_files import stamp, write_result
    from eval.replay_show import show
    from eval.sources.summary import unseen
    from eval.tables import benchmarks_of, load_set, load_table, pair_of
    from router.errors import InputError

    started = time.perf_counter()
    plan = Plan(
        policies=tuple(p.strip() for p in policies.split(",") if p.strip()),
        folds=folds,
        labels=labels,
        seeds=tuple(range(seed, seed + seeds)),
        share=share,
        resamples=bootstrap,
        against=tuple(against or ()),
    )
    data = load_set(source)
    if str(data.about.get("name", source)) in unseen():
        _say(
            f"note: eval/preregistration.yaml calls {source} unseen; replaying it shows its "
            "scores, and makes later verdicts on it exploratory: say so there"
        )
    arms = pair_of(data, pair)
    check_policies((*plan.policies, *plan.against))
    train = None
    if train_on:
        train = load_table(data, arms, train_on, exclude_subject, say=_say, option="--train-on")
    elsewhere = train_on.split("+") if train_on else []
    names = benchmark or [b for b in benchmarks_of(data, arms) if b not in elsewhere]
    if not names:
        raise InputError(f"--pair {'::'.join(arms)}: no benchmark to score has both arms")
    tables = [
        load_table(data, arms, name, exclude_subject, say=_say, perturbed=robustness)
        for name in names
    ]
    items = [item for table in tables for item in run(table, plan, train, _say)]
    records = [item for item in items if isinstance(item, Record)]
    made = stamp(dict(data.about), sys.argv[1:], plan, tables, time.perf_counter() - started)
    if out is not None:
        write_result(out, made, items)
        _say(f"wrote {out}")
    if as_json:
        for record in records:
            sys.stdout.write(record.model_dump_json() + "\n")
    else:
        show(records, made)


def _say(message: str) -> None:
    """Progress, on standard error."""
    typer.echo(message, err=True)
