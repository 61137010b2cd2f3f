"""What a client may conclude from a reply, judged against what the fake upstream says.

answered    complete by its own word (finish_reason `stop`, and [DONE] of a stream), and whole
shortened   says of itself that it was cut (finish_reason `length`)
refused     an error of OpenAI's shape, also at the end of a stream
BAD ...     anything else: a cut answer that looks complete, no answer, no clean error
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from eval.bench.fake_replies import whole

__all__ = ["Told", "judge_body", "judge_stream", "prompt_of"]


class Told(NamedTuple):
    """How a request ended for its client."""

    outcome: str
    trace: str | None

    @property
    def bad(self) -> bool:
        """Whether no client should ever see this."""
        return self.outcome.startswith("BAD")


def prompt_of(number: int, prefix: str = "r-") -> str:
    """The prompt of a request; it carries a marker that the upstream charges it under."""
    if number % 2:
        return f"[{prefix}{number}] What is {number + 10} * 7?"
    return f"[{prefix}{number}] Write a friendly note to customer {number} about the weather."


def judge_body(prompt: str, status: int, body: bytes) -> str:
    """Of a reply that is one JSON object."""
    try:
        told = json.loads(body)
    except ValueError:
        return f"BAD body: no JSON (status {status})"
    if status != 200:
        return _error(status, told)
    try:
        choice = told["choices"][0]
        return _complete(prompt, choice["message"]["content"] or "", choice["finish_reason"])
    except (KeyError, IndexError, TypeError):
        return "BAD body: no completion"


def judge_stream(prompt: str, lines: list[str]) -> str:
    """Of a stream with status 200, by its lines."""
    text, finish, done = "", None, False
    for line in lines:
        if not line.startswith("data:"):
            continue
        data = line[5:].strip()
        if data == "[DONE]":
            done = True
            continue
        try:
            event = json.loads(data)
        except ValueError:
            return "BAD stream: an event is no JSON"
        try:
            if "error" in event:
                return "BAD stream: [DONE] after an error" if done else _error(200, event)
            for choice in event.get("choices", ()):
                text += choice["delta"].get("content") or ""
                finish = choice["finish_reason"] or finish
        except (AttributeError, KeyError, TypeError):
            return "BAD stream: an event is no chunk of a completion"
    if not done:
        return "BAD stream: it ends with neither [DONE] nor an error"
    return _complete(prompt, text, finish)


def _error(status: int, told: Any) -> str:
    error = told.get("error") if isinstance(told, Mapping) else None
    if not isinstance(error, Mapping) or not error.get("message") or "type" not in error:
        return f"BAD error: not OpenAI's shape (status {status})"
    if status == 500:
        return f"BAD error: internal error: {error['message']}"
    return f"refused {status} {error.get('code')}"


def _complete(prompt: str, text: str, finish: str | None) -> str:
    if finish == "length":
        return "shortened"
    if finish != "stop":
        return f"BAD finish_reason {finish!r}"
    return "answered" if whole(prompt, text) else "BAD answer: cut, and it looks complete"
