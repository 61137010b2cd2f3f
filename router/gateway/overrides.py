"""What a request asks of the router, in headers or in the body: its cap, its deadline, the
confidence it wants, its policy. And which conversation it belongs to."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from math import isfinite

from pydantic import ValidationError

from router.gateway.errors import Refused
from router.gateway.fields import Overrides
from router.state import Bounds, Message

__all__ = ["bounds_of", "conversation_key", "overrides_of"]

_NUMBERS = {
    b"x-ockham-max-cost-usd": "max_cost_usd",
    b"x-ockham-max-latency-s": "max_latency_s",
    b"x-ockham-min-confidence": "min_confidence",
}
_WORDS = {b"x-ockham-policy": "policy", b"x-ockham-reasoning": "reasoning"}
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_STRICTER = {"max_cost_usd": min, "max_latency_s": min, "min_confidence": max}


def overrides_of(headers: Mapping[bytes, bytes], body: Overrides | None) -> Overrides:
    """Headers and body together: of two bounds the stricter one; two policies must agree."""
    if not any(name in headers for name in (*_NUMBERS, *_WORDS)):
        return body or Overrides()
    asked = _from_headers(headers)
    for name, value in (body.model_dump(exclude_none=True) if body else {}).items():
        if name not in asked or name == "reasoning":
            asked[name] = value
        elif name in _STRICTER:
            asked[name] = _STRICTER[name](asked[name], value)
        elif asked[name] != value:
            raise Refused(
                400, "X-Ockham-Policy and ockham.policy differ: set one", "invalid_value",
                "ockham.policy",
            )  # fmt: skip
    return Overrides.model_validate(asked)


def _from_headers(headers: Mapping[bytes, bytes]) -> dict[str, object]:
    asked: dict[str, object] = {}
    for header, name in {**_NUMBERS, **_WORDS}.items():
        text = headers.get(header, b"").decode("latin-1").strip()
        if not text:
            continue
        try:
            value = _value(header, text)
            Overrides.model_validate({name: value})
        except (ValueError, ValidationError):
            shown = header.decode()
            raise Refused(400, f"the header {shown} has a bad value", "invalid_value", shown) from (
                None
            )
        asked[name] = value
    return asked


def _value(header: bytes, text: str) -> object:
    if header in _NUMBERS:
        number = float(text)
        if not isfinite(number):
            raise ValueError(text)
        return number
    if header == b"x-ockham-reasoning":
        if text.lower() not in _FLAGS:
            raise ValueError(text)
        return _FLAGS[text.lower()]
    return text


def bounds_of(asked: Overrides, waited_s: float, timeout_s: float) -> Bounds:
    """The run's bounds. The wait in the queue counts against the deadline.

    Raises `Refused` (408) where the wait used all of it up.
    """
    whole = timeout_s if asked.max_latency_s is None else min(asked.max_latency_s, timeout_s)
    left = whole - waited_s
    if left <= 0:
        raise Refused(
            408, f"the time was over after {waited_s:.1f} s in the queue", "request_timeout",
            kind="server_error", headers={"retry-after": "1"},
        )  # fmt: skip
    own = asked.max_latency_s is not None or waited_s > 0.001
    return Bounds(
        max_cost_usd=asked.max_cost_usd,
        max_seconds=left if own else None,
        min_confidence=asked.min_confidence,
    )


def conversation_key(tenant: str, messages: Sequence[Message]) -> str:
    """The same for every turn of a conversation: its tenant, first system and first user turn."""
    digest = blake2b(tenant.encode(), digest_size=16)
    for role in ("system", "user"):
        first = next((m for m in messages if m.role == role), None)
        text = "" if first is None else f"{first.content}{first.raw or ''}"
        digest.update(b"\0" + text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
