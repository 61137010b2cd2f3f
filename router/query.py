"""Bad input stops here: what comes in becomes a `Query`, or an `InputError` that says why."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from router.errors import InputError
from router.needs import check_call
from router.state import Bounds, Message, Query

__all__ = ["Askable", "bounded", "make_query"]

Askable = str | bytes | Query | Sequence[Mapping[str, Any]]
"""A text, its UTF-8 bytes, OpenAI-style messages, or a ready `Query`."""

MAX_CONTROL_SHARE = 0.1
MAX_PASSAGES = 20
"""As many as `knowledge.passages` may be: more are no reading for a small model."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def make_query(what: Askable, *, max_chars: int, id: str | None = None) -> Query:
    """Validate and wrap. Raises `InputError` for empty, binary, undecodable or too long input."""
    if isinstance(what, Query):
        query = what
    elif isinstance(what, str | bytes):
        query = Query(id=id or _new_id(), messages=(Message(role="user", content=_text(what)),))
    else:
        query = Query(id=id or _new_id(), messages=_messages(what))
    _check(query, max_chars)
    return query


def bounded(text: str | bytes, bounds: Mapping[str, float | None]) -> Askable:
    """A text with what its asker bounds. Raises `InputError` naming the bound that is wrong."""
    given = {name: value for name, value in bounds.items() if value is not None}
    if not given:
        return text
    try:
        own = Bounds.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{first['loc'][0]}: {first['msg']}") from None
    turn = Message(role="user", content=_text(text))
    return Query(id=_new_id(), messages=(turn,), bounds=own)


def _new_id() -> str:
    return uuid.uuid4().hex


def _text(what: str | bytes) -> str:
    if isinstance(what, str):
        return what
    try:
        return what.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"the query is not UTF-8 text (byte {error.start}); convert it, for example with iconv"
        ) from None


def _messages(what: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    if not what:
        raise InputError("messages: at least one message is needed")
    try:
        return tuple(Message.model_validate(dict(m)) for m in what)
    except (ValidationError, TypeError, ValueError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise InputError(
            "messages: each needs a role (system, user, assistant) and a content string, "
            f"and nothing else: {reason}"
        ) from None


def _check(query: Query, max_chars: int) -> None:
    brought = [text for p in query.passages or () for text in (p.title, p.text)]
    total = sum(len(m.content) for m in query.messages) + sum(map(len, brought))
    if total > max_chars:
        raise InputError(
            f"the query has {total} characters, limits.max_query_chars allows {max_chars}"
        )
    check_call(query)
    if not query.text.strip() and all(m.raw is None for m in query.messages):
        raise InputError("the query is empty")
    if query.passages is not None and not 0 < len(query.passages) <= MAX_PASSAGES:
        raise InputError(
            f"the query brings {len(query.passages)} passages: give 1 to {MAX_PASSAGES}, or None "
            "to search the index"
        )
    for text in brought:
        _check_text(text)
    for message in query.messages:
        _check_text(message.content)


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(
            "the query is not UTF-8 text (it holds lone surrogates); was it decoded wrongly?"
        ) from None
    control = len(_CONTROL.findall(text))
    if "\x00" in text or control > MAX_CONTROL_SHARE * len(text):
        raise InputError("the query looks like binary data, not text")
