"""One value of a table, turned into what its column holds, or an error that names its place."""

import json
import math
from typing import Any

import polars as pl

from router.errors import InputError

__all__ = ["cell"]

_WORDS = {"true": True, "false": False}


def cell(raw: Any, column: str, kind: pl.DataType, where: str) -> Any:
    """The value; None for null, and for an empty cell of a CSV.

    A CSV gives texts only, so numbers and booleans are read from texts too.
    """
    if raw is None or raw == "":
        return None
    if isinstance(kind, pl.String):
        return _text(raw, where)
    if isinstance(kind, pl.Enum):
        return _choice(raw, kind, where)
    if isinstance(kind, pl.List):
        return _list(raw, where)
    if isinstance(kind, pl.Boolean):
        return _boolean(raw, where)
    number = _number(raw, where)
    if kind.is_integer():
        if number != int(number):
            raise InputError(f"{where}: {raw!r} is no whole number")
        return int(number)
    if column == "score" and not 0 <= number <= 1:
        raise InputError(f"{where}: score {raw!r} lies outside 0..1; divide it first")
    return number


def _text(raw: Any, where: str) -> str:
    text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, default=str)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(f"{where}: the text holds half a surrogate pair") from None
    return text


def _choice(raw: Any, kind: pl.Enum, where: str) -> str:
    allowed = kind.categories.to_list()
    if raw not in allowed:
        raise InputError(f"{where}: {raw!r} is none of {', '.join(allowed)}")
    return str(raw)


def _list(raw: Any, where: str) -> list[Any]:
    if isinstance(raw, str):  # a CSV's cell
        try:
            raw = json.loads(raw)
        except ValueError:
            raise InputError(f"{where}: a JSON list is expected") from None
    if not isinstance(raw, list):
        raise InputError(f"{where}: a list is expected, not {raw!r}")
    return raw


def _boolean(raw: Any, where: str) -> bool:
    value = _WORDS.get(str(raw).strip().lower())
    if value is None:
        raise InputError(f"{where}: {raw!r} is neither true nor false")
    return value


def _number(raw: Any, where: str) -> float:
    """A finite number; true and false are 1 and 0 (scores are often written so)."""
    word = _WORDS.get(str(raw).strip().lower())
    if word is not None:
        return float(word)
    try:
        number = float(raw)
    except (TypeError, ValueError):
        raise InputError(f"{where}: {raw!r} is no number") from None
    if not math.isfinite(number):
        raise InputError(f"{where}: {raw!r} is not finite; leave it empty")
    return number
