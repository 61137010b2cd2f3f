"""Passages that say the same are kept once in each collection: the first of them.

The same means: equal after Unicode's compatibility forms and white space; a long body also where
only the path above it differs (the same licence, installation or boilerplate in many files).

What this does not do: find near duplicates. Two versions of a page are two pages.
"""

import unicodedata
from collections.abc import Sequence
from hashlib import blake2b

from router.knowledge.chunks import Chunk

__all__ = ["Unique"]

_LONG_BODY = 200
"""From here on a body speaks for itself; "Default: none" under two headings is two facts."""


class Unique:
    """The passages so far, without duplicates."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self._seen: set[bytes] = set()

    def add(self, chunks: Sequence[Chunk], collection: str) -> tuple[tuple[int, Chunk], ...]:
        """Take them into `collection`; returns those that were there, with their places."""
        duplicates = []
        for at, chunk in enumerate(chunks):
            ours = chunk._replace(meta={**chunk.meta, "collection": collection})
            key = _key(ours, collection)
            if key in self._seen:
                duplicates.append((at, ours))
            else:
                self._seen.add(key)
                self.chunks.append(ours)
        return tuple(duplicates)


def _key(chunk: Chunk, collection: str) -> bytes:
    body = chunk.text.removeprefix(f"{chunk.title}: ")
    said = body if len(body) >= _LONG_BODY else chunk.text
    plain = " ".join(unicodedata.normalize("NFKC", said).split())
    return blake2b(f"{collection}\0{plain}".encode(), digest_size=16).digest()
