"""A comparison of curves on the terminal, and as one JSON object."""

import math
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from eval.compare import Interval
from eval.contenders import mean_cost
from eval.fit.usable import notes
from eval.fitting import fitting
from eval.frontier.arms import UNITS
from eval.frontier.compare import Comparison, Plan
from eval.frontier.keep import nothing_to_keep
from eval.frontier.measure import Figures
from eval.replay_files import data_checksum
from eval.table import Table

__all__ = ["facts_of", "show"]

WIDE = 200
READING = (
    "A curve is a sweep of the price (inf to 0), read by its non-decreasing hull (AIQ as in "
    "RouterBench); nothing on it was chosen by scored labels, but `best` is the sweep's best "
    "point on these rows: `end`, price 0, is not selected.\nbest-single: the arm best on training "
    "rows, one point (AIQ 0 left of its cost). random-mix: the hull of the single arms on the "
    "scored rows. oracle sees the scores. [..]: 95 % over whole questions, outcomes averaged over "
    "seeds."
)


def facts_of(
    table: Table, made: Comparison, plan: Plan, basis: str, left_out: Sequence[str], command: str
) -> dict[str, Any]:
    """Everything that is printed, and every point of every curve, as plain data."""
    unit, scale = UNITS[basis]
    usd = mean_cost(table)
    return {
        "command": command,
        "source": table.source,
        "benchmark": table.benchmark,
        "data": data_checksum(table),
        "questions": table.questions,
        "rows": len(table),
        "incomplete": table.incomplete,
        "price": basis,
        "unit": unit,
        "range": [scale * c for c in made.span],
        "seeds": list(plan.seeds),
        "folds": plan.folds,
        "labels": plan.labels,
        "resamples": plan.resamples,
        "nothing_to_keep": nothing_to_keep(table),
        "arms": [
            {"name": a.name, "cost": scale * c, "accuracy": _interval(q, 1.0)}
            for a, c, q in zip(table.arms, usd.tolist(), made.arms, strict=True)
        ],
        "left_out": list(left_out),
        "notes": list(notes(table)),
        "policies": [_policy(f, scale) for f in made.figures],
        "refused": made.refused,
    }


def _policy(f: Figures, scale: float) -> dict[str, Any]:
    c = f.curve
    money = ("best-cost", "end-cost")
    return {
        "policy": c.policy,
        "protocol": c.protocol,
        "labels": c.labels,
        "knob": c.knob,
        **{k: _interval(v, scale if k in money else 1.0) for k, v in f.values.items()},
        "gains": {
            rival: {k: _interval(v, 1.0) for k, v in own.items()} for rival, own in f.gains.items()
        },
        "aiq-per-seed": list(f.seed_aiq),
        "curve": {
            # JSON has no infinity.
            c.knob: [x if math.isfinite(x) else str(x) for x in c.at],
            "cost": (scale * f.cost).tolist(),
            "accuracy": f.quality.tolist(),
        },
    }


def _interval(v: Interval, scale: float) -> dict[str, float | None]:
    named = {"value": v.value, "low": v.low, "high": v.high}
    return {k: scale * x if math.isfinite(x) else None for k, x in named.items()}


def show(facts: dict[str, Any]) -> None:
    """Two tables (figures, gains), the arms, and what they rest on."""
    console = Console(width=None if Console().is_terminal else WIDE)
    low, high = facts["range"]
    console.print(
        f"{facts['source']} / {facts['benchmark']}: {len(facts['arms'])} arms, "
        f"{facts['questions']:,} questions ({facts['incomplete']:,} lack an arm), "
        f"{len(facts['seeds'])} seeds, {facts['folds']} folds, "
        f"data {facts['data']}\ncost: {facts['unit']}; AIQ over {low:.6g} to {high:.6g}",
        highlight=False,
    )
    if facts["left_out"]:
        console.print(f"left out, no price on this basis: {', '.join(facts['left_out'])}")
    for note in facts["notes"]:
        console.print(f"note: {note}", highlight=False)
    if facts["nothing_to_keep"]:
        console.print(facts["nothing_to_keep"], highlight=False)
    if len(facts["arms"]) > 2:
        first, last = facts["arms"][0]["name"], facts["arms"][-1]["name"]
        console.print(f"policies of a pair decide between {first} and {last}", highlight=False)
    _print(console, _arms(facts))
    _print(console, _figures(facts))
    for rival in dict.fromkeys(r for p in facts["policies"] for r in p["gains"]):
        _print(console, _gains(facts, rival))
    for why in facts["refused"].values():
        console.print(f"  {why}", highlight=False)
    console.print(READING, highlight=False)


def _print(console: Console, grid: Grid) -> None:
    for part in fitting(grid, console.width):
        console.print(part)


def _arms(facts: dict[str, Any]) -> Grid:
    grid = Grid("arm alone", "cost", "accuracy")
    for arm in facts["arms"]:
        grid.add_row(arm["name"], f"{arm['cost']:.5g}", _tidy(arm["accuracy"], 4))
    return grid


def _figures(facts: dict[str, Any]) -> Grid:
    pair = len(facts["arms"]) == 2
    extra = ("cost-APGR",) if pair else ()
    grid = Grid(
        "policy", "labels", "AIQ", "sd", *extra, "25 %", "50 %", "75 %", "best", "its cost", "end",
        "its cost",
    )  # fmt: skip
    for p in facts["policies"]:
        more = (_tidy(p["cost-apgr"], 4),) if pair else ()
        grid.add_row(
            p["policy"], str(p["labels"]), _tidy(p["aiq"], 4), _sd(p["aiq-per-seed"]), *more,
            *(_tidy(p[k], 4, False) for k in ("at-25", "at-50", "at-75")),
            _tidy(p["best"], 4), _tidy(p["best-cost"], 4, False),
            _tidy(p["end"], 4), _tidy(p["end-cost"], 4, False),
        )  # fmt: skip
    return grid


def _gains(facts: dict[str, Any], rival: str) -> Grid:
    pair = len(facts["arms"]) == 2
    extra = ("cost-APGR gained",) if pair else ()
    grid = Grid(f"over {rival}", "AIQ gained", "accuracy at its best's cost", *extra)
    for p in facts["policies"]:
        own = p["gains"].get(rival)
        if own is not None:
            more = (_tidy(own["cost-apgr"], 4),) if pair else ()
            grid.add_row(p["policy"], _tidy(own["aiq"], 4), _tidy(own["equal-cost"], 4), *more)
    return grid


def _sd(values: Sequence[float]) -> str:
    from eval.compare import seeds

    return f"{seeds(values).sd:.4f}" if len(values) > 1 else "-"


def _tidy(v: dict[str, float | None], digits: int, interval: bool = True) -> str:
    if v["value"] is None:
        return "-"
    text = f"{v['value']:.{digits}f}"
    if interval and v["low"] is not None and v["high"] is not None:
        text += f" [{v['low']:.{digits}f}, {v['high']:.{digits}f}]"
    return text
