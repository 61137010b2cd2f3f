"""The passages and vectors of one version, read where they lie.

`load_chunks` and `load_vectors` check every byte, for a build that takes rows over; `Lines`
parses one passage when it is found.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from router.knowledge.chunks import Chunk
from router.knowledge.mapped import check_whole, damaged, mapped, open_array, save_array
from router.knowledge.storage import PASSAGES, VECTORS, Manifest, StoredFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Lines", "load_chunks", "load_vectors", "map_vectors", "save_ends"]

_ENDS = "passages.ends.npy"


def load_vectors(version: Path, manifest: Manifest) -> "NDArray[np.float32]":
    """The version's rows, checked against the manifest."""
    check_whole(version / VECTORS, mapped(version / VECTORS), manifest)
    return map_vectors(version, manifest)


def map_vectors(version: Path, manifest: Manifest) -> "NDArray[np.float32]":
    """The version's rows; only their number is checked."""
    import numpy as np

    data = mapped(version / VECTORS)
    if len(data) != manifest.n * manifest.dim * 4:
        raise damaged(version / VECTORS)
    return np.frombuffer(data, dtype="<f4").reshape(manifest.n, manifest.dim)


def load_chunks(version: Path, manifest: Manifest) -> tuple[Chunk, ...]:
    """All passages of a version, in row order, checked against the manifest."""
    file = version / PASSAGES
    check_whole(file, mapped(file), manifest)
    with file.open("rb") as handle:
        chunks = tuple(_chunk(file, line) for line in handle)
    if len(chunks) != manifest.n:
        raise damaged(file)
    return chunks


def save_ends(folder: Path) -> dict[str, StoredFile]:
    """Write where each line of the passages ends."""
    import numpy as np

    with (folder / PASSAGES).open("rb") as handle:
        ends = np.cumsum([len(line) for line in handle], dtype="<i8")
    return {_ENDS: save_array(folder, _ENDS, ends)}


class Lines:
    """A JSON Lines file, mapped into memory: a passage is parsed when it is found."""

    def __init__(self, version: Path, manifest: Manifest) -> None:
        self._file = version / PASSAGES
        self._ends = open_array(version, _ENDS, "<i8", manifest.n)
        self._map = mapped(self._file)
        if int(self._ends[-1]) != len(self._map):
            raise damaged(self._file)

    def chunk(self, row: int) -> Chunk:
        """The passage of a row."""
        start = int(self._ends[row - 1]) if row else 0
        return _chunk(self._file, self._map[start : int(self._ends[row])])

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()


def _chunk(file: Path, line: bytes) -> Chunk:
    try:
        return Chunk(*json.loads(line))
    except (ValueError, TypeError) as error:
        raise damaged(file) from error
