"""`where` of a search as an expression of Milvus's.

Names and values become quoted literals, so that none of them is read as an expression. A
beginning of a source is a range of texts: `like` has signs of its own.
"""

import json
import sys
from collections.abc import Iterable

from router.knowledge.filters import Where, checked

__all__ = ["expression"]

_SURROGATES = range(0xD800, 0xE000)


def expression(where: Where | None) -> str | None:
    """The condition; "" where everything matches, None where nothing can."""
    parts = []
    for name, values in checked(where).items():
        if not values:
            return None
        if name == "source":
            if "" not in values:  # every source starts with it
                parts.append(_any(_starting(value) for value in values))
        else:
            parts.append(_any(f"meta[{_quoted(name)}] == {_quoted(v)}" for v in values))
    return " and ".join(parts)


def _any(conditions: Iterable[str]) -> str:
    return "(" + " or ".join(conditions) + ")"


def _starting(prefix: str) -> str:
    after = _after(prefix)
    least = f"source >= {_quoted(prefix)}"
    return f"({least} and source < {_quoted(after)})" if after else f"({least})"


def _after(prefix: str) -> str:
    """The first text after all that start with `prefix`; "" where there is none."""
    held = prefix.rstrip(chr(sys.maxunicode))
    if not held:
        return ""
    code = ord(held[-1]) + 1
    return held[:-1] + chr(_SURROGATES.stop if code in _SURROGATES else code)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
