"""documents.jsonl: an entry comes back as it was; a damaged file is named."""

from pathlib import Path
from typing import Any

import pytest

from router.errors import KnowledgeError
from router.knowledge.build import build_index, build_locked
from router.knowledge.chunks import Chunk
from router.knowledge.ledger import Entry, read_entries, read_known
from router.knowledge.storage import DOCUMENTS, current_version, read_manifest

TWICE = Chunk("s/b#1", "T", "told twice \u2028 é", {"k": "v"})


def test_an_entry_comes_back() -> None:
    entry = Entry("s", "n é", 3, 4, "ab", 1, "kept", "why", 5, 6, ((1, TWICE),))
    assert entry.line.count(b"\n") == 1
    assert Entry.parse(entry.line) == entry
    assert entry.passages == 7


def test_a_documents_passages_are_had_with_its_duplicates(tmp_path: Path, encoder: Any) -> None:
    chunks = [Chunk(f"s/{i}", "t", f"text {i}", {}) for i in range(3)]
    entries = [Entry("s", "a", rows=1), Entry("s", "b", first=1, rows=2, duplicates=((1, TWICE),))]
    tmp_path.joinpath("i").mkdir()
    build_locked(tmp_path / "i", encoder, chunks, "c", entries=entries)
    known = read_known(tmp_path / "i")
    assert known["s", "a"].chunks == (chunks[0],)
    assert known["s", "b"].chunks == (chunks[1], TWICE, chunks[2])


def test_a_version_of_bare_passages_has_none(tmp_path: Path, encoder: Any, chunks: Any) -> None:
    assert read_known(tmp_path) == {}
    build_index(tmp_path, encoder, chunks, "c")
    assert read_known(tmp_path) == {}


def test_a_damaged_file_is_named(tmp_path: Path, encoder: Any, chunks: Any) -> None:
    build_locked(tmp_path, encoder, chunks, "c", entries=[Entry("s", "a", rows=50)])
    version = current_version(tmp_path)
    (version / DOCUMENTS).write_bytes(b'{"source": "s"}\n')
    with pytest.raises(KnowledgeError, match=r"documents\.jsonl is damaged"):
        read_entries(version, read_manifest(version))
    assert read_known(tmp_path) == {}
