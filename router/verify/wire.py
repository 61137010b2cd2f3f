"""Typed JSON: how values and calls cross the wall of a sandbox, in both directions.

What: `encode` and `decode` of plain values (numbers with inf, nan and complex, text, bytes,
list, tuple, set, frozenset, dict, all kept apart), and `Channel`, the inner end of the line.
A subclass of those types is marked `sub` and crosses as what it is made of, without the
methods by which it could lie about itself. What not: any other type is `other`, and raises
`NotPlain` where it is read; so does a record that is none of ours.

It runs on both sides of the wall. Inside it is loaded from source by the system's
interpreter, which may be older than the router's: it keeps to Python 3.8.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Channel", "Foreign", "NotPlain", "decode", "encode", "told"]

MAX_NODES = 100_000
MAX_DEPTH = 50

_SCALARS: tuple[type, ...] = (int, float, complex, str, bytes)
_MANY: tuple[type, ...] = (list, tuple, set, frozenset)


class NotPlain(Exception):
    """A result of a type that cannot cross, or a record that is none of ours."""


class Foreign(NotPlain):
    """A well-formed record of a type that cannot cross; its message names the type."""


def encode(value: Any, depth: int = 0, room: list[int] | None = None) -> list[Any]:
    """The typed record of a value; never raises for what a value is."""
    room = [MAX_NODES] if room is None else room
    room[0] -= 1
    kind = type(value)
    if room[0] < 0 or depth > MAX_DEPTH:
        return ["other", "too large"]
    if value is None or kind is bool or kind is str:
        return ["plain", value]
    if kind is int:
        return ["int", hex(value)]
    if kind is float:
        return ["float", value.hex()]
    if kind is complex:
        return ["complex", [value.real.hex(), value.imag.hex()]]
    if kind is bytes:
        return ["bytes", value.hex()]
    if kind in _MANY:
        return [kind.__name__, [encode(v, depth + 1, room) for v in value]]
    if kind is dict:
        pairs = value.items()
        return [
            "dict",
            [[encode(k, depth + 1, room), encode(v, depth + 1, room)] for k, v in pairs],
        ]
    base = next((b for b in (*_SCALARS, *_MANY, dict) if b in type.mro(kind)), None)
    if base is None:
        return ["other", kind.__name__[:80]]
    return ["sub", [kind.__name__[:80], encode(_made_of(base, value), depth + 1, room)]]


def _made_of(base: Any, value: Any) -> Any:
    """What a value of a subclass holds, read past the subclass's own methods."""
    if base in _SCALARS:
        return base(*base.__getnewargs__(value))
    return dict(dict.items(value)) if base is dict else base(base.__iter__(value))


def decode(record: Any, lost: list[str] | None = None) -> Any:
    """The value that a record stands for. Names of subclasses go into `lost`; without it a
    subclass raises `NotPlain`, like every other type that is no plain value."""
    try:
        kind, content = record
        if kind == "other" or (kind == "sub" and lost is None):
            raise Foreign(_short(content[0] if kind == "sub" else content))
        if kind == "sub" and lost is not None:
            lost.append(str(content[0]))
            return decode(content[1], lost)
        return _DECODERS[kind](content, lost)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError, RecursionError) as error:
        raise NotPlain(_short(record)) from error


def _short(record: Any) -> str:
    try:
        return str(record)[:80]
    except RecursionError:
        return "a record that is nested too deeply"


def _plain(content: Any, lost: list[str] | None) -> Any:
    if content is None or isinstance(content, (bool, str)):
        return content
    raise ValueError


def _complex(content: Any, lost: list[str] | None) -> complex:
    real, imaginary = content
    return complex(float.fromhex(real), float.fromhex(imaginary))


def _many(build: Callable[[Any], Any]) -> Callable[[Any, list[str] | None], Any]:
    return lambda content, lost: build([decode(item, lost) for item in content])


_DECODERS: dict[str, Callable[[Any, list[str] | None], Any]] = {
    "plain": _plain,
    "int": lambda content, lost: int(content, 16),
    "float": lambda content, lost: float.fromhex(content),
    "complex": _complex,
    "bytes": lambda content, lost: bytes.fromhex(content),
    "list": _many(list),
    "tuple": _many(tuple),
    "set": _many(set),
    "frozenset": _many(frozenset),
    "dict": lambda content, lost: {decode(k, lost): decode(v, lost) for k, v in content},
}


def told(error: BaseException) -> str:
    """An error in words, whatever its `__str__` does."""
    try:
        return (type(error).__name__ + ": " + str(error))[:300]
    except BaseException:
        return type(error).__name__[:80] + ", which cannot be shown"


class Channel:
    """The inner end of the line to the outside: one JSON record a line, behind a nonce.

    Taking it gives the process's own stdin, stdout and stderr to the void.
    """

    def __init__(self) -> None:
        self._from = os.fdopen(os.dup(0), "rb")
        self._to = os.dup(1)
        void = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(void, fd)
        os.close(void)
        self.job: dict[str, Any] = json.loads(self._from.readline())

    def receive(self) -> dict[str, Any] | None:
        """The next record from outside; None at the end."""
        line = self._from.readline()
        return json.loads(line) if line else None

    def send(self, record: dict[str, Any]) -> None:
        """One record to the outside."""
        data = ("\n" + self.job["nonce"] + json.dumps(record) + "\n").encode("ascii")
        while data:
            data = data[os.write(self._to, data) :]
