"""The same index on Milvus, so that replicas on several machines share one.

A collection holds one version: passages, vectors, and the terms of `words.py`, over which
Milvus itself counts BM25. The configured name is an alias: a build fills a new collection and
then moves the alias, which is one step, so no reader sees half of it. The collection before
the last is kept for readers that still have it open; a reader whose collection is gone moves
on to the alias's. Which encoder and corpus it was made of stands in its properties.

What this does not do: run a cluster. A `.db` file runs Milvus's embedded engine (milvus-lite)
in this process, which locks the file: to share one, give every process the server's address.
"""

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from router.errors import InputError, KnowledgeError
from router.knowledge.filters import Where
from router.knowledge.fusion import DEPTH, fuse_hybrid
from router.knowledge.index import Mode, TextEncoder
from router.knowledge.milvus_client import connect, milvus_errors
from router.knowledge.milvus_filter import expression
from router.knowledge.milvus_schema import COLUMNS, FACTS
from router.knowledge.naming import names_in
from router.knowledge.rerank import RERANKED, Reranker, reranked
from router.knowledge.words import terms
from router.state import Passage

if TYPE_CHECKING:
    from router.settings import MilvusSettings

__all__ = ["MilvusIndex"]


class _Version(NamedTuple):
    """The collection that the alias named, and what it says of itself."""

    name: str
    encoder: str
    corpus: str
    size: int


