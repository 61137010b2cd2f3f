"""Text that is hardly a question: empty, encoded, noise. It gets signals, but no confidence.

Each rule reads at most `MAX_CHARS` characters and is linear in them. What this does not do:
tell nonsense that is made of words from sense.
"""

import re
import unicodedata
from collections import Counter

__all__ = ["oddness"]

MAX_CHARS = 20_000
_CONTROL = ("Cc", "Co", "Cn", "Cs")
_CONTROL_SHARE = 0.02
_ENCODED = re.compile(r"[A-Za-z0-9+/=_-]{120,}|(?:[0-9a-fA-F]{2}[\s:]?){80,}")
_ENCODED_SHARE = 0.5
_SCRIPTS, _SCRIPT_SHARE = 3, 0.15
_LONG, _VARIETY = 400, 0.02
_GRAM = 6


def oddness(text: str) -> str | None:
    """Why a text is odd, in a word or two; None for ordinary text."""
    head = text[:MAX_CHARS]
    if not any(char.isalnum() for char in head):
        return "empty"
    controls = sum(
        c == "\ufffd" or (unicodedata.category(c) in _CONTROL and c not in "\n\r\t") for c in head
    )
    if controls > max(1, _CONTROL_SHARE * len(head)):
        return "control characters"
    if sum(len(m.group()) for m in _ENCODED.finditer(head)) > _ENCODED_SHARE * len(head):
        return "encoded data"
    if len(head) >= _LONG and _variety(head) < _VARIETY:
        return "repeated text"
    if _scripts(head) >= _SCRIPTS:
        return "mixed scripts"
    return None


def _variety(text: str) -> float:
    """Different stretches of six characters, as a share of all."""
    grams = [text[i : i + _GRAM] for i in range(0, len(text) - _GRAM, _GRAM // 2)]
    return len(set(grams)) / max(1, len(grams))


def _scripts(text: str) -> int:
    """How many scripts hold a good share of the letters (kana and Han count as one)."""
    letters = [c for c in text[:2_000] if c.isalpha()]
    counts = Counter(_script(c) for c in letters)
    return sum(n >= max(3, _SCRIPT_SHARE * len(letters)) for n in counts.values())


def _script(char: str) -> str:
    if char.isascii():
        return "LATIN"
    name = unicodedata.name(char, "UNKNOWN").split(" ")[0]
    return "CJK" if name in {"HIRAGANA", "KATAKANA", "HANGUL", "KATAKANA-HIRAGANA"} else name
