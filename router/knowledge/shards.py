"""Embedded passages of a build that is not finished: one checked file a shard.

A row is found by its chunk's key (a hash of the text), not by its place, so that a resumed
build uses what is there even where the corpus has changed in between.

What this does not do: decide what is embedded (see `build.py`).
"""

import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from router.knowledge.chunks import KEY_BYTES
from router.knowledge.storage import remove_all, storage_errors, write_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Shards"]


class Shards:
    """The shard folder of one encoder under the index's path."""

    def __init__(self, path: Path, encoder: str) -> None:
        name = hashlib.sha256(encoder.encode()).hexdigest()[:12]
        self.path = path
        self.folder = path / f".partial-{name}"

    def save(self, keys: Sequence[bytes], rows: "NDArray[np.float32]") -> None:
        """One shard, on disk and synced when this returns."""
        with storage_errors(self.folder):
            self.folder.mkdir(exist_ok=True)
        payload = b"".join(keys) + rows.astype("<f4").tobytes()
        digest = hashlib.sha256(payload).hexdigest()
        header = json.dumps({"n": len(keys), "dim": rows.shape[1], "sha256": digest})
        write_file(
            self.folder / f"{secrets.token_hex(8)}.shard", [header.encode() + b"\n", payload]
        )

    def load(self, dim: int) -> "Iterator[tuple[bytes, NDArray[np.float32]]]":
        """Every row that earlier builds saved; a damaged shard is removed, not believed."""
        for file in sorted(self.folder.glob("*.shard")):
            rows = _read(file, dim)
            if rows is None:
                remove_all([file])
            else:
                yield from rows

    def clean_others(self) -> None:
        """Remove other encoders' shards and everything else a killed build may leave."""
        stale = [p for p in self.path.glob(".partial-*") if p != self.folder]
        stale += [*self.path.glob(".new-*"), *self.path.glob(".*.tmp")]
        remove_all([*stale, *self.folder.glob(".*.tmp")])

    def remove(self) -> None:
        """Remove all shards: they are in a version now, or not wanted."""
        remove_all([self.folder])


def _read(file: Path, dim: int) -> "list[tuple[bytes, NDArray[np.float32]]] | None":
    import numpy as np

    try:
        head, payload = file.read_bytes().split(b"\n", maxsplit=1)
        header = json.loads(head)
        n, width, digest = int(header["n"]), int(header["dim"]), header["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if width != dim or hashlib.sha256(payload).hexdigest() != digest:
        return None
    rows = np.frombuffer(payload, dtype="<f4", offset=n * KEY_BYTES).reshape(n, dim)
    return [(payload[i * KEY_BYTES : (i + 1) * KEY_BYTES], rows[i]) for i in range(n)]
