"""What a tenant may spend: one row a UTC day and one a month, changed by conditional updates.

    spent + reserved + worst <= limit, in both rows or in neither

The condition stands in the UPDATE itself, so it holds for any number of replicas. Rows are
locked in one order (`hold`), so that no two transactions wait for each other.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from router.ledger.money import Periods
from router.ledger.schema import budgets, tenants

__all__ = ["UNLIMITED", "Taken", "charge", "hold", "insert_or_leave", "left_of", "take"]

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


_DAILY, _MONTHLY = _limit(tenants.c.daily_nano), _limit(tenants.c.monthly_nano)
_TAKE_DAY, _TAKE_MONTH = _take(_DAILY), _take(_MONTHLY)
_CHARGE = (
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
_LEFT = sa.select(
    sa.func.min(
        sa.case((budgets.c.period == _bind("day"), _DAILY), else_=_MONTHLY)
        - budgets.c.spent_nano
        - budgets.c.reserved_nano
    ),
).where(budgets.c.tenant == _bind("of"), budgets.c.period.in_([_bind("day"), _bind("month")]))
_NOTHING_SPENT = sa.select(
    sa.func.coalesce(tenants.c.daily_nano, UNLIMITED),
    sa.func.coalesce(tenants.c.monthly_nano, UNLIMITED),
).where(tenants.c.name == _bind("of"))


@functools.cache
def insert_or_leave(dialect: str, table: sa.Table) -> Any:
    """An INSERT that does nothing where the row is there."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def hold(connection: sa.Connection, rows: Sequence[Row]) -> None:
    """Lock these (sorted) rows in their order; they are made where they are missing."""
    if not rows:
        return
    there = {tuple(row) for row in connection.execute(_HOLD, {"rows": rows})}
    missing = [row for row in rows if row not in there]
    if missing:
        blank = [
            {"tenant": t, "period": p, "spent_nano": 0, "reserved_nano": 0} for t, p in missing
        ]
        connection.execute(insert_or_leave(connection.dialect.name, budgets), blank)
        connection.execute(_HOLD, {"rows": rows})


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a reservation, and what is left now; nano-USD."""

    granted: bool
    left: int


def take(connection: sa.Connection, tenant: str, periods: Periods, worst: int) -> Taken:
    """Reserve in both periods or in neither. The rows are held."""
    day = connection.execute(_TAKE_DAY, {"of": tenant, "at": periods[0], "worst": worst}).scalar()
    if day is None:
        return Taken(False, left_of(connection, tenant, periods))
    month = connection.execute(
        _TAKE_MONTH, {"of": tenant, "at": periods[1], "worst": worst}
    ).scalar()
    if month is None:
        day_alone = (periods[0], periods[0])
        charge(connection, tenant, day_alone, spent=0, reserved=-worst)
        return Taken(False, left_of(connection, tenant, periods))
    return Taken(True, min(day, month))


def charge(
    connection: sa.Connection, tenant: str, periods: Periods, *, spent: int, reserved: int
) -> None:
    """Add to what is spent and reserved in both periods; either may be negative."""
    day, month = periods
    connection.execute(
        _CHARGE,
        {"of": tenant, "day": day, "month": month, "spent": spent, "reserved": reserved},
    )


def left_of(connection: sa.Connection, tenant: str, periods: Periods) -> int:
    """What may still be reserved, nano-USD; from `UNLIMITED / 2` on nothing bounds it."""
    day, month = periods
    left = connection.execute(_LEFT, {"of": tenant, "day": day, "month": month}).scalar()
    whole = connection.execute(_NOTHING_SPENT, {"of": tenant}).first()
    limits = [UNLIMITED] if whole is None else [whole[0], whole[1]]
    return int(min(limits if left is None else [left, *limits]))
