"""Which index the settings mean: a folder, or a collection on Milvus."""

from typing import TYPE_CHECKING, Protocol

from router.knowledge.filters import Where
from router.settings import KnowledgeSettings
from router.state import Passage

if TYPE_CHECKING:
    from router.knowledge.index import Mode, TextEncoder

__all__ = ["PassageIndex", "open_index"]


class PassageIndex(Protocol):
    """An open index, wherever its passages are."""

    @property
    def size(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    def search(
        self, query: str, k: int = 5, *, where: Where | None = None, mode: "Mode" = "hybrid"
    ) -> tuple[Passage, ...]: ...

    async def asearch(
        self, query: str, k: int = 5, *, where: Where | None = None, mode: "Mode" = "hybrid"
    ) -> tuple[Passage, ...]: ...

    def close(self) -> None: ...


def open_index(settings: KnowledgeSettings, encoder: "TextEncoder") -> PassageIndex:
    """The index in use; KnowledgeError says what is wrong with it."""
    from router.knowledge.rerank import load_reranker

    reranker = load_reranker(settings.reranker)
    if settings.milvus is not None:
        from router.knowledge.milvus import MilvusIndex

        return MilvusIndex.open(settings.milvus, encoder, reranker)
    from router.knowledge.index import KnowledgeIndex

    return KnowledgeIndex.open(settings.folder, encoder, reranker)
