"""`POST /v1/embeddings`, by a configured model."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from router.gateway.errors import Refused
from router.gateway.exchange import Exchange
from router.gateway.fields import Strict


class EmbeddingsRequest(Strict):
    """The body of `POST /v1/embeddings`."""

    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    input: (
        Annotated[str, StringConstraints(min_length=1)]
        | Annotated[
            list[Annotated[str, StringConstraints(min_length=1)]],
            Field(min_length=1, max_length=2048),
        ]
    )
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1, le=65536)] | None = None
    user: str | None = None


async def embeddings(exchange: Exchange) -> None:
    raise Refused(404, "none", "model_not_found")
