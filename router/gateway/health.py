"""Whether the process lives (`/health`), and whether it can answer (`/ready`)."""

from typing import Any

from router.errors import InputError
from router.gateway.exchange import Exchange
from router.gateway.gateway import Gateway

__all__ = ["health", "readiness", "ready"]


async def health(exchange: Exchange) -> None:
    """Alive: nothing is asked of models or databases."""
    watch = exchange.generation.router.watch
    watched = {} if watch is None else {"watch": watch.report()}
    await exchange.send_json({"status": "ok", **watched})


async def ready(exchange: Exchange) -> None:
    """200 where requests can be answered, else 503 with what is missing."""
    # Who is not ready gets no requests, and nothing else would try its models again.
    exchange.generation.router.try_again()
    told = readiness(exchange.gateway)
    await exchange.send_json(told, 200 if told["ready"] else 503)


def readiness(gateway: Gateway) -> dict[str, Any]:
    """What is up and what is not. Ready: the ledger can be written and a model can answer."""
    models = _models(gateway)
    ledger = gateway.ledger.why_not
    fine = ledger is None and any(why is None for why in models.values()) and not gateway.draining
    return {
        "ready": fine,
        "draining": gateway.draining,
        "models": {name: why or "ready" for name, why in models.items()},
        "ledger": ledger or "ready",
        "index": gateway.router.index_why_not or "ready",
        "generation": gateway.generation.number,
    }


def _models(gateway: Gateway) -> dict[str, str | None]:
    """Why each model that an arm uses cannot be called; None where it can."""
    router = gateway.router
    used = dict.fromkeys(arm.model for arm in router.settings.arms.values())
    try:
        return {name: router.models.why_not(name) for name in used}
    except InputError:
        return dict.fromkeys(used, "starting")
