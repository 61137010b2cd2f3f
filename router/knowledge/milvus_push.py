"""Bringing a built index to Milvus: a new collection, filled and counted, then one switch.

    <alias>_v_<token>    a version; `alias` is what readers ask for

A push that dies leaves a collection that no alias names; the next one drops it. What is in use
stays in use until the new collection holds every passage.
"""

import json
import re
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from router.errors import KnowledgeError
from router.knowledge.chunks import Chunk
from router.knowledge.milvus_client import connect, milvus_errors
from router.knowledge.milvus_schema import FACTS, indexes, record, schema, too_long

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from router.settings import MilvusSettings

__all__ = ["Pushed", "push"]

_BATCH = 500
"""Rows a request: well under gRPC's limit of a message, whatever the passages' length."""


class Pushed(NamedTuple):
    """What a push did."""

    collection: str
    passages: int
    dropped: tuple[str, ...]


def push(
    settings: "MilvusSettings",
    passages: Sequence[Chunk],
    vectors: "NDArray[np.float32]",
    encoder: str,
    corpus: str,
    progress: Callable[[int, int], None] | None = None,
) -> Pushed:
    """Make `passages` what the alias names; `vectors` are their rows."""
    if not passages or len(passages) != len(vectors):
        raise KnowledgeError(
            f"{len(passages)} passages and {len(vectors)} vectors cannot be pushed to Milvus: "
            "run `ockham index build`"
        )
    for chunk in passages:
        if too_long(chunk):
            raise KnowledgeError(f"the passage {chunk.source[:80]!r} is too long for Milvus")
    client = connect(settings)
    try:
        with milvus_errors(settings):
            return _Push(client, settings.collection).run(
                passages, vectors, {"encoder": encoder, "corpus": corpus}, progress
            )
    finally:
        client.close()


class _Push:
    """One push over an open connection."""

    def __init__(self, client: Any, alias: str) -> None:
        self.client, self.alias = client, alias
        self.name = f"{alias}_v_{secrets.token_hex(4)}"

    def run(
        self,
        passages: Sequence[Chunk],
        vectors: "NDArray[np.float32]",
        made_of: dict[str, str],
        progress: Callable[[int, int], None] | None,
    ) -> Pushed:
        old = self._in_use()
        facts = json.dumps({**made_of, "n": len(passages)})
        self.client.create_collection(
            self.name,
            schema=schema(self.client, vectors.shape[1]),
            index_params=indexes(self.client),
            properties={FACTS: facts},
        )
        try:
            for start in range(0, len(passages), _BATCH):
                rows = range(start, min(start + _BATCH, len(passages)))
                self.client.insert(self.name, [record(r, passages[r], vectors[r]) for r in rows])
                if progress is not None:
                    progress(rows.stop, len(passages))
            self._check(len(passages))
            self._switch(old)
        except BaseException:
            self.client.drop_collection(self.name)
            raise
        return Pushed(self.name, len(passages), self._drop_others(old))

    def _in_use(self) -> str | None:
        """The collection that the alias names."""
        if not self.client.has_collection(self.alias):
            return None
        name = str(self.client.describe_collection(self.alias)["collection_name"])
        if name == self.alias:
            raise KnowledgeError(
                f"{name!r} is a collection on that Milvus, where Ockham needs an alias: name "
                "another in `knowledge.milvus.collection`"
            )
        return name

    def _check(self, n: int) -> None:
        """Every passage is there, and can be searched."""
        self.client.flush(self.name)
        self.client.load_collection(self.name)
        found = int(self.client.query(self.name, output_fields=["count(*)"])[0]["count(*)"])
        if found != n:
            raise KnowledgeError(f"Milvus holds {found:,} of {n:,} passages: push again")

    def _switch(self, old: str | None) -> None:
        if old is None:
            self.client.create_alias(self.name, self.alias)
        else:
            self.client.alter_alias(self.name, self.alias)

    def _drop_others(self, old: str | None) -> tuple[str, ...]:
        """All versions but this one and the one before it, which readers may have open."""
        kept = {self.name, old}
        # Of this alias only: "docs_v_2" is another index than "docs", and so are its versions.
        own = re.compile(rf"{self.alias}_v_[0-9a-f]{{8}}")
        versions = [c for c in self.client.list_collections() if own.fullmatch(c)]
        dropped = tuple(sorted(c for c in versions if c not in kept))
        for name in dropped:
            self.client.drop_collection(name)
        return dropped
