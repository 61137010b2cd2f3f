"""What a source is: whose table, where it stands in public, its traps, and how to read it.

A loader is one module: it makes its `Source` and registers it. Nothing here reads a network;
`fetch.py` does. Adding a source: write the module, name it in `_LOADERS`, add its files to
`files.yaml`.
"""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from policies.outcome import OutcomeSet
from router.errors import InputError, SetupError

__all__ = ["RemoteFile", "Source", "register", "remote_files", "source", "sources"]

_FILES = Path(__file__).with_name("files.yaml")
_LOADERS = ("routellm", "mmlu_pro", "zeroeval", "llmrouter", "routerarena", "shared_only")
_REGISTRY: dict[str, "Source"] = {}


class RemoteFile(BaseModel):
    """One published file; `sha256` and `bytes` are null where we never held it ourselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    """Inside the source's raw folder."""
    url: str
    sha256: str | None = None
    bytes: int | None = None


class Source(BaseModel):
    """One public outcome table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    home: str
    commit: str
    licence: str
    files: tuple[RemoteFile, ...] = ()
    """Empty: no loader of the published form is shipped, only the normalised table is read."""
    notes: tuple[str, ...] = ()
    """Traps in words; those that the bytes can show are found by `ockham outcomes check`."""
    pairs: tuple[tuple[str, str], ...]
    """(small, large) arms that a comparison takes; the first is the default."""
    parser: Callable[[Path], OutcomeSet] | None = None

    def parse(self, folder: Path) -> OutcomeSet:
        """The outcome set of a folder that holds the source's files (or some of them).

        Raises:
            SetupError: the source has no loader for published files.
            InputError: a file is damaged, or none of the files is there; the message names it.
        """
        if self.parser is None:
            raise SetupError(
                f"{self.name}: no loader for its published files is shipped; read the normalised "
                "table with --normalised FOLDER"
            )
        return self.parser(folder)

    def about(self) -> dict[str, Any]:
        """What a stored set says of its origin, plain JSON data."""
        return {
            "name": self.name,
            "home": self.home,
            "commit": self.commit,
            "licence": self.licence,
            "notes": list(self.notes),
            "pairs": [list(pair) for pair in self.pairs],
        }


def register(new: Source) -> Source:
    """Add a source to the registry; a name can be taken once."""
    if new.name in _REGISTRY:
        raise ValueError(f"two sources are called {new.name!r}: rename one")
    _REGISTRY[new.name] = new
    return new


def sources() -> Mapping[str, Source]:
    """All sources by name, in the order of `_LOADERS`."""
    modules = [importlib.import_module(f"eval.sources.{name}") for name in _LOADERS]
    # By module, not by registration: who imported a loader first must not change the order.
    found = [v for m in modules for v in vars(m).values() if isinstance(v, Source)]
    return {one.name: _REGISTRY[one.name] for one in found}


def source(name: str) -> Source:
    """One source; `InputError` lists the known names."""
    known = sources()
    if name not in known:
        raise InputError(f"no source {name!r}; known: {', '.join(known)}")
    return known[name]


def remote_files(name: str) -> tuple[RemoteFile, ...]:
    """The entry of a source in `files.yaml`, its addresses made whole."""
    entry = yaml.safe_load(_FILES.read_text(encoding="utf-8"))[name]
    return tuple(
        RemoteFile.model_validate({**one, "url": entry["base"] + one["url"]})
        for one in entry["files"]
    )
