"""The gateway's application: `/v1/chat/completions`, `/v1/models`, `/health`.

Closed by default: off loopback it needs `gateway.api_keys`; on loopback without keys it
answers only to loopback host names, so that a web page cannot reach it by rebinding DNS.
"""

import asyncio
import hmac
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from policies.policy import ready_policies
from router.errors import ConfigError, InputError, NoAnswerError, OckhamError
from router.facade import Router
from router.gateway.schema import ChatRequest, completion, to_query
from router.gateway.stream import EventStream, sse
from router.settings import GatewaySettings
from router.state import Answer, Query

__all__ = ["check_exposure", "create_app"]

MAX_BODY = 4 * 2**20
POLL_S = 0.25
AUTO = "ockham/auto"


class _Refused(Exception):
    """A request that is answered with an error before it is routed."""

    def __init__(self, status: int, message: str, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.response = JSONResponse(
            {"error": _error(message, "invalid_request_error", code, param)}, status
        )


def check_exposure(gateway: GatewaySettings) -> None:
    """Raise `ConfigError` where the gateway would stand open off loopback."""
    if not is_loopback(gateway.host) and not gateway.api_keys:
        raise ConfigError(
            f"gateway.api_keys: at least one key is needed, because gateway.host "
            f"{gateway.host!r} is not a loopback address"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def create_app(router: Router) -> FastAPI:
    """The ASGI application. The router is opened and closed with it."""
    gateway = router.settings.gateway
    check_exposure(gateway)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        async with router:
            yield

    app = FastAPI(title="Ockham", lifespan=lifespan, docs_url=None, redoc_url=None)
    if is_loopback(gateway.host) and not gateway.api_keys:
        app.add_middleware(
            TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1", "[::1]", gateway.host]
        )
    keys = [key.get_secret_value().encode() for key in gateway.api_keys]

    # A dependency, not a middleware: Starlette's function middleware hides a client's
    # disconnect from the endpoint, and then nothing would stop the model's work.
    def authorise(request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        given = given.strip() if scheme.lower() == "bearer" else ""
        if keys and not any(hmac.compare_digest(given.encode(), key) for key in keys):
            raise _Refused(401, "missing or wrong API key", "invalid_api_key")

    authorised = [Depends(authorise)]

    @app.exception_handler(_Refused)
    async def refused(_: Request, error: _Refused) -> Response:
        return error.response

    @app.exception_handler(StarletteHTTPException)
    async def no_such_route(_: Request, error: StarletteHTTPException) -> Response:
        return _Refused(error.status_code, str(error.detail), "not_found").response

    @app.exception_handler(Exception)
    async def broken(_: Request, error: Exception) -> Response:
        body = _error("internal error; see the log", "server_error", "internal_error", None)
        return JSONResponse({"error": body}, 500)

    @app.exception_handler(OckhamError)
    async def failed(_: Request, error: OckhamError) -> Response:
        return JSONResponse(error_body(error), status_of(error))

    @app.get("/health")
    async def health() -> dict[str, Any]:
        watched = {} if router.watch is None else {"watch": router.watch.report()}
        return {"status": "ok", **watched}

    @app.get("/v1/models", dependencies=authorised)
    async def models() -> dict[str, Any]:
        names = [AUTO, *(f"ockham/{name}" for name in ready_policies())]
        data = [{"id": n, "object": "model", "created": 0, "owned_by": "ockham"} for n in names]
        return {"object": "list", "data": data}

    @app.post("/v1/chat/completions", dependencies=authorised)
    async def chat(request: Request) -> Response:
        body = await _body(request)
        policy = _policy(body.model)
        query = to_query(body, uuid.uuid4().hex)
        if not body.stream:
            return JSONResponse(completion(await _answer(router, query, policy, request)))
        usage = body.stream_options is not None and body.stream_options.include_usage
        run = router.astream(query, policy=policy, commit=True)
        return EventStream(
            sse(run, query.id, usage, error_body),
            media_type="text/event-stream",
            headers={"cache-control": "no-cache", "x-ockham-trace-id": query.id},
        )

    return app


async def _answer(router: Router, query: Query, policy: str | None, request: Request) -> Answer:
    """Run to the end, unless the client goes away: then the model's work is stopped."""
    run = asyncio.ensure_future(router.aask(query, policy=policy))
    try:
        while not run.done():
            await asyncio.wait({run}, timeout=POLL_S)
            if not run.done() and await request.is_disconnected():
                raise _Refused(499, "the client closed the request", "client_closed_request")
        return run.result()
    finally:
        run.cancel()
        await asyncio.wait({run})


async def _body(request: Request) -> ChatRequest:
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise _Refused(415, "the content type must be application/json", "unsupported_media_type")
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > MAX_BODY:
            raise _Refused(413, f"the body is over {MAX_BODY} bytes", "request_too_large")
    try:
        return ChatRequest.model_validate_json(bytes(raw))
    except ValidationError as error:
        first = error.errors()[0]
        param = ".".join(str(part) for part in first["loc"]) or None
        if first["type"] == "extra_forbidden":
            raise _Refused(
                400, f"{param}: not supported by this gateway", "unsupported_parameter", param
            ) from None
        what = f"{param}: {first['msg']}" if param else first["msg"]
        raise _Refused(400, what, "invalid_value", param) from None


def _policy(model: str) -> str | None:
    """The policy behind a model name; None is the configured one (`router`: Inspect's habit)."""
    name = model.removeprefix("ockham/")
    if name in ("auto", "router"):
        return None
    if name in ready_policies():
        return name
    raise _Refused(404, f"no model {model!r} here; see GET /v1/models", "model_not_found", "model")


def status_of(error: OckhamError) -> int:
    """HTTP status of an error raised on purpose."""
    if isinstance(error, InputError):
        return 400
    return 503 if isinstance(error, NoAnswerError) else 500


def error_body(error: OckhamError) -> dict[str, Any]:
    """OpenAI's error object."""
    bad_request = isinstance(error, InputError)
    kind = "invalid_request_error" if bad_request else "server_error"
    code = "invalid_value" if bad_request else type(error).__name__
    return {"error": _error(str(error), kind, code, None)}


def _error(message: str, kind: str, code: str, param: str | None) -> dict[str, str | None]:
    return {"message": message, "type": kind, "param": param, "code": code}
