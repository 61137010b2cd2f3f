"""Embeddings: the packaged encoder on this machine, or a LiteLLM model of the settings.

The packaged one (`ockham/embed`, or its own name) costs the machine's time; a hosted one its
tokens, reserved as bytes before the call, since a token is at least one byte.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from router.config import Settings
from router.errors import BadResponse, BudgetError, InputError, ModelTimeout
from router.models.client import TRANSPORT_TIMEOUT_S
from router.models.completion import Endpoint
from router.models.failures import model_error
from router.models.loading import load_litellm
from router.models.prices import hosted_price
from router.paying import reserve, settle_bill
from router.purse import Basis, Bill, Lease, Purse
from router.settings import EmbeddingModelSettings
from router.state import Price

__all__ = ["PACKAGED", "Embedded", "Embedder", "embedding_names"]

PACKAGED = "ockham/embed"
_HOUR = 3600.0


class Embedded(BaseModel):
    """Vectors of some texts, in their order."""

    model_config = ConfigDict(frozen=True)

    model: str
    vectors: tuple[tuple[float, ...], ...]
    tokens: int
    cost_usd: float
    basis: Basis
    seconds: float


class TextEncoder(Protocol):
    """What the packaged encoder is asked."""

    def encode(self, texts: Sequence[str], batch_size: int = 32) -> NDArray[np.float32]:
        """(n, dim) L2-normalised rows."""
        ...

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text."""
        ...


def embedding_names(settings: Settings) -> tuple[str, ...]:
    """The models that can be asked for."""
    packaged = dict.fromkeys((PACKAGED, settings.signals.encoder))
    return (*packaged, *settings.embeddings.models)


