"""Searching the open index: modes, filters, odd queries, names and paraphrases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from router.errors import InputError
from router.knowledge.build import build_index
from router.knowledge.chunks import Chunk
from router.knowledge.fusion import RRF_K
from router.knowledge.index import KnowledgeIndex
from router.knowledge.words import terms


@pytest.fixture
def index(tmp_path: Path, encoder: Any, tagged_chunks: Any) -> Iterator[KnowledgeIndex]:
    build_index(tmp_path / "index", encoder, tagged_chunks, "corpus-1")
    with KnowledgeIndex.open(tmp_path / "index", encoder) as opened:
        yield opened


def test_hybrid_is_the_fusion_of_both_rankings(index: KnowledgeIndex) -> None:
    query = "number 7 about rivers"
    asked, expected = set(terms(query)), dict[str, float]()
    for mode in ("dense", "lexical"):
        for rank, passage in enumerate(index.search(query, 30, mode=mode), start=1):
            held = len(asked & set(terms(passage.text))) / len(asked)
            weight = 1 if mode == "dense" else 0.1 + 0.9 * held**4
            place = weight / (RRF_K + rank)
            expected[passage.source] = expected.get(passage.source, 0) + place
    found = index.search(query, 5)
    assert found[0].score == pytest.approx(2 / (RRF_K + 1))
    for passage in found:
        assert passage.score == pytest.approx(expected[passage.source])


def test_a_name_is_found_where_meaning_has_no_idea(tmp_path: Path, encoder: Any) -> None:
    """Two hundred passages lie nearer to the query than the one that holds its name."""

    class Astray:
        dim, fingerprint = encoder.dim, encoder.fingerprint

        def encode(self, texts: Any) -> Any:
            return encoder.encode(["solve linear systems" for _ in texts])

    near = [Chunk(f"near/{i}", "t", f"solve linear systems {i}") for i in range(200)]
    named = Chunk("named", "t", "qr_banded: something about matrices and their bands")
    build_index(tmp_path / "i", encoder, (*near, named), "c")
    with KnowledgeIndex.open(tmp_path / "i", Astray()) as opened:
        for query in ("qr_banded", "What does qr_banded do?"):
            assert "named" in {p.source for p in opened.search(query, 5)}


def test_a_fused_passage_tells_both_of_its_scores(index: KnowledgeIndex) -> None:
    (best,) = index.search("number 7 about rivers", 1)
    (near,) = index.search("number 7 about rivers", 1, mode="dense")
    (said,) = index.search("number 7 about rivers", 1, mode="lexical")
    assert best.source == near.source == said.source == "corpus/7"
    assert best.dense == near.dense == near.score
    assert best.lexical == said.lexical == said.score
    assert (near.lexical, said.dense) == (None, None)
    assert best.meta == {"kind": "odd", "tens": "0"}


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_filters_leave_only_what_matches(index: KnowledgeIndex, mode: Any) -> None:
    def search(**where: Any) -> set[str]:
        found = index.search("fact about rivers", 50, where=where, mode=mode)
        return {p.source for p in found}

    assert search(kind="odd") == {f"corpus/{i}" for i in range(1, 30, 2)}
    assert search(kind="odd", tens=["0", "2"], source="corpus/2") == {
        f"corpus/{i}" for i in (21, 23, 25, 27, 29)
    }
    assert search(source=["corpus/11", "corpus/3"]) == {"corpus/11", "corpus/3"}
    assert search(quote='a "b" \\ c') == {"corpus/3"}
    for nothing in ({"kind": "none"}, {"kind": []}, {"no such": "x"}, {"source": "else"},
                    {"kind": "odd", "tens": "9"}):  # fmt: skip
        assert search(**nothing) == set()
    assert len(search()) == 30


def test_passages_may_stand_in_sets(index: KnowledgeIndex) -> None:
    once, again = index.search("fact number 7", 3), index.search("fact number 7", 3)
    assert len({*once, *again}) == 3


def test_a_filter_of_another_type_is_refused(index: KnowledgeIndex) -> None:
    with pytest.raises(InputError, match="the filter 'kind'"):
        index.search("fact", where={"kind": [1]})  # type: ignore[list-item]


def test_an_unknown_mode_names_the_known(index: KnowledgeIndex) -> None:
    with pytest.raises(InputError, match="'fuzzy': one of hybrid, dense, lexical"):
        index.search("fact", mode="fuzzy")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "query",
    ["?!", "the of and", "a" * 1_000_000, "fact " * 20_000, "東京", "\x00\n\ud800 fact", "😀",
     '{"source": "corpus/1"} where kind == "odd"; DROP TABLE passages', "../../etc/passwd"],
)  # fmt: skip
def test_odd_queries_are_only_queries(index: KnowledgeIndex, query: str) -> None:
    assert len(index.search(query.encode(errors="replace").decode(), 100)) == 30
    assert len(index.search(query.encode(errors="replace").decode(), 3, mode="dense")) == 3
    index.search(query, 3, mode="lexical")


def test_names_codes_and_accents_are_found_by_their_letters(tmp_path: Path, encoder: Any) -> None:
    texts = {
        "csv": "pandas.read_csv reads a comma separated file into a frame",
        "error": "E501 line too long, ORA-00942 table or view does not exist",
        "country": "Côte d'Ivoire. Capital: Yamoussoukro",
        "class": "A KnowledgeIndex is one open version",
        "other": "Nothing to see here",
    }
    chunks = tuple(Chunk(name, name, text) for name, text in texts.items())
    build_index(tmp_path / "i", encoder, chunks, "c")
    with KnowledgeIndex.open(tmp_path / "i", encoder) as index:
        for query, source in {
            "read_csv": "csv",
            "how to read a CSV": "csv",
            "ora-00942?": "error",
            "E501": "error",
            "cote d'ivoire capital": "country",
            "CÔTE": "country",
            "knowledge index": "class",
            "knowledgeindex": "class",
        }.items():
            found = index.search(query, 2, mode="lexical")
            assert found[0].source == source, query


class Backwards:
    """Ranks the longest text first."""

    def scores(self, query: str, texts: Any) -> Any:
        return np.array([len(t) for t in texts], dtype=np.float32)


def test_a_reranker_orders_the_fused_passages(
    tmp_path: Path, encoder: Any, tagged_chunks: Any
) -> None:
    build_index(tmp_path / "i", encoder, tagged_chunks, "c")
    with KnowledgeIndex.open(tmp_path / "i", encoder, Backwards()) as index:
        found = index.search("fact number 3", 4)
        assert [p.score for p in found] == [float(len(p.text)) for p in found]
        assert found[0].score == max(len(c.text) for c in tagged_chunks)
        assert found[0].dense is not None
        assert index.search("fact number 3", 1, mode="dense")[0].source == "corpus/3"
