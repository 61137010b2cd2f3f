"""Letting go of old requests: their rows, bills and labels. Sums of days and months stay.

A batch is a transaction of its own, so that a gateway that serves meanwhile waits for one batch
at most, and an interrupted run has lost nothing but the rest.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from router.ledger.leases import OPEN_LEASE
from router.ledger.money import iso
from router.ledger.schema import labels, leases, requests

__all__ = ["count_before", "prune"]

BATCH = 500


def _old(before: datetime) -> Any:
    """Ended, and with no bill still open: a row that runs is never one of them."""
    return sa.and_(requests.c.created < iso(before), requests.c.ending.is_not(None), ~OPEN_LEASE)


def count_before(connection: sa.Connection, before: datetime) -> int:
    """How many requests `prune` would let go of."""
    wanted = sa.select(sa.func.count()).select_from(requests).where(_old(before))
    return int(connection.execute(wanted).scalar_one())


def prune(connection: sa.Connection, before: datetime) -> int:
    """Delete one batch of the oldest requests from before that moment; how many there were."""
    oldest = sa.select(requests.c.id).where(_old(before)).order_by(requests.c.created).limit(BATCH)
    gone = list(connection.execute(oldest).scalars())
    if not gone:
        return 0
    for table, column in ((labels, labels.c.request), (leases, leases.c.request)):
        connection.execute(sa.delete(table).where(column.in_(gone)))
    connection.execute(sa.delete(requests).where(requests.c.id.in_(gone)))
    return len(gone)
