"""The index: passages that a query's words or its meaning find, and both fused.

    dense     nearest in meaning (see `dense.py`); `score` is the cosine
    lexical   BM25 over the query's words (see `lexical.py`); `score` is its sum
    hybrid    both rankings fused (see `fusion.py`); `score` is the fused one, or the
              cross-encoder's where one is set (see `rerank.py`)

Opened once, read by many threads. A reader sees one whole version of the index for as long
as it is open, whatever a builder does meanwhile.

What this does not do: build (see `build.py`), judge whether the passages hold an answer, or
read passages for anything but their text: they are data.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, get_args

from router.errors import InputError, KnowledgeError
from router.knowledge.dense import Dense
from router.knowledge.filters import Filters, Where
from router.knowledge.fusion import DEPTH, fuse_hybrid
from router.knowledge.lexical import Lexical
from router.knowledge.mapped import check_quickly
from router.knowledge.naming import names_in
from router.knowledge.passages import Lines, map_vectors
from router.knowledge.rerank import RERANKED, Reranker, reranked
from router.knowledge.search_files import read_facts
from router.knowledge.storage import Manifest, current_version, read_manifest
from router.state import Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["KnowledgeIndex", "Mode", "TextEncoder"]

Mode = Literal["hybrid", "dense", "lexical"]
_RETRIES = 5


class TextEncoder(Protocol):
    """What the index needs of an encoder: L2-normalised rows, and a name for them."""

    @property
    def dim(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> "NDArray[np.float32]": ...


class _Found(NamedTuple):
    """A row, what it was ranked by, and its parts."""

    row: int
    score: float
    dense: float | None
    lexical: float | None


class _Files(NamedTuple):
    """All that is open of a version."""

    lines: Lines
    dense: Dense
    lexical: Lexical
    filters: Filters


class KnowledgeIndex:
    """One open version. Use `open`; close it, or use it as a context manager."""

    def __init__(
        self, path: Path, version: Path, encoder: TextEncoder, reranker: Reranker | None = None
    ) -> None:
        self.path = path
        self.manifest = read_manifest(version)
        _check_encoder(path, self.manifest, encoder)
        facts = read_facts(version, self.manifest)
        check_quickly(version, self.manifest, facts.samples)
        self._encoder, self._reranker = encoder, reranker
        self._files: _Files | None = _Files(
            Lines(version, self.manifest),
            Dense(version, map_vectors(version, self.manifest), facts.dense),
            Lexical(version, self.manifest.n),
            Filters(version),
        )

    @classmethod
    def open(
        cls, path: Path, encoder: TextEncoder, reranker: Reranker | None = None
    ) -> "KnowledgeIndex":
        """The version in use at `path`; KnowledgeError says what is wrong with it."""
        for _ in range(_RETRIES):
            version = current_version(path)
            try:
                return cls(path, version, encoder, reranker)
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

    def search(
        self, query: str, k: int = 5, *, where: Where | None = None, mode: Mode = "hybrid"
    ) -> tuple[Passage, ...]:
        """The `k` best passages (of those that match `where`), best first. Blank: none."""
        files = self._files
        if files is None:
            raise KnowledgeError(f"the index at {self.path} is closed")
        if mode not in get_args(Mode):
            raise InputError(f"search mode {mode!r}: one of {', '.join(get_args(Mode))}")
        if not query.strip() or k < 1:
            return ()
        allowed = files.filters.rows(where)
        if allowed is not None and not len(allowed):
            return ()
        k = min(k, self.size)
        if mode == "lexical":
            rows, scores = files.lexical.search(query, k, allowed)
            pairs = zip(rows.tolist(), scores.tolist(), strict=True)
            return _passages(files.lines, [_Found(r, s, None, s) for r, s in pairs])
        vector = self._encoder.encode([query])[0]
        if mode == "dense":
            rows, scores = files.dense.search(vector, k, allowed)
            pairs = zip(rows.tolist(), scores.tolist(), strict=True)
            return _passages(files.lines, [_Found(r, s, s, None) for r, s in pairs])
        found = self._fused(files, query, vector, k, allowed)
        return reranked(self._reranker, query, _passages(files.lines, found))[:k]

    async def asearch(
        self, query: str, k: int = 5, *, where: Where | None = None, mode: Mode = "hybrid"
    ) -> tuple[Passage, ...]:
        """`search` in a thread, so that an event loop is never held up."""
        return await asyncio.to_thread(self.search, query, k, where=where, mode=mode)

    def close(self) -> None:
        """Let go of memory and files; a second call does nothing."""
        files, self._files = self._files, None
        if files is not None:
            files.lines.close()

    def __enter__(self) -> "KnowledgeIndex":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fused(
        self,
        files: _Files,
        query: str,
        vector: "NDArray[np.float32]",
        k: int,
        allowed: "NDArray[np.int32] | None",
    ) -> list[_Found]:
        import numpy as np

        depth = max(DEPTH, 2 * k)
        near, _ = files.dense.search(vector, depth, allowed)
        said, _ = files.lexical.search(query, depth, allowed)
        wanted = k if self._reranker is None else max(k, RERANKED)
        pool = np.union1d(near, said).astype(np.int32)
        meant = dict(zip(pool.tolist(), files.dense.scores(vector, pool).tolist(), strict=True))
        shares = files.lexical.shares(names_in(query), pool).tolist()
        named = dict(zip(pool.tolist(), shares, strict=True))
        held = dict(zip(said.tolist(), files.lexical.coverage(query, said).tolist(), strict=True))
        fused = fuse_hybrid(meant, held, named)[:wanted]
        rows = np.array([row for row, _ in fused], dtype=np.int32)
        bm25 = files.lexical.scores(query, rows).tolist()
        return [
            _Found(row, score, meant[row], words)
            for (row, score), words in zip(fused, bm25, strict=True)
        ]


def _passages(lines: Lines, found: Sequence[_Found]) -> tuple[Passage, ...]:
    return tuple(
        Passage(
            **lines.chunk(one.row)._asdict(),
            score=one.score,
            dense=one.dense,
            lexical=one.lexical,
        )
        for one in found
    )


def _check_encoder(path: Path, manifest: Manifest, encoder: TextEncoder) -> None:
    if manifest.encoder != encoder.fingerprint:
        raise KnowledgeError(
            f"the index at {path} was built with {manifest.encoder}, the configuration says "
            f"{encoder.fingerprint} (setting `signals.encoder`): run `ockham index build`"
        )
