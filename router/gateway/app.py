"""The gateway's application: its operations as routes, and the life of what they share."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from router.config import Settings
from router.facade import Router
from router.gateway.encode import to_json
from router.gateway.errors import Refused
from router.gateway.exchange import Exchange
from router.gateway.gateway import Gateway
from router.gateway.openapi import Operation, document
from router.gateway.operations import OPERATIONS
from router.gateway.parts import Part, standard_parts
from router.gateway.serve import watch_signals
from router.ledger.ledger import Ledger

__all__ = ["create_app"]


def create_app(
    router: Router,
    *,
    parts: Sequence[Part] | None = None,
    load: Callable[[], Settings] | None = None,
    ledger: Ledger | None = None,
) -> Starlette:
    """The ASGI application. The router is opened and closed with it.

    Args:
        parts: other parts of the product; None: the standard ones.
        load: reads the configuration anew, for reloads.
        ledger: an open one that is not closed here; None: as the settings say.
    """
    gateway = Gateway(
        router, parts=standard_parts() if parts is None else parts, load=load, ledger=ledger
    )
    operations = [*OPERATIONS, *(op for part in gateway.parts for op in part.operations())]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        await gateway.open()
        watch_signals(gateway)
        try:
            yield
        finally:
            await gateway.close()

    app = Starlette(
        routes=[_route(gateway, operation) for operation in operations],
        lifespan=lifespan,
        exception_handlers={HTTPException: _no_such_route, Exception: _broken},
    )
    app.state.gateway = gateway
    told = to_json(document(operations))

    async def openapi(_: Request) -> Response:
        return Response(told, media_type="application/json")

    app.router.routes.append(Route("/openapi.json", openapi, methods=["GET"]))
    return app


class _Endpoint:
    """An operation as an ASGI application: no framework stands between it and the client."""

    def __init__(self, gateway: Gateway, operation: Operation) -> None:
        self._gateway, self._operation = gateway, operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._operation
        exchange = Exchange(self._gateway, scope, receive, send, operation.name)
        await exchange.serve(operation.handler, operation.metered)


def _route(gateway: Gateway, operation: Operation) -> Route:
    return Route(operation.path, _Endpoint(gateway, operation), methods=[operation.method])


async def _no_such_route(_: Request, error: Any) -> Response:
    """Also a method that a path does not have; Starlette says which it has."""
    code = "method_not_allowed" if error.status_code == 405 else "not_found"
    refused = Refused(error.status_code, str(error.detail), code)
    return Response(to_json(refused.body), error.status_code, error.headers, "application/json")


async def _broken(_: Request, error: Exception) -> Response:
    refused = Refused(500, "internal error; see the log", "internal_error")
    return Response(to_json(refused.body), 500, media_type="application/json")
