"""Whether the process lives (`/health`), and whether it can answer (`/ready`).

Both are open to everybody, so `/ready` names what is down and not why: an upstream's words and
the places of files are for the operator, who sends `gateway.admin_key` or reads the log.
"""

from typing import Any

from router.errors import InputError
from router.gateway.errors import Refused
from router.gateway.exchange import Exchange
from router.gateway.gateway import Gateway
from router.masking import masked

__all__ = ["health", "readiness", "ready"]

_PLAIN = frozenset({"starting", "no arm uses the index"})
"""Reasons that say nothing of the machine."""


async def health(exchange: Exchange) -> None:
    """Alive: nothing is asked of models or databases."""
    watch = exchange.generation.router.watch
    watched = {} if watch is None else {"watch": watch.report()}
    await exchange.send_json({"status": "ok", **watched})


async def ready(exchange: Exchange) -> None:
    """200 where requests can be answered, else 503 with what is missing."""
    # Who is not ready gets no requests, and nothing else would try its models again.
    exchange.generation.router.try_again()
    told = readiness(exchange.gateway, whole=_is_operator(exchange))
    await exchange.send_json(told, 200 if told["ready"] else 503)


def readiness(gateway: Gateway, *, whole: bool = False) -> dict[str, Any]:
    """What is up and what is not. Ready: the ledger can be written and a model can answer.

    Args:
        whole: why in full; else `ready`, `starting`, `not configured` or `down`.
    """
    models = _models(gateway)
    ledger = gateway.ledger.why_not
    fine = ledger is None and any(why is None for why in models.values()) and not gateway.draining
    told = _in_full if whole else _kind
    return {
        "ready": fine,
        "draining": gateway.draining,
        "models": {name: told(why) for name, why in models.items()},
        "ledger": told(ledger),
        "index": told(gateway.router.index_why_not),
        "generation": gateway.generation.number,
    }


def _in_full(why: str | None) -> str:
    return "ready" if why is None else masked(why)


def _kind(why: str | None) -> str:
    if why is None or why in _PLAIN:
        return why or "ready"
    return "not configured" if why.startswith("not configured") else "down"


def _is_operator(exchange: Exchange) -> bool:
    """By the admin key alone: the ledger, which knows the others, may be what is down."""
    try:
        exchange.gateway.check_admin(exchange.headers)
    except Refused:
        return False
    return True


def _models(gateway: Gateway) -> dict[str, str | None]:
    """Why each model that an arm uses cannot be called; None where it can."""
    router = gateway.router
    used = dict.fromkeys(arm.model for arm in router.settings.arms.values())
    try:
        return {name: router.models.why_not(name) for name in used}
    except InputError:
        return dict.fromkeys(used, "starting")
