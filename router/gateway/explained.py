"""`/ockham/...`: the story of a request, a dry run, feedback, status, reload."""

import asyncio
import time
from importlib.metadata import version
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from router.errors import ConfigError
from router.explain import route_json
from router.gateway.body import parse
from router.gateway.chat import Chat
from router.gateway.chat_schema import ChatRequest
from router.gateway.errors import Refused
from router.gateway.exchange import Exchange
from router.gateway.fields import Model, Strict
from router.gateway.health import readiness
from router.gateway.routed import admitted
from router.gateway.serve import reload_all
from router.ledger.records import Principal

__all__ = ["FeedbackRequest", "RouteRequest", "dry_run", "feedback", "reload", "status", "trace"]

CLOSING_S = 5.0
"""A row is closed just after its answer has left: who asks at once waits for it."""


class RouteRequest(ChatRequest):
    """The body of `POST /ockham/route`: any chat completion's, and `model` may be left out."""

    model: Model = "ockham/auto"


class _Route(Chat):
    schema = RouteRequest


_API = _Route()


class FeedbackRequest(Strict):
    """The body of `POST /ockham/feedback`: `correct`, or a `rating` from 0 to 1."""

    trace_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    correct: bool | None = None
    rating: Annotated[float, Field(ge=0, le=1)] | None = None
    comment: Annotated[str, StringConstraints(max_length=2000)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "FeedbackRequest":
        if (self.correct is None) == (self.rating is None):
            raise ValueError("give correct or rating, one of the two")
        return self

    @property
    def score(self) -> float:
        """1: right; 0: wrong."""
        return float(bool(self.correct)) if self.rating is None else self.rating


async def trace(exchange: Exchange) -> None:
    """Everything that is kept of a request of the caller's own tenant."""
    who = await exchange.authenticate()
    wanted = exchange.path["id"]
    await _closed(exchange, wanted, who)
    found = await exchange.gateway.ledger.trace(wanted, who.tenant)
    if found is None:
        raise _no_trace(wanted)
    await exchange.send_json(found)


async def dry_run(exchange: Exchange) -> None:
    """The first decision on a chat completion, by what its tenant has left now, with reasons: no
    model is called, nothing is spent."""
    asked = await admitted(exchange, _API)
    purse = await exchange.purse()
    deciding = exchange.generation.router.aroute(
        asked.query, policy=asked.target.choice, purse=purse
    )
    signals, decision = await exchange.race(deciding)
    await exchange.send_json(route_json(signals, decision))


async def feedback(exchange: Exchange) -> None:
    """A label from the caller. Nobody drew it, so it carries no bound."""
    who = await exchange.authenticate()
    request = parse(FeedbackRequest, await exchange.body())
    await _closed(exchange, request.trace_id, who)
    label = await exchange.gateway.ledger.label(
        request.trace_id,
        source="feedback",
        score=request.score,
        tenant=who.tenant,
        meta={"comment": request.comment} if request.comment and who.stores_prompts else None,
    )
    if label is None:
        raise _no_trace(request.trace_id)
    await exchange.send_json({"trace_id": request.trace_id, "source": "feedback"})


async def status(exchange: Exchange) -> None:
    """What the caller's tenant has used, and a section of every part."""
    who = await exchange.authenticate()
    gateway, router = exchange.gateway, exchange.generation.router
    told: dict[str, Any] = {
        "version": version("ockham-router"),
        "uptime_s": round(time.time() - gateway.started, 1),
        "generation": exchange.generation.number,
        "policy": f"{router.policy.name}@{router.policy.version}",
        "ready": readiness(gateway)["ready"],
        "requests": {"running": gateway.places.running, "waiting": gateway.places.waiting},
        "tenant": who.tenant,
        "usage": await gateway.ledger.usage(who.tenant),
    }
    for part in gateway.parts:
        section = await part.status(who.tenant)
        if section is not None:
            told[part.name] = section
    await exchange.send_json(told)


async def reload(exchange: Exchange) -> None:
    """Read the configuration anew, here and in the other workers."""
    exchange.gateway.check_admin(exchange.headers)
    try:
        made = await exchange.gateway.reload()
    except ConfigError as error:
        raise Refused(400, str(error), "invalid_configuration") from None
    workers = made.settings.gateway.workers
    if workers > 1:
        reload_all()
    await exchange.send_json(
        {"generation": made.number, "policy": made.router.policy.name, "workers": workers}
    )


async def _closed(exchange: Exchange, ident: str, who: Principal) -> None:
    """Wait for the row of a request of the tenant's that is just ending in this process."""
    running = exchange.gateway.running.get(ident)
    if running is None or running.principal is None or running.principal.tenant != who.tenant:
        return
    try:
        await asyncio.wait_for(running.closed.wait(), CLOSING_S)
    except TimeoutError:
        raise Refused(404, "that request is still running", "still_running") from None


def _no_trace(ident: str) -> Refused:
    return Refused(404, f"no trace {ident[:64]!r} of this tenant", "trace_not_found", "trace_id")
