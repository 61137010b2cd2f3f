"""The ledger as an outcome table: yesterday's traffic for tomorrow's policy.

    outcomes.parquet    one row an attempt (`policies.outcome`), as the logged policy chose it
    decisions.parquet   one row a decision: what every arm would have cost, how probable it was
    labels.parquet      every label, also those that stand in no row

An attempt's score is its label's: of a randomised source before another (`RANDOMISED`), and a
row that nobody labelled is `missing`, which counts nothing; its costs and features are there
all the same. A label of an arm that was not attempted is a bare row (no policy) of that arm.
Texts are there where the tenant has them stored; a tenant is a hash.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from policies.outcome import OUTCOMES, QUERIES, OutcomeSet
from router.config import Settings
from router.ledger.export_rows import (
    BENCHMARK,
    Paid,
    attempt_row,
    decision_row,
    label_row,
    labelled,
    nothing_row,
    query_row,
    shared_columns,
)
from router.ledger.labels import Label, list_labels
from router.ledger.money import iso, now, usd
from router.ledger.schema import leases, requests

__all__ = ["DECISIONS", "LABELS", "Export", "export"]

_MANY = 2_000

_ARMS = pl.List(
    pl.Struct(
        {
            "arm": pl.String, "available": pl.Boolean, "probability": pl.Float64,
            "quality": pl.Float64, "predicted_cost_usd": pl.Float64, "worst_cost_usd": pl.Float64,
            "predicted_seconds": pl.Float64,
        }
    )
)  # fmt: skip
DECISIONS: Mapping[str, Any] = {
    "query_id": pl.String,
    "place": pl.Int16,
    "policy": pl.String,
    "policy_version": pl.String,
    "arm": pl.String,  # null: STOP
    "attempt": pl.Int16,  # on STOP: which is returned
    "probability": pl.Float64,  # of what was chosen; of STOP 1 - the arms', which is 1 at a limit
    "reasons": pl.List(pl.String),
    "arms": _ARMS,
    "shadow": pl.List(
        pl.Struct({"policy": pl.String, "arm": pl.String, "reasons": pl.List(pl.String)})
    ),
}
LABELS: Mapping[str, Any] = {
    "query_id": pl.String,
    "arm": pl.String,
    "source": pl.String,
    "score": pl.Float64,
    "probability": pl.Float64,
    "cost_usd": pl.Float64,
    "created": pl.String,
    "changes": pl.Int32,
    "meta": pl.String,
}


@dataclass(frozen=True)
class Export:
    """The outcome set, and the tables beside it by name."""

    outcomes: OutcomeSet
    beside: Mapping[str, pl.DataFrame]


def export(
    connection: sa.Connection,
    settings: Settings,
    *,
    since: datetime | None = None,
    tenant: str | None = None,
) -> Export:
    """All ended requests (of one tenant, from a time on) as an outcome set."""
    until, told = now(), _by_request(list_labels(connection, tenant=tenant))
    gathered = _Gathered()
    for row in _rows(connection, since, tenant):
        gathered.take(connection, row, told.get(row["id"], []))
    gathered.fit()
    wanted = [label for ident in gathered.requests for label in told.get(ident, [])]
    outcomes = pl.DataFrame(gathered.outcomes, schema=dict(OUTCOMES))
    about = {
        "name": BENCHMARK,
        "kind": "ledger export",
        "arms": _arms(settings),
        "pairs": _pairs(settings),
        "features": gathered.spans(),
        "requests": len(gathered.requests),
        "labelled": int(outcomes["label_source"].is_not_null().sum()),
        "since": None if since is None else iso(since),
        "until": iso(until),
        "notes": "rows without a label have the status missing and count nothing",
    }
    queries = pl.DataFrame(gathered.queries, schema=dict(QUERIES))
    return Export(
        OutcomeSet(outcomes, queries, about),
        {
            "decisions": pl.DataFrame(gathered.decisions, schema=dict(DECISIONS)),
            "labels": pl.DataFrame([label_row(one) for one in wanted], schema=dict(LABELS)),
        },
    )


class _Gathered:
    """Rows of the tables, as requests come by."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.outcomes: list[dict[str, Any]] = []
        self.queries: list[dict[str, Any]] = []
        self.decisions: list[dict[str, Any]] = []
        self.layouts: dict[str, list[list[Any]]] = {}
        """By fingerprint the longest: blocks of some requests alone stand at the end."""
        self._layout_of: dict[str, list[list[Any]]] = {}

    def take(self, connection: sa.Connection, row: sa.RowMapping, told: Sequence[Label]) -> None:
        """One request."""
        trace = {} if row["trace"] is None else json.loads(row["trace"])
        self.requests.append(row["id"])
        self.queries.append(query_row(row, trace))
        self._note_layout(row)
        steps = trace.get("steps", [])
        shared = shared_columns(row, trace)
        decisions = [s["decision"] for s in steps if s.get("decision")]
        self.decisions += [decision_row(row, i, d) for i, d in enumerate(decisions)]
        attempts = list(_attempts(steps))
        bills = _bills(connection, row["id"])
        made = [
            {**shared, **attempt_row(place, *parts, _paid(bills, parts[0]))}
            for place, parts in enumerate(attempts)
        ] or [nothing_row(row, shared, bills)]
        returned = _returned(decisions, made)
        for place, one in enumerate(made):
            one["returned"] = place == returned
        self.outcomes += labelled(made, told, row)

    def _note_layout(self, row: sa.RowMapping) -> None:
        if row["layout"] is not None:
            layout = self._layout_of[row["id"]] = json.loads(row["layout"])
            if len(layout) > len(self.layouts.get(row["fingerprint"], ())):
                self.layouts[row["fingerprint"]] = layout

    def fit(self) -> None:
        """Drop vectors that the layout told of their fingerprint does not fit."""
        for one in self.outcomes:
            layout = self._layout_of.get(one["query_id"], [])
            longest = self.layouts.get(one["fingerprint"] or "", [])
            if layout != longest[: len(layout)]:
                one["features"] = None

    def spans(self) -> dict[str, dict[str, list[int]]]:
        """Fingerprint -> block -> [start, stop] in its vectors."""
        out: dict[str, dict[str, list[int]]] = {}
        for mark, layout in self.layouts.items():
            stops = np.cumsum([width for _, width in layout]).tolist()
            ends = zip(layout, stops, strict=True)
            out[mark] = {name: [stop - width, stop] for (name, width), stop in ends}
        return out


