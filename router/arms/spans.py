"""What a small reader may quote: the statements of a passage, word for word.

They are the values that its grammar allows for the quote, so that it points at what a passage
says and cannot make words up. A statement ends at a full stop, a semicolon or a line's end,
outside brackets; the end of a full line is where text was wrapped, and ends nothing. One that says
no more than the title ("China (Chinese).") is left out, as are the title before the first and the
marks around code: a small model copies the first words of a passage where it may.

What this does not do: choose one.
"""

import re
from functools import lru_cache

from router.arms.quoting import as_data
from router.state import Passage

__all__ = ["MAX_PASSAGE_CHARS", "spans"]

MAX_PASSAGE_CHARS = 900
"""Of a passage's text, as it is shown."""
MAX_SPAN_CHARS = 160
"""A longer statement is cut between words: a model that begins one must copy it to its end."""

WRAPPED_CHARS = 60
"""A line at least as long, that ends in the middle of a sentence, was wrapped."""

_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*$\n?", re.MULTILINE)
_WRAP = re.compile(rf"(?<=[^\n]{{{WRAPPED_CHARS}}})(?<![.;:!?])\n(?=[^\s\-*+>|#])")
_CLAUSE = re.compile(r"[,:)](?= )")
_END = re.compile(r"(?<=[.;])\s+(?![^()]*\))|\n+")
_ASIDE = re.compile(r"\([^()]*\)")
_WORD = re.compile(r"\w+")


def spans(passage: Passage) -> tuple[str, ...]:
    """The statements, in their order; of a passage that only repeats its title, all of it."""
    return _spans(passage.title, passage.text)


@lru_cache(maxsize=256)
def _spans(title: str, text: str) -> tuple[str, ...]:
    """Asked for each price, for the form and twice for the reply: made once."""
    shown = as_data(text)[:MAX_PASSAGE_CHARS]
    shown = shown.removeprefix(f"{as_data(title)}: ")
    shown = _WRAP.sub(" ", _FENCE.sub("", shown))
    found = [piece for part in _END.split(shown) for piece in _pieces(part.strip().rstrip(";"))]
    named = set(_WORD.findall(title.casefold()))
    telling = [s for s in found if set(_WORD.findall(_ASIDE.sub("", s).casefold())) - named]
    return tuple(dict.fromkeys(telling or found))


def _pieces(text: str) -> list[str]:
    pieces = []
    while len(text) > MAX_SPAN_CHARS:
        ends = [m.end() for m in _CLAUSE.finditer(text, MAX_SPAN_CHARS // 2, MAX_SPAN_CHARS)]
        cut = ends[-1] if ends else text.rfind(" ", 1, MAX_SPAN_CHARS)
        cut = cut if cut > 0 else MAX_SPAN_CHARS
        pieces.append(text[:cut].strip())
        text = text[cut:].strip()
    return [*pieces, text] if text else pieces
