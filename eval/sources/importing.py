"""One import, whatever it comes from: the public home, a mirror, normalised tables, a file."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from eval.sources.fetch import Fetched, Progress, fetch, from_mirror, sha256_of
from eval.sources.shared_tables import read_normalised
from eval.sources.source import Source, source, sources
from eval.sources.tables import read_table
from policies.outcome import OutcomeSet
from router.errors import InputError

__all__ = ["import_set"]


def import_set(
    name: str,
    mirror: Path | None = None,
    normalised: Path | None = None,
    file: Path | None = None,
    mapping: Mapping[str, str] | None = None,
    ignore: Iterable[str] = (),
    progress: Progress | None = None,
) -> OutcomeSet:
    """The set of a source (or of one's own file), not yet stored.

    Raises:
        InputError: more than one origin is given, or what it holds cannot be read.
        SetupError: the source's files cannot be had.
    """
    given = [way for way in (mirror, normalised, file) if way is not None]
    if len(given) > 1:
        raise InputError("give one of --mirror, --normalised and --file, not several")
    if file is None and (mapping or list(ignore)):
        raise InputError("--map and --ignore belong to --file")
    if file is not None:
        if name in sources():
            raise InputError(f"{name!r} is a public source: give your own table another name")
        data = read_table(file, name, mapping, ignore)
        return _about(data, form="file", checksums={file.name: sha256_of(file)})
    known = source(name)
    if normalised is not None:
        return read_normalised(normalised, known)
    if mirror is not None:
        return _published(known, from_mirror(known, mirror))
    return _published(known, fetch(known, progress))


def _published(known: Source, files: Fetched) -> OutcomeSet:
    data = known.parse(files.folder)
    return _about(
        data, form="published", checksums=files.checksums, absent_files=list(files.absent)
    )


def _about(data: OutcomeSet, **more: object) -> OutcomeSet:
    return replace(data, about={**data.about, **more})
