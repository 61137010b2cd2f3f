"""Which arms are compared, in what order, and at whose prices.

    list     the costs of the set; where it has none, the committed price list times tokens
    params   coalesce(active, total) parameters in billions, a query: what a token costs to
             serve is proportional to them, and the tables that need this rule ran every model
             on the same prompts. The figures are then billions of parameters, not dollars

Arms stand by rising mean cost: the dearest is the large one, the rest are small. A pair policy
decides between the cheapest and the dearest. With `params`, an arm whose size is
not published is left out and named.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from eval.sources.prices import price
from eval.table import Table
from eval.tables import Say, load_table, pair_of
from policies.case import Arm
from policies.outcome import OUTCOMES, OutcomeSet, Status
from router.errors import InputError

__all__ = ["UNITS", "Lineup", "line_up", "price_by_size"]

UNITS: dict[str, tuple[str, float]] = {
    "list": ("USD per 1,000 queries", 1000.0),
    "params": ("billions of parameters a query", 1.0),
}
"""What a cost is printed in, and what to multiply the table's by."""
SIZE = pl.coalesce("params_active_b", "params_b")


@dataclass(frozen=True)
class Lineup:
    """The arms as a table, and what was left out of it."""

    table: Table
    left_out: tuple[str, ...]
    """Arms without a price on this basis."""


def price_by_size(data: OutcomeSet) -> tuple[OutcomeSet, tuple[str, ...]]:
    """The set with every cost replaced by parameters, and the arms that have no known size."""
    known = data.outcomes.group_by("arm", maintain_order=True).agg(SIZE.is_not_null().all())
    lacking = tuple(arm for arm, has in known.iter_rows() if not has)
    ran = pl.col("status") != str(Status.MISSING)
    rows = data.outcomes.filter(~pl.col("arm").is_in(lacking)).with_columns(
        cost_usd=pl.when(ran).then(SIZE.cast(OUTCOMES["cost_usd"])),
        cost_basis=pl.lit("priced", OUTCOMES["cost_basis"]),
        price_snapshot=pl.lit("params: coalesce(active, total), billions"),
    )
    return OutcomeSet(rows, data.queries, data.about), lacking


def line_up(
    data: OutcomeSet,
    benchmark: str,
    arms: str | None,
    pair: str | None,
    basis: str,
    exclude: str = "",
    say: Say | None = None,
) -> Lineup:
    """The table of the arms asked for: `all`, `a,b,c`, or a pair as `small::large`.

    Raises:
        InputError: fewer than two arms with a price, an arm that is not there, or no common row.
    """
    if basis not in UNITS:
        raise InputError(f"--price {basis!r}: one of {', '.join(UNITS)} is expected")
    if (arms is None) == (pair is None):
        raise InputError("give one of --arms (all, or a,b,c) and --pair small::large")
    asked = _asked(data, benchmark, arms) if arms is not None else list(pair_of(data, pair))
    part = data.only(None, asked)
    priced, lacking = price_by_size(part) if basis == "params" else (price(part), ())
    kept = [arm for arm in asked if arm not in lacking]
    if len(kept) < 2:
        size = f" (no published size: {', '.join(lacking)})" if lacking else ""
        raise InputError(f"--arms: two at least are compared, there are {len(kept)}{size}")
    small, large, *others = kept
    table = load_table(priced, (small, large), benchmark, exclude, say=say, others=others)
    if not np.isfinite(table.cost).all():
        raise InputError(f"{benchmark}: some rows have no cost; price the set, or --price params")
    return Lineup(table if pair is not None else by_cost(table), lacking)


def by_cost(table: Table) -> Table:
    """The same with its arms by rising mean cost over the rows that all arms have."""
    order = np.argsort(table.cost.mean(axis=0), kind="stable")
    last = len(order) - 1
    arms = [
        Arm(table.arms[j].name, "large" if i == last else "small", table.arms[j].context)
        for i, j in enumerate(order)
    ]
    return replace(table.pick(order.tolist()), arms=tuple(arms))


def _asked(data: OutcomeSet, benchmark: str, arms: str) -> list[str]:
    names = [a.strip() for a in arms.split(",") if a.strip()]
    if names == ["all"]:
        have = data.outcomes["benchmark"].unique(maintain_order=True).to_list()
        lost = [part for part in benchmark.split("+") if part not in have]
        if lost:
            raise InputError(f"--benchmark: no {lost[0]!r} here; there are: {', '.join(have)}")
        here = data.outcomes.filter(pl.col("benchmark").is_in(benchmark.split("+")))
        return here["arm"].unique(maintain_order=True).to_list()
    unknown = [a for a in names if a not in data.arms]
    if unknown:
        raise InputError(f"--arms: no arm {unknown[0]!r}; there are: {', '.join(data.arms)}")
    if len(set(names)) < len(names):
        raise InputError(f"--arms {arms}: an arm is named twice")
    return names
