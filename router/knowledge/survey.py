"""What an index holds and whether it is sound, without an encoder: `index list`, `index verify`.

What this does not do: repair. `ockham index build` does.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from router.errors import KnowledgeError
from router.knowledge.collect import list_files
from router.knowledge.ledger import Entry, read_entries
from router.knowledge.mapped import check_files
from router.knowledge.sources import Source, read_sources
from router.knowledge.storage import (
    MANIFEST,
    PASSAGES,
    VECTORS,
    Manifest,
    current_version,
    read_manifest,
)

__all__ = ["Soundness", "list_sources", "verify"]

_RETRIES = 5
_UNIT = 1e-3
"""How far a row's length may be from 1: rows are float32 of an encoder that normalises."""


class Soundness(NamedTuple):
    """`broken` is what a search would suffer from; `changed` is what a build would bring."""

    broken: list[str]
    changed: list[str]
    files: int
    passages: int
    documents: int


def list_sources(path: Path) -> list[dict[str, Any]]:
    """Each source with its documents; those that are registered and not built yet, or the other
    way round, say so."""
    sources = {s.id: s for s in read_sources(path)}
    try:
        version = current_version(path)
        entries = read_entries(version, read_manifest(version))
        built = datetime.fromtimestamp((version / MANIFEST).stat().st_mtime, UTC)
    except KnowledgeError:
        if not sources:
            raise
        entries, built = (), None
    owned = {e.source for e in entries}
    order = [*sources, *(name for name in dict.fromkeys(e.source for e in entries)
                         if name not in sources)]  # fmt: skip
    when = built.isoformat(timespec="seconds") if built else None
    return [
        _row(name, sources.get(name), [e for e in entries if e.source == name])
        | {"built": when if name in owned else None}
        for name in order
    ]


def _row(name: str, source: Source | None, entries: list[Entry]) -> dict[str, Any]:
    return {
        "source": name,
        "kind": source.kind if source else "removed with the next build",
        "place": source.place if source else "",
        "collection": source.group if source else "",
        "documents": sum(1 for e in entries if e.passages),
        "passages": sum(e.rows for e in entries),
        "duplicates": sum(len(e.duplicates) for e in entries),
        "unreadable": [
            {"document": e.name, "status": e.status, "reason": e.reason, "passages": e.passages}
            for e in entries
            if e.status in ("failed", "kept") or (e.reason and e.status == "ok")
        ],
    }


def verify(path: Path) -> Soundness:
    """Every file against its checksum, every passage against its row, every document against its
    file; KnowledgeError where there is no index to look at."""
    for _ in range(_RETRIES):
        version = current_version(path)
        found = _verify(path, version)
        if not found.broken or current_version(path) == version:
            return found
    return found  # pragma: no cover - a builder that switches faster than files are read


def _verify(path: Path, version: Path) -> Soundness:
    try:
        manifest = read_manifest(version)
    except KnowledgeError as error:
        return Soundness([str(error)], [], 0, 0, 0)
    broken = check_files(version, manifest)
    entries: tuple[Entry, ...] = ()
    if not broken:
        try:
            entries = read_entries(version, manifest)
            broken += _passages(version, manifest)
            broken += _rows(version, manifest)
            broken += _documents(entries, manifest)
        except (KnowledgeError, OSError, ValueError) as error:
            broken.append(str(error))
    changed = [line for source in read_sources(path) for line in _changes(source, entries)]
    return Soundness(broken, changed, len(manifest.files), manifest.n, len(entries))


def _passages(version: Path, manifest: Manifest) -> Iterator[str]:
    count = 0
    with (version / PASSAGES).open("rb") as stream:
        for count, line in enumerate(stream, start=1):
            row = json.loads(line)
            if [type(part) for part in row] != [str, str, str, dict]:
                yield f"{PASSAGES}: line {count} is no passage"
    if count != manifest.n:
        yield f"{PASSAGES}: {count:,} passages, the manifest says {manifest.n:,}"


def _rows(version: Path, manifest: Manifest) -> Iterator[str]:
    import numpy as np

    size = (version / VECTORS).stat().st_size
    if size != 4 * manifest.n * manifest.dim:
        yield f"{VECTORS}: {size:,} bytes are not {manifest.n:,} rows of {manifest.dim}"
        return
    rows = np.memmap(version / VECTORS, dtype="<f4", mode="r", shape=(manifest.n, manifest.dim))
    bad = int(np.sum(~(np.abs(np.linalg.norm(rows, axis=1) - 1) < _UNIT)))
    if bad:
        yield f"{VECTORS}: {bad:,} rows are not of length 1"


def _documents(entries: tuple[Entry, ...], manifest: Manifest) -> Iterator[str]:
    at = 0
    for entry in entries:
        if entry.first != at:
            yield f"{entry.source}: {entry.name}: begins at row {entry.first}, not {at}"
        at = entry.first + entry.rows
    if entries and at != manifest.n:
        yield f"the documents have {at:,} passages, the manifest says {manifest.n:,}"


def _changes(source: Source, entries: tuple[Entry, ...]) -> Iterator[str]:
    own = {e.name: e for e in entries if e.source == source.id}
    if not own:
        yield f"{source.id}: registered, and not built yet"
        return
    for entry in own.values():
        if entry.status == "kept":
            yield f"{source.id}: {entry.name}: {entry.reason}; its old passages are kept"
    if source.kind == "factbook":
        return
    try:
        files = list_files(source).files
    except KnowledgeError as error:
        yield f"{source.id}: {error}"
        return
    yield from (f"{source.id}: {name}: new" for name in files.keys() - own.keys())
    yield from (f"{source.id}: {name}: gone" for name in own.keys() - files.keys())
    for name in sorted(own.keys() & files.keys()):
        if own[name].status == "ok" and _differs(files[name], own[name]):
            yield f"{source.id}: {name}: changed"


def _differs(file: Path, entry: Entry) -> bool:
    try:
        stat = file.stat()
        if entry.mtime_ns and (stat.st_size, stat.st_mtime_ns) == (entry.size, entry.mtime_ns):
            return False
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() != entry.sha256
    except OSError:
        return True
