"""A comparison from its settings to its figures: seeds, folds, every policy on the same ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eval.compare import Interval
from eval.contenders import NotReplayable, mean_cost
from eval.folds import folds_of
from eval.frontier.measure import Figures, measure
from eval.frontier.trace import ALWAYS, POINTS, Trace, trace
from eval.table import Table
from router.errors import InputError

__all__ = ["Comparison", "Plan", "compare", "cost_range"]

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to compare, and how."""

    policies: tuple[str, ...] = ()
    """Beside `ALWAYS`."""
    against: tuple[str, ...] = ("best-single", "random-mix")
    folds: int = 5
    labels: int | None = None
    seeds: tuple[int, ...] = (0,)
    points: int = POINTS
    resamples: int = 1000
    span: tuple[float, float] | None = None
    """Costs between which the AIQ is taken; None: the cheapest and the dearest arm's means."""


@dataclass(frozen=True)
class Comparison:
    """What came out."""

    span: tuple[float, float]
    figures: list[Figures]
    arms: list[Interval]
    """(A,) accuracy of every arm alone."""
    refused: dict[str, str]
    """Policies that the table cannot replay, and why."""


def cost_range(table: Table) -> tuple[float, float]:
    """Mean cost of the cheapest and of the dearest arm: fixed by costs, not by any label."""
    usd = mean_cost(table)
    return float(usd.min()), float(usd.max())


def compare(table: Table, plan: Plan, say: Say | None = None) -> Comparison:
    """Trace every policy under every seed, then measure all of them together.

    Raises:
        InputError: folds or labels that do not fit, or a rival that is not compared.
    """
    tell = say or (lambda _: None)
    span = plan.span or cost_range(table)
    if not span[0] < span[1]:
        raise InputError("all arms cost the same: there is no cost to trade; give --price params")
    traces: dict[str, list[Trace]] = {}
    refused: dict[str, str] = {}
    names = tuple(dict.fromkeys((*ALWAYS, *plan.policies)))
    for seed in plan.seeds:
        folds = folds_of(table, plan.folds, plan.labels, seed)
        for name in _left(names, refused):
            tell(f"{table.benchmark} seed {seed}: {name}")
            try:
                made = trace(name, table, folds, plan.points)
            except NotReplayable as error:
                refused[name] = str(error)
                continue
            traces.setdefault(name, []).append(made)
    tell(f"{table.benchmark}: {plan.resamples} resamples")
    whole = {n: t for n, t in traces.items() if n not in refused}
    against = [name for name in plan.against if name not in refused]
    figures, arms = measure(whole, table, span, against, plan.resamples)
    return Comparison(span, figures, arms, refused)


def _left(names: Sequence[str], refused: dict[str, str]) -> list[str]:
    return [name for name in names if name not in refused]
