"""BM25 by hand on four documents; pruning changes nothing; terms fold and split."""

from collections import Counter
from math import log
from pathlib import Path

import numpy as np
import pytest

from router.errors import KnowledgeError
from router.knowledge import lexical
from router.knowledge.lexical import Lexical, best_rows, save_lexical
from router.knowledge.words import terms

FOUR = ["red apple tree", "green apple", "red red wine", "blue sky high above"]


def by_hand(query: str, texts: list[str]) -> list[float]:
    """Lucene's BM25, as its formula is printed."""
    held = [terms(t) for t in texts]
    mean = sum(map(len, held)) / len(held)
    scores = []
    for words in held:
        score = 0.0
        for term in terms(query):
            df = sum(term in w for w in held)
            idf = log(1 + (len(texts) - df + 0.5) / (df + 0.5))
            tf = Counter(words)[term]
            score += idf * tf / (tf + 1.5 * (1 - 0.75 + 0.75 * len(words) / mean))
        scores.append(score)
    return scores


def opened(folder: Path, texts: list[str]) -> Lexical:
    save_lexical(folder, texts)
    return Lexical(folder, len(texts))


@pytest.mark.parametrize("query", ["red", "apple tree", "red wine red", "sky missing"])
def test_scores_are_the_formula(tmp_path: Path, query: str) -> None:
    expected = by_hand(query, FOUR)
    index = opened(tmp_path, FOUR)
    everything = np.arange(4, dtype=np.int32)
    assert index.scores(query, everything) == pytest.approx(expected, rel=1e-5)
    rows, scores = index.search(query, 4)
    order = sorted((i for i in range(4) if expected[i] > 0), key=lambda i: (-expected[i], i))
    assert rows.tolist() == order
    assert scores == pytest.approx([expected[i] for i in order], rel=1e-5)


def test_one_number_by_hand(tmp_path: Path) -> None:
    """ "wine" is in one of four; its document has 3 of 12 terms: the mean length."""
    _, scores = opened(tmp_path, FOUR).search("wine", 1)
    assert scores[0] == pytest.approx(log(1 + 3.5 / 1.5) * 1 / (1 + 1.5), rel=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_pruning_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = [f"w{i}" for i in range(60)]
    weights = 1 / np.arange(1, 61)
    texts = [
        " ".join(rng.choice(words, size=rng.integers(1, 15), p=weights / weights.sum()))
        for _ in range(400)
    ]
    index = opened(tmp_path, texts)
    monkeypatch.setattr(lexical, "_LONG", 3)
    pruned = 0
    real = lexical._contenders

    def counted(*args: object) -> object:
        nonlocal pruned
        found = real(*args)  # type: ignore[arg-type]
        pruned += found is not None
        return found

    monkeypatch.setattr(lexical, "_contenders", counted)
    everything = np.arange(400, dtype=np.int32)
    for _ in range(20):
        query = " ".join(rng.choice(words, size=4))
        full = index.scores(query, everything)
        rows, scores = index.search(query, 5)
        expected = np.sort(full[full > 0])[::-1][:5]
        assert scores == pytest.approx(expected, rel=1e-5)
        assert full[rows] == pytest.approx(scores, rel=1e-5)
    assert pruned > 0


def test_allowed_rows_alone_are_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = opened(tmp_path, FOUR)
    allowed = np.array([1, 2, 3], dtype=np.int32)
    for most in (5_000, 0):  # looked up, and added up
        monkeypatch.setattr(lexical, "_LOOKUPS", most)
        rows, scores = index.search("red apple", 4, allowed)
        assert set(rows.tolist()) == {1, 2}
        assert sorted(scores.tolist()) == pytest.approx(sorted(by_hand("red apple", FOUR)[1:3]))


@pytest.mark.parametrize("texts", [["", "  "], ["the of", "!"], ["one", ""]])
def test_passages_without_terms_are_never_found(tmp_path: Path, texts: list[str]) -> None:
    rows, _ = opened(tmp_path, texts).search("one the", 2)
    assert rows.tolist() == ([0] if "one" in texts else [])


def test_of_a_long_query_the_rarest_terms_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical, "MOST_TERMS", 1)
    rows, _ = opened(tmp_path, FOUR).search("red apple wine", 4)
    assert rows.tolist() == [2]


def test_rows_that_do_not_exist_are_damage(tmp_path: Path) -> None:
    index = opened(tmp_path, FOUR)
    index._size = 1
    with pytest.raises(KnowledgeError, match="damaged"):
        index.search("sky", 4)


def test_equal_scores_come_in_the_order_of_rows() -> None:
    rows, scores = np.array([9, 4, 7, 1], np.int32), np.array([1, 2, 1, 1], np.float32)
    assert rows[best_rows(rows, scores, 3)].tolist() == [4, 1, 7]


def test_terms_fold_stem_split_and_drop() -> None:
    assert terms("The Cités of SÃO Tomé") == ["cite", "sao", "tome"]
    assert terms("running runs") == ["run", "run"]
    assert terms("read_csv") == ["read_csv", "read", "csv"]
    assert terms("KnowledgeIndex HTTPServer2") == [
        "knowledgeindex", "knowledg", "index", "httpserver2", "http", "server2",
    ]  # fmt: skip
    assert terms("x" * 500) == ["x" * 64]
    assert terms("straße ﬁne") == ["strass", "fine"]


def test_shares_count_the_names_that_a_row_holds(tmp_path: Path) -> None:
    index, everything = opened(tmp_path, FOUR), np.arange(4, dtype=np.int32)
    assert index.shares(["red", "appl"], everything).tolist() == [1.0, 0.5, 0.5, 0.0]
    assert index.shares(["red", "nowhere"], everything[2:]).tolist() == [0.5, 0.0]
    assert index.shares([], everything).tolist() == [0.0] * 4


def test_coverage_is_the_share_of_the_asked_terms(tmp_path: Path) -> None:
    index = opened(tmp_path, FOUR)
    held = index.coverage("red red apple unheard-of", np.array([0, 1, 3], dtype=np.int32))
    assert held == pytest.approx([2 / 3, 1 / 3, 0])
