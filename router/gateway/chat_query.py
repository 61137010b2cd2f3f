"""What a request of the chat API means: its turns, its checks, and all that goes to the model as
it is."""

from collections.abc import Mapping, Sequence
from typing import Any

from router.gateway.chat_schema import ChatRequest
from router.gateway.fields import ResponseFormat
from router.gateway.images import check_image
from router.state import JsonSchemaCheck, Message

__all__ = ["call_of", "checks_of", "message_of", "messages_of"]

_PASSED = (
    "tools", "tool_choice", "parallel_tool_calls", "logprobs", "top_logprobs", "seed",
    "frequency_penalty", "presence_penalty", "logit_bias", "reasoning_effort", "verbosity", "user",
)  # fmt: skip
"""Parameters that reach the model as they are."""
_NO_EFFECT: Mapping[str, Any] = {
    "frequency_penalty": 0, "presence_penalty": 0, "logit_bias": {}, "logprobs": False,
}  # fmt: skip
"""Values that ask for nothing: they must not rule an arm out."""
_OF_A_TURN = ("name", "refusal")
"""What a model may be told of a turn beside its text."""
_ECHOED = ("annotations", "reasoning_content")


def call_of(request: ChatRequest, body: Mapping[str, Any]) -> dict[str, Any]:
    """What goes to the model as it is. `body` is what `request` was read from."""
    call = {
        name: body[name]
        for name in _PASSED
        if body.get(name) is not None and body[name] != _NO_EFFECT.get(name)
    }
    if request.n is not None and request.n > 1:
        call["n"] = request.n
    if request.stop:
        call["stop"] = [request.stop] if isinstance(request.stop, str) else list(request.stop)
    return call


def checks_of(wanted: ResponseFormat | None) -> tuple[JsonSchemaCheck, ...]:
    """The check that a response format is; its schema has yet to be checked."""
    if wanted is None or wanted.type == "text":
        return ()
    named = wanted.json_schema
    return (JsonSchemaCheck(definition=named.definition if named else {"type": "object"}),)


def messages_of(
    turns: Sequence[Mapping[str, Any]], allow_urls: bool, as_it_is: bool = False
) -> tuple[Message, ...]:
    """The turns, already validated, as messages; images are checked here."""
    return tuple(
        message_of(turn, f"messages.{i}", allow_urls, as_it_is) for i, turn in enumerate(turns)
    )


def message_of(
    turn: Mapping[str, Any], param: str, allow_urls: bool, as_it_is: bool = False
) -> Message:
    """One turn. `raw` stands where it holds more than a text; `as_it_is`: more than a role and
    one string, too, such as a name and text in parts."""
    content = turn.get("content")
    parts = content if isinstance(content, list) else []
    text = content if isinstance(content, str) else _joined(parts)
    more = False
    for i, part in enumerate(parts):
        if part["type"] == "image_url":
            more = True
            where = f"{param}.content.{i}.image_url.url"
            check_image(part["image_url"]["url"], where, allow_urls)
    role = "system" if turn["role"] == "developer" else turn["role"]
    more |= as_it_is and (bool(parts) or any(turn.get(k) for k in _OF_A_TURN))
    if not (more or role == "tool" or turn.get("tool_calls")):
        return Message(role=role, content=text or turn.get("refusal") or "")
    raw = {k: v for k, v in turn.items() if v is not None and k not in _ECHOED}
    raw["role"] = role
    return Message(role=role, content=text, raw=raw)


def _joined(parts: Sequence[Mapping[str, Any]]) -> str:
    return "".join(part.get("text") or part.get("refusal") or "" for part in parts)
