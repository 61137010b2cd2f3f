"""All registered sources to passages; a document that has not changed is not read again.

Unchanged means: same size and time of change, or else the same SHA-256. A document that cannot be
read now keeps the passages it had, and is told of; one that is gone is removed. Passages that say
the same in the same collection are kept once.

What this does not do: embed, or write anything.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from router.errors import KnowledgeError
from router.knowledge import factbook
from router.knowledge.chunks import Chunk, content_digest
from router.knowledge.dedupe import Unique
from router.knowledge.documents.convert import Converter
from router.knowledge.documents.document import Empty, Unreadable
from router.knowledge.documents.package import find_package_files
from router.knowledge.documents.passages import document_chunks
from router.knowledge.documents.read import READER, check_size, read_document
from router.knowledge.documents.walk import Found, find_files
from router.knowledge.ledger import Entry, Known
from router.knowledge.sources import Source

__all__ = ["Collected", "SourceGone", "Told", "collect", "list_files"]

Told = Callable[[str], None]
_FRESH_NS = 2_000_000_000
"""A file that changed this shortly before it was read may change again within the same tick of
its file system's clock: its time is not believed."""


class Collected(NamedTuple):
    """Passages without duplicates, the documents they are of, and what happened to those."""

    chunks: tuple[Chunk, ...]
    entries: tuple[Entry, ...]
    fingerprint: str
    counts: Counter[str]
    skipped: Counter[str]


class SourceGone(KnowledgeError):
    """A source is not there, and the index has nothing of it that could be kept."""

    def __init__(self, source: str, why: str) -> None:
        super().__init__(
            f"{why} (source {source}: bring it back, or `ockham index remove {source}`)"
        )
        self.source, self.why = source, why


class _Read(NamedTuple):
    """One document; `how` is what the report counts it as."""

    entry: Entry
    chunks: Sequence[Chunk]
    how: str


def collect(
    sources: Sequence[Source],
    known: Mapping[tuple[str, str], Known],
    tell: Told = lambda name: None,
    *,
    again: bool = False,
) -> Collected:
    """Every document of every source, in order; `again` reads also what has not changed.

    KnowledgeError where a source is not there of which the index has nothing.
    """
    unique, entries = Unique(), []
    counts: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    prints: list[str] = []
    with Converter() as converter:
        for source in sources:
            before = {name: k for (owner, name), k in known.items() if owner == source.id}
            for read in _source(source, before, converter, skipped, prints, again):
                tell(f"{source.id}: {read.entry.name}")
                first = len(unique.chunks)
                duplicates = unique.add(read.chunks, source.group)
                rows = len(read.chunks) - len(duplicates)
                entries.append(read.entry._replace(first=first, rows=rows, duplicates=duplicates))
                counts[read.how] += 1
                counts["duplicates"] += len(duplicates)
    there = {(e.source, e.name) for e in entries}
    counts["removed"] = sum(1 for key in known if key not in there and known[key].chunks)
    chunks = tuple(unique.chunks)
    return Collected(chunks, tuple(entries), _print(chunks, entries, prints), counts, skipped)


def list_files(source: Source) -> Found:
    """The documents of a source of files; KnowledgeError where its place is gone."""
    if source.kind == "package":
        return find_package_files(source.place)
    return find_files(Path(source.place), source.include, source.exclude)


def _source(
    source: Source,
    before: Mapping[str, Known],
    converter: Converter,
    skipped: Counter[str],
    prints: list[str],
    again: bool,
) -> Iterator[_Read]:
    try:
        if source.kind == "factbook":
            corpus = factbook.load_factbook()
            if not source.collection:
                prints.append(corpus.fingerprint)
            yield from _countries(source, corpus.chunks, before)
            return
        found = list_files(source)
    except KnowledgeError as error:
        if not any(k.chunks for k in before.values()):
            raise SourceGone(source.id, str(error)) from error
        yield from (_kept(k, str(error)) for k in before.values() if k.chunks)
        return
    skipped.update(found.skipped)
    for name, file in found.files.items():
        yield _file(source, name, file, before.get(name), converter, again)


def _countries(
    source: Source, chunks: Sequence[Chunk], before: Mapping[str, Known]
) -> Iterator[_Read]:
    """The Factbook's documents are its countries."""
    documents: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        documents.setdefault(chunk.source.split("#")[0], []).append(chunk)
    for name, own in documents.items():
        entry = Entry(source.id, name, sha256=content_digest(own), reader=READER)
        old = before.get(name)
        same = old is not None and old.entry.sha256 == entry.sha256
        yield _Read(entry, own, "unchanged" if same else "read")


def _file(
    source: Source, name: str, file: Path, old: Known | None, converter: Converter, again: bool
) -> _Read:
    entry = Entry(source.id, name, reader=READER)
    try:
        entry = _stamped(entry, file, old)
        if old and not again and old.entry.status == "ok" and _same(old.entry, entry):
            return _Read(entry._replace(reason=old.entry.reason), old.chunks, "unchanged")
        document = read_document(file, Path(name).name, converter)
        chunks = document_chunks(document, _cited(source, name, file), {"document": name})
        return _Read(entry._replace(reason=document.note), chunks, "read")
    except Empty as error:
        return _Read(entry._replace(status="empty", reason=str(error)), (), "empty")
    except Unreadable as error:
        if old and old.chunks:
            return _kept(old, str(error))
        return _Read(entry._replace(status="failed", reason=str(error)), (), "failed")


def _stamped(entry: Entry, file: Path, old: Known | None) -> Entry:
    """With size, time and digest; the digest is taken over where size and time are the same."""
    try:
        stat = file.stat()
        check_size(stat.st_size)
        fresh = time.time_ns() - stat.st_mtime_ns < _FRESH_NS
        entry = entry._replace(size=stat.st_size, mtime_ns=0 if fresh else stat.st_mtime_ns)
        if old and entry.mtime_ns and old.entry[2:4] == entry[2:4]:
            return entry._replace(sha256=old.entry.sha256)
        with file.open("rb") as stream:
            return entry._replace(sha256=hashlib.file_digest(stream, "sha256").hexdigest())
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror or error}") from error


def _same(old: Entry, new: Entry) -> bool:
    return bool(old.sha256) and (old.sha256, old.reader) == (new.sha256, new.reader)


def _cited(source: Source, name: str, file: Path) -> str:
    """A file that is a source itself has the source's name."""
    return source.id if Path(source.place) == file else f"{source.id}/{name}"


def _kept(old: Known, reason: str) -> _Read:
    """Its stamp is emptied, so that it is read as soon as it can be."""
    entry = old.entry._replace(status="kept", reason=reason, size=0, mtime_ns=0, sha256="")
    return _Read(entry, old.chunks, "kept")


def _print(chunks: Sequence[Chunk], entries: Sequence[Entry], prints: Sequence[str]) -> str:
    """Changes with any passage, and with any document that could not be read."""
    told = [(e.source, e.name, e.status, e.reason) for e in entries if e.status != "ok" or e.reason]
    if len(prints) == len({e.source for e in entries}) == 1:
        return prints[0]  # the Factbook and nothing else
    digest = hashlib.sha256(f"{content_digest(chunks)}{told}".encode()).hexdigest()[:12]
    return f"documents-{digest}"
