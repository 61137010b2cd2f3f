"""An optional cross-encoder, which reads the query and a passage together.

Setting `knowledge.reranker`: a folder, or a name on the model hub, of a sequence classifier
with one output, run by sentence-transformers. It orders the fused search's first passages
anew; its score is then what the search ranked by. No model is packaged, and none is downloaded
unless named. Nogueira and Cho 2019 ("Passage re-ranking with BERT").
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from router.errors import ConfigError
from router.state import Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["RERANKED", "CrossEncoderReranker", "Reranker", "load_reranker", "reranked"]

RERANKED = 30
"""Fused passages that the cross-encoder reads."""


class Reranker(Protocol):
    """What a search needs of it."""

    def scores(self, query: str, texts: Sequence[str]) -> "NDArray[np.float32]":
        """One number a text, higher is better."""
        ...


class CrossEncoderReranker:
    """Loaded when it is made; its model is used by one thread at a time."""

    def __init__(self, model: str) -> None:
        from sentence_transformers import CrossEncoder

        self._lock = threading.Lock()
        try:
            self._model: Any = CrossEncoder(model)
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(
                f"the cross-encoder {model!r} (setting `knowledge.reranker`) cannot be loaded: "
                f"{str(error).splitlines()[0]}"
            ) from error
        if self._model.num_labels != 1:
            raise ConfigError(
                f"the model {model!r} (setting `knowledge.reranker`) has "
                f"{self._model.num_labels} outputs: a cross-encoder for ranking has one"
            )

    def scores(self, query: str, texts: Sequence[str]) -> "NDArray[np.float32]":
        import numpy as np

        with self._lock:
            made = self._model.predict([(query, text) for text in texts], show_progress_bar=False)
        return np.asarray(made, dtype=np.float32)


def load_reranker(model: str | None) -> Reranker | None:
    """The one that is set, or None."""
    return None if model is None else CrossEncoderReranker(model)


def reranked(
    reranker: Reranker | None, query: str, passages: tuple[Passage, ...]
) -> tuple[Passage, ...]:
    """The passages in its order, with its scores; as they are where there is none."""
    if reranker is None or not passages:
        return passages
    scores = reranker.scores(query, [p.text for p in passages]).tolist()
    scored = [p.model_copy(update={"score": s}) for p, s in zip(passages, scores, strict=True)]
    return tuple(sorted(scored, key=lambda p: -p.score))
