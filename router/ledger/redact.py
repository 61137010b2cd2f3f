"""A trace without texts: what the ledger keeps of a tenant that does not have prompts stored.

It is a list of what stays, not of what goes: a field that is added to a record is kept out
until it is named here. Numbers, names out of the configuration, codes and our own sentences
stay; what was asked, answered, quoted, found or called stays out, and so does what a server
said of it. (The lengths and feature vectors of a text stay: they are what was decided by.)
"""

from collections.abc import Mapping
from typing import Any

from router.state import Answer, Trace

__all__ = ["answer_json", "own_words", "trace_json"]

Kept = Mapping[str, Any]


def _only(*fields: str, **inner: Any) -> dict[str, Any]:
    return {**dict.fromkeys(fields, True), **inner}


def _each(inner: Any) -> dict[str, Any]:
    return {"__all__": inner}


_ARM = _only(
    "available", "why_not", "over_budget", "over_cap", "unable", "too_long", "away",
    "predicted_cost_usd",
    "worst_cost_usd", "predicted_seconds", "probability", "quality",
)  # fmt: skip
_PASSAGE = _only("score", "dense", "lexical")
_LOOKUP = _only(
    "answerable", "brought", "index", "seconds", "cost_usd", passages=_each(_PASSAGE)
)  # fmt: skip
_DECISION = _only(
    "policy", "arm", "attempt", "reasons",
    arms=_each(_ARM),
    shadow=_each(_only("policy", "arm", "reasons")),
)  # fmt: skip
_SAMPLE = _only(
    "status", "cluster", "weight", "passed", "confidence", "logprobs", "reliability",
    "prompt_tokens", "completion_tokens", "tokens_basis", "cost_usd", "seconds",
)  # fmt: skip
_ATTEMPT = _only(
    "arm", "model", "status", "fault", "prompt_tokens", "completion_tokens", "tokens_basis",
    "cost_usd", "most_usd", "price", "seconds", "first_token_seconds", "answerable", "logprobs",
    "shown_tokens",
    passages=_each(_PASSAGE),
    samples=_each(_SAMPLE),
    selection=_only("method", "planned", "drawn", "chosen", "share"),
)  # fmt: skip
_VERDICT = _only(
    "kind", "passed", "status", "confidence", "measured", "seconds",
    claims=_each(_only("passages", "passed", "status", "support")),
)  # fmt: skip
_SIGNALS = _only(
    "verifiability", "knowledge_demand", "confidence", "domains", "forms", "needs", "language",
    "chars", "words", "turns", "follow_up", "wrapped", "steered", "odd", "featuriser", "domain",
    "form", "cues",
)  # fmt: skip
_TRACE: Kept = _only(
    "id", "created", "policy", "seconds", "model_seconds",
    query=_only("id", "sampling", "bounds"),
    signals=_SIGNALS,
    steps=_each(
        _only("node", "seconds", "refused", "broken", lookup=_LOOKUP, decision=_DECISION,
              attempt=_ATTEMPT, verdict=_VERDICT)
    ),
)  # fmt: skip
_ANSWER: Kept = _only(
    "route", "arm", "model", "verified", "finish", "cost_usd", "prompt_tokens",
    "completion_tokens", "all_large_usd_estimate", verdict=_VERDICT,
)  # fmt: skip
_BESIDE = {"trace", "signals"}
"""Of an answer, what stands in the trace's own column."""


def trace_json(trace: Trace, texts: bool) -> str:
    """The trace as it is stored; `texts`: the tenant has its prompts and answers stored."""
    if texts:
        return _json(trace)
    told = [own_words(step.attempt.error) if step.attempt else None for step in trace.steps]
    if not any(told):
        return trace.model_dump_json(include=_TRACE)
    # Seldom, so it may cost: what failed is told in our words.
    data = trace.model_dump(mode="json", include=_TRACE)
    for step, error in zip(data["steps"], told, strict=True):
        if error:
            step["attempt"]["error"] = error
    return _dumps(data)


def answer_json(answer: Answer, texts: bool) -> str:
    """The answer as it is stored, without the trace that it holds."""
    if texts:
        return _json(answer, exclude=_BESIDE)
    return answer.model_dump_json(include=_ANSWER)


def own_words(error: str | None) -> str | None:
    """Of a failed call our own words, which come first: a server may quote the prompt."""
    if error is None:
        return None
    first = (error.splitlines() or [""])[0]
    if not first.startswith("models."):
        return "failed"
    return ": ".join(first.split(": ")[:2])[:200]


def _json(record: Trace | Answer, **kwargs: Any) -> str:
    try:
        return record.model_dump_json(**kwargs)
    except ValueError:  # a lone surrogate, which UTF-8 does not have
        return _dumps(record.model_dump(mode="python", **kwargs))


def _dumps(data: Any) -> str:
    import json

    return json.dumps(data, default=str)
