"""A model's choices as OpenAI's API has them: put together from a stream, or read whole.

LiteLLM's objects carry many fields of its own; what leaves here are OpenAI's.
"""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Choices"]

_MESSAGE = ("role", "content", "refusal", "reasoning_content", "function_call", "tool_calls")
_CALLED = ("tool_calls", "function_call")


class Choices:
    """Collects what arrives. Deltas and choices are plain dicts."""

    def __init__(self) -> None:
        self._messages: dict[int, dict[str, Any]] = {}
        self._finish: dict[int, str | None] = {}
        self._logprobs: dict[int, Any] = {}

    def add(self, chunk: Any) -> Iterator[dict[str, Any]]:
        """Take a chunk of a stream; its deltas, each with the index of its choice."""
        for choice in chunk.choices:
            index, delta = choice.index or 0, _fields(choice.delta)
            _grow(self._messages.setdefault(index, {"role": "assistant"}), delta)
            if delta:
                yield {"index": index, "delta": delta}

    def take(self, response: Any) -> Iterator[dict[str, Any]]:
        """Take a whole response; its deltas, one a choice."""
        for choice in response.choices:
            message = {"role": "assistant", "content": None, **_fields(choice.message)}
            logprobs = _plain(getattr(choice, "logprobs", None))
            self._messages[choice.index] = message
            self._finish[choice.index] = choice.finish_reason
            self._logprobs[choice.index] = logprobs
            yield {"index": choice.index, "delta": _numbered(message), "logprobs": logprobs}

    def told(self, finish: str | None) -> tuple[Mapping[str, Any], ...]:
        """All choices; `finish`: why the stream ended, where it was one."""
        return tuple(
            {
                "index": index,
                "message": {"content": None, **message},
                "logprobs": self._logprobs.get(index),
                "finish_reason": self._finish.get(index) or _finish(finish, message),
            }
            for index, message in sorted(self._messages.items())
        )


def _finish(said: str | None, message: Mapping[str, Any]) -> str | None:
    """Some servers say `stop` after a tool call."""
    called = any(message.get(key) for key in _CALLED)
    return "tool_calls" if said == "stop" and called and message.get("tool_calls") else said


def _fields(message: Any) -> dict[str, Any]:
    found = {name: _plain(getattr(message, name, None)) for name in _MESSAGE}
    return {name: value for name, value in found.items() if value not in (None, [], "")}


def _plain(value: Any) -> Any:
    """pydantic models as data."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    dump = getattr(value, "model_dump", None)
    return value if dump is None else dump(mode="json", exclude_none=True)


def _grow(message: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for name in ("content", "refusal", "reasoning_content"):
        if name in delta:
            message[name] = (message.get(name) or "") + delta[name]
    for call in delta.get("tool_calls", ()):
        _grow_call(message.setdefault("tool_calls", []), call)
    if "function_call" in delta:
        _grow_function(message.setdefault("function_call", {}), delta["function_call"])


def _grow_call(calls: list[dict[str, Any]], delta: Mapping[str, Any]) -> None:
    """A call's first piece has its id and name, the next ones its arguments."""
    index = delta.get("index") or 0
    while len(calls) <= index:
        calls.append({"id": None, "type": "function", "function": {"name": "", "arguments": ""}})
    calls[index]["id"] = calls[index]["id"] or delta.get("id")
    _grow_function(calls[index]["function"], delta.get("function") or {})


def _grow_function(function: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for name in ("name", "arguments"):
        function[name] = function.get(name, "") + (delta.get(name) or "")


def _numbered(message: Mapping[str, Any]) -> dict[str, Any]:
    """A whole message as one delta: OpenAI numbers the tool calls of a delta."""
    calls = message.get("tool_calls")
    delta = {name: value for name, value in message.items() if value is not None}
    if calls:
        delta["tool_calls"] = [{"index": i, **call} for i, call in enumerate(calls)]
    return delta
