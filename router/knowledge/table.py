"""A sorted table of distinct texts on disk: a vocabulary, or the keys of the filters.

Looked up by binary search in mapped memory: opening it reads nothing into memory, however many
texts there are.
"""

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.knowledge.mapped import damaged, open_array, save_array
from router.knowledge.storage import StoredFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TextTable", "save_table"]


def save_table(folder: Path, name: str, keys: Sequence[bytes]) -> dict[str, StoredFile]:
    """Write `keys`, which are sorted and distinct."""
    import numpy as np

    ends = np.cumsum([len(key) for key in keys], dtype="<i8")
    text = np.frombuffer(b"".join(keys) + b"\n", dtype=np.uint8)  # never an empty map
    return {
        f"{name}.text.npy": save_array(folder, f"{name}.text.npy", text),
        f"{name}.ends.npy": save_array(folder, f"{name}.ends.npy", np.append([0], ends)),
    }


class TextTable(Sequence[bytes]):
    """An open table: entry -> text, and text -> entry."""

    def __init__(self, folder: Path, name: str) -> None:
        self._file = folder / f"{name}.text.npy"
        self._text: NDArray[Any] = open_array(folder, self._file.name, "u1")
        self._ends: NDArray[Any] = open_array(folder, f"{name}.ends.npy", "<i8")
        if int(self._ends[-1]) + 1 != len(self._text):
            raise damaged(self._file)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, entry: Any) -> Any:
        start, end = self._ends[entry], self._ends[entry + 1]
        return self._text[start:end].tobytes()

    def find(self, key: bytes) -> int | None:
        """The entry of `key`."""
        entry = bisect_left(self, key)
        return entry if entry < len(self) and self[entry] == key else None

    def starting(self, prefix: bytes) -> range:
        """The entries that start with `prefix`."""
        size = len(prefix)
        first = bisect_left(self, prefix)
        return range(first, bisect_left(self, True, first, key=lambda t: t[:size] > prefix))
