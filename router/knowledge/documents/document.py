"""What a reader hands over: a document as sections of blocks, each with its place.

A section is what stands under one heading (or one definition, record or page); a block is what
should not be torn where it fits: a paragraph, a list item, a code fence, a table row.

What this does not do: read files (see `read.py`), or make passages (see `passages.py`).
"""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_PASSAGES",
    "MAX_TEXT_BYTES",
    "Block",
    "Document",
    "Empty",
    "Section",
    "Unreadable",
]

MAX_FILE_BYTES = 500_000_000
"""No file this large is opened: whatever it is, it is not documentation."""
MAX_TEXT_BYTES = 64_000_000
"""Text that is read whole, or that a converter may make of one file: some 20,000 pages."""
MAX_PASSAGES = 200_000
"""Of one document: the embedding of more would take hours on a laptop."""


class Unreadable(Exception):
    """One document cannot be read; the message is the reason, in words for its owner."""


class Empty(Unreadable):
    """There is nothing in it: no fault of the document's, and no passages."""


class Block(NamedTuple):
    """A piece of text; `first` and `last` are its lines (from 1), 0 where lines mean nothing."""

    text: str
    first: int = 0
    last: int = 0


class Section(NamedTuple):
    """Blocks under one heading.

    `trail` leads to it from the top ("Guide", "Scripts"); `place` is what a citation adds to the
    document's name ("p3", "row12"; empty: the last of the trail, or the lines); `joint` is what
    stands between blocks; `meta` is what this section adds to the document's.
    """

    trail: tuple[str, ...]
    blocks: tuple[Block, ...]
    place: str = ""
    joint: str = "\n\n"
    meta: Mapping[str, str] = {}


class Document(NamedTuple):
    """One readable document; `note` says what in it could not be read."""

    kind: str
    title: str
    sections: tuple[Section, ...]
    note: str = ""
