"""What a tenant may spend: one row a UTC day and one a month, changed by conditional updates.

    spent + reserved + worst <= limit, in both rows or in neither

The condition stands in the UPDATE itself, so it holds for any number of replicas. Rows are
locked in one order (`hold`), so that no two transactions wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from router.ledger.money import Periods
from router.ledger.prepared import Prepared, insert_of
from router.ledger.schema import budgets, tenants

__all__ = ["UNLIMITED", "Taken", "charge", "hold", "left_of", "take"]

UNLIMITED = 2**61
"""Nano-USD: what stands for no limit; 2.3 billion USD, and sums of it still fit 64 bits."""

Row = tuple[str, str]
_bind = sa.bindparam


def _limit(column: sa.Column[Any]) -> Any:
    """The tenant's limit as it stands now, so a change counts at once."""
    found = sa.select(column).where(tenants.c.name == _bind("of")).scalar_subquery()
    return sa.func.coalesce(found, sa.literal(UNLIMITED))


def _take(limit: Any) -> sa.UpdateBase:
    used = budgets.c.spent_nano + budgets.c.reserved_nano
    return (
        sa.update(budgets)
        .where(budgets.c.tenant == _bind("of"), budgets.c.period == _bind("at"))
        .where(used + _bind("worst", type_=sa.BigInteger) <= limit)
        .values(reserved_nano=budgets.c.reserved_nano + _bind("worst", type_=sa.BigInteger))
        .returning((limit - used).label("left"))
    )


_TAKE_DAY = Prepared(_take(_limit(tenants.c.daily_nano)))
_TAKE_MONTH = Prepared(_take(_limit(tenants.c.monthly_nano)))
_CHARGE = Prepared(
    sa.update(budgets)
    .where(budgets.c.tenant == _bind("of"))
    .where(budgets.c.period.in_([_bind("day"), _bind("month")]))
    .values(
        spent_nano=budgets.c.spent_nano + _bind("spent", type_=sa.BigInteger),
        reserved_nano=budgets.c.reserved_nano + _bind("reserved", type_=sa.BigInteger),
    )
)
_ROWS = sa.tuple_(budgets.c.tenant, budgets.c.period).in_(_bind("rows", expanding=True))
_HOLD = (
    sa.select(budgets.c.tenant, budgets.c.period)
    .where(_ROWS)
    .order_by(budgets.c.tenant, budgets.c.period)
    .with_for_update()
)
_MADE = Prepared(
    lambda insert: (
        insert(budgets)
        .values(tenant=_bind("tenant"), period=_bind("period"), spent_nano=0, reserved_nano=0)
        .on_conflict_do_nothing()
    )
)


def _left(limit: Any, period: str) -> Any:
    used = sa.select(budgets.c.spent_nano + budgets.c.reserved_nano).where(
        budgets.c.tenant == tenants.c.name, budgets.c.period == _bind(period)
    )
    return sa.func.coalesce(limit, UNLIMITED) - sa.func.coalesce(used.scalar_subquery(), 0)


_LEFT = Prepared(
    sa.select(_left(tenants.c.daily_nano, "day"), _left(tenants.c.monthly_nano, "month")).where(
        tenants.c.name == _bind("of")
    )
)


def hold(connection: sa.Connection, rows: Sequence[Row]) -> None:
    """Lock these (sorted) rows in their order; they are made where they are missing."""
    if connection.dialect.name == "sqlite":  # a writing transaction holds the whole file
        for tenant, period in rows:
            _MADE.run(connection, {"tenant": tenant, "period": period})
        return
    if not rows:
        return
    there = {tuple(row) for row in connection.execute(_HOLD, {"rows": rows})}
    missing = [row for row in rows if row not in there]
    if missing:
        blank = [
            {"tenant": t, "period": p, "spent_nano": 0, "reserved_nano": 0} for t, p in missing
        ]
        new = insert_of(connection.dialect.name)(budgets).on_conflict_do_nothing()
        connection.execute(new, blank)
        connection.execute(_HOLD, {"rows": rows})


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a reservation, and what is left now; nano-USD."""

    granted: bool
    left: int


def take(connection: sa.Connection, tenant: str, periods: Periods, worst: int) -> Taken:
    """Reserve in both periods or in neither. The rows are held."""
    day = _TAKE_DAY.run(connection, {"of": tenant, "at": periods[0], "worst": worst}).fetchall()
    if not day:
        return Taken(False, left_of(connection, tenant, periods))
    month = _TAKE_MONTH.run(connection, {"of": tenant, "at": periods[1], "worst": worst}).fetchall()
    if not month:
        day_alone = (periods[0], periods[0])
        charge(connection, tenant, day_alone, spent=0, reserved=-worst)
        return Taken(False, left_of(connection, tenant, periods))
    return Taken(True, min(day[0][0], month[0][0]))


def charge(
    connection: sa.Connection, tenant: str, periods: Periods, *, spent: int, reserved: int
) -> None:
    """Add to what is spent and reserved in both periods; either may be negative."""
    day, month = periods
    values = {"of": tenant, "day": day, "month": month, "spent": spent, "reserved": reserved}
    _CHARGE.run(connection, values)


def left_of(connection: sa.Connection, tenant: str, periods: Periods) -> int:
    """What may still be reserved, nano-USD; from `UNLIMITED / 2` on nothing bounds it."""
    day, month = periods
    found = _LEFT.run(connection, {"of": tenant, "day": day, "month": month}).fetchall()
    return int(min(found[0])) if found else UNLIMITED
