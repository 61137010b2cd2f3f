"""sources.json under the index's path: what the next build reads. The version in use is what has
been built of it; between `add` and the end of its build the two differ, and `index list` says so.

Without the file there is the Factbook where an index exists (it is what an index held before there
were sources), and nothing where none does.

What this does not do: read documents (see `collect.py`), or look at an address on a network.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from router.errors import InputError, KnowledgeError
from router.knowledge.storage import CURRENT, write_file

__all__ = ["FACTBOOK", "Source", "find_source", "read_sources", "source_of", "with_source",
           "write_sources"]  # fmt: skip

SOURCES = "sources.json"
_PACKAGE = "package:"


class Source(BaseModel):
    """Where documents come from. `id` begins the citations of its passages."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    kind: Literal["path", "package", "factbook"]
    place: str = ""
    collection: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The collection its passages belong to."""
        return self.collection or self.id


FACTBOOK = Source(id="cia-world-factbook", kind="factbook")


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal[1] = 1
    sources: tuple[Source, ...]


def read_sources(path: Path) -> tuple[Source, ...]:
    """The registered sources, in order."""
    file = path / SOURCES
    try:
        return _File.model_validate_json(file.read_bytes()).sources
    except FileNotFoundError:
        return (FACTBOOK,) if (path / CURRENT).exists() else ()
    except (OSError, ValidationError) as error:
        raise KnowledgeError(
            f"the list of sources {file} cannot be read or is damaged; remove the file and add "
            "the sources again: the index itself is not touched"
        ) from error


def write_sources(path: Path, sources: Sequence[Source]) -> None:
    """Replace the list, whole or not at all."""
    told = _File(sources=tuple(sources)).model_dump_json(indent=1)
    write_file(path / SOURCES, [told.encode() + b"\n"])


def source_of(
    place: str, collection: str = "", include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Source:
    """The source that `ockham index add PLACE` means; its place is absolute."""
    options = {"collection": collection, "include": tuple(include), "exclude": tuple(exclude)}
    if place == "factbook":
        return FACTBOOK.model_copy(update={"collection": collection})
    if place.startswith(_PACKAGE):
        name = place.removeprefix(_PACKAGE).strip()
        if not name:
            raise InputError("package: needs a name, as in package:typer")
        return Source(id=f"{_PACKAGE}{name}", kind="package", place=name, **options)
    if "://" in place:
        raise InputError(f"{place} is an address: nothing is fetched; save it as a file first")
    if not place.strip():
        raise InputError("a path to add is empty")
    absolute = os.path.abspath(place)  # noqa: PTH100 - resolve() would take a link's target
    return Source(id=Path(absolute).name or "root", kind="path", place=absolute, **options)


def with_source(sources: Sequence[Source], new: Source) -> tuple[tuple[Source, ...], Source]:
    """The list with `new` in it, under a name of its own; the same place again is replaced."""
    for at, old in enumerate(sources):
        if (old.kind, old.place) == (new.kind, new.place):
            named = new.model_copy(update={"id": old.id})
            return (*sources[:at], named, *sources[at + 1 :]), named
    taken = {s.id for s in sources}
    number = 1
    while (name := new.id if number == 1 else f"{new.id}-{number}") in taken:
        number += 1
    named = new.model_copy(update={"id": name})
    return (*sources, named), named


def find_source(sources: Sequence[Source], told: str) -> Source:
    """By id, or by place; InputError lists what there is."""
    place = os.path.abspath(told)  # noqa: PTH100
    for source in sources:
        names = {source.id, "factbook"} if source.kind == "factbook" else {source.id}
        if told in names or (source.kind == "path" and source.place == place):
            return source
    there = ", ".join(s.id for s in sources) or "none"
    raise InputError(f"there is no source {told!r} (there are: {there})")
