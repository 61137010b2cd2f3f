"""A request's body: read within a size and a time, parsed once, validated once.

What this does not do: decide what a field means. A client that sends slowly is let go, and
nothing that a body may hold (NaN, huge numbers, lone surrogates, deep nesting, NUL) gets past
here as a server's error.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.types import Receive

from router.gateway.errors import Refused
from router.gateway.schemas import size_of

__all__ = ["Gone", "parse", "read_body", "read_json"]

MAX_DEPTH = 64
"""Nesting of a JSON body; a tool's schema is far below."""
MAX_VALUES = 200_000
"""JSON values in a body: more would keep the event loop from everybody else for seconds."""
MAX_TEXT = 200
"""Characters of a validation message."""

Body = TypeVar("Body", bound=BaseModel)
CLOSE = {"connection": "close"}
"""The rest of a body that is not wanted is not read."""


class Gone(Exception):
    """The client closed its connection."""


async def read_json(
    headers: Mapping[bytes, bytes], receive: Receive, limit: int, timeout_s: float
) -> dict[str, Any]:
    """The body as a JSON object. Raises `Refused` (400, 408, 413, 415) or `Gone`."""
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if kind != b"application/json":
        raise Refused(
            415, "the content type must be application/json", "unsupported_media_type",
            headers=CLOSE,
        )  # fmt: skip
    return to_object(await read_body(headers, receive, limit, timeout_s))


async def read_body(
    headers: Mapping[bytes, bytes], receive: Receive, limit: int, timeout_s: float
) -> bytes:
    """All bytes of the body."""
    stated = headers.get(b"content-length", b"0")
    if not stated.isdigit() or int(stated[:20]) > limit:
        raise _too_large(limit)
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                pieces.append(message.get("body", b""))
                size += len(pieces[-1])
                if size > limit:
                    raise _too_large(limit)
                if not message.get("more_body", False):
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    except TimeoutError:
        raise Refused(
            408, f"the body did not arrive within gateway.body_timeout_s = {timeout_s:g}",
            "request_timeout", headers=CLOSE,
        ) from None  # fmt: skip


def _too_large(limit: int) -> Refused:
    return Refused(413, f"the body is over {limit} bytes", "request_too_large", headers=CLOSE)


def to_object(raw: bytes) -> dict[str, Any]:
    """A JSON object, nested no deeper than `MAX_DEPTH`."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"the body is not valid JSON: {error}", "invalid_json") from None
    if not isinstance(value, dict):
        raise Refused(400, "the body must be a JSON object", "invalid_json")
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _too_deep(value):
        raise Refused(400, f"the body is nested deeper than {MAX_DEPTH} levels", "invalid_json")
    # Commas stand in texts, too: only where there are many is it worth a look.
    if raw.count(b",") > MAX_VALUES // 2 and size_of([value], MAX_VALUES)[0] > MAX_VALUES:
        raise Refused(400, f"the body holds more than {MAX_VALUES} JSON values", "invalid_json")
    return value


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def parse(model: type[Body], body: Mapping[str, Any]) -> Body:
    """The validated body. Raises `Refused` (400) that names the first bad parameter."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise _explained(error, body) from None


def _explained(error: ValidationError, body: Mapping[str, Any]) -> Refused:
    """The problem that says most: an unknown name first, then the one that lies deepest."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    first = min(problems, key=lambda p: (p["type"] not in _UNSUPPORTED, -len(p["loc"])))
    param = _path(first["loc"], body)
    if first["type"] in _UNSUPPORTED:
        return Refused(
            400, f"{param}: not supported by this gateway", "unsupported_parameter", param
        )
    message = first["msg"].removeprefix("Value error, ")[:MAX_TEXT]
    return Refused(400, f"{param}: {message}" if param else message, "invalid_value", param)


_UNSUPPORTED = ("extra_forbidden", "none_required")
"""A name that nobody knows, and one that OpenAI knows and this gateway does not."""


def _path(where: tuple[str | int, ...], body: Any) -> str | None:
    """pydantic's path as it stands in the body: without the names of a union's branches."""
    parts: list[str] = []
    for i, part in enumerate(where):
        if isinstance(body, dict) and part in body:
            body = body[part]
        elif isinstance(body, list) and isinstance(part, int):
            body = body[part] if part < len(body) else None
        elif not (isinstance(body, dict) and i == len(where) - 1):  # one that is missing
            continue
        parts.append(str(part)[:MAX_TEXT])
    return ".".join(parts) or None
