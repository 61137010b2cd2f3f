"""A fake encoder (a plain hashing function) and a small corpus."""

import re
from collections.abc import Callable, Sequence
from hashlib import blake2b

import numpy as np
import pytest
from numpy.typing import NDArray

from router.knowledge.chunks import Chunk

DIM = 64


class FakeEncoder:
    """Sum of each word's own random signs, normalised; counts what it embeds. No meaning."""

    def __init__(self, name: str = "fake-1") -> None:
        self.fingerprint = name
        self.dim = DIM
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.seen += texts
        rows = np.full((len(texts), DIM), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                digest = blake2b(word.encode(), digest_size=DIM).digest()
                row += np.where(np.frombuffer(digest, dtype=np.uint8) > 127, 1, -1)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def make_chunks(n: int, word: str = "fact") -> tuple[Chunk, ...]:
    return tuple(Chunk(f"corpus/{i}", f"Title {i}", f"{word} number {i} é") for i in range(n))


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def chunks() -> tuple[Chunk, ...]:
    return make_chunks(50)


@pytest.fixture
def new_encoder() -> type[FakeEncoder]:
    return FakeEncoder


@pytest.fixture
def new_chunks() -> Callable[..., tuple[Chunk, ...]]:
    return make_chunks
