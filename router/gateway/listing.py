"""`GET /v1/models` and `/v1/models/{id}`."""

from typing import Any

from router.gateway.exchange import Exchange
from router.gateway.naming import model_names, no_model

__all__ = ["list_models", "one_model"]


async def list_models(exchange: Exchange) -> None:
    """Everything that `model` may be."""
    await exchange.authenticate()
    data = [_entry(exchange, *named) for named in model_names(exchange.generation.router)]
    await exchange.send_json({"object": "list", "data": data})


async def one_model(exchange: Exchange) -> None:
    """One of them."""
    await exchange.authenticate()
    wanted = exchange.path["id"]
    for name, owner in model_names(exchange.generation.router):
        if name == wanted:
            await exchange.send_json(_entry(exchange, name, owner))
            return
    raise no_model(wanted)


def _entry(exchange: Exchange, name: str, owner: str) -> dict[str, Any]:
    created = int(exchange.generation.since)
    return {"id": name, "object": "model", "created": created, "owned_by": owner}
