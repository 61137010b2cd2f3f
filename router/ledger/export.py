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

from policies.outcome import OUTCOMES, QUERIES, OutcomeSet, Status, query_hash
from router.config import Settings
from router.ledger.labels import Label, list_labels
from router.ledger.money import iso, now, usd
from router.ledger.schema import leases, requests

__all__ = ["BENCHMARK", "DECISIONS", "LABELS", "RANDOMISED", "Export", "export"]

BENCHMARK, SOURCE, NO_ARM = "traffic", "ockham", "none"
RANDOMISED = ("audit", "shadow")
"""Sources whose sampling probability is known: these win in a row."""
_STATUS = {
    "ok": Status.OK, "truncated": Status.TRUNCATED, "provisional": Status.TRUNCATED,
    "no_answer": Status.UNPARSED, "abstained": Status.ABSTAINED, "failed": Status.FAILED,
}  # fmt: skip
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
        "fingerprint": next(reversed(gathered.layouts), None),
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
            "labels": pl.DataFrame([_label(one) for one in wanted], schema=dict(LABELS)),
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
        self.queries.append(_query(row, trace))
        self._note_layout(row)
        steps = trace.get("steps", [])
        shared = _shared(row, trace)
        decisions = [s["decision"] for s in steps if s.get("decision")]
        self.decisions += [_decision(row, i, d) for i, d in enumerate(decisions)]
        attempts = list(_attempts(steps))
        bills = _bills(connection, row["id"])
        made = [
            {**shared, **_attempt(place, *parts, _paid(bills, parts[0]))}
            for place, parts in enumerate(attempts)
        ] or [_nothing(row, shared, bills)]
        returned = _returned(decisions, made)
        for place, one in enumerate(made):
            one["returned"] = place == returned
        self.outcomes += _labelled(made, told, row)

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

    def spans(self) -> dict[str, list[int]]:
        """Block -> [start, stop] in the vectors of the last fingerprint."""
        layout = next(reversed(self.layouts.values()), [])
        stops = np.cumsum([width for _, width in layout]).tolist()
        return {
            name: [stop - width, stop] for (name, width), stop in zip(layout, stops, strict=True)
        }


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


_Bill = tuple[str, int, str | None]


def _bills(connection: sa.Connection, ident: str) -> list[_Bill]:
    return [(row[0], row[1], row[2]) for row in connection.execute(_OF, {"id": ident})]


def _paid(bills: list[_Bill], attempt: Mapping[str, Any]) -> tuple[float, str | None]:
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


def _shared(row: sa.RowMapping, trace: Mapping[str, Any]) -> dict[str, Any]:
    features = row["features"]
    return {
        "source": SOURCE,
        "benchmark": BENCHMARK,
        "domain": trace.get("signals", {}).get("domain"),
        "query_id": row["id"],
        "cluster_id": row["prompt_hash"],
        "policy": row["policy"],
        "policy_version": row["policy_version"],
        "features": None if features is None else np.frombuffer(features, "<f4").tolist(),
        "fingerprint": row["fingerprint"],
        "created": row["created"],
        "tenant": query_hash(row["tenant"]),
    }


def _query(row: sa.RowMapping, trace: Mapping[str, Any]) -> dict[str, Any]:
    turns = trace.get("query", {}).get("messages") or []
    users = [turn["content"] for turn in turns if turn["role"] == "user"]
    return {
        "source": SOURCE,
        "benchmark": BENCHMARK,
        "domain": trace.get("signals", {}).get("domain"),
        "query_id": row["id"],
        "cluster_id": row["prompt_hash"],
        "query": users[-1] if users else None,
        "query_hash": row["prompt_hash"],
    }


def _attempt(
    place: int,
    attempt: Mapping[str, Any],
    decision: Any,
    verdict: Any,
    paid: tuple[float, str | None],
) -> dict[str, Any]:
    stats, (cost, basis) = attempt.get("logprobs") or {}, paid
    price = attempt["price"]["basis"]
    local = "local" if price.startswith("USD ") else "priced"
    return {
        "arm": attempt["arm"],
        "model": attempt["model"],
        "attempt": place,
        "status": _STATUS.get(attempt["status"], Status.FAILED),
        "error": attempt.get("error"),
        **_verdict(verdict),
        "logprob_mean": stats.get("mean"),
        "logprob_min": stats.get("minimum"),
        "logprob_answer": stats.get("answer"),
        "certainty": stats.get("certainty"),
        "agreement": (attempt.get("selection") or {}).get("share"),
        "prompt_tokens": attempt["prompt_tokens"],
        "completion_tokens": attempt["completion_tokens"],
        "tokens_basis": "estimated" if basis == "estimated" else attempt["tokens_basis"],
        "cost_usd": cost,
        "cost_basis": "worst_case" if basis == "reserved" else local,
        "price_snapshot": price,
        "latency_s": attempt["seconds"],
        "answer": attempt.get("text"),
        "arm_probability": [
            {"arm": name, "probability": arm["probability"]}
            for name, arm in (decision or {"arms": {}})["arms"].items()
        ],
    }


