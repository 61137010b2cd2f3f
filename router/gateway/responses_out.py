"""What `/v1/responses` answers: the response object, its items, and its events."""

import time
from collections.abc import Mapping
from typing import Any

from router.gateway.chat_out import choices_of, explained
from router.gateway.responses_schema import ResponsesRequest
from router.state import Answer

__all__ = ["finished", "items_of", "message_item", "response_body", "text_part"]

_CUT = {"length": "max_output_tokens", "content_filter": "content_filter"}


def response_body(
    id: str, request: ResponsesRequest, body: Mapping[str, Any], status: str, model: str
) -> dict[str, Any]:
    """The `response` object before there is an answer; what was asked stands in it."""
    return {
        "id": f"resp_{id}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": request.instructions,
        "max_output_tokens": request.max_output_tokens,
        "max_tool_calls": None,
        "metadata": body.get("metadata") or {},
        "model": model,
        "output": [],
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "previous_response_id": None,
        "reasoning": {"effort": (body.get("reasoning") or {}).get("effort"), "summary": None},
        "service_tier": "default",
        "store": False,
        "temperature": request.temperature,
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "top_p": request.top_p,
        "truncation": "disabled",
        "usage": None,
        "user": request.user,
    }


def finished(made: dict[str, Any], answer: Answer, output: list[dict[str, Any]]) -> dict[str, Any]:
    """The same with an answer in it."""
    cut = _CUT.get(finish_of(answer))
    return {
        **made,
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": cut} if cut else None,
        "completed_at": None if cut else int(time.time()),
        "model": answer.model,
        "output": output,
        "usage": _usage(answer),
        "ockham": explained(answer),
    }


def _usage(answer: Answer) -> dict[str, Any]:
    """Tokens of all attempts: that is what was paid for.

    The API demands the details. An attempt does not keep how many of its tokens were cached or
    reasoning, so 0 stands for "not known" here; `/v1/chat/completions` may leave them out, and
    does. What a cached prompt costs is in `ockham.cost_usd` all the same.
    """
    return {
        "input_tokens": answer.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": answer.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }


def finish_of(answer: Answer) -> str:
    """Why the first choice ended."""
    return str(choices_of(answer)[0]["finish_reason"])


def items_of(id: str, answer: Answer) -> list[dict[str, Any]]:
    """The output items of an answer: its text, and the tools that it calls."""
    choice = choices_of(answer)[0]
    said = choice["message"]
    status = "incomplete" if choice["finish_reason"] in _CUT else "completed"
    items: list[dict[str, Any]] = []
    if said.get("refusal"):
        part = {"type": "refusal", "refusal": said["refusal"]}
        items.append(message_item(id, status, part))
    elif said.get("content") or not said.get("tool_calls"):
        items.append(message_item(id, status, text_part(said.get("content") or "")))
    for i, call in enumerate(said.get("tool_calls") or ()):
        items.append(
            {
                "id": f"fc_{id}_{i}",
                "type": "function_call",
                "status": status,
                "call_id": call.get("id") or f"call_{id}_{i}",
                "name": call["function"]["name"],
                "arguments": call["function"]["arguments"],
            }
        )
    return items


def message_item(id: str, status: str, *parts: Mapping[str, Any]) -> dict[str, Any]:
    """An output message."""
    return {
        "id": f"msg_{id}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": list(parts),
    }


def text_part(text: str) -> dict[str, Any]:
    """A part of an output message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
