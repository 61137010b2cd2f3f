"""documents.jsonl of a version: which document has which passages, and what it was read from.

One line a document, in the order of the passages. A document's duplicates are kept with it, so
that its passages can be had again without reading it, whatever becomes of the other document.

What this does not do: read documents (see `collect.py`).
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from router.errors import KnowledgeError
from router.knowledge.chunks import Chunk
from router.knowledge.mapped import damaged
from router.knowledge.passages import load_chunks
from router.knowledge.storage import DOCUMENTS, Manifest, current_version, read_manifest

__all__ = ["Entry", "Known", "Status", "read_entries", "read_known"]

Status = Literal["ok", "kept", "failed", "empty"]
"""`kept`: it cannot be read now, and these are its passages of before; `reason` says why."""


class Entry(NamedTuple):
    """One document of one source, and its `rows` rows from `first` on."""

    source: str
    name: str
    size: int = 0
    mtime_ns: int = 0
    sha256: str = ""
    reader: int = 0
    status: Status = "ok"
    reason: str = ""
    first: int = 0
    rows: int = 0
    duplicates: Sequence[tuple[int, Chunk]] = ()
    """Passages that are in the index under another document, with their places in this one."""

    @property
    def passages(self) -> int:
        """How many it has, its duplicates among them."""
        return self.rows + len(self.duplicates)

    @property
    def line(self) -> bytes:
        """Its line of the file."""
        fields = self._asdict()
        fields["duplicates"] = [[at, *chunk[:3], dict(chunk.meta)] for at, chunk in self.duplicates]
        return json.dumps(fields, ensure_ascii=False).encode(errors="replace") + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> "Entry":
        """The entry of one line; ValueError, KeyError or TypeError where it is none."""
        fields = json.loads(line)
        told = [(int(row[0]), Chunk(*row[1:])) for row in fields.pop("duplicates")]
        return cls(**fields, duplicates=tuple(told))


class Known(NamedTuple):
    """A document of the version in use, and all its passages in their order."""

    entry: Entry
    chunks: tuple[Chunk, ...]


def read_entries(version: Path, manifest: Manifest) -> tuple[Entry, ...]:
    """The version's documents; none where it was built of bare passages."""
    if DOCUMENTS not in manifest.files:
        return ()
    file = version / DOCUMENTS
    try:
        return tuple(Entry.parse(line) for line in file.read_bytes().splitlines())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(file) from error


def read_known(path: Path) -> dict[tuple[str, str], Known]:
    """By source and name; empty where there is no sound version: then all is read again."""
    try:
        version = current_version(path)
        manifest = read_manifest(version)
        entries = read_entries(version, manifest)
        chunks = load_chunks(version, manifest) if entries else ()
    except KnowledgeError:
        return {}
    return {(e.source, e.name): Known(e, tuple(_all(e, chunks))) for e in entries}


def _all(entry: Entry, chunks: Sequence[Chunk]) -> Iterable[Chunk]:
    own = list(chunks[entry.first : entry.first + entry.rows])
    for at, chunk in entry.duplicates:
        own.insert(at, chunk)
    return own
