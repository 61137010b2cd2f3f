"""Hashed text: the words and pairs of words of a query, as numbers of buckets.

A row holds the bucket (0 to `BUCKETS` - 1) of every word and every pair of neighbouring
words, in order, repeats included, padded with -1: all that a bag-of-words model needs, in a
small dense array that a live decision and a replay of thousands of rows can share. What it
does not do: weigh (a policy that reads it brings its own inverse document frequencies).

The hash is CRC-32 of the lower-cased UTF-8 words, so it is the same on every machine
(feature hashing: Weinberger et al., arXiv 0902.2206).
"""

import itertools
import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["BUCKETS", "PADDING", "terms"]

BUCKETS = 2**18
PADDING = -1
WORDS_READ = 1024
_CHARS_READ = 20_000
_WORD = re.compile(r"\w+")


def terms(texts: Sequence[str]) -> NDArray[np.int32]:
    """(n, longest) buckets, -1 for padding; at least one column."""
    rows = [_row(text) for text in texts]
    out = np.full((len(rows), max(1, *map(len, rows), 1)), PADDING, dtype=np.int32)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def _row(text: str) -> list[int]:
    words = _WORD.findall(text[:_CHARS_READ].lower())[:WORDS_READ]
    raw = [w.encode("utf-8", "replace") for w in words]
    pairs = [a + b" " + b for a, b in itertools.pairwise(raw)]
    return [zlib.crc32(term) % BUCKETS for term in raw + pairs]