def _rows(
    connection: sa.Connection, since: datetime | None, tenant: str | None
) -> Iterable[sa.RowMapping]:
    wanted = sa.select(requests).where(requests.c.ending.is_not(None)).order_by("created", "id")
    wanted = wanted if since is None else wanted.where(requests.c.created >= iso(since))
    wanted = wanted if tenant is None else wanted.where(requests.c.tenant == tenant)
    yield from connection.execution_options(yield_per=_MANY).execute(wanted).mappings()


def _by_request(found: Iterable[Label]) -> dict[str, list[Label]]:
    out: dict[str, list[Label]] = {}
    for label in found:
        out.setdefault(label.request, []).append(label)
    return out


_OF = (
    sa.select(leases.c.arm, leases.c.cost_nano, leases.c.basis)
    .where(leases.c.request == sa.bindparam("id"))
    .order_by(leases.c.place)
)


def _bills(connection: sa.Connection, ident: str) -> list[Paid]:
    return [(row[0], row[1], row[2]) for row in connection.execute(_OF, {"id": ident})]


def _paid(bills: list[Paid], attempt: Mapping[str, Any]) -> tuple[float, str | None]:
    """What an attempt was charged with and on what basis: the next lease of its arm."""
    for at, (arm, cost, basis) in enumerate(bills):
        if arm == attempt["arm"]:
            del bills[at]
            return usd(cost), basis
    return attempt["cost_usd"], None


def _attempts(steps: Sequence[Mapping[str, Any]]) -> Iterable[tuple[Any, Any, Any]]:
    """(attempt, the decision that chose it, its verdict) in order."""
    decision: Any = None
    for at, step in enumerate(steps):
        decision = step.get("decision") or decision
        if step.get("attempt"):
            later = steps[at + 1 : at + 2]
            yield step["attempt"], decision, later[0].get("verdict") if later else None


def _returned(decisions: Sequence[Mapping[str, Any]], made: Sequence[Any]) -> int:
    """The attempt whose answer the caller got; the last where none was."""
    chosen = decisions[-1].get("attempt") if decisions else None
    return len(made) - 1 if chosen is None else int(chosen)


def _arms(settings: Settings) -> dict[str, dict[str, str]]:
    return {
        name: {
            "tier": settings.models[arm.model].tier,
            "context": arm.context,
            "method": arm.method.name,
        }
        for name, arm in settings.arms.items()
    }


def _pairs(settings: Settings) -> list[list[str]]:
    """The first small and the first large arm, where there are both."""
    arms = _arms(settings)
    first = [next((n for n, a in arms.items() if a["tier"] == t), None) for t in ("small", "large")]
    return [[str(name) for name in first]] if all(first) else []
