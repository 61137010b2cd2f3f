"""Log-probabilities out of a stream: every token's, also of chunks that LiteLLM drops."""

from collections.abc import AsyncIterable, Callable, Iterator
from math import isfinite
from typing import Any, NamedTuple, Self

__all__ = ["TokenLogprob", "overhear", "read_logprobs"]


class TokenLogprob(NamedTuple):
    """One token of a completion. Log-probabilities in nats."""

    text: str
    logprob: float
    candidates: float | None
    """Mean log-probability of the candidates that the server listed; None where none were."""


class _Overheard:
    """LiteLLM's own source of chunks, each shown to `hear` before LiteLLM takes it.

    LiteLLM drops a chunk without text, and its log-probabilities with it. vLLM sends such
    chunks: it holds text back in which a stop string may begin (12 characters of the card's).
    """

    def __init__(self, source: Any, hear: Callable[[Any], None]) -> None:
        self._source, self._hear = source, hear

    def __aiter__(self) -> Self:
        self._chunks = aiter(self._source)
        return self

    async def __anext__(self) -> Any:
        chunk = await anext(self._chunks)
        self._hear(chunk)
        return chunk

    def __getattr__(self, name: str) -> Any:
        """Everything else, closing above all, is the source's."""
        return getattr(self._source, name)


def overhear(stream: Any, hear: Callable[[Any], None]) -> None:
    """Listen in on a stream. Where LiteLLM keeps its source elsewhere: to what it passes on."""
    source = getattr(stream, "completion_stream", None)
    if isinstance(source, AsyncIterable):
        stream.completion_stream = _Overheard(source, hear)


def read_logprobs(choice: Any) -> Iterator[TokenLogprob]:
    """The tokens of a chunk; nothing where the server sent nothing that can be read."""
    content = getattr(getattr(choice, "logprobs", None), "content", None)
    for token in content or ():
        if not isinstance(token.logprob, int | float) or not isfinite(token.logprob):
            continue
        listed = [c.logprob for c in token.top_logprobs or () if isfinite(c.logprob)]
        mean = sum(listed) / len(listed) if listed else None
        yield TokenLogprob(token.token or "", min(0.0, float(token.logprob)), mean)
