"""Bytes that leave the gateway: JSON, server-sent events, header values.

A model may write anything: lone surrogates become U+FFFD, since they are no text and no
JSON that a client could read; a header takes printable ASCII only.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

__all__ = ["comment", "data", "event", "header", "to_json", "usd"]

_LONE = re.compile("[\ud800-\udfff]")
DONE = b"data: [DONE]\n\n"


def to_json(body: Any) -> bytes:
    """Compact UTF-8 JSON."""
    try:
        return orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return orjson.dumps(_clean(body), option=orjson.OPT_NON_STR_KEYS)


def _clean(value: Any) -> Any:
    """The same with every lone surrogate replaced."""
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def data(body: Any) -> bytes:
    """A server-sent event without a name."""
    return b"data: " + to_json(body) + b"\n\n"


def event(name: str, body: Any) -> bytes:
    """A named server-sent event."""
    return b"event: " + name.encode() + b"\ndata: " + to_json(body) + b"\n\n"


def comment(text: str) -> bytes:
    """A server-sent comment: clients skip it. One line, whatever the text holds."""
    return b": " + " ".join(text.split()).encode("utf-8", "replace") + b"\n\n"


def header(text: str) -> bytes:
    """A header's value: printable ASCII stays as it is, all else is percent-encoded."""
    if text.isascii() and text.isprintable():
        return text.encode("ascii")
    return quote(text, safe=" !#$&'()*+,/:;=?@[]", errors="replace").encode("ascii")


def usd(amount: float) -> str:
    """US dollars to the nano-dollar, without an exponent."""
    return f"{amount:.9f}".rstrip("0").rstrip(".") or "0"
