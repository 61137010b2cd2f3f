"""Reciprocal rank fusion: several rankings of the same rows made one.

    score(row) = sum over rankings of weight / (k + rank), rank counting from 1

Hybrid search fuses two: the words' (BM25), and the meaning's, in which a passage that says the
question's names is lifted: cosine + NAMES_WEIGHT x share of the names that the passage says.
An encoder takes "Niger" for much like "Nigeria"; letters do not. A place in the words' ranking
weighs by how much of the query the passage holds, word for word: little for a paraphrase, which
shares a name and a common word with many passages, and as much as meaning for a function's name
or an error code.

Ranks alone count, so that a cosine and a BM25 score need no common scale. Cormack, Clarke and
Buettcher 2009 ("Reciprocal rank fusion outperforms Condorcet and individual rank learning
methods", k = 60); that k and weights are worth choosing is Bruch, Gai and Ingber 2022 (arXiv
2210.11934). The weight by coverage is ours.
"""

from collections.abc import Iterable, Mapping, Sequence

__all__ = ["DEPTH", "LEXICAL_WEIGHT", "NAMES_WEIGHT", "RRF_K", "fuse", "fuse_hybrid", "word_weight"]

DEPTH = 100
"""Passages of each ranking that are fused; further down a rank adds next to nothing."""

RRF_K = 10
"""Lower than the paper's 60: with some 150 passages of one subject in each ranking, a first
place must weigh more than a middling place in both."""
LEXICAL_WEIGHT = 0.1
"""Of the words' ranking where a passage holds few of the query's words, the meaning's being 1."""
NAMES_WEIGHT = 0.1
"""Of the share of names, beside a cosine. All three are chosen on the `tune` countries of
eval/knowledge/split.py, whose questions avoid the passages' words: recall@5 is flat from 0.1 to
0.2 for the words and from 0.05 to 0.2 for the names; at 0.2 for the words recall@1 falls."""
COVERAGE_POWER = 4
"""How steeply the weight of words rises to 1 with the share of the query's words that are held.
Chosen on the same countries and on names of functions and classes, which words find and meaning
does not: without it hybrid search loses some of them (tests/router/knowledge/test_search.py)."""


def word_weight(coverage: float) -> float:
    """The weight of a place in the words' ranking, for a passage that holds `coverage` of them."""
    return LEXICAL_WEIGHT + (1 - LEXICAL_WEIGHT) * coverage**COVERAGE_POWER


def fuse_hybrid(
    meant: Mapping[int, float],
    said: Mapping[int, float],
    named: Mapping[int, float],
) -> list[tuple[int, float]]:
    """The fused rows with their scores, best first.

    Args:
        meant: row -> cosine.
        said: row -> share of the query's words that it holds, in the order of the words' ranking.
        named: row -> share of the query's names that it says.
    """
    lifted = {row: cosine + NAMES_WEIGHT * named.get(row, 0.0) for row, cosine in meant.items()}
    by_meaning = sorted(lifted, key=lambda row: (-lifted[row], row))
    weights = [[1.0] * len(by_meaning), [word_weight(share) for share in said.values()]]
    return fuse([by_meaning, said], weights=weights)


def fuse(
    rankings: Sequence[Iterable[int]],
    k: int = RRF_K,
    weights: Sequence[Sequence[float]] | None = None,
) -> list[tuple[int, float]]:
    """Every row of any ranking with its fused score, best first; equal scores by row.

    `weights` are one a place of each ranking; None weighs all places 1.
    """
    scores: dict[int, float] = {}
    for number, ranking in enumerate(map(list, rankings)):
        weighed = weights[number] if weights else [1.0] * len(ranking)
        for rank, (row, weight) in enumerate(zip(ranking, weighed, strict=True), start=1):
            scores[row] = scores.get(row, 0.0) + weight / (k + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
