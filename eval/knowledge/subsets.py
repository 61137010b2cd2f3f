"""Indexes with something left out: the same passages and vectors, fewer of them.

A fold leaves out one fifth of the countries and one fifth of the Factbook's fields; over five
folds every country and every field is left out once. Vectors are taken from a built index, so
nothing is embedded again; search files are written anew, because what is rare changes.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from router.knowledge.build import build_index
from router.knowledge.chunks import Chunk
from router.knowledge.index import KnowledgeIndex, TextEncoder
from router.knowledge.passages import load_chunks, load_vectors
from router.knowledge.storage import current_version, read_manifest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FOLDS", "fold_of", "left_out", "load", "subset"]

FOLDS = 5


def fold_of(kind: str, name: str, seed: int = 0) -> int:
    """The fold that leaves this country or field out."""
    digest = hashlib.blake2b(f"{seed}\0{kind}\0{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % FOLDS


def left_out(source: str, fold: int, seed: int = 0) -> str:
    """ "country", "field", "both", or "" for a source that stays; a field by name alone, so that
    it goes from all of its categories at once."""
    code, _, place = source.split("/", 1)[1].partition("#")
    field = place.partition("/")[2].split("~")[0]
    country = fold_of("country", code, seed) == fold
    gone = fold_of("field", field, seed) == fold
    return {(True, True): "both", (True, False): "country", (False, True): "field"}.get(
        (country, gone), ""
    )


class _Known:
    """An encoder that has the passages' rows already."""

    def __init__(self, encoder: TextEncoder, rows: "dict[str, NDArray[np.float32]]") -> None:
        self._encoder, self._rows = encoder, rows
        self.dim, self.fingerprint = encoder.dim, encoder.fingerprint

    def encode(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        import numpy as np

        if all(text in self._rows for text in texts):
            return np.stack([self._rows[text] for text in texts])
        return self._encoder.encode(texts)


def load(path: Path) -> "tuple[tuple[Chunk, ...], NDArray[np.float32]]":
    """Passages and vectors of the index in use at `path`."""
    version = current_version(path)
    manifest = read_manifest(version)
    return load_chunks(version, manifest), load_vectors(version, manifest)


def subset(
    folder: Path,
    encoder: TextEncoder,
    chunks: Sequence[Chunk],
    vectors: "NDArray[np.float32]",
    keep: Sequence[bool],
) -> KnowledgeIndex:
    """Build the index of the kept passages in `folder`, and open it."""
    rows = {chunk.text: row for chunk, row in zip(chunks, vectors, strict=True)}
    kept = [chunk for chunk, yes in zip(chunks, keep, strict=True) if yes]
    known = _Known(encoder, rows)
    build_index(folder, known, kept, f"subset-{len(kept)}", batch=8192)
    return KnowledgeIndex.open(folder, encoder)