class Embedder:
    """Embeds texts with whichever model is named."""

    def __init__(self, settings: Settings, encoder: TextEncoder) -> None:
        self._settings = settings
        self._encoder = encoder

    async def embed(
        self,
        texts: Sequence[str],
        model: str,
        *,
        dimensions: int | None = None,
        purse: Purse | None = None,
    ) -> Embedded:
        """The vectors.

        Raises:
            InputError: no such model, or dimensions that it cannot give.
            BudgetError: the purse does not hold the worst case.
            ModelError: the call failed.
        """
        if model in (PACKAGED, self._settings.signals.encoder):
            return await self._here(texts, model, dimensions, purse)
        named = self._settings.embeddings.models
        chosen = model if model in named else None
        chosen = chosen or next((n for n, m in named.items() if m.model == model), None)
        if chosen is None:
            known = ", ".join(embedding_names(self._settings))
            raise InputError(f"no embedding model {model!r} here; there are {known}")
        return await self._hosted(texts, chosen, named[chosen], dimensions, purse)

    async def _here(
        self, texts: Sequence[str], model: str, dimensions: int | None, purse: Purse | None
    ) -> Embedded:
        per_second = self._settings.embeddings.usd_per_hour / _HOUR
        most = per_second * self._settings.limits.timeout_s
        lease = await _paid(purse, model, most)
        started = time.perf_counter()
        rows = np.empty((0, 0), dtype=np.float32)
        tokens = 0
        try:
            rows = await asyncio.to_thread(self._encoder.encode, list(texts))
            tokens = sum(await asyncio.to_thread(self._encoder.count_pieces, list(texts)))
        finally:
            seconds = time.perf_counter() - started
            cost = min(most, per_second * seconds)
            if purse is not None and lease is not None:
                await settle_bill(purse, lease, Bill(cost, "reported", tokens, 0))
        if dimensions is not None and dimensions != rows.shape[1]:
            raise InputError(f"dimensions: {model} gives {rows.shape[1]}, and no other number")
        return Embedded(
            model=model, vectors=tuple(map(tuple, rows.tolist())), tokens=tokens,
            cost_usd=cost, basis="reported", seconds=seconds,
        )  # fmt: skip

    async def _hosted(
        self,
        texts: Sequence[str],
        name: str,
        settings: EmbeddingModelSettings,
        dimensions: int | None,
        purse: Purse | None,
    ) -> Embedded:
        price = embedding_price(name, settings)
        bound = sum(len(text.encode("utf-8", "replace")) + 2 for text in texts)
        lease = await _paid(purse, name, price.cost(bound, 0))
        bill = Bill(price.cost(bound, 0), "reserved", bound, 0)
        started = time.perf_counter()
        try:
            vectors, used = await self._call(texts, name, settings, dimensions)
            if used is None:
                bill = Bill(price.cost(bound, 0), "estimated", bound, 0)
            else:
                bill = Bill(price.cost(used, 0), "reported", used, 0)
        finally:
            if purse is not None and lease is not None:
                await settle_bill(purse, lease, bill)
        return Embedded(
            model=settings.model, vectors=vectors, tokens=bill.prompt_tokens, cost_usd=bill.usd,
            basis=bill.basis, seconds=time.perf_counter() - started,
        )  # fmt: skip

    async def _call(
        self,
        texts: Sequence[str],
        name: str,
        settings: EmbeddingModelSettings,
        dimensions: int | None,
    ) -> tuple[tuple[tuple[float, ...], ...], int | None]:
        litellm = await asyncio.to_thread(load_litellm)
        key = settings.api_key.get_secret_value() if settings.api_key else None
        optional = {"api_base": settings.api_base, "api_key": key, "dimensions": dimensions}
        limit = self._settings.limits.timeout_s
        try:
            async with asyncio.timeout(limit):
                answer = await litellm.aembedding(
                    model=settings.model, input=list(texts), timeout=TRANSPORT_TIMEOUT_S,
                    num_retries=0, max_retries=0, encoding_format="float",
                    **{k: v for k, v in optional.items() if v is not None},
                )  # fmt: skip
        except TimeoutError:
            raise ModelTimeout(f"embeddings.models.{name}: no answer within {limit:g} s") from None
        except Exception as error:
            where = Endpoint(name, settings.model, settings.api_base, key)
            known = model_error(where, error)
            if known is None:
                raise
            raise known from None
        return _vectors(name, answer, len(texts)), _used(answer)


def embedding_price(name: str, settings: EmbeddingModelSettings) -> Price:
    """USD per token. Raises `InputError` where nothing says what it costs."""
    if settings.input_usd_per_million is not None:
        where = f"configuration: embeddings.models.{name}"
        return Price(input_usd=settings.input_usd_per_million / 1e6, output_usd=0.0, basis=where)
    price = hosted_price(settings.model)
    if price is None:
        raise InputError(
            f"embeddings.models.{name}: no price is known for {settings.model!r}; set "
            "input_usd_per_million"
        )
    return price


def _vectors(name: str, answer: object, wanted: int) -> tuple[tuple[float, ...], ...]:
    rows = sorted(getattr(answer, "data", None) or (), key=lambda row: row["index"])
    vectors = tuple(tuple(float(x) for x in row["embedding"]) for row in rows)
    if len(vectors) != wanted:
        raise BadResponse(
            f"embeddings.models.{name}: {len(vectors)} vectors came for {wanted} texts"
        )
    return vectors


def _used(answer: object) -> int | None:
    """Tokens as the server counted them; None where it did not."""
    used = getattr(getattr(answer, "usage", None), "prompt_tokens", None)
    return used if isinstance(used, int) and used > 0 else None


async def _paid(purse: Purse | None, name: str, usd: float) -> Lease | None:
    if purse is None:
        return None
    lease = await reserve(purse, name, usd)
    if lease is None:
        raise BudgetError(
            f"{name}: its worst case, USD {usd:.6f}, is above what the budget has left "
            f"(USD {max(purse.left_usd, 0):.6f})",
            purse.left_usd,
            usd,
        )
    return lease
