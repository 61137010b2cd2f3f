"""`POST /v1/embeddings`: by the packaged encoder or a hosted model of the settings.

Tokens as input, which OpenAI takes, are refused: they belong to one model's vocabulary.
"""

import asyncio
import base64
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, StringConstraints

from router.embedding import Embedded, embedding_names
from router.errors import InputError, NoAnswerError
from router.gateway.body import parse
from router.gateway.encode import header, usd
from router.gateway.errors import Refused
from router.gateway.exchange import Exchange
from router.gateway.fields import Model, Strict
from router.gateway.naming import no_model
from router.state import Message, Query

__all__ = ["EmbeddingsRequest", "embeddings"]

_Text = Annotated[str, StringConstraints(min_length=1)]


class EmbeddingsRequest(Strict):
    """The body of `POST /v1/embeddings`."""

    model: Model
    input: _Text | Annotated[list[_Text], Field(min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1, le=65536)] | None = None
    user: str | None = None


async def embeddings(exchange: Exchange) -> None:
    """Vectors of one text or several, in their order."""
    await exchange.authenticate()
    request = parse(EmbeddingsRequest, await exchange.body())
    settings, router = exchange.settings, exchange.generation.router
    known = {*embedding_names(settings), *(m.model for m in settings.embeddings.models.values())}
    if request.model not in known:
        raise no_model(request.model)
    texts = [request.input] if isinstance(request.input, str) else request.input
    _check(texts, settings.limits.max_query_chars)
    await exchange.place()
    query = Query(
        id=exchange.id, messages=tuple(Message(role="user", content=text) for text in texts)
    )
    booking = await exchange.book(query)
    try:
        async with asyncio.timeout(settings.limits.timeout_s):
            made = await exchange.race(
                router.aembed(texts, request.model, dimensions=request.dimensions, purse=booking)
            )
    except TimeoutError:
        limit = settings.limits.timeout_s
        raise NoAnswerError(f"no embeddings within limits.timeout_s = {limit:g}") from None
    exchange.embedded = made
    exchange.saw_answer()
    told = [
        (b"x-ockham-model", header(made.model)),
        (b"x-ockham-cost-usd", usd(made.cost_usd).encode()),
    ]
    packed = request.encoding_format == "base64"
    await exchange.send_json(_body(exchange.id, made, packed), headers=told)


def _check(texts: Sequence[str], most_chars: int) -> None:
    total = sum(map(len, texts))
    if total > most_chars:
        raise InputError(f"input: {total} characters, limits.max_query_chars allows {most_chars}")
    if not all(text.strip() for text in texts):
        raise Refused(400, "input: a text is blank", "invalid_value", "input")


def _body(id: str, made: Embedded, packed: bool) -> dict[str, Any]:
    data = [
        {"object": "embedding", "index": i, "embedding": _packed(row) if packed else list(row)}
        for i, row in enumerate(made.vectors)
    ]
    return {
        "object": "list",
        "model": made.model,
        "data": data,
        "usage": {"prompt_tokens": made.tokens, "total_tokens": made.tokens},
        "ockham": {"trace_id": id, "cost_usd": made.cost_usd, "cost_basis": made.basis},
    }


def _packed(row: Sequence[float]) -> str:
    """Little-endian float32, as OpenAI's SDK asks for and unpacks."""
    return base64.b64encode(np.asarray(row, dtype="<f4").tobytes()).decode("ascii")
