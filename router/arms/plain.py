"""One plain call: a request with tools, images, several choices, ..., or for a model by its name,
as its client sent it.

What comes back are the model's choices as OpenAI's API has them (`Attempt.choices`). A tool
call is a complete answer without a text. Its worst case bounds what is not text too:

    text        a token is at least one byte; keys of the JSON are counted with it
    image       `models.NAME.image_tokens`: its size in pixels is not ours to know
    audio       its base64 bytes (a second has fewer tokens than bytes at any bit rate)
    file        the model's whole context: a page of a few bytes may hold many words
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from router.arms.drawing import (
    LEAST_CHARS_PER_TOKEN,
    ROOM,
    Asking,
    Drawn,
    asked_sampling,
    asked_softly,
)
from router.arms.reading import Reading
from router.arms.spending import BASE_TOKENS, MESSAGE_TOKENS, Refused
from router.arms.thinking import ThinkFilter, visible_text
from router.models.completion import Completion, Plain
from router.needs import PLAIN
from router.samples import AttemptStatus
from router.state import Query

__all__ = [
    "PlainSize",
    "ask_plainly",
    "plain_bound",
    "plain_messages",
    "plain_size",
    "plain_tokens",
]

TOOL_TOKENS = 1024
"""Of the template that introduces tools to the model, beside their JSON."""
TYPICAL_IMAGE_TOKENS = 1000
"""Predictions only."""
WHOLE_CONTEXT = 2_000_000
"""Of a model whose context nobody has said."""


async def ask_plainly(
    asking: Asking,
    bound: int,
    on_text: Callable[[str], None] | None,
    on_reasoning: Callable[[str], None] | None,
    on_delta: Callable[[Mapping[str, Any]], None] | None,
) -> Drawn:
    """The call. `bound`: most tokens that its prompt can be. Model errors end in the status."""
    drawn, query = Drawn(), asking.query
    plain = Plain(plain_call(query), on_delta or _ignored)
    endpoint = replace(
        asking.endpoint, **asked_sampling(query), **asked_softly(asking.endpoint, query)
    )
    emit = ThinkFilter(on_text, opened=asking.opened) if on_text else None
    try:
        done = await asking.spender.call(
            drawn.bill, endpoint, plain_messages(query), max_tokens=_cap(asking, query),
            on_text=emit, on_reasoning=on_reasoning, plain=(plain, bound),
        )  # fmt: skip
    finally:
        drawn.seconds = time.perf_counter() - drawn.started
    if isinstance(done, Refused):
        drawn.reading, drawn.error = Reading("", AttemptStatus.NOT_RUN), done.reason
        return drawn
    drawn.completion, drawn.model = done, done.model
    drawn.error = str(done.error) if done.error else None
    drawn.reading = read_choices(done, opened=asking.opened)
    return drawn


def _ignored(delta: Mapping[str, Any]) -> None:
    """Nobody watches."""


def _cap(asking: Asking, query: Query) -> int:
    """Most tokens of a choice: less where the context has no room for it beside the prompt."""
    if asking.context is None:
        return asking.cap
    prompt = plain_tokens(plain_size(query), LEAST_CHARS_PER_TOKEN)
    return max(1, min(asking.cap, asking.context - prompt - ROOM))


def plain_messages(query: Query) -> list[dict[str, Any]]:
    """The conversation as it came."""
    return [
        dict(m.raw) if m.raw is not None else {"role": m.role, "content": m.content}
        for m in query.messages
    ]


def plain_call(query: Query) -> dict[str, Any]:
    """The parameters for the model, as they came."""
    call = {k: v for k, v in query.call.items() if k in PLAIN and v is not None}
    if "response_format" not in call and query.response_format is not None:
        call["response_format"] = query.response_format
    return call


@dataclass(frozen=True, slots=True)
class PlainSize:
    """What a query comes to, whichever model is asked: read once of one that may be long."""

    texts: int
    """Bytes of all text and audio."""
    images: int
    files: int
    frame: int
    """Most tokens that templates add."""


def plain_bound(size: PlainSize, image_tokens: int, most_input: int | None) -> int:
    """Most tokens that the prompt can be; `most_input`: of the model."""
    whole = WHOLE_CONTEXT if most_input is None else most_input
    if size.files:
        return whole
    return min(size.texts + size.images * image_tokens + size.frame, whole)


def plain_tokens(size: PlainSize, chars_per_token: float) -> int:
    """The same as a prediction."""
    pictures = size.images + size.files
    return int(size.texts / chars_per_token) + pictures * TYPICAL_IMAGE_TOKENS


def plain_size(query: Query) -> PlainSize:
    """Of the conversation and the parameters as they came."""
    images = files = 0
    frame = BASE_TOKENS + MESSAGE_TOKENS * len(query.messages)
    frame += TOOL_TOKENS if query.call.get("tools") or query.call.get("functions") else 0
    size = len(json.dumps(_worded(plain_call(query)), indent=1, default=str))
    for message in plain_messages(query):
        content = message.get("content")
        for part in content if isinstance(content, Sequence) and content else ():
            kind = part.get("type") if isinstance(part, Mapping) else None
            images += kind == "image_url"
            files += kind == "file"
        if not isinstance(content, str):
            content = [p for p in content or () if p.get("type") not in ("image_url", "file")]
        size += len(_written({**message, "content": content}))
    return PlainSize(size, images, files, frame)


def _worded(call: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters whose words may stand in the prompt."""
    words = ("tools", "functions", "response_format", "tool_choice")
    return {k: v for k, v in call.items() if k in words}


def _written(turn: Mapping[str, Any]) -> bytes:
    """A turn with its keys; the parameters are counted escaped, as some providers write them."""
    plain = json.dumps(turn, ensure_ascii=False, default=str)
    return plain.encode("utf-8", "replace")


def read_choices(done: Completion, *, opened: bool) -> Reading:
    """Text and status of a plain call: a tool call is a complete answer."""
    text = visible_text(done.text, opened=opened)
    if done.error is not None:
        return Reading(text, AttemptStatus.FAILED)
    if done.finish == "length":
        return Reading(text, AttemptStatus.TRUNCATED)
    said = text or any(_calls(choice.get("message", {})) for choice in done.choices)
    return Reading(text, AttemptStatus.OK if said else AttemptStatus.NO_ANSWER)


def _calls(message: Mapping[str, Any]) -> bool:
    """Whether it answers without a text."""
    return any(message.get(key) for key in ("tool_calls", "function_call", "refusal", "content"))
