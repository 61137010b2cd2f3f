"""Long texts in pieces that the encoder can read whole.

The encoder reads 256 word pieces, about 1,000 characters of English; what an ask needs often
stands at the very start or the very end of a long text ("Summarise the following: ...",
"... What is the total?"). A long text is read as its head, its tail and its middle, weighted;
a short one as it is. Characters outside the Latin blocks count threefold: the vocabulary
spells them out.

What this does not do: look for the ask inside (`wrappers` does), read every paragraph.
"""

from typing import NamedTuple

__all__ = ["Segment", "segments"]

MAX_UNITS = 1_000
_PIECE_UNITS = 800
_READ = 6_000
_ENDS, _MIDDLE = 0.4, 0.2
_LAST_LATIN = 0x2FF


class Segment(NamedTuple):
    """A stretch of the text; the weights of a text's segments sum to one."""

    text: str
    weight: float


def segments(text: str) -> tuple[Segment, ...]:
    """One segment, or the two ends, or both ends and the middle."""
    text = text.strip()
    probe = text[:_READ]
    units = sum(3 if ord(char) > _LAST_LATIN else 1 for char in probe)
    if units <= MAX_UNITS:
        return (Segment(text, 1.0),)
    size = _PIECE_UNITS * len(probe) // units
    if len(text) <= 2 * size:
        return (Segment(text[:size], 0.5), Segment(text[-size:], 0.5))
    middle = len(text) // 2
    return (
        Segment(text[:size], _ENDS),
        Segment(text[-size:], _ENDS),
        Segment(text[middle - size // 2 : middle + size // 2], _MIDDLE),
    )
