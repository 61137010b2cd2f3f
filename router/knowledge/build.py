"""Building the index: resumable, incremental, one builder at a time.

A text is embedded once: rows come from the version in use, from the shards of an interrupted
build, and only then from the encoder. Texts are embedded in order of length (padding is what
costs), a shard at a time, and each shard is on disk before the next begins. The new version
replaces the old in one step at the end.

What this does not do: read documents (see `collect.py`), or download anything.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from router.errors import KnowledgeError
from router.knowledge.chunks import KEY_BYTES, Chunk
from router.knowledge.index import TextEncoder
from router.knowledge.ledger import Entry
from router.knowledge.lock import builder_lock
from router.knowledge.passages import load_chunks, load_vectors
from router.knowledge.search_files import finish_version, is_searchable
from router.knowledge.shards import Shards
from router.knowledge.storage import (
    DOCUMENTS,
    PASSAGES,
    VECTORS,
    Manifest,
    current_version,
    free_bytes,
    new_version,
    read_manifest,
    remove_all,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["BuildReport", "Progress", "build_index", "build_locked"]

Progress = Callable[[int, int], None]
_SHARD = 1024
_SLACK_BYTES = 1 << 20


class BuildReport(NamedTuple):
    """What a build did. `changed` is False where the index was up to date."""

    chunks: int
    embedded: int
    reused: int
    seconds: float
    version: Path
    fingerprint: str
    changed: bool


def build_index(
    path: Path,
    encoder: TextEncoder,
    passages: Sequence[Chunk],
    corpus_fingerprint: str,
    progress: Progress | None = None,
    batch: int = _SHARD,
    *,
    force: bool = False,
) -> BuildReport:
    """Bring the index at `path` up to date with `passages`; `force` embeds all of them anew.

    `progress(done, total)` is called after every `batch` texts, which is also what an
    interrupted build may lose.
    """
    if not passages:  # before a folder is made for them
        raise KnowledgeError("there are no passages to index: the corpus is empty")
    with builder_lock(path):
        return build_locked(
            path, encoder, passages, corpus_fingerprint, progress, batch, force=force
        )


def build_locked(
    path: Path,
    encoder: TextEncoder,
    passages: Sequence[Chunk],
    corpus_fingerprint: str,
    progress: Progress | None = None,
    batch: int = _SHARD,
    *,
    entries: Sequence[Entry] = (),
    force: bool = False,
) -> BuildReport:
    """`build_index` for who holds the lock; `entries` tell which document has which rows."""
    if not passages:
        raise KnowledgeError("there are no passages to index: the corpus is empty")
    build = _Build(path, encoder, corpus_fingerprint, progress, batch, force)
    return build.run(passages, entries)


class _Build:
    """One build, under the lock."""

    def __init__(
        self,
        path: Path,
        encoder: TextEncoder,
        corpus: str,
        progress: Progress | None,
        batch: int,
        force: bool,
    ) -> None:
        self.path, self.encoder, self.corpus = path, encoder, corpus
        self.progress, self.batch, self.force = progress, max(1, batch), force
        self.shards = Shards(path, encoder.fingerprint)
        self.started = time.perf_counter()

    def run(self, passages: Sequence[Chunk], entries: Sequence[Entry]) -> BuildReport:
        old = _Old.read(self.path, self.encoder)
        self.shards.clean_others()
        remove_all(v for v in self.path.glob("v-*") if old is None or v != old.kept)
        if self.force:
            self.shards.remove()
        elif old and old.manifest and old.is_current(self.corpus, len(passages), bool(entries)):
            self.shards.remove()
            return self._report(len(passages), 0, old.kept, old.manifest, changed=False)
        rows = self._known(old)
        texts = {chunk.key: chunk.text for chunk in passages}
        missing = sorted(texts.keys() - rows.keys(), key=lambda key: (len(texts[key]), key))
        self._check_space(passages, len(missing))
        self._embed(missing, texts, rows)
        version = self._write(passages, rows, entries)
        self.shards.remove()
        return self._report(len(passages), len(missing), version, read_manifest(version))

    def _known(self, old: "_Old | None") -> "dict[bytes, NDArray[np.float32]]":
        rows = {} if self.force or old is None else old.rows()
        rows.update(self.shards.load(self.encoder.dim))
        return rows

    def _check_space(self, passages: Sequence[Chunk], missing: int) -> None:
        """Better to hear it now than after minutes of embedding."""
        row = 4 * self.encoder.dim
        text = sum(len(chunk.line) for chunk in passages)
        needed = missing * (row + KEY_BYTES) + len(passages) * row + text + _SLACK_BYTES
        free = free_bytes(self.path)
        if free < needed:
            raise KnowledgeError(
                f"not enough disk space for the index at {self.path}: it needs {needed:,} bytes, "
                f"{free:,} bytes are free; free some space, or choose another place with --path "
                "or OCKHAM_DATA_DIR, and run `ockham index build` again"
            )

    def _embed(
        self,
        missing: Sequence[bytes],
        texts: dict[bytes, str],
        rows: "dict[bytes, NDArray[np.float32]]",
    ) -> None:
        done, total = len(texts) - len(missing), len(texts)
        self._tell(done, total)
        for start in range(0, len(missing), self.batch):
            keys = missing[start : start + self.batch]
            embedded = self._encode([texts[key] for key in keys])
            self.shards.save(keys, embedded)
            rows.update(zip(keys, embedded, strict=True))
            done += len(keys)
            self._tell(done, total)

    def _encode(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        import numpy as np

        rows = np.ascontiguousarray(self.encoder.encode(texts), dtype=np.float32)
        if rows.shape != (len(texts), self.encoder.dim) or not np.isfinite(rows).all():
            raise KnowledgeError(
                f"the encoder {self.encoder.fingerprint} returned an unusable array of shape "
                f"{rows.shape} for {len(texts)} texts (setting `signals.encoder`)"
            )
        return rows

    def _write(
        self,
        passages: Sequence[Chunk],
        rows: "dict[bytes, NDArray[np.float32]]",
        entries: Sequence[Entry],
    ) -> Path:
        files: dict[str, Iterable[bytes]] = {
            PASSAGES: (chunk.line for chunk in passages),
            VECTORS: (rows[chunk.key].astype("<f4").tobytes() for chunk in passages),
        }
        if entries:
            files[DOCUMENTS] = (entry.line for entry in entries)
        shape = (len(passages), self.encoder.dim)
        return new_version(
            self.path, self.encoder.fingerprint, self.corpus, shape, files,
            lambda draft: finish_version(draft, passages, shape),
        )  # fmt: skip

    def _report(
        self, chunks: int, embedded: int, version: Path, manifest: Manifest, changed: bool = True
    ) -> BuildReport:
        seconds = time.perf_counter() - self.started
        return BuildReport(
            chunks, embedded, chunks - embedded, seconds, version, manifest.fingerprint, changed
        )

    def _tell(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(done, total)


class _Old(NamedTuple):
    """The version in use: kept until the switch, and mined for rows where it is sound."""

    kept: Path
    manifest: Manifest | None
    chunks: tuple[Chunk, ...] = ()
    vectors: "NDArray[np.float32] | None" = None

    @classmethod
    def read(cls, path: Path, encoder: TextEncoder) -> "_Old | None":
        try:
            version = current_version(path)
        except KnowledgeError:
            return None
        try:
            manifest = read_manifest(version)
            if manifest.encoder != encoder.fingerprint:
                return cls(version, None)
            vectors = load_vectors(version, manifest)
            return cls(version, manifest, load_chunks(version, manifest), vectors)
        except KnowledgeError:  # damaged: not believed, and replaced by this build
            return cls(version, None)

    def is_current(self, corpus: str, n: int, documents: bool) -> bool:
        if self.manifest is None or documents != (DOCUMENTS in self.manifest.files):
            return False
        same = (self.manifest.corpus, self.manifest.n) == (corpus, n)
        return same and is_searchable(self.kept, self.manifest)

    def rows(self) -> "dict[bytes, NDArray[np.float32]]":
        if self.vectors is None:
            return {}
        return {c.key: row for c, row in zip(self.chunks, self.vectors, strict=True)}
