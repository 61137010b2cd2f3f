"""Adding and removing sources, and bringing the index up to date with them: one lock, one switch.

Order: read the documents; then write the list of sources; then embed; then switch. So nothing is
registered of which nothing could be read, and a build that is killed while it embeds is finished by
the next `ockham index build`.

What this does not do: read documents (see `collect.py`), embed or store (see `build.py`).
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from router.errors import InputError, KnowledgeError
from router.knowledge.build import BuildReport, Progress, build_locked
from router.knowledge.collect import Collected, SourceGone, collect
from router.knowledge.index import TextEncoder
from router.knowledge.ledger import Entry, read_known
from router.knowledge.lock import builder_lock
from router.knowledge.sources import (
    FACTBOOK,
    Source,
    find_source,
    read_sources,
    with_source,
    write_sources,
)
from router.knowledge.storage import current_version, read_manifest

__all__ = ["Options", "UpdateReport", "add_sources", "remove_source", "update"]

_SHOWN = 5


class Options(NamedTuple):
    """How an update is made; `told` hears each document, `progress` the embedding."""

    force: bool = False
    strict: bool = False
    told: Callable[[str], None] = lambda name: None
    progress: Progress | None = None
    batch: int = 1024


_PLAIN = Options()


class UpdateReport(NamedTuple):
    """What was built, and of which documents."""

    build: BuildReport
    collected: Collected

    @property
    def troubles(self) -> list[Entry]:
        """Documents that could not be read, or not all of it."""
        return [e for e in self.collected.entries if e.status != "empty" and e.reason]


def update(path: Path, encoder: TextEncoder, options: Options = _PLAIN) -> UpdateReport:
    """All registered sources, as they are now; with none registered, the Factbook."""
    with builder_lock(path):
        sources = read_sources(path) or (FACTBOOK,)
        return _built(path, encoder, sources, (), options)


def add_sources(
    path: Path, encoder: TextEncoder, new: Sequence[Source], options: Options = _PLAIN
) -> UpdateReport:
    """Register and build; nothing is registered where one of them holds nothing readable."""
    if not new:
        raise InputError("nothing to add: give a path, package:NAME or factbook")
    with builder_lock(path):
        if not options.force:
            _check_encoder(path, encoder)
        sources, named = read_sources(path), []
        for source in new:
            sources, added = with_source(sources, source)
            named.append(added)
        return _built(path, encoder, sources, named, options)


def remove_source(
    path: Path, encoder: TextEncoder, told: str, options: Options = _PLAIN
) -> UpdateReport:
    """Build without one source; the last one stays, as an index is never empty."""
    find_source(read_sources(path), told)  # before a folder is made for the lock
    with builder_lock(path):
        if not options.force:
            _check_encoder(path, encoder)
        sources = read_sources(path)
        gone = find_source(sources, told)
        left = [s for s in sources if s != gone]
        if not left:
            raise InputError(
                f"{gone.id} is the only source, and an index is never empty: add another one "
                f"first, or remove the folder {path}"
            )
        return _built(path, encoder, left, (), options)


def _built(
    path: Path,
    encoder: TextEncoder,
    sources: Sequence[Source],
    added: Sequence[Source],
    options: Options,
) -> UpdateReport:
    started = time.perf_counter()
    try:
        collected = collect(sources, read_known(path), options.told, again=options.force)
    except SourceGone as error:
        if error.source not in {source.id for source in added}:
            raise
        raise KnowledgeError(f"{error.why}: nothing is added") from error
    for source in added:
        _check_source(source, collected)
    _check(collected, options.strict)
    write_sources(path, sources)
    report = build_locked(
        path,
        encoder,
        collected.chunks,
        collected.fingerprint,
        options.progress,
        options.batch,
        entries=collected.entries,
        force=options.force,
    )
    seconds = time.perf_counter() - started
    return UpdateReport(report._replace(seconds=seconds), collected)


def _check_source(source: Source, collected: Collected) -> None:
    own = [e for e in collected.entries if e.source == source.id]
    if any(e.passages and e.status == "ok" for e in own):
        return
    where = source.place or source.id
    if not own:
        passed = ", ".join(f"{n} x {why}" for why, n in collected.skipped.most_common())
        raise KnowledgeError(
            f"there is no document in {where}: nothing is added"
            + (f" (passed over: {passed})" if passed else "")
        )
    raise KnowledgeError(f"no document of {where} can be read: nothing is added\n{_reasons(own)}")


def _check(collected: Collected, strict: bool) -> None:
    bad = [e for e in collected.entries if e.status in ("failed", "kept")]
    if not collected.chunks:
        raise KnowledgeError(f"no source holds a readable document\n{_reasons(bad)}")
    if strict and bad:
        raise KnowledgeError(
            f"{len(bad)} documents cannot be read, and --strict is set: nothing is changed\n"
            f"{_reasons(bad)}"
        )


def _reasons(entries: Sequence[Entry]) -> str:
    lines = [f"  {e.source}: {e.name}: {e.reason}" for e in entries[:_SHOWN]]
    more = len(entries) - len(lines)
    return "\n".join([*lines, f"  and {more} more"] if more > 0 else lines)


def _check_encoder(path: Path, encoder: TextEncoder) -> None:
    """Adding to an index of another encoder means embedding it all again: not unasked."""
    try:
        manifest = read_manifest(current_version(path))
    except KnowledgeError:
        return  # none, or not readable: there is nothing to be kept
    if manifest.encoder != encoder.fingerprint:
        raise KnowledgeError(
            f"the index at {path} was built with {manifest.encoder}, the configuration says "
            f"{encoder.fingerprint} (setting `signals.encoder`): run `ockham index build`, which "
            f"embeds its {manifest.n:,} passages again, or repeat this with --force"
        )
