"""The index: passages nearest in meaning to a query, exactly (faiss inner product, flat).

Opened once, read by many threads. A reader sees one whole version of the index for as long
as it is open, whatever a builder does meanwhile.

What this does not do: build (see `build.py`), judge whether the passages hold an answer, or
read passages for anything but their text: they are data.
"""

import asyncio
import hashlib
import json
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from router.errors import KnowledgeError
from router.knowledge.chunks import Chunk
from router.knowledge.storage import (
    PASSAGES,
    VECTORS,
    Manifest,
    StoredFile,
    current_version,
    read_manifest,
)
from router.state import Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["KnowledgeIndex", "TextEncoder", "load_chunks", "load_vectors"]

_RETRIES = 5


class TextEncoder(Protocol):
    """What the index needs of an encoder: L2-normalised rows, and a name for them."""

    @property
    def dim(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> "NDArray[np.float32]": ...


class KnowledgeIndex:
    """One open version. Use `open`; close it, or use it as a context manager."""

    def __init__(self, path: Path, version: Path, encoder: TextEncoder) -> None:
        import faiss

        self.path = path
        self.manifest = read_manifest(version)
        _check_encoder(path, self.manifest, encoder)
        self._encoder = encoder
        self._lines = _Lines(version / PASSAGES, self.manifest)
        flat = faiss.IndexFlatIP(self.manifest.dim)
        flat.add(load_vectors(version, self.manifest))
        self._faiss: Any = flat

    @classmethod
    def open(cls, path: Path, encoder: TextEncoder) -> "KnowledgeIndex":
        """The version in use at `path`; KnowledgeError says what is wrong with it."""
        for _ in range(_RETRIES):
            version = current_version(path)
            try:
                return cls(path, version, encoder)
            except KnowledgeError:
                # A builder may have switched, and dropped this version, in between.
                if current_version(path) == version:
                    raise
        raise KnowledgeError(f"the index at {path} changes faster than it can be opened")

    @property
    def size(self) -> int:
        """How many passages there are."""
        return self.manifest.n

    @property
    def fingerprint(self) -> str:
        """Changes whenever the encoder, the corpus or any byte of the index does."""
        return self.manifest.fingerprint

    def search(self, query: str, k: int = 5) -> tuple[Passage, ...]:
        """The `k` nearest passages, best first; `score` is the cosine. Blank: none."""
        flat = self._faiss
        if flat is None:
            raise KnowledgeError(f"the index at {self.path} is closed")
        if not query.strip() or k < 1:
            return ()
        scores, rows = flat.search(self._encoder.encode([query]), min(k, self.size))
        return tuple(
            self._passage(int(row), float(score))
            for row, score in zip(rows[0], scores[0], strict=True)
        )

    async def asearch(self, query: str, k: int = 5) -> tuple[Passage, ...]:
        """`search` in a thread, so that an event loop is never held up."""
        return await asyncio.to_thread(self.search, query, k)

    def close(self) -> None:
        """Let go of memory and files; a second call does nothing."""
        self._faiss = None
        self._lines.close()

    def __enter__(self) -> "KnowledgeIndex":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _passage(self, row: int, score: float) -> Passage:
        chunk = self._lines.chunk(row)
        return Passage(source=chunk.source, title=chunk.title, text=chunk.text, score=score)


def load_vectors(version: Path, manifest: Manifest) -> "NDArray[np.float32]":
    """The version's rows, checked against the manifest."""
    import numpy as np

    file = version / VECTORS
    data = _mapped(file)
    _check(file, data, manifest)
    if len(data) != manifest.n * manifest.dim * 4:
        raise _damaged(file)
    return np.frombuffer(data, dtype="<f4").reshape(manifest.n, manifest.dim)


def load_chunks(version: Path, manifest: Manifest) -> tuple[Chunk, ...]:
    """All passages of a version, in row order, checked against the manifest."""
    lines = _Lines(version / PASSAGES, manifest)
    try:
        return tuple(lines.chunk(row) for row in range(manifest.n))
    finally:
        lines.close()


class _Lines:
    """A JSON Lines file, mapped into memory: a passage is parsed when it is found."""

    def __init__(self, file: Path, manifest: Manifest) -> None:
        import numpy as np

        self._file = file
        self._map = _mapped(file)
        _check(file, self._map, manifest)
        ends = np.flatnonzero(np.frombuffer(self._map, dtype=np.uint8) == ord("\n"))
        if len(ends) != manifest.n:
            raise _damaged(file)
        self._ends: list[int] = ends.tolist()

    def chunk(self, row: int) -> Chunk:
        start = self._ends[row - 1] + 1 if row else 0
        try:
            return Chunk(*json.loads(self._map[start : self._ends[row]]))
        except (ValueError, TypeError) as error:
            raise _damaged(self._file) from error

    def close(self) -> None:
        self._map.close()


def _mapped(file: Path) -> mmap.mmap:
    """The file in memory: it stays readable even where a builder removes it."""
    try:
        with file.open("rb") as handle:
            return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise KnowledgeError(
            f"the index file {file} cannot be read ({error.strerror}): run `ockham index build`"
        ) from error
    except ValueError as error:  # an empty file cannot be mapped
        raise _damaged(file) from error


def _check(file: Path, data: mmap.mmap, manifest: Manifest) -> None:
    """KnowledgeError unless these are the bytes that the manifest tells of."""
    found = StoredFile(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    if found != manifest.files.get(file.name):
        raise _damaged(file)


def _damaged(file: Path) -> KnowledgeError:
    return KnowledgeError(
        f"the index file {file} is damaged or cut short: run `ockham index build`"
    )


def _check_encoder(path: Path, manifest: Manifest, encoder: TextEncoder) -> None:
    if manifest.encoder != encoder.fingerprint:
        raise KnowledgeError(
            f"the index at {path} was built with {manifest.encoder}, the configuration says "
            f"{encoder.fingerprint} (setting `signals.encoder`): run `ockham index build`"
        )
