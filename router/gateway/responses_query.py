"""What a request of the responses API means: its items as turns of a chat, its checks, its tools
as the chat API has them."""

from collections.abc import Mapping, Sequence
from typing import Any

from router.gateway.chat_query import message_of
from router.gateway.responses_schema import ResponsesRequest
from router.state import JsonSchemaCheck, Message

__all__ = ["call_of", "checks_of", "messages_of_items", "response_format_of"]

Body = Mapping[str, Any]


def messages_of_items(body: Body, allow_urls: bool, as_it_is: bool = False) -> tuple[Message, ...]:
    """Instructions and items, already validated, as messages."""
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    turns = [message_of(t, p, allow_urls, as_it_is) for t, p in _turns(items)]
    if body.get("instructions"):
        turns.insert(0, Message(role="system", content=body["instructions"]))
    return tuple(turns)


def _turns(items: Sequence[Body]) -> list[tuple[dict[str, Any], str]]:
    """Turns of the chat API, each with where it stands; calls in a row are one turn."""
    turns: list[tuple[dict[str, Any], str]] = []
    for i, item in enumerate(items):
        kind = item.get("type", "message")
        if kind == "function_call":
            call = {
                "id": item["call_id"],
                "type": "function",
                "function": {"name": item["name"], "arguments": item["arguments"]},
            }
            last = turns[-1][0] if turns else {}
            if last.get("role") == "assistant" and "tool_calls" in last:
                last["tool_calls"].append(call)
                continue
            turn: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [call]}
        elif kind == "function_call_output":
            said = item["output"]
            text = said if isinstance(said, str) else "".join(part["text"] for part in said)
            turn = {"role": "tool", "tool_call_id": item["call_id"], "content": text}
        else:
            turn = {"role": item["role"], "content": _content(item["content"], item["role"])}
        turns.append((turn, f"input.{i}"))
    return turns


def _content(content: str | list[Body], role: str) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return content
    if role == "assistant":  # text as it is; what was refused is text, too
        return "".join(part.get("text") or part.get("refusal") or "" for part in content)
    return [_part(part) for part in content]


def _part(part: Body) -> dict[str, Any]:
    if part["type"] != "input_image":
        return {"type": "text", "text": part.get("text") or part.get("refusal") or ""}
    image = {"url": part["image_url"]}
    if part.get("detail"):
        image["detail"] = part["detail"]
    return {"type": "image_url", "image_url": image}


def checks_of(request: ResponsesRequest) -> tuple[JsonSchemaCheck, ...]:
    """The check that a text format is; its schema has yet to be checked."""
    wanted = request.text.format if request.text else None
    if wanted is None or wanted.type == "text":
        return ()
    if wanted.type == "json_object":
        return (JsonSchemaCheck(definition={"type": "object"}),)
    return (JsonSchemaCheck(definition=wanted.definition),)


def response_format_of(body: Body) -> dict[str, Any] | None:
    """The text format as the chat API nests it."""
    wanted = (body.get("text") or {}).get("format")
    if wanted is None or wanted["type"] != "json_schema":
        return wanted
    named = {k: v for k, v in wanted.items() if k != "type" and v is not None}
    return {"type": "json_schema", "json_schema": named}


def call_of(request: ResponsesRequest, body: Body) -> dict[str, Any]:
    """The parameters for the model. `body` is what `request` was read from."""
    call: dict[str, Any] = {}
    if request.tools:
        call["tools"] = [_tool(tool) for tool in body["tools"]]
        chosen = body.get("tool_choice")
        if isinstance(chosen, Mapping):
            call["tool_choice"] = {"type": "function", "function": {"name": chosen["name"]}}
        elif chosen is not None:
            call["tool_choice"] = chosen
        if request.parallel_tool_calls is not None:
            call["parallel_tool_calls"] = request.parallel_tool_calls
    if request.reasoning and request.reasoning.effort:
        call["reasoning_effort"] = request.reasoning.effort
    if request.text and request.text.verbosity:
        call["verbosity"] = request.text.verbosity
    if request.user is not None:
        call["user"] = request.user
    return call


def _tool(tool: Body) -> dict[str, Any]:
    """As the chat API nests it."""
    function = {k: v for k, v in tool.items() if k != "type" and v is not None}
    return {"type": "function", "function": function}
