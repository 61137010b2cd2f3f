"""What is known of an answer afterwards, and from where: one label a request, source and arm.

A second label of the same three replaces the first and counts it. `probability` is that with
which the request was chosen to be labelled: 1 where it was not drawn. A source is `feedback`,
`audit`, `shadow`, ... as `router/labels` names them. `meta` must hold no text of a prompt or
an answer.
"""

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from router.errors import InputError
from router.ledger.money import iso, nano, now, usd
from router.ledger.prepared import insert_of
from router.ledger.schema import labels, requests

__all__ = ["Label", "list_labels", "write_label"]


@dataclass(frozen=True, slots=True)
class Label:
    """One label. `score` None: it was drawn, and nobody could tell."""

    request: str
    tenant: str
    arm: str
    source: str
    score: float | None
    probability: float
    cost_usd: float
    created: str
    """UTC, ISO 8601; of the last change."""
    changes: int
    meta: Mapping[str, Any]
    id: int

    def told(self) -> dict[str, Any]:
        """As JSON-able data."""
        return {**asdict(self), "meta": dict(self.meta)}


@functools.cache
def _write(dialect: str) -> Any:
    insert = insert_of(dialect)(labels)
    new = ("score", "probability", "cost_nano", "created", "meta")
    changed: dict[str, Any] = {name: insert.excluded[name] for name in new}
    return insert.on_conflict_do_update(
        index_elements=["request", "source", "arm"],
        set_={**changed, "changes": labels.c.changes + 1},
    ).returning(labels)


_OF = sa.select(requests.c.tenant, requests.c.arm).where(requests.c.id == sa.bindparam("id"))


def write_label(
    connection: sa.Connection,
    request: str,
    *,
    source: str,
    score: float | None,
    arm: str | None = None,
    probability: float = 1.0,
    cost_usd: float = 0.0,
    meta: Mapping[str, Any] | None = None,
    tenant: str | None = None,
) -> Label | None:
    """Write one; None where the tenant has no such request. `arm` None: that which answered.

    Raises:
        InputError: a number out of its range, or the request has no answer to be labelled.
    """
    _check(score, probability, source)
    found = connection.execute(_OF, {"id": request}).first()
    if found is None or (tenant is not None and found.tenant != tenant):
        return None
    named = arm or found.arm
    if named is None:
        raise InputError(f"request {request} gave no answer, so there is nothing to label")
    row = {
        "request": request, "tenant": found.tenant, "arm": named, "source": source,
        "score": score, "probability": probability, "cost_nano": nano(cost_usd),
        "created": iso(now()), "changes": 0, "meta": json.dumps(dict(meta or {})),
    }  # fmt: skip
    return _label(connection.execute(_write(connection.dialect.name), row).one())


def list_labels(
    connection: sa.Connection,
    *,
    tenant: str | None = None,
    source: str | None = None,
    since: datetime | None = None,
    request: str | None = None,
    limit: int | None = None,
) -> list[Label]:
    """By the time at which they were made; of a limit the latest."""
    wanted = sa.select(labels).order_by(labels.c.created.desc(), labels.c.id.desc()).limit(limit)
    for column, value in ((labels.c.tenant, tenant), (labels.c.source, source)):
        wanted = wanted if value is None else wanted.where(column == value)
    if request is not None:
        wanted = wanted.where(labels.c.request == request)
    if since is not None:
        wanted = wanted.where(labels.c.created >= iso(since))
    return [_label(row) for row in connection.execute(wanted)][::-1]


def _check(score: float | None, probability: float, source: str) -> None:
    if score is not None and not 0 <= score <= 1:
        raise InputError(f"a label's score lies in 0..1, not {score!r}")
    if not 0 < probability <= 1 or math.isnan(probability):
        raise InputError(f"a label's sampling probability lies in (0, 1], not {probability!r}")
    if not source:
        raise InputError("a label names its source")


def _label(row: sa.Row[Any]) -> Label:
    return Label(
        request=row.request, tenant=row.tenant, arm=row.arm, source=row.source, score=row.score,
        probability=row.probability, cost_usd=usd(row.cost_nano), created=row.created,
        changes=row.changes, meta=json.loads(row.meta), id=row.id,
    )  # fmt: skip
