"""The row of a request: it begins with the first reserve, and ends once.

A row that the sweep gave up (`lost`) is put right by its owner, where that lives after all.
Each function runs inside the writer's transaction and may run twice.
"""

import functools
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from router.ledger.money import iso
from router.ledger.schema import leases, requests

__all__ = ["begin", "end"]

_FIRST = frozenset({"id", "tenant", "created"})
"""What the beginning says for good."""
_TOTAL = (
    sa.select(sa.func.coalesce(sa.func.sum(leases.c.cost_nano), 0))
    .where(leases.c.request == sa.bindparam("id", type_=sa.Text))
    .scalar_subquery()
)


def begin(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """The row as it runs; of one that is there, only when it is given up."""
    connection.execute(_begin(connection.dialect.name), {**_timed(row), "cost_nano": 0})


def end(connection: sa.Connection, row: Mapping[str, Any], seconds: float) -> None:
    """The whole row; `seconds`: how long the request took, where its trace does not say."""
    took = seconds if row["seconds"] is None else row["seconds"]
    connection.execute(_end(connection.dialect.name), {**_timed(row), "seconds": took})


def _timed(row: Mapping[str, Any]) -> dict[str, Any]:
    times = {k: iso(row[k]) for k in ("created", "expires", "closed") if k in row}
    return {**row, **times}


def _insert(dialect: str) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(requests)


@functools.cache
def _begin(dialect: str) -> Any:
    insert = _insert(dialect)
    return insert.on_conflict_do_update(
        index_elements=["id"],
        set_={"expires": insert.excluded.expires},
        where=requests.c.ending.is_(None),
    )


@functools.cache
def _end(dialect: str) -> Any:
    columns = {c.name: sa.bindparam(c.name, type_=c.type) for c in requests.columns}
    insert = _insert(dialect).values({**columns, "cost_nano": _TOTAL})
    return insert.on_conflict_do_update(
        index_elements=["id"],
        set_={name: insert.excluded[name] for name in columns if name not in _FIRST},
        where=(requests.c.tenant == insert.excluded.tenant)
        & (requests.c.ending.is_(None) | (requests.c.ending == "lost")),
    )
