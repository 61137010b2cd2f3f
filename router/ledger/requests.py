"""The row of a request: it begins with the first reserve, and ends once.

A row that the sweep gave up (`lost`) is put right by its owner, where that lives after all.
Each function runs inside the writer's transaction and may run twice.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from router.ledger.leases import billed
from router.ledger.money import iso
from router.ledger.prepared import Prepared
from router.ledger.schema import requests

__all__ = ["begin", "end"]

_FIRST = frozenset({"id", "tenant", "created"})
"""What the beginning says for good."""
_BEGUN = (
    "id", "tenant", "key", "replica", "created", "expires", "endpoint", "asked_model", "stream",
    "conversation", "cost_nano",
)  # fmt: skip


def begin(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """The row as it runs; of one that is there, only when it is given up."""
    _BEGIN.run(connection, {**_timed(row), "cost_nano": 0})


def end(connection: sa.Connection, row: Mapping[str, Any], seconds: float) -> None:
    """The whole row; `seconds`: how long the request took, where its trace does not say."""
    took = seconds if row["seconds"] is None else row["seconds"]
    _END.run(connection, {**_timed(row), "seconds": took})


def _timed(row: Mapping[str, Any]) -> dict[str, Any]:
    times = {k: iso(row[k]) for k in ("created", "expires", "closed") if k in row}
    return {**row, **times}


def _begin(insert: Any) -> Any:
    new = insert(requests).values({name: _bind(name) for name in _BEGUN})
    return new.on_conflict_do_update(
        index_elements=["id"],
        set_={"expires": new.excluded.expires},
        where=requests.c.ending.is_(None),
    )


def _end(insert: Any) -> Any:
    columns = {c.name: _bind(c.name) for c in requests.columns}
    new = insert(requests).values({**columns, "cost_nano": billed(_bind("id"))})
    return new.on_conflict_do_update(
        index_elements=["id"],
        set_={name: new.excluded[name] for name in columns if name not in _FIRST},
        where=(requests.c.tenant == new.excluded.tenant)
        & (requests.c.ending.is_(None) | (requests.c.ending == "lost")),
    )


def _bind(name: str) -> Any:
    return sa.bindparam(name, type_=requests.c[name].type)


_BEGIN, _END = Prepared(_begin), Prepared(_end)
