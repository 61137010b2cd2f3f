"""`ockham policy pace`: does a paced policy keep its budget, in whatever order requests come.

Only typer is imported before the command runs.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.policy_options import CONTAMINATED, AsJson, Pair, load, print_json

if TYPE_CHECKING:
    from eval.pacing import Paced
    from eval.table import Table

__all__ = ["pace"]

ADVERSARIAL = ("costly-first", "costly-last", "gain-first", "gain-last")


def pace(
    source: Annotated[str, typer.Option(help="A stored outcome set, its folder, or synthetic.")],
    benchmark: Annotated[str, typer.Option(help="One of it, or a+b; synthetic: steady, shock.")],
    budget: Annotated[float, typer.Option(min=0, help="USD per 1,000 requests.")],
    order: Annotated[
        str,
        typer.Option(help="recorded, shuffled, drift, adversarial (its four), one of them, all."),
    ] = "all",
    seeds: Annotated[int, typer.Option(min=1, help="Streams of each order.")] = 10,
    feedback: Annotated[
        float, typer.Option(min=0, max=1, help="Share of attempts whose score is shown.")
    ] = 1.0,
    cap: Annotated[
        str | None, typer.Option(help="Request cap in USD, or LOW:HIGH to draw one a request.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="So many questions, drawn; synthetic: default 3000.")
    ] = None,
    spend_all: Annotated[
        bool, typer.Option(help="Spend the budget even where the labels do not call for it.")
    ] = True,
    pair: Pair = None,
    seed: Annotated[int, typer.Option(help="Of the questions drawn with --limit.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Stream recorded outcomes past a budget-paced bandit; exit 1 where it misses by over 2 %."""
    from eval.pacing import Setting
    from eval.pacing import pace as run
    from eval.streams import ORDERS
    from policies.paced import PacedBandit
    from router.errors import InputError

    if not budget > 0:
        raise InputError(f"--budget {budget:g}: give USD per 1,000 requests, above 0")
    groups = {"adversarial": ADVERSARIAL, "all": tuple(ORDERS)}
    setting = Setting(budget / 1000, seeds, feedback, _caps(cap))
    table = _table(source, benchmark, pair, limit, seed)
    made: list[Paced] = []
    if not as_json:
        typer.echo(_head(table, setting.budget))
    for name in groups.get(order, (order,)):
        start = PacedBandit(budget=setting.budget, spend_all=spend_all)
        made.append(run(table, name, setting, start))
        if not as_json:
            typer.echo(_line(made[-1]))
    if as_json:
        _json(table, budget, feedback, cap, seed, made)
    if not all(p.met for p in made):
        raise typer.Exit(1)


def _caps(text: str | None) -> tuple[float, float] | None:
    from router.errors import InputError

    if text is None:
        return None
    low, _, high = text.partition(":")
    try:
        return float(low), float(high or low)
    except ValueError:
        raise InputError(f"--cap {text!r}: give USD, or LOW:HIGH") from None


def _table(source: str, benchmark: str, pair: str | None, limit: int | None, seed: int) -> "Table":
    import numpy as np

    from eval.stream_worlds import three_arms

    if source == "synthetic":
        return three_arms(benchmark, limit or 3000, seed)
    table, _ = load(source, benchmark, pair, CONTAMINATED, seed)
    if limit is None or limit >= len(table):
        return table
    return table.take(np.sort(np.random.default_rng(seed).permutation(len(table))[:limit]))


def _head(table: "Table", budget: float) -> str:
    from eval.contenders import mean_cost

    usd = mean_cost(table)
    arms = ", ".join(f"{a.name} {1000 * c:.4g}" for a, c in zip(table.arms, usd, strict=True))
    head = (
        f"{table.source} / {table.benchmark}: {len(table):,} requests, budget USD "
        f"{1000 * budget:.4g} per 1,000 (arms: {arms})\n"
    )
    if not usd.min() <= budget <= usd.max():
        head += "no arm or mix of arms costs that much or that little: the budget cannot be met\n"
    columns = f"{'order':<13} {'off by':>8} {'possible':>9} {'ahead':>6} {'accuracy':>9}"
    return head + f"{columns} {'over the coin':>27} {'oracle':>7} {'dearest':>8} {'over cap':>9}"


def _line(p: "Paced") -> str:
    c = p.over_coin
    gained = f"{100 * c.value:+.2f} [{100 * c.low:+.2f}, {100 * c.high:+.2f}]"
    return (
        f"{p.order:<13} {100 * p.worst:+7.2f}% {100 * p.reachable:+8.2f}% {p.overshoot:6.1f} "
        f"{100 * p.accuracy.value:9.2f} {gained:>27} {100 * p.oracle:7.2f} "
        f"{p.large_share:8.3f} {p.over_cap:9d}"
        + (f"   {p.unserved} unserved" if p.unserved else "")
        + ("" if p.met else "   MISSED" if p.feasible else "   missed: this order allows no better")
    )


def _json(
    table: "Table", budget: float, feedback: float, cap: str | None, seed: int, made: "list[Paced]"
) -> None:
    import sys

    from eval.replay_files import data_checksum

    facts: dict[str, Any] = {
        "command": "ockham " + " ".join(sys.argv[1:]),
        "source": table.source,
        "benchmark": table.benchmark,
        "arms": [a.name for a in table.arms],
        "data": data_checksum(table),
        "questions": table.questions,
        "usd_per_1000": budget,
        "feedback": feedback,
        "cap": cap,
        "seed": seed,
        "orders": [_facts(p) for p in made],
    }
    print_json(facts)


def _facts(p: "Paced") -> dict[str, Any]:
    from dataclasses import asdict

    own = asdict(p)
    own["accuracy"], own["over_coin"] = p.accuracy._asdict(), p.over_coin._asdict()
    return own | {"worst": p.worst, "met": p.met, "feasible": p.feasible}
