"""Reserves and bills: what is written for each attempt that is paid for.

    open ──settle──► settled       what it cost, reported or estimated
      └──sweep───► swept ──settle──► settled     its whole reserve; a late bill puts it right

Each function runs inside the writer's transaction and may run twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from router.ledger.budget import charge, hold, left_of, take
from router.ledger.money import Periods, iso, nano
from router.ledger.prepared import Prepared
from router.ledger.schema import leases, requests
from router.purse import Bill

__all__ = [
    "OPEN_LEASE",
    "Reserve",
    "Swept",
    "billed",
    "book_directly",
    "reserve",
    "settle",
    "sweep",
    "take_unsettled",
]

_bind = sa.bindparam
_MANY = 500


@dataclass(frozen=True, slots=True)
class Reserve:
    """A lease as the ledger writes it."""

    id: str
    request: str
    tenant: str
    periods: Periods
    arm: str
    place: int
    worst: int
    created: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep found."""

    leases: int = 0
    requests: int = 0


_FORGET = sa.delete(leases).where(leases.c.id == _bind("this"))
_NEW = Prepared(lambda insert: insert(leases).on_conflict_do_nothing())
_SETTLE = Prepared(
    sa.update(leases)
    .where(leases.c.id == _bind("this"), leases.c.state == _bind("was"))
    .values(
        state="settled",
        cost_nano=_bind("cost"),
        basis=_bind("on"),
        prompt_tokens=_bind("prompt"),
        completion_tokens=_bind("completion"),
    )
)
_AT_RESERVE = {"state": "swept", "cost_nano": leases.c.reserved_nano, "basis": "reserved"}
_BACK = (leases.c.tenant, leases.c.day, leases.c.month, leases.c.reserved_nano)
_SWEEP_ONE = (
    sa.update(leases)
    .where(leases.c.id == _bind("this"), leases.c.state == "open")
    .values(_AT_RESERVE)
    .returning(*_BACK)
)
_SWEEP_REQUEST = Prepared(
    sa.update(leases)
    .where(leases.c.request == _bind("of"), leases.c.state == "open")
    .values(_AT_RESERVE)
    .returning(*_BACK)
)
_EXPIRED = (
    sa.select(leases.c.id, leases.c.tenant, leases.c.day, leases.c.month)
    .where(leases.c.state == "open", leases.c.expires < _bind("at"))
    .order_by(leases.c.expires)
    .limit(_MANY)
)


def billed(request: Any) -> Any:
    """The sum of a request's bills, as an expression."""
    total = sa.func.coalesce(sa.func.sum(leases.c.cost_nano), 0)
    return sa.select(total).where(leases.c.request == request).scalar_subquery()


_TOTAL = billed(requests.c.id)
_RECOUNT = sa.update(requests).where(requests.c.id == _bind("this")).values(cost_nano=_TOTAL)
OPEN_LEASE = (
    sa.select(leases.c.id)
    .where(leases.c.request == requests.c.id, leases.c.state == "open")
    .exists()
)
"""That the request at hand has a bill still open, as an expression."""
_LOST = (
    sa.update(requests)
    .where(requests.c.ending.is_(None), requests.c.expires < _bind("at"), ~OPEN_LEASE)
    .values(ending="lost", closed=_bind("at"), cost_nano=_TOTAL)
)


def reserve(connection: sa.Connection, lease: Reserve) -> tuple[bool, int]:
    """Whether the budget holds it, and what is left then (nano-USD)."""
    if not _NEW.run(connection, _row(lease)).rowcount:  # a commit that we took for lost
        return True, left_of(connection, lease.tenant, lease.periods)
    taken = take(connection, lease.tenant, lease.periods, lease.worst)
    if not taken.granted:
        connection.execute(_FORGET, {"this": lease.id})
    return taken.granted, taken.left


def settle(connection: sa.Connection, lease: Reserve, bill: Bill) -> None:
    """Book the bill and give the rest back; once a lease."""
    cost = nano(bill.usd)
    values = {
        "this": lease.id, "cost": cost, "on": bill.basis,
        "prompt": bill.prompt_tokens, "completion": bill.completion_tokens,
    }  # fmt: skip
    if _SETTLE.run(connection, {**values, "was": "open"}).rowcount:
        charge(connection, lease.tenant, lease.periods, spent=cost, reserved=-lease.worst)
    elif _SETTLE.run(connection, {**values, "was": "swept"}).rowcount:
        charge(connection, lease.tenant, lease.periods, spent=cost - lease.worst, reserved=0)
        connection.execute(_RECOUNT, {"this": lease.request})


def book_directly(connection: sa.Connection, lease: Reserve, ident: str) -> None:
    """Book a cost that nothing was reserved for, as it is known only now; once an `ident`."""
    row = {**_row(lease), "id": ident, "state": "settled", "basis": "reported"}
    row |= {"reserved_nano": 0, "cost_nano": lease.worst}
    if _NEW.run(connection, row).rowcount:
        charge(connection, lease.tenant, lease.periods, spent=lease.worst, reserved=0)


def take_unsettled(connection: sa.Connection, request: str) -> int:
    """Of a request that ends, take the reserves that nobody settled as spent. How many."""
    found = _SWEEP_REQUEST.run(connection, {"of": request}).fetchall()
    for row in found:
        _spend(connection, row)
    return len(found)


def sweep(connection: sa.Connection, at: datetime) -> Swept:
    """Take expired reserves as spent, and give up the requests that left them. Any replica may."""
    moment = iso(at)
    found = connection.execute(_EXPIRED, {"at": moment}).all()
    hold(connection, sorted({(row.tenant, p) for row in found for p in (row.day, row.month)}))
    swept = 0
    for row in found:
        mine = connection.execute(_SWEEP_ONE, {"this": row.id}).first()
        if mine is not None:  # else its owner, or another replica, was faster
            _spend(connection, mine)
            swept += 1
    return Swept(swept, connection.execute(_LOST, {"at": moment}).rowcount)


def _row(lease: Reserve) -> dict[str, Any]:
    return {
        "id": lease.id, "request": lease.request, "tenant": lease.tenant, "arm": lease.arm,
        "day": lease.periods[0], "month": lease.periods[1], "place": lease.place,
        "reserved_nano": lease.worst, "created": iso(lease.created), "expires": iso(lease.expires),
        "state": "open", "cost_nano": 0, "basis": None, "prompt_tokens": 0, "completion_tokens": 0,
    }  # fmt: skip


def _spend(connection: sa.Connection, row: Sequence[Any]) -> None:
    tenant, day, month, worst = row
    charge(connection, tenant, (day, month), spent=worst, reserved=-worst)
