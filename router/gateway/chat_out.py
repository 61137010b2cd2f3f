"""What `/v1/chat/completions` answers: completions, chunks, usage, and the `ockham` object."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from router.gateway.encode import header, usd
from router.state import Answer, Attempt

__all__ = ["chunk", "completion", "explained", "final_chunk", "headers_of", "usage_chunk"]

Choice = Mapping[str, Any]


def completion(answer: Answer) -> dict[str, Any]:
    """A `chat.completion`; `model` is the one that answered, `ockham` explains the route."""
    return {
        "id": f"chatcmpl-{answer.trace.id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": answer.model,
        "choices": choices_of(answer),
        "usage": usage(answer),
        "service_tier": "default",
        "ockham": explained(answer),
    }


def choices_of(answer: Answer) -> list[dict[str, Any]]:
    """The choices as the model gave them, or the one that the answer is."""
    raw = shown_attempt(answer).choices
    if raw:
        return [_whole(i, choice) for i, choice in enumerate(raw)]
    message = {"role": "assistant", "content": answer.answer, "refusal": None}
    return [{"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish}]


def shown_attempt(answer: Answer) -> Attempt:
    """The attempt that was returned."""
    attempts = [step.attempt for step in answer.trace.steps if step.attempt is not None]
    decided = [step.decision for step in answer.trace.steps if step.decision is not None]
    at = decided[-1].attempt if decided else None
    return attempts[-1 if at is None else at]


_MESSAGE = ("content", "refusal", "tool_calls", "annotations", "reasoning_content")


def _whole(index: int, choice: Choice) -> dict[str, Any]:
    """A model's choice with every field that OpenAI's has, and no other."""
    said = choice.get("message") or {}
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    message |= {name: said[name] for name in _MESSAGE if said.get(name) is not None}
    return {
        "index": choice.get("index", index),
        "message": message,
        "logprobs": choice.get("logprobs"),
        "finish_reason": choice.get("finish_reason") or "stop",
    }


def chunk(
    id: str,
    model: str,
    delta: Mapping[str, Any],
    *,
    index: int = 0,
    finish: str | None = None,
    logprobs: Any = None,
) -> dict[str, Any]:
    """A `chat.completion.chunk`."""
    return {
        "id": f"chatcmpl-{id}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        ],
    }


def final_chunk(id: str, answer: Answer, finish: str) -> dict[str, Any]:
    """The chunk that ends the first choice; `ockham` explains the route."""
    return {**chunk(id, answer.model, {}, finish=finish), "ockham": explained(answer)}


def usage_chunk(answer: Answer) -> dict[str, Any]:
    """OpenAI's last chunk under `stream_options.include_usage`: no choices, only usage."""
    return {**chunk(answer.trace.id, answer.model, {}), "choices": [], "usage": usage(answer)}


def usage(answer: Answer) -> dict[str, int]:
    """Tokens of all attempts: that is what was paid for."""
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }


def saved_usd(answer: Answer) -> float | None:
    """An estimate: one call of the reference model, less what this run cost."""
    if answer.all_large_usd_estimate is None:
        return None
    return answer.all_large_usd_estimate - answer.cost_usd


def basis_of(answer: Answer) -> str:
    """`reported` where every attempt's tokens are its server's own count, else `estimated`."""
    attempts = (step.attempt for step in answer.trace.steps)
    counted = any(a is not None and a.tokens_basis == "counted" for a in attempts)
    return "estimated" if counted else "reported"


def explained(answer: Answer) -> dict[str, Any]:
    """The short story; the whole one is at `GET /ockham/traces/{id}`."""
    verdict = answer.verdict
    return {
        "trace_id": answer.trace.id,
        "route": list(answer.route),
        "arm": answer.arm,
        "model": answer.model,
        "policy": answer.trace.policy,
        "cost_usd": answer.cost_usd,
        "cost_basis": basis_of(answer),
        "saved_usd_estimate": saved_usd(answer),
        "verified": answer.verified,
        "verdict": {"kind": verdict.kind, "status": verdict.status, "passed": verdict.passed},
        "confidence": verdict.confidence,
        "evidence": list(verdict.evidence),
        "reasons": _reasons(answer),
        "note": _note(answer),
        "citations": [
            {"number": c.number, "title": c.title, "source": c.source, "quote": c.quote}
            for c in answer.citations
        ],
    }


def _note(answer: Answer) -> str | None:
    """What to know of the answer; also that it may have been shorter than its caller allowed."""
    cap = shown_attempt(answer).clipped
    if cap is None:
        return answer.note
    asked = answer.trace.query.sampling.max_tokens
    told = f"{asked} tokens were asked for: {cap} are the most that {answer.arm} may write"
    return f"{answer.note}; {told}" if answer.note else told


def _reasons(answer: Answer) -> list[str]:
    """Why each arm was chosen, in the order of the decisions."""
    told = (step.decision.reasons for step in answer.trace.steps if step.decision is not None)
    return list(dict.fromkeys(reason for reasons in told for reason in reasons))


def headers_of(answer: Answer) -> Sequence[tuple[bytes, bytes]]:
    """`X-Ockham-*` of a finished answer, without the trace's id."""
    saved = saved_usd(answer)
    told = [
        (b"x-ockham-route", header(",".join(answer.route))),
        (b"x-ockham-model", header(answer.model)),
        (b"x-ockham-cost-usd", usd(answer.cost_usd).encode()),
        (b"x-ockham-verdict", header(answer.verdict.status)),
    ]
    if saved is not None:
        told.append((b"x-ockham-saved-usd-estimate", usd(saved).encode()))
    return told
