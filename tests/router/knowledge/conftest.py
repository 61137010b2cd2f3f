"""A fake encoder (a plain hashing function), a small corpus, and a folder of documents."""

import os
import re
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path

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


@pytest.fixture
def tagged_chunks() -> tuple[Chunk, ...]:
    """Thirty passages with metadata: kind odd or even, one with a quote in it."""
    made = []
    for i in range(30):
        meta = {"kind": "odd" if i % 2 else "even", "tens": str(i // 10)}
        if i == 3:
            meta["quote"] = 'a "b" \\ c'
        subject = "rivers" if i % 3 else "seas"
        made.append(Chunk(f"corpus/{i}", f"Title {i}", f"fact number {i} about {subject}", meta))
    return tuple(made)


LONG_AGO = 1_700_000_000


def age(root: Path) -> None:
    """As if nothing under `root` had changed for years: times of change are believed then."""
    for file in root.rglob("*"):
        os.utime(file, (LONG_AGO, LONG_AGO), follow_symlinks=False)


@pytest.fixture
def make_old() -> Callable[[Path], None]:
    return age


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """Four documents, last changed long ago."""
    root = tmp_path / "docs"
    (root / "sub").mkdir(parents=True)
    (root / "a.md").write_text("# Otters\nOtters swim in rivers.\n")
    (root / "b.txt").write_text("Bees make honey.\n")
    (root / "sub" / "c.csv").write_text("name,city\nAnn,Ulm\n")
    (root / "sub" / "d.jsonl").write_text('{"title": "Bats", "text": "Bats fly at night."}\n')
    age(root)
    return root


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"
