"""Chunks: what is embedded, found and shown; and cutting long text into them.

A chunk reads on its own: its text starts with its subject. Cuts follow structure: first the
segments a source hands over, then sentences and clauses, and words only where nothing else
is short enough.

What this does not do: tokenise. `word_pieces` is a cheap estimate that leans high, so that
a chunk stays inside the 256 word pieces that MiniLM-class encoders read.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b, sha256
from math import ceil
from typing import NamedTuple

__all__ = [
    "FACT",
    "KEY_BYTES",
    "MAX_CHARS",
    "MAX_PIECES",
    "Chunk",
    "Limits",
    "content_digest",
    "cut",
    "fits",
    "pack",
    "word_pieces",
]

MAX_CHARS = 450
MAX_PIECES = 150
"""Well inside what the encoder reads: a short passage has one subject, so it is found more
often, and a small reader is not lost in it."""
KEY_BYTES = 16


class Limits(NamedTuple):
    """How long one text may be, in characters and in estimated word pieces."""

    chars: int
    pieces: int


FACT = Limits(MAX_CHARS, MAX_PIECES)
"""For texts that state one fact."""

_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_CLAUSE = re.compile(r"(?<=[.;!?])\s+")


class Chunk(NamedTuple):
    """One piece of the corpus; `source` is stable from build to build.

    `meta` is what a search may filter by: collection, kind, section, and what a source adds.
    """

    source: str
    title: str
    text: str
    meta: Mapping[str, str] = {}

    @property
    def line(self) -> bytes:
        """Its line of a JSON Lines file; equal chunks, equal bytes."""
        row = [self.source, self.title, self.text, dict(sorted(self.meta.items()))]
        return json.dumps(row, ensure_ascii=False).encode(errors="replace") + b"\n"

    @property
    def key(self) -> bytes:
        """What its embedding depends on: the text, and nothing else."""
        return blake2b(self.text.encode(), digest_size=KEY_BYTES).digest()


def content_digest(chunks: Iterable[Chunk]) -> str:
    """Twelve hex digits that change whenever any source, title, text or meta does."""
    digest = sha256()
    for chunk in chunks:
        digest.update(chunk.line)
    return digest.hexdigest()[:12]


def word_pieces(text: str) -> int:
    """About how many word pieces an encoder makes of `text`; rather too many than too few."""
    count = 0
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token.isdigit():
            count += ceil(len(token) / 2)
        elif token.islower():
            count += 1 if len(token) <= 8 else 2
        else:  # names: rare words break into more pieces
            count += ceil(len(token) / 4)
    return count


def pack(
    prefix: str, segments: Sequence[str], joint: str = "; ", limits: Limits = FACT
) -> list[str]:
    """Segments joined into as few texts as fit, each of them starting with `prefix`."""
    texts: list[str] = []
    held: list[str] = []
    for segment in (piece for whole in segments for piece in cut(whole, prefix, limits)):
        if held and not fits(prefix + joint.join([*held, segment]), limits):
            texts.append(prefix + joint.join(held))
            held = []
        held.append(segment)
    if held:
        texts.append(prefix + joint.join(held))
    return texts


def fits(text: str, limits: Limits = FACT) -> bool:
    """Is `text` short enough for one passage?"""
    return len(text) <= limits.chars and word_pieces(text) <= limits.pieces


def cut(segment: str, prefix: str, limits: Limits = FACT) -> Iterator[str]:
    """The segment whole where it fits; else cut at sentences and clauses, then words, then
    anywhere (a line of base64 has no words)."""
    if fits(prefix + segment, limits):
        yield segment
        return
    for clause in _regroup(_CLAUSE.split(segment), prefix, limits):
        if fits(prefix + clause, limits):
            yield clause
        else:
            yield from _regroup(_words(clause, limits), prefix, limits)


def _words(clause: str, limits: Limits) -> list[str]:
    most = max(1, limits.pieces // 2)
    return [w[i : i + most] for w in clause.split() for i in range(0, len(w), most)]


def _regroup(parts: Sequence[str], prefix: str, limits: Limits) -> Iterator[str]:
    """Parts joined by blanks while they fit; no token crosses a blank, so their pieces add up."""
    room = Limits(limits.chars - len(prefix), limits.pieces - word_pieces(prefix))
    held: list[str] = []
    chars = pieces = 0
    for part in parts:
        cost = word_pieces(part)
        if held and (chars + 1 + len(part) > room.chars or pieces + cost > room.pieces):
            yield " ".join(held)
            held, chars, pieces = [], -1, 0
        elif not held:
            chars = -1
        held.append(part)
        chars, pieces = chars + 1 + len(part), pieces + cost
    if held:
        yield " ".join(held)
