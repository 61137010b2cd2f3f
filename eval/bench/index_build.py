"""The indexes that `ockham bench index` searches: built once, kept in the data folder.

    passages-N    N real passages, each embedded (an interrupted build resumes)
    resampled-N   made from real ones where N is more than there are: each text the first half
                  of one passage and the second half of another, each vector a real one with
                  noise added, at a cosine of about 0.89 with it

Resampled rows have the real ones' lengths, words and clusters, so that time and memory are
those of N rows; what is found in them means nothing, and only recall against exact search is
told of it.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.bench.index_corpus import real_passages
from router.errors import KnowledgeError
from router.knowledge.build import build_index
from router.knowledge.chunks import Chunk, content_digest
from router.knowledge.passages import load_chunks, load_vectors
from router.knowledge.search_files import finish_version, is_searchable
from router.knowledge.storage import (
    PASSAGES,
    VECTORS,
    StoredFile,
    current_version,
    new_version,
    read_manifest,
)
from router.signals.encoder import Encoder

__all__ = ["NOISE", "built", "resample"]

NOISE = 0.5
"""Length of the noise beside a vector of length 1."""
_TOLD = "built.json"
_BLOCK = 10_000


def built(folder: Path, size: int, real: int, encoder: Encoder) -> tuple[Path, float]:
    """The index of `size` passages and the seconds that its search files took to make."""
    path = folder / f"{'passages' if size <= real else 'resampled'}-{size}"
    if not _ready(path, encoder):
        path.mkdir(parents=True, exist_ok=True)
        if size <= real:
            passages = real_passages(size)
            build_index(path, encoder, passages, content_digest(passages), _tell)
            seconds = _made_again(current_version(path))
        else:
            seconds = _resampled(path, size, built(folder, real, real, encoder)[0], encoder)
        (path / _TOLD).write_text(json.dumps({"search_files_s": seconds}))
    return path, float(json.loads((path / _TOLD).read_text())["search_files_s"])


def resample(
    vectors: NDArray[np.float32], size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.float32]]:
    """`size` rows of length 1 near rows drawn from `vectors`, in blocks."""
    for start in range(0, size, _BLOCK):
        count = min(_BLOCK, size - start)
        rows = vectors[rng.integers(len(vectors), size=count)]
        noise = rng.normal(size=rows.shape).astype(np.float32)
        rows = rows + NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
        yield (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("<f4")


def _ready(path: Path, encoder: Encoder) -> bool:
    try:
        version = current_version(path)
        manifest = read_manifest(version)
    except KnowledgeError:
        return False
    known = manifest.encoder == encoder.fingerprint and (path / _TOLD).is_file()
    return known and is_searchable(version, manifest)


def _resampled(path: Path, size: int, real: Path, encoder: Encoder) -> float:
    seconds = 0.0

    def finish(draft: Path) -> dict[str, StoredFile]:
        nonlocal seconds
        started = time.perf_counter()
        made = finish_version(draft, passages, shape)
        seconds = time.perf_counter() - started
        return made

    version = current_version(real)
    manifest = read_manifest(version)
    chunks, vectors = load_chunks(version, manifest), load_vectors(version, manifest)
    rng = np.random.default_rng(0)
    passages = _mixed(chunks, rng.integers(len(chunks), size=(size, 2)).tolist())
    shape = (size, manifest.dim)
    new_version(
        path,
        encoder.fingerprint,
        f"resampled-{manifest.corpus}",
        shape,
        {
            PASSAGES: (chunk.line for chunk in passages),
            VECTORS: (block.tobytes() for block in resample(vectors, size, rng)),
        },
        finish,
    )
    return seconds


def _mixed(chunks: Sequence[Chunk], pairs: Sequence[Sequence[int]]) -> list[Chunk]:
    made = []
    for row, (one, other) in enumerate(pairs):
        a, b = chunks[one], chunks[other]
        text = a.text[: len(a.text) // 2] + " " + b.text[len(b.text) // 2 :]
        made.append(Chunk(f"resampled/{row}", a.title, text, a.meta))
    return made


def _made_again(version: Path) -> float:
    """Seconds to make the search files, with nothing embedded; thrown away after."""
    manifest = read_manifest(version)
    with tempfile.TemporaryDirectory(dir=version.parent) as name:
        draft = Path(name)
        for file in (PASSAGES, VECTORS):
            os.link(version / file, draft / file)
        chunks = load_chunks(version, manifest)
        started = time.perf_counter()
        finish_version(draft, chunks, (manifest.n, manifest.dim))
        seconds = time.perf_counter() - started
    return seconds


def _tell(done: int, total: int) -> None:
    sys.stderr.write(f"\rembedding real passages: {done:,} of {total:,}")
    sys.stderr.flush()
