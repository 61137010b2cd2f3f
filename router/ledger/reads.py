"""What the gateway and the command line read: one request's story, lists, sums.

Functions take a reading connection. Another tenant's request is as unknown as a missing one.
"""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from router.ledger.labels import list_labels
from router.ledger.money import iso, now, periods_of, usd
from router.ledger.schema import budgets, labels, leases, requests
from router.ledger.tenants import read_tenant

__all__ = ["list_requests", "stats", "trace", "usage"]

_BULKY = frozenset({"answer", "trace", "features", "layout"})
_LISTED = [c for c in requests.columns if c.name not in _BULKY]
_LEASES = (
    sa.select(leases)
    .where(leases.c.request == sa.bindparam("id"))
    .order_by(leases.c.place, leases.c.created)
)


def trace(connection: sa.Connection, ident: str, tenant: str | None) -> dict[str, Any] | None:
    """Everything that is kept of a request; `tenant` None asks for anybody's (command line)."""
    wanted = sa.select(*_LISTED, requests.c.answer, requests.c.trace, requests.c.layout).where(
        requests.c.id == ident
    )
    if tenant is not None:
        wanted = wanted.where(requests.c.tenant == tenant)
    row = connection.execute(wanted).mappings().first()
    if row is None:
        return None
    out = _told(row)
    out["features"] = None if row["layout"] is None else json.loads(row["layout"])
    out["attempts"] = [_lease(r) for r in connection.execute(_LEASES, {"id": ident}).mappings()]
    out["labels"] = [label.told() for label in list_labels(connection, request=ident)]
    out["answer"] = None if row["answer"] is None else json.loads(row["answer"])
    out["trace"] = None if row["trace"] is None else json.loads(row["trace"])
    return out


def list_requests(
    connection: sa.Connection,
    tenant: str | None = None,
    since: datetime | None = None,
    limit: int = 100,
    ending: str | None = None,
) -> list[dict[str, Any]]:
    """The latest requests first, without texts, traces and features."""
    wanted = sa.select(*_LISTED).order_by(requests.c.created.desc()).limit(limit)
    if tenant is not None:
        wanted = wanted.where(requests.c.tenant == tenant)
    if since is not None:
        wanted = wanted.where(requests.c.created >= iso(since))
    if ending is not None:
        wanted = wanted.where(requests.c.ending == ending)
    return [_told(row) for row in connection.execute(wanted).mappings()]


def usage(connection: sa.Connection, tenant: str) -> dict[str, Any]:
    """Of the running UTC day and month: limit, spent, reserved, left (USD; None: no limit).

    Raises `InputError` for an unknown tenant.
    """
    who, (day, month) = read_tenant(connection, tenant), periods_of(now())
    wanted = sa.select(budgets).where(budgets.c.tenant == tenant)
    rows = connection.execute(wanted.where(budgets.c.period.in_([day, month]))).mappings()
    found = {row["period"]: row for row in rows}
    return {
        "tenant": tenant,
        "day": _period(day, who.daily_usd, found.get(day)),
        "month": _period(month, who.monthly_usd, found.get(month)),
    }


def stats(connection: sa.Connection, since: datetime | None = None) -> dict[str, Any]:
    """Counts and sums of all tenants' requests, leases and labels."""
    ended = sa.func.coalesce(requests.c.ending, "running")
    wanted = sa.select(ended, sa.func.count(), sa.func.sum(requests.c.cost_nano)).group_by(ended)
    money = sa.select(leases.c.state, leases.c.basis, sa.func.count(), _paid()).group_by(
        leases.c.state, leases.c.basis
    )
    told = sa.select(labels.c.source, sa.func.count()).group_by(labels.c.source)
    if since is not None:
        wanted = wanted.where(requests.c.created >= iso(since))
        money = money.where(leases.c.created >= iso(since))
        told = told.where(labels.c.created >= iso(since))
    endings = connection.execute(wanted).all()
    return {
        "requests": {name: count for name, count, _ in endings},
        "cost_usd": usd(int(sum(cost or 0 for _, _, cost in endings))),
        "attempts": [
            {"state": state, "basis": basis, "count": count, "usd": usd(int(paid or 0))}
            for state, basis, count, paid in connection.execute(money)
        ],
        "labels": dict(tuple(row) for row in connection.execute(told)),
    }


def _paid() -> Any:
    is_open = leases.c.state == "open"
    return sa.func.sum(sa.case((is_open, leases.c.reserved_nano), else_=leases.c.cost_nano))


def _period(name: str, limit: float | None, row: sa.RowMapping | None) -> dict[str, Any]:
    spent = 0 if row is None else row["spent_nano"]
    reserved = 0 if row is None else row["reserved_nano"]
    return {
        "period": name.partition(":")[2],
        "limit_usd": limit,
        "spent_usd": usd(spent),
        "reserved_usd": usd(reserved),
        "left_usd": None if limit is None else max(0.0, limit - usd(spent + reserved)),
    }


def _told(row: sa.RowMapping) -> dict[str, Any]:
    """With money in USD under a name that says so."""
    out = {c.name: row[c] for c in _LISTED if not c.name.endswith("_nano")}
    all_large = row["all_large_nano"]
    out["cost_usd"] = usd(row["cost_nano"])
    out["all_large_usd_estimate"] = None if all_large is None else usd(all_large)
    return out


def _lease(row: sa.RowMapping) -> dict[str, Any]:
    return {
        "arm": row["arm"],
        "state": row["state"],
        "reserved_usd": usd(row["reserved_nano"]),
        "cost_usd": usd(row["cost_nano"]) if row["state"] != "open" else None,
        "basis": row["basis"],
        "prompt_tokens": row["prompt_tokens"],
        "completion_tokens": row["completion_tokens"],
        "created": row["created"],
    }
