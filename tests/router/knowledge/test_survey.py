"""What an index holds, is told; what is broken in it, is found; so is what a build would bring."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from router.errors import KnowledgeError
from router.knowledge.sources import source_of, write_sources
from router.knowledge.storage import current_version
from router.knowledge.survey import list_sources, verify
from router.knowledge.update import add_sources


def test_verify_finds_what_is_broken_and_what_has_changed(
    index: Path, docs: Path, encoder: Any
) -> None:
    add_sources(index, encoder, [source_of(str(docs))])
    assert verify(index)[:2] == ([], [])
    (docs / "a.md").write_text("# Otters\nOtters sleep.\n")
    (docs / "b.txt").unlink()
    (docs / "new.md").write_text("x")
    os.utime(docs / "sub" / "c.csv")
    assert verify(index).changed == [
        "docs: new.md: new", "docs: b.txt: gone", "docs: a.md: changed",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["vectors.f32", "passages.jsonl", "documents.jsonl"])
def test_verify_names_a_flipped_byte(index: Path, docs: Path, encoder: Any, name: str) -> None:
    add_sources(index, encoder, [source_of(str(docs))])
    file = current_version(index) / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert verify(index).broken[0].startswith(f"{name}: ")


def rewrite(index: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change a file and its checksum, as a faulty build would."""
    import hashlib

    version = current_version(index)
    data = change((version / name).read_bytes())
    (version / name).write_bytes(data)
    manifest = json.loads((version / "manifest.json").read_text())
    manifest["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (version / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("vectors.f32", lambda b: b[:-256] + b"\0" * 256, "1 rows are not of length 1"),
        ("vectors.f32", lambda b: b[:-4], "bytes are not 4 rows of 64"),
        ("passages.jsonl", lambda b: b + b'["a"]\n', "line 5 is no passage"),
        ("documents.jsonl", lambda b: b.split(b"\n", 1)[1], "begins at row 1, not 0"),
    ],
)
def test_verify_finds_rows_and_passages_that_do_not_match(
    index: Path, docs: Path, encoder: Any, name: str, change: Any, told: str
) -> None:
    add_sources(index, encoder, [source_of(str(docs))])
    rewrite(index, name, change)
    assert told in verify(index).broken[0]


def test_what_is_registered_and_not_built_says_so(index: Path, docs: Path, encoder: Any) -> None:
    with pytest.raises(KnowledgeError, match="no knowledge index"):
        list_sources(index)
    index.mkdir()
    write_sources(index, [source_of(str(docs))])
    (row,) = list_sources(index)
    assert (row["built"], row["passages"]) == (None, 0)
    add_sources(index, encoder, [source_of(str(docs / "a.md"))])
    write_sources(index, [source_of(str(docs / "a.md"))])
    rows = list_sources(index)
    assert [(r["source"], r["kind"]) for r in rows] == [
        ("a.md", "path"),
        ("docs", "removed with the next build"),
    ]
    assert all(r["built"] for r in rows)
