"""Chunks: what is embedded, found and shown; and cutting long text into them.

A chunk reads on its own: its text starts with its subject. Cuts follow structure: first the
segments a source hands over, then sentences and clauses, and words only where nothing else
is short enough.

What this does not do: tokenise. `word_pieces` is a cheap estimate that leans high, so that
a chunk stays inside the 256 word pieces that MiniLM-class encoders read.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b, sha256
from math import ceil
from typing import NamedTuple

__all__ = ["KEY_BYTES", "MAX_CHARS", "MAX_PIECES", "Chunk", "content_digest", "pack", "word_pieces"]

MAX_CHARS = 450
MAX_PIECES = 150
"""Well inside what the encoder reads: a short passage has one subject, so it is found more
often, and a small reader is not lost in it."""
KEY_BYTES = 16

_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_CLAUSE = re.compile(r"(?<=[.;!?])\s+")


class Chunk(NamedTuple):
    """One piece of the corpus; `source` is stable from build to build."""

    source: str
    title: str
    text: str

    @property
    def key(self) -> bytes:
        """What its embedding depends on: the text, and nothing else."""
        return blake2b(self.text.encode(), digest_size=KEY_BYTES).digest()


def content_digest(chunks: Iterable[Chunk]) -> str:
    """Twelve hex digits that change whenever any source, title or text does."""
    digest = sha256()
    for chunk in chunks:
        digest.update("\0".join(chunk).encode() + b"\n")
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


def pack(prefix: str, segments: Sequence[str], joint: str = "; ") -> list[str]:
    """Segments joined into as few texts as fit, each of them starting with `prefix`."""
    texts: list[str] = []
    held: list[str] = []
    for segment in _short(segments, prefix):
        if held and not _fits(prefix + joint.join([*held, segment])):
            texts.append(prefix + joint.join(held))
            held = []
        held.append(segment)
    if held:
        texts.append(prefix + joint.join(held))
    return texts


def _fits(text: str) -> bool:
    return len(text) <= MAX_CHARS and word_pieces(text) <= MAX_PIECES


def _short(segments: Iterable[str], prefix: str) -> Iterator[str]:
    """Segments, the too long ones cut at sentences and clauses, then at words."""
    for segment in segments:
        if _fits(prefix + segment):
            yield segment
            continue
        for clause in _regroup(_CLAUSE.split(segment), prefix):
            yield from [clause] if _fits(prefix + clause) else _regroup(clause.split(), prefix)


def _regroup(parts: Sequence[str], prefix: str) -> Iterator[str]:
    held = ""
    for part in parts:
        wider = f"{held} {part}" if held else part
        if held and not _fits(prefix + wider):
            yield held
            held = part
        else:
            held = wider
    if held:
        yield held
