"""Reciprocal rank fusion, by hand."""

import pytest

from router.knowledge.fusion import LEXICAL_WEIGHT, fuse, fuse_hybrid, word_weight


def test_by_hand() -> None:
    found = fuse([[7, 3, 5], [3, 9]], k=60)
    assert [row for row, _ in found] == [3, 7, 9, 5]
    assert [score for _, score in found] == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63])


def test_constant_and_weights_by_hand() -> None:
    found = dict(fuse([[1], [2]], k=1, weights=[[0.5], [3]]))
    assert found == {1: 0.25, 2: 1.5}


def test_equal_scores_come_in_the_order_of_rows() -> None:
    assert [row for row, _ in fuse([[4, 1], [1, 4]])] == [1, 4]


def test_nothing_to_fuse() -> None:
    assert fuse([[], []]) == []


def test_a_passage_that_says_the_names_is_lifted_in_the_ranking_by_meaning() -> None:
    meant = {1: 0.70, 2: 0.65, 3: 0.50}
    plain = fuse_hybrid(meant, {3: 0.0}, {})
    assert plain == [(row, pytest.approx(score)) for row, score in
                     [(1, 1 / 11), (3, 1 / 13 + LEXICAL_WEIGHT / 11), (2, 1 / 12)]]  # fmt: skip
    # 0.65 + NAMES_WEIGHT passes 0.70; half of it would do so too, a tenth would not.
    assert [row for row, _ in fuse_hybrid(meant, {}, {2: 1.0})] == [2, 1, 3]
    assert [row for row, _ in fuse_hybrid(meant, {}, {2: 0.1})] == [1, 2, 3]


def test_a_row_found_by_words_alone_counts_by_words_alone() -> None:
    assert fuse_hybrid({}, {9: 0.0}, {}) == [(9, pytest.approx(LEXICAL_WEIGHT / 11))]


def test_a_place_among_the_words_weighs_by_what_is_held() -> None:
    assert word_weight(0) == pytest.approx(0.1)
    assert word_weight(0.5) == pytest.approx(0.1 + 0.9 / 16)
    assert word_weight(1) == pytest.approx(1)
    fused = dict(fuse_hybrid({1: 0.9}, {2: 1.0, 3: 0.5}, {}))
    assert fused == {
        i: pytest.approx(w / r) for i, w, r in [(1, 1, 11), (2, 1, 11), (3, word_weight(0.5), 12)]
    }
