"""A Python literal at the start of a text, for reading expected values out of prose.

What: numbers, strings, containers, `frozenset(...)`, inf and nan, also lower-case true,
false, null. What not: anything that would have to be computed; `ast.literal_eval` is the
only evaluator, on at most MAX_SPAN characters.
"""

import ast
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["MAX_SPAN", "closing", "literal"]

MAX_SPAN = 2000

_HEAD = re.compile(
    r"[-+]?(?:\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?j?|\.\d+)(?![\w.]*\w)|(?:True|False|None|true|false|null)\b"
    r"|-?(?:float\(['\"]-?(?:inf|nan)['\"]\)|(?:math\.)?(?:inf|nan)\b)|frozenset\(|set\(\)"
)
_SPECIAL: Mapping[str, Any] = {
    "true": True, "false": False, "null": None, "set()": set(),
    "inf": float("inf"), "nan": float("nan"), "-inf": float("-inf"), "-nan": float("nan"),
}  # fmt: skip


def literal(text: str) -> tuple[Any, int]:
    """The literal at the start of a text and its length; length 0 where there is none."""
    start = len(text) - len(text.lstrip(" \t"))
    body = text[start:]
    if body[:1] in tuple("([{\"'") or re.match(r"[bru]{1,2}['\"]", body):
        end = closing(body, 0)
    else:
        head = _HEAD.match(body)
        end = head.end() if head else 0
        if head and head.group().endswith("("):
            end = closing(body, end - 1)
    source = body[:end]
    special = re.sub(r"math\.|float\(['\"]|['\"]\)", "", source)
    if source in _SPECIAL or special in _SPECIAL:
        return _SPECIAL.get(source, _SPECIAL.get(special)), start + end
    return _evaluated(source, start + end)


def _evaluated(source: str, end: int) -> tuple[Any, int]:
    frozen = source.startswith("frozenset(")
    try:
        value = ast.literal_eval(
            source.removeprefix("frozenset(").removesuffix(")") if frozen else source
        )
        return (frozenset(value) if frozen else value), end
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None, 0


def closing(text: str, start: int) -> int:
    """The index after the bracket or string that opens at `start`; 0 where it does not close."""
    depth, at, stop = 0, start, min(len(text), start + MAX_SPAN)
    while at < stop:
        char = text[at]
        if char in "'\"":
            at = _string_end(text, at, stop)
            if not at:
                return 0
        else:
            depth += (char in "([{") - (char in ")]}")
            at += 1
        if depth == 0 and (char in ")]}'\"" or at > start + 3):
            return at
    return 0


def _string_end(text: str, start: int, stop: int) -> int:
    at = start + 1
    while at < stop and text[at] != "\n":
        if text[at] == "\\":
            at += 1
        elif text[at] == text[start]:
            return at + 1
        at += 1
    return 0