def _verdict(verdict: Any) -> dict[str, Any]:
    if not verdict or verdict["kind"] == "none":
        return {}
    measured = verdict.get("measured") or {}
    return {
        "verdict": {True: "passed", False: "failed", None: "unknown"}[verdict["passed"]],
        "verdict_kind": verdict["kind"],
        "verdict_confidence": verdict["confidence"],
        "verdict_measured": [{"name": n, "value": v} for n, v in measured.items()] or None,
    }


def _nothing(
    row: sa.RowMapping, shared: Mapping[str, Any], bills: Sequence[_Bill]
) -> dict[str, Any]:
    """Of a request that left no attempt in a trace: what it cost, and how it ended."""
    arms = [arm for arm, _, _ in bills]
    reserved = any(basis == "reserved" for _, _, basis in bills)
    return {
        **shared,
        "arm": arms[-1] if arms else NO_ARM,
        "attempt": 0,
        "status": Status.FAILED,
        "error": row["error"] or row["ending"],
        "cost_usd": usd(row["cost_nano"]),
        "cost_basis": "worst_case" if reserved else "priced",
        "latency_s": row["seconds"],
    }


def _returned(decisions: Sequence[Mapping[str, Any]], made: Sequence[Any]) -> int:
    """The attempt whose answer the caller got; the last where none was."""
    chosen = decisions[-1].get("attempt") if decisions else None
    return len(made) - 1 if chosen is None else int(chosen)


def _labelled(
    made: Sequence[dict[str, Any]], told: Sequence[Label], row: sa.RowMapping
) -> list[dict[str, Any]]:
    """The rows with their scores, and a bare row for each label of an arm not attempted."""
    out, best = [], _winning(told)
    last = {one["arm"]: place for place, one in enumerate(made)}
    for place, one in enumerate(made):
        label = best.get(one["arm"]) if last[one["arm"]] == place else None
        out.append({**one, **_scored(one["status"], label)})
    for arm, label in best.items():
        if arm not in last:
            bare = {k: made[0].get(k) for k in _KEPT}
            out.append(
                {**bare, "arm": arm, "attempt": 0, "returned": False, "cost_usd": label.cost_usd,
                 "cost_basis": "priced", "created": label.created,
                 **_scored(Status.OK, label)}
            )  # fmt: skip
    return out


_KEPT = (
    "source", "benchmark", "domain", "query_id", "cluster_id", "features", "fingerprint", "tenant",
)  # fmt: skip


def _winning(told: Sequence[Label]) -> dict[str, Label]:
    """One label an arm: randomised sources first, then feedback; of equals the later."""
    rank = {source: i for i, source in enumerate((*RANDOMISED, "feedback"))}
    out: dict[str, Label] = {}
    for label in sorted(told, key=lambda one: -rank.get(one.source, len(rank))):
        out[label.arm] = label
    return out


def _scored(status: Status, label: Label | None) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if label is not None:
        facts = {"label_source": label.source, "label_probability": label.probability}
    if status is Status.FAILED:
        return {**facts, "score": None}
    if label is None or label.score is None:
        return {**facts, "score": None, "status": Status.MISSING}
    return {**facts, "score": label.score, "status": status}


def _decision(row: sa.RowMapping, place: int, decision: Mapping[str, Any]) -> dict[str, Any]:
    arms = decision["arms"]
    taken = sum(arm["probability"] for arm in arms.values())
    chosen = decision["arm"]
    kept = ("available", "probability", "quality", "predicted_cost_usd", "worst_cost_usd",
            "predicted_seconds")  # fmt: skip
    return {
        "query_id": row["id"],
        "place": place,
        "policy": decision["policy"],
        "policy_version": row["policy_version"],
        "arm": chosen,
        "attempt": decision["attempt"],
        "probability": max(0.0, 1 - taken) if chosen is None else arms[chosen]["probability"],
        "reasons": list(decision["reasons"]),
        "arms": [{"arm": name, **{k: arm.get(k) for k in kept}} for name, arm in arms.items()],
        "shadow": [
            {"policy": s["policy"], "arm": s.get("arm"), "reasons": list(s.get("reasons", ()))}
            for s in decision.get("shadow", ())
        ],
    }


def _label(label: Label) -> dict[str, Any]:
    return {
        "query_id": label.request, "arm": label.arm, "source": label.source, "score": label.score,
        "probability": label.probability, "cost_usd": label.cost_usd, "created": label.created,
        "changes": label.changes, "meta": json.dumps(dict(label.meta)),
    }  # fmt: skip


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
