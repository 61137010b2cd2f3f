"""What a search needs beside passages and vectors, written once, when a version is.

passages.ends.npy    where each passage's line ends
lexical.*            BM25 (see `lexical.py`)
filters.*            metadata and sources (see `filters.py`)
dense.faiss          codes of the vectors, from some size on (see `dense.py`)
search.json          which of these there are, and samples of the large files
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from router.errors import KnowledgeError
from router.knowledge.chunks import Chunk
from router.knowledge.dense import Kind, kind_for, save_dense
from router.knowledge.filters import save_filters
from router.knowledge.lexical import save_lexical
from router.knowledge.mapped import WHOLE_BYTES, damaged, sample_digest
from router.knowledge.passages import save_ends
from router.knowledge.storage import (
    PASSAGES,
    VECTORS,
    Manifest,
    StoredFile,
    storage_errors,
    write_file,
)

__all__ = [
    "SEARCH",
    "SearchFacts",
    "finish_version",
    "is_searchable",
    "read_facts",
]

SEARCH = "search.json"
FORMAT = 1
"""Rises when these files or what is in them change: older ones are then made anew by a build."""


class SearchFacts(BaseModel):
    """What `search.json` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: int
    dense: Kind
    samples: dict[str, str]
    """Of each large file: a digest of blocks spread over it."""


def finish_version(
    draft: Path, passages: Sequence[Chunk], shape: tuple[int, int]
) -> dict[str, StoredFile]:
    """Write all of it beside the passages and vectors that `draft` holds; what was written."""
    import numpy as np

    vectors = np.memmap(draft / VECTORS, dtype="<f4", mode="r", shape=shape).view(np.ndarray)
    kind = kind_for(len(vectors))
    with storage_errors(draft):
        stored = {
            **save_ends(draft),
            **save_lexical(draft, (chunk.text for chunk in passages)),
            **save_filters(draft, ((chunk.source, chunk.meta) for chunk in passages)),
            **save_dense(draft, vectors, kind),
        }
        large = [n for n in (PASSAGES, VECTORS, *stored) if _is_large(draft / n)]
        facts = SearchFacts(
            format=FORMAT, dense=kind, samples={n: sample_digest(draft / n) for n in large}
        )
        body = facts.model_dump_json(indent=1).encode()
        return {**stored, SEARCH: write_file(draft / SEARCH, [body])}


def is_searchable(version: Path, manifest: Manifest) -> bool:
    """Has the version search files that this Ockham reads?"""
    try:
        read_facts(version, manifest)
    except KnowledgeError:
        return False
    return True


def read_facts(version: Path, manifest: Manifest) -> SearchFacts:
    """The version's `search.json`; KnowledgeError where it is missing, or another format's."""
    file = version / SEARCH
    if SEARCH not in manifest.files:
        raise _other(version, "none")
    try:
        facts = SearchFacts.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise damaged(file) from error
    if facts.format != FORMAT:
        raise _other(version, str(facts.format))
    return facts


def _other(version: Path, found: str) -> KnowledgeError:
    return KnowledgeError(
        f"the index at {version.parent} has search files of format {found}, this Ockham reads "
        f"format {FORMAT}: run `ockham index build` (passages are not embedded again)"
    )


def _is_large(file: Path) -> bool:
    return file.stat().st_size > WHOLE_BYTES
