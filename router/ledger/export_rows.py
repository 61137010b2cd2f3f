"""One logged request as rows of the export's tables: plain functions of what the ledger keeps.

What this does not do: read the ledger, or say what the tables are (`router/ledger/export.py`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from policies.outcome import Status, query_hash
from router.ledger.labels import Label
from router.ledger.money import usd

__all__ = [
    "BENCHMARK",
    "RANDOMISED",
    "Paid",
    "attempt_row",
    "decision_row",
    "label_row",
    "labelled",
    "nothing_row",
    "query_row",
    "shared_columns",
]

BENCHMARK, SOURCE, NO_ARM = "traffic", "ockham", "none"
RANDOMISED = ("audit", "shadow")
"""Sources whose sampling probability is known: these win in a row."""
_STATUS = {
    "ok": Status.OK, "truncated": Status.TRUNCATED, "provisional": Status.TRUNCATED,
    "no_answer": Status.UNPARSED, "abstained": Status.ABSTAINED, "failed": Status.FAILED,
}  # fmt: skip
Paid = tuple[str, int, str | None]
"""A lease's arm, nano-USD and basis."""


def shared_columns(row: sa.RowMapping, trace: Mapping[str, Any]) -> dict[str, Any]:
    """What all rows of a request say."""
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


def query_row(row: sa.RowMapping, trace: Mapping[str, Any]) -> dict[str, Any]:
    """Its row of the queries."""
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


def attempt_row(
    place: int,
    attempt: Mapping[str, Any],
    decision: Any,
    verdict: Any,
    paid: tuple[float, str | None],
) -> dict[str, Any]:
    """One attempt, and what it was charged with on what basis."""
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


def nothing_row(
    row: sa.RowMapping, shared: Mapping[str, Any], bills: Sequence[Paid]
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


def labelled(
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


def decision_row(row: sa.RowMapping, place: int, decision: Mapping[str, Any]) -> dict[str, Any]:
    """One decision, all arms."""
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


def label_row(label: Label) -> dict[str, Any]:
    """One label."""
    return {
        "query_id": label.request, "arm": label.arm, "source": label.source, "score": label.score,
        "probability": label.probability, "cost_usd": label.cost_usd, "created": label.created,
        "changes": label.changes, "meta": json.dumps(dict(label.meta)),
    }  # fmt: skip
