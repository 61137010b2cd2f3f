"""What a reader is given for a generated question: the gold passage, distractors, or nothing.

What: passages for the conditions `gold` and `distractors`, out of the Factbook's own chunks, so
that they read as retrieved ones do. What not: searching (condition `retrieved` is the index).

Distractors are near: the same field of two other countries, and another field of the same
country. None of them says the words of the evidence, so the answer is not there.
"""

import random
from collections.abc import Mapping, Sequence
from functools import lru_cache

from eval.knowledge.questions import FactQuestion, holds, says
from router.knowledge.chunks import Chunk
from router.knowledge.factbook import load_factbook
from router.state import Passage

__all__ = ["FROM_FIELD", "FROM_OTHERS", "Library", "library"]

FROM_OTHERS, FROM_FIELD = 2, 1
"""Distractors: of other countries on the same field, and of other fields of the same country.
Three in all, which is how many passages a reader sees by default."""
MOST_GOLD = 3


class Library:
    """The Factbook's passages by source, by field and by country."""

    def __init__(self, chunks: Sequence[Chunk], fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self._by_source: dict[str, list[Chunk]] = {}
        self._by_field: dict[str, list[Chunk]] = {}
        self._by_country: dict[str, list[Chunk]] = {}
        for chunk in chunks:
            source = chunk.source.split("~")[0]
            country, _, field = source.partition("#")
            self._by_source.setdefault(source, []).append(chunk)
            self._by_field.setdefault(field, []).append(chunk)
            self._by_country.setdefault(country, []).append(chunk)

    def gold(self, question: FactQuestion) -> tuple[Passage, ...]:
        """The passages of the question's own source that hold the answer."""
        own = self._by_source.get(question.source, [])
        held = [c for c in own if holds(question, c.source, c.title, c.text)]
        return tuple(_passage(c, 1.0) for c in held[:MOST_GOLD])

    def distractors(self, question: FactQuestion, seed: int) -> tuple[Passage, ...]:
        """Near misses, in an order by seed and question."""
        country, _, field = question.source.partition("#")
        others = self._free(self._by_field, field, question, f"{country}#")
        same = self._free(self._by_country, country, question, f"{country}#{field}")
        draw = random.Random(f"{seed}:{question.id}")  # noqa: S311  an order, no secret
        # A country's own passages may all say its adjective: then the rest is of other countries.
        own = _sample(draw, same, FROM_FIELD)
        picked = _sample(draw, others, FROM_OTHERS + FROM_FIELD - len(own)) + own
        draw.shuffle(picked)
        return tuple(_passage(c, 0.0) for c in picked)

    @staticmethod
    def _free(
        shelf: Mapping[str, Sequence[Chunk]], key: str, question: FactQuestion, own: str
    ) -> list[Chunk]:
        """Passages of a shelf that are not the question's own, and do not say the evidence."""
        return [
            chunk
            for chunk in shelf.get(key, [])
            if not chunk.source.startswith(own) and not _says_all(chunk.text, question.evidence)
        ]


@lru_cache(maxsize=1)
def library() -> Library:
    """Of the packaged Factbook. Raises `KnowledgeError` where it is not installed."""
    corpus = load_factbook()
    return Library(corpus.chunks, corpus.fingerprint)


def _says_all(text: str, evidence: Sequence[str]) -> bool:
    """`says`, asked only where the plain words stand: hundreds of texts are looked through."""
    folded = text.casefold()
    if not all(words.casefold() in folded for words in evidence):
        return False
    return all(says(text, words) for words in evidence)


def _sample(draw: random.Random, chunks: Sequence[Chunk], n: int) -> list[Chunk]:
    return draw.sample(list(chunks), min(n, len(chunks)))


def _passage(chunk: Chunk, score: float) -> Passage:
    return Passage(source=chunk.source, title=chunk.title, text=chunk.text, score=score)