class MilvusIndex:
    """An open index on Milvus; `KnowledgeIndex`'s interface. Use `open`."""

    def __init__(
        self, settings: "MilvusSettings", encoder: TextEncoder, reranker: Reranker | None = None
    ) -> None:
        self.settings = settings
        self._encoder, self._reranker = encoder, reranker
        self._client: Any = connect(settings)
        try:
            self._version = self._current()
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(
        cls, settings: "MilvusSettings", encoder: TextEncoder, reranker: Reranker | None = None
    ) -> "MilvusIndex":
        """The collection in use; KnowledgeError says what is wrong with it."""
        return cls(settings, encoder, reranker)

    @property
    def size(self) -> int:
        """How many passages there are."""
        return self._version.size

    @property
    def fingerprint(self) -> str:
        """Changes whenever the encoder or the corpus does."""
        return hashlib.sha256(repr(self._version[1:]).encode()).hexdigest()[:16]

    def search(
        self, query: str, k: int = 5, *, where: Where | None = None, mode: Mode = "hybrid"
    ) -> tuple[Passage, ...]:
        """The `k` best passages (of those that match `where`), best first. Blank: none."""
        if self._client is None:
            raise KnowledgeError(f"the index at {self.settings.uri} is closed")
        if mode not in get_args(Mode):
            raise InputError(f"search mode {mode!r}: one of {', '.join(get_args(Mode))}")
        if not query.strip() or k < 1:
            return ()
        condition = expression(where)
        if condition is None:  # a filter with no value to match
            return ()
        with milvus_errors(self.settings):
            if not self._client.has_collection(self._version.name):
                self._version = self._current()
            return self._found(query, min(k, self.size), condition, mode)

    async def asearch(
        self, query: str, k: int = 5, *, where: Where | None = None, mode: Mode = "hybrid"
    ) -> tuple[Passage, ...]:
        """`search` in a thread, so that an event loop is never held up."""
        return await asyncio.to_thread(self.search, query, k, where=where, mode=mode)

    def close(self) -> None:
        """Hang up; a second call does nothing."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def __enter__(self) -> "MilvusIndex":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _current(self) -> _Version:
        """What the alias names, if it was made with our encoder."""
        alias = self.settings.collection
        with milvus_errors(self.settings):
            if not self._client.has_collection(alias):
                raise KnowledgeError(
                    f"there is no collection {alias!r} on the Milvus at {self.settings.uri} "
                    "(setting `knowledge.milvus`): run `ockham index push`"
                )
            told = self._client.describe_collection(alias)
        try:
            facts = json.loads((told.get("properties") or {})[FACTS])
            found = _Version(
                told["collection_name"], facts["encoder"], facts["corpus"], int(facts["n"])
            )
        except (KeyError, ValueError, TypeError) as error:
            raise KnowledgeError(
                f"the collection {alias!r} on the Milvus at {self.settings.uri} was not made by "
                "Ockham: name another in `knowledge.milvus.collection`"
            ) from error
        if found.encoder != self._encoder.fingerprint:
            raise KnowledgeError(
                f"the collection {alias!r} on the Milvus at {self.settings.uri} was built with "
                f"{found.encoder}, the configuration says {self._encoder.fingerprint} (setting "
                "`signals.encoder`): run `ockham index build` and `ockham index push`"
            )
        return found

    def _found(self, query: str, k: int, condition: str, mode: Mode) -> tuple[Passage, ...]:
        words = " ".join(terms(query))
        if mode == "lexical":
            return self._ranked(self._by_words(words, k, condition), "lexical")
        vector = self._encoder.encode([query])[0].tolist()
        if mode == "dense":
            return self._ranked(self._by_meaning(vector, k, condition), "dense")
        wanted = k if self._reranker is None else max(k, RERANKED)
        fused = self._fused(words, vector, query, max(DEPTH, 2 * wanted), condition)[:wanted]
        ids = _among([hit["id"] for hit, _, _ in fused])
        said = {h["id"]: abs(h["distance"]) for h in self._by_words(words, len(fused), ids)}
        found = tuple(
            _passage(hit, score, cosine, said.get(hit["id"], 0.0)) for hit, score, cosine in fused
        )
        return reranked(self._reranker, query, found)[:k]

    def _fused(
        self, words: str, vector: list[float], query: str, depth: int, condition: str
    ) -> list[tuple[dict[str, Any], float, float | None]]:
        """Hits with fused score and cosine, as the local index fuses them (`fusion.py`)."""
        near = self._by_meaning(vector, depth, condition)
        said = [hit for hit in self._by_words(words, depth, condition) if hit["distance"]]
        meant = {hit["id"]: hit["distance"] for hit in near}
        far = [hit["id"] for hit in said if hit["id"] not in meant]
        meant |= {h["id"]: h["distance"] for h in self._by_meaning(vector, len(far), _among(far))}
        pool = {hit["id"]: hit for hit in (*near, *said)}
        texts = {row: frozenset(terms(hit["entity"]["text"])) for row, hit in pool.items()}
        names, asked = names_in(query), frozenset(words.split())
        named = {row: _share(names, text) for row, text in texts.items()}
        held = {hit["id"]: _share(asked, texts[hit["id"]]) for hit in said}
        fused = fuse_hybrid(meant, held, named)
        return [(pool[row], score, meant.get(row)) for row, score in fused]

    def _by_meaning(self, vector: list[float], k: int, condition: str) -> list[dict[str, Any]]:
        return self._search(vector, "dense", k, condition, {"params": {"ef": max(DEPTH, k)}})

    def _by_words(self, words: str, k: int, condition: str) -> list[dict[str, Any]]:
        return self._search(words, "sparse", k, condition, {}) if words else []

    def _search(
        self, data: Any, field: str, k: int, condition: str, params: dict[str, Any]
    ) -> list[dict[str, Any]]:
        if not k:
            return []
        return list(
            self._client.search(
                self._version.name,
                data=[data],
                anns_field=field,
                limit=k,
                filter=condition,
                search_params=params,
                output_fields=COLUMNS,
            )[0]
        )

    def _ranked(self, hits: list[dict[str, Any]], by: str) -> tuple[Passage, ...]:
        """milvus-lite gives BM25 as a negative distance, a cluster as a score: both count up."""
        if by == "dense":
            return tuple(_passage(h, h["distance"], h["distance"], None) for h in hits)
        return tuple(
            _passage(h, abs(h["distance"]), None, abs(h["distance"])) for h in hits if h["distance"]
        )


def _among(ids: list[int]) -> str:
    return f"id in [{', '.join(map(str, ids))}]"


def _share(names: frozenset[str], text: frozenset[str]) -> float:
    """Of the names, those among the text's terms; 0 where there are none."""
    return len(names & text) / len(names) if names else 0.0


def _passage(
    hit: dict[str, Any], score: float, dense: float | None, lexical: float | None
) -> Passage:
    held = hit["entity"]
    return Passage(
        source=held["source"],
        title=held["title"],
        text=held["text"],
        meta=held["meta"],
        score=score,
        dense=dense,
        lexical=lexical,
    )
