"""Is a sentence aimed at the router? A linear model on hashed pieces of words.

Features are the n-grams of 2 to 6 characters of the lower-cased sentence with its digits made
equal, and its words, pairs and triples of words; each is hashed into one of `BUCKETS`
(Weinberger et al., arXiv 0902.2206) and counts once, and the row is L2-normalised. Weights are
8-bit integers with one scale. Pieces of words carry over to inflections, typing errors and
languages that set no spaces.

`eval/fit/aimed.py` fits it on sentences written for this project (`ockham signals steering`).
What it does not know: what the sentence stands beside (`router.signals.steering` does).
"""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from router.errors import SetupError

__all__ = ["AIMED_PATH", "BUCKETS", "LONGEST", "Aimed", "buckets", "load_aimed"]

FORMAT = 1
BUCKETS = 2**16
LONGEST = 300
"""Characters read of a sentence: no written one is longer, and the time is bounded."""
_CHARS = range(2, 7)
_WORDS = (1, 2, 3)
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(40)
AIMED_PATH = Path(__file__).with_name("aimed.json")
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"\w+|[^\w\s]")


def buckets(sentence: str) -> NDArray[np.int64]:
    """The buckets of a sentence's pieces, each once, in rising order."""
    words = _DIGIT.sub("0", sentence[:LONGEST].lower()).split()
    text = f" {' '.join(words)} "
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    found = [_of_chars(codes, n) for n in _CHARS if len(codes) >= n]
    tokens = _WORD.findall(text)
    raw = [
        zlib.crc32(" ".join(tokens[i : i + n]).encode("utf-8", "replace")) % BUCKETS
        for n in _WORDS
        for i in range(len(tokens) - n + 1)
    ]
    return np.unique(np.concatenate([*found, np.array(raw, dtype=np.int64)]))


def _of_chars(codes: NDArray[np.uint64], n: int) -> NDArray[np.int64]:
    """Multiplicative hashes of all windows of n characters."""
    count = len(codes) - n + 1
    mixed = np.full(count, n, dtype=np.uint64)
    for i in range(n):
        mixed = (mixed ^ codes[i : i + count]) * _FACTOR  # wraps, as it should
    return ((mixed >> _SHIFT) % np.uint64(BUCKETS)).astype(np.int64)


class Aimed(NamedTuple):
    """The fitted model; `stamp` says on what."""

    weights: NDArray[np.int8]
    """(BUCKETS,)"""
    scale: float
    bias: float
    stamp: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """8 hex digits: equal prints, equal words on every sentence."""
        text = self.weights.tobytes() + repr((self.scale, self.bias)).encode()
        return hashlib.sha256(text).hexdigest()[:8]

    def probability(self, sentences: Sequence[str]) -> NDArray[np.float64]:
        """(n,) how likely each is aimed at the router; an empty one is not."""
        return np.array([self._one(s) for s in sentences], dtype=np.float64)

    def _one(self, sentence: str) -> float:
        if not sentence.strip():
            return 0.0
        found = buckets(sentence)
        total = float(self.weights[found].sum(dtype=np.int64))
        return float(1 / (1 + np.exp(-(self.bias + self.scale * total / np.sqrt(len(found))))))

    def to_json(self) -> str:
        """What `load_aimed` reads."""
        body = {
            "format": FORMAT,
            "stamp": dict(self.stamp),
            "scale": self.scale,
            "bias": self.bias,
            "weights": base64.b64encode(zlib.compress(self.weights.tobytes(), 9)).decode(),
        }
        return json.dumps(body, indent=1) + "\n"


@cache
def load_aimed(path: Path = AIMED_PATH) -> Aimed:
    """The packaged model, or one of your own.

    Raises:
        SetupError: the file is missing, damaged or of another format.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        raw = zlib.decompress(base64.b64decode(body["weights"]))
        weights = np.frombuffer(raw, dtype=np.int8)
        if body["format"] != FORMAT or len(weights) != BUCKETS:
            raise ValueError("another format")
        return Aimed(weights, float(body["scale"]), float(body["bias"]), body["stamp"])
    except (OSError, ValueError, KeyError, TypeError, zlib.error) as error:
        raise SetupError(
            f"{path.name} cannot be read ({error}): run `ockham signals steering`"
        ) from error
