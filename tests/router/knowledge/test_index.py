"""The open index: exact search, one whole version, and clear words where it is unsound."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from router.errors import KnowledgeError
from router.knowledge import index as index_module
from router.knowledge.build import build_index
from router.knowledge.index import KnowledgeIndex
from router.state import Passage


@pytest.fixture
def path(tmp_path: Path, encoder: Any, chunks: Any) -> Path:
    build_index(tmp_path / "index", encoder, chunks, "corpus-1")
    return tmp_path / "index"


@pytest.fixture
def index(path: Path, encoder: Any) -> Any:
    with KnowledgeIndex.open(path, encoder) as opened:
        yield opened


def test_the_nearest_passage_comes_first_with_its_cosine(index: KnowledgeIndex) -> None:
    found = index.search("fact number 7 é", k=3, mode="dense")
    assert found[0] == Passage(
        source="corpus/7", title="Title 7", text="fact number 7 é",
        score=found[0].score, dense=found[0].score,
    )  # fmt: skip
    assert found[0].score == pytest.approx(1, abs=1e-5)
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
    assert all(p.score < 0.999 for p in found[1:])


def test_k_is_bounded_by_the_size(index: KnowledgeIndex) -> None:
    assert len(index.search("fact", k=500)) == index.size == 50
    assert index.search("fact", k=0) == ()


def test_a_blank_query_finds_nothing(index: KnowledgeIndex) -> None:
    assert index.search("  \n") == ()


async def test_asearch_leaves_the_event_loop_free(index: KnowledgeIndex) -> None:
    found, same = await asyncio.gather(index.asearch("number 3", 2), index.asearch("number 3", 2))
    assert found == same == index.search("number 3", 2)


def test_many_threads_may_search(index: KnowledgeIndex) -> None:
    queries = [f"fact number {i} é" for i in range(50)] * 4
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda q: index.search(q, 1)[0].text, queries))
    assert found == queries


def test_a_closed_index_says_so(index: KnowledgeIndex) -> None:
    index.close()
    index.close()
    with pytest.raises(KnowledgeError, match="closed"):
        index.search("fact")


def test_a_missing_index_names_the_command(tmp_path: Path, encoder: Any) -> None:
    with pytest.raises(KnowledgeError, match=r"no knowledge index at .*`ockham index build`"):
        KnowledgeIndex.open(tmp_path / "none", encoder)


def test_another_encoder_is_refused(path: Path, new_encoder: Any) -> None:
    with pytest.raises(
        KnowledgeError, match=r"built with fake-1, .* says fake-2 .*`ockham index build`"
    ):
        KnowledgeIndex.open(path, new_encoder("fake-2"))


@pytest.mark.parametrize("name", ["vectors.f32", "passages.jsonl", "manifest.json"])
@pytest.mark.parametrize("harm", ["cut", "empty", "flip", "missing"])
def test_a_damaged_file_is_refused_and_a_build_repairs_it(
    path: Path, encoder: Any, chunks: Any, name: str, harm: str
) -> None:
    (file,) = path.glob(f"v-*/{name}")
    data = file.read_bytes()
    middle = len(data) // 2
    flipped = data[:middle] + bytes([data[middle] ^ 0x80]) + data[middle + 1 :]
    file.write_bytes({"cut": data[:-9], "empty": b"", "flip": flipped, "missing": b""}[harm])
    if harm == "missing":
        file.unlink()
    with pytest.raises(KnowledgeError, match="run `ockham index build`"):
        KnowledgeIndex.open(path, encoder)
    assert build_index(path, encoder, chunks, "corpus-1").changed
    with KnowledgeIndex.open(path, encoder) as repaired:
        assert repaired.size == 50


def test_fingerprints_follow_content(path: Path, encoder: Any, new_chunks: Any) -> None:
    with KnowledgeIndex.open(path, encoder) as before:
        build_index(path, encoder, new_chunks(50, "other"), "corpus-2")
        with KnowledgeIndex.open(path, encoder) as after:
            assert before.fingerprint != after.fingerprint


def test_an_open_reader_keeps_its_version(index: KnowledgeIndex, path: Path, encoder: Any,
                                          new_chunks: Any) -> None:  # fmt: skip
    build_index(path, encoder, new_chunks(3, "other"), "corpus-2")
    assert index.search("fact number 7 é", 1)[0].text == "fact number 7 é"
    with KnowledgeIndex.open(path, encoder) as after:
        assert after.size == 3


def test_opening_survives_a_switch_in_between(
    path: Path, encoder: Any, new_chunks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = index_module.read_manifest, []

    def switch_first(version: Path) -> Any:
        calls.append(version)
        if len(calls) == 1:
            monkeypatch.setattr(index_module, "read_manifest", real)
            build_index(path, encoder, new_chunks(3, "other"), "corpus-2")
        return real(version)

    monkeypatch.setattr(index_module, "read_manifest", switch_first)
    with KnowledgeIndex.open(path, encoder) as opened:
        assert opened.size == 3
