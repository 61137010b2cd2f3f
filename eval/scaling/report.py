"""A comparison in words, as a table on the terminal, and as JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from eval.compare import Interval
from eval.scaling.comparison import Comparison, Plan
from eval.scaling.equal_tokens import Point
from eval.scaling.lineup import BASELINE
from eval.writing import finite

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["as_json", "can_be_won", "one_model", "show", "stamp"]

WIDE = 150


def can_be_won(found: Comparison) -> str:
    """What a better choice among the samples could win on this benchmark, in a sentence."""
    k, gap = found.k, found.gap
    best, most = found.oracle[-1], found.majority.accuracy
    if best.value == 0:
        return (
            f"{found.benchmark}: no sample of {found.questions} questions is right: oracle@{k} "
            f"equals majority@{k}, nothing can be won by selecting."
        )
    if math.isnan(gap.low):
        return (
            f"{found.benchmark}: oracle@{k} minus majority@{k} is {gap.in_points} points; one "
            "cluster of questions gives no interval, so nothing can be said."
        )
    if gap.low <= 0:
        return (
            f"{found.benchmark}: oracle@{k} equals majority@{k} within its interval "
            f"({gap.in_points} points): nothing can be won by selecting."
        )
    return (
        f"{found.benchmark}: {gap.in_points} points lie between majority@{k} "
        f"({_percent(most.value)}) and oracle@{k} ({_percent(best.value)}): that is what a "
        "selector can win at most."
    )


def one_model(found: Sequence[Comparison]) -> str:
    """Of what these numbers say nothing."""
    models = " and ".join(dict.fromkeys(one.model for one in found))
    return f"Measured on {models} alone: this says nothing about larger models."


def show(found: Sequence[Comparison], plan: Plan) -> None:
    """Print every benchmark's table and sentences."""
    from rich.console import Console

    console = Console(width=None if Console().is_terminal else WIDE)
    for one in found:
        console.print(_grid(one))
        for line in (*_lines(one), *one.notes):
            console.print(f"  {line}", highlight=False)
    console.print(
        "Accuracy in %, differences in points; [..]: 95 % over whole clusters of questions, "
        f"{plan.resamples:,} resamples, paired, seed {plan.seed}.\n"
        f"majority there: plain majority vote at the same {_axis(plan)} a question, between two k "
        "by a coin. beyond: dearer than all samples there are; below: cheaper than one of them.\n"
        + one_model(found),
        highlight=False,
    )


def _grid(found: Comparison) -> "Table":
    from rich.table import Table

    sums = ", ".join(f"{kind} {text}" for kind, text in found.checksums.items())
    grid = Table(
        title=f"{found.benchmark}: {found.questions:,} questions, {found.k} samples each of "
        f"{found.model}, {found.orders} orders; pools: {sums}",
        title_justify="left",
    )
    grid.add_column("method", no_wrap=True)
    for name in ("k", "tokens", "accuracy", "over single", "majority there", "over majority"):
        grid.add_column(name, justify="right")
    first = found.methods[BASELINE][0]
    grid.add_row("single", "1", f"{first.tokens:,.0f}", _interval(first.accuracy), "", "", "")
    for name, points in found.methods.items():
        grid.add_row(*_cells(name, points[-1]))
        # Where the whole method is too dear to compare: as much of it as majority can match.
        matched = [point for point in points if point.majority is not None]
        if matched and points[-1].majority is None:
            grid.add_row(*_cells(name, matched[-1]))
    for kind, best in found.oracles.items():
        label = "oracle" if kind == "plain" else f"oracle of {kind}"
        grid.add_row(f"{label} (sees the scores)", "all", "", _interval(best), "", "", "")
    return grid


def _cells(name: str, point: Point) -> tuple[str, ...]:
    own = name == BASELINE
    there = point.mix.where if point.majority is None else _percent(point.majority)
    over = "" if own or point.over_majority is None else point.over_majority.in_points
    return (
        name,
        str(point.k),
        f"{point.tokens:,.0f}",
        _interval(point.accuracy),
        point.over_single.in_points,
        "itself" if own else there,
        over,
    )


def _lines(found: Comparison) -> list[str]:
    lines = [can_be_won(found)]
    if found.saved is not None:
        saved = found.saved
        lines.append(
            f"early stop at {found.k} saves {_interval(saved.share)} % of the tokens; its answer "
            f"differs from majority's in {saved.differences:,} of {saved.walks:,} walks."
        )
    return lines


def _axis(plan: Plan) -> str:
    return "tokens" if plan.axis == "tokens" else "USD"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _interval(got: Interval) -> str:
    return f"{100 * got.value:.1f} [{100 * got.low:.1f}, {100 * got.high:.1f}]"


def stamp(plan: Plan, command: Sequence[str]) -> dict[str, Any]:
    """What a stranger needs to make the same numbers again."""
    names = ("ockham-router", "numpy", "polars")
    return {
        "command": "ockham " + " ".join(command),
        "plan": asdict(plan),
        "versions": {name: version(name) for name in names},
    }


def as_json(found: Sequence[Comparison], made: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data; every k of every method; what is not a number is null."""
    body = [
        {
            **asdict(one),
            "methods": {name: [_point(p) for p in points] for name, points in one.methods.items()},
            "oracle": [_dict(best) for best in one.oracle],
            "oracles": {kind: _dict(best) for kind, best in one.oracles.items()},
            "gap": _dict(one.gap),
            "saved": one.saved
            and {
                "share": _dict(one.saved.share),
                "differences": one.saved.differences,
                "walks": one.saved.walks,
            },
            "single": _dict(one.single),
            "says": can_be_won(one),
        }
        for one in found
    ]
    whole = {**made, "benchmarks": body, "says": one_model(found)}
    plain: dict[str, Any] = finite(whole)
    return plain


def _point(point: Point) -> dict[str, Any]:
    return {
        **asdict(point),
        "accuracy": _dict(point.accuracy),
        "over_single": _dict(point.over_single),
        "mix": point.mix._asdict(),
        "over_majority": point.over_majority and _dict(point.over_majority),
    }


def _dict(got: Interval) -> dict[str, Any]:
    return got._asdict()
