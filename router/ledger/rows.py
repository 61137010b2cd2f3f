"""From what is known of a request when it ends to the values of its row."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from policies.outcome import query_hash
from router.ledger.money import nano
from router.ledger.records import Closing, RequestStart
from router.ledger.redact import answer_json, trace_json
from router.state import Answer, Query, Trace, Verdict

__all__ = ["clean", "closing_values", "pack", "prompt_hash", "start_values"]

_log = logging.getLogger(__name__)
_LONGEST = 500
_TEXT_BLOCKS = frozenset({"terms"})
"""Blocks that spell the text: hashed words in their order. They can be made again from it."""


def start_values(start: RequestStart) -> dict[str, Any]:
    """Columns that are known before the request runs."""
    return {
        "id": start.id,
        "endpoint": clean(start.endpoint),
        "asked_model": clean(start.model),
        "stream": start.stream,
        "conversation": clean(start.conversation),
    }


def closing_values(closing: Closing, texts: bool) -> dict[str, Any]:
    """Columns that are known when it has ended; `texts`: the tenant has texts stored.

    A request leaves a row whatever its records hold: one that cannot be written down as JSON
    leaves what is known beside it.
    """
    try:
        return _closing_values(closing, texts)
    except Exception:
        _log.exception("ledger: a trace could not be written down; its row has none")
        bare = replace(closing, answer=None, trace=None)
        return _closing_values(bare, texts)


def _closing_values(closing: Closing, texts: bool) -> dict[str, Any]:
    answer = closing.answer
    trace = answer.trace if answer is not None else closing.trace
    return {
        "ending": closing.ending,
        "http_status": closing.http_status,
        "error": clean(closing.error),
        "first_token_seconds": closing.first_token_seconds,
        **_answer_values(answer, closing, texts),
        "route": _route(answer, trace),
        **_trace_values(trace, texts),
    }


def _answer_values(answer: Answer | None, closing: Closing, texts: bool) -> dict[str, Any]:
    if answer is None:
        served = {"model": clean(closing.model), "prompt_tokens": closing.prompt_tokens}
        return {**dict.fromkeys(_ANSWERED), **served}
    all_large = answer.all_large_usd_estimate
    return {
        "arm": answer.arm,
        "model": answer.model,
        **_verdict_values(answer.verdict),
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "all_large_nano": None if all_large is None else nano(all_large),
        "answer": answer_json(answer, texts),
    }


def _route(answer: Answer | None, trace: Trace | None) -> str | None:
    """The arms that were tried, one that broke off too."""
    if answer is not None:
        return " > ".join(answer.route)
    steps = () if trace is None else trace.steps
    tried = [step.attempt.arm if step.attempt else step.broken for step in steps]
    return " > ".join(filter(None, tried)) or None


_ANSWERED = (
    "arm", "model", "verdict", "verdict_kind", "p_right", "prompt_tokens",
    "completion_tokens", "all_large_nano", "answer",
)  # fmt: skip


def _verdict_values(verdict: Verdict) -> dict[str, Any]:
    said = {True: "passed", False: "failed", None: "unknown"}[verdict.passed]
    none = verdict.kind == "none"
    return {
        "verdict": None if none else said,
        "verdict_kind": None if none else verdict.kind,
        "p_right": verdict.confidence,
    }


def _trace_values(trace: Trace | None, texts: bool) -> dict[str, Any]:
    if trace is None:
        return dict.fromkeys(_TRACED)
    policy, _, version = trace.policy.partition("@")
    layout, packed = pack(trace.features)
    return {
        "prompt_hash": prompt_hash(trace.query),
        "policy": policy,
        "policy_version": version or None,
        "seconds": trace.seconds,
        "fingerprint": trace.signals.featuriser,
        "layout": layout,
        "features": packed,
        "trace": trace_json(trace, texts),
    }


_TRACED = (
    "prompt_hash", "policy", "policy_version", "seconds", "fingerprint", "layout", "features",
    "trace",
)  # fmt: skip


def prompt_hash(query: Query) -> str:
    """Of what was asked: a single question's text (as `query_hash` everywhere), else all turns."""
    if len(query.messages) == 1:
        return query_hash(query.text)
    return query_hash("\x1e".join(f"{m.role}\x1f{m.content}" for m in query.messages))


def pack(blocks: Mapping[str, list[float]]) -> tuple[str | None, bytes | None]:
    """Feature blocks as one float32 vector, and its layout as JSON: [[name, width], ...]."""
    kept = [(name, block) for name, block in blocks.items() if name not in _TEXT_BLOCKS]
    if not kept:
        return None, None
    vector = np.concatenate([np.asarray(block, dtype="<f4") for _, block in kept])
    return json.dumps([[name, len(block)] for name, block in kept]), vector.tobytes()


def clean(text: str | None) -> str | None:
    """A short text that both databases take: no NUL, no lone surrogate."""
    if text is None:
        return None
    short = text[:_LONGEST].replace("\x00", "\ufffd")
    return short.encode("utf-8", "replace").decode("utf-8")
