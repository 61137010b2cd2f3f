"""One request's connection: its body comes in, one response leaves, and its client may go.

What this does not do: know who asks, or what it costs (`router.gateway.exchange`).
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from starlette.types import Receive, Scope, Send

from router.gateway.body import Gone, read_json
from router.gateway.encode import to_json
from router.gateway.errors import Refused
from router.settings import GatewaySettings
from router.tasks import ended, to_its_end

__all__ = ["GONE_STATUS", "Connection", "Headers"]

T = TypeVar("T")
Headers = Sequence[tuple[bytes, bytes]]
JSON = (b"content-type", b"application/json")
GONE_STATUS = 499
"""nginx's: the client closed the request."""


class Connection:
    """Reads the body once, and sends one response, whole or as a stream."""

    def __init__(self, limits: GatewaySettings, scope: Scope, receive: Receive, send: Send) -> None:
        self.id = uuid.uuid4().hex
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.path: Mapping[str, str] = scope.get("path_params", {})
        self.status = 0
        """Of the response; 0 before it begins."""
        self.extra: list[tuple[bytes, bytes]] = [(b"x-request-id", self.id.encode())]
        """Headers that every response to this request carries."""
        self._limits, self._receive, self._send_raw = limits, receive, send
        self._gone: asyncio.Future[None] | None = None
        self._on_broken: Callable[[Refused], Awaitable[None]] | None = None

    # -- the client -------------------------------------------------------------------

    async def read_json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises `Refused` (400, 408, 413, 415) or `Gone`."""
        limits = self._limits
        return await read_json(
            self.headers, self._receive, limits.max_body_bytes, limits.body_timeout_s
        )

    async def race(self, work: Coroutine[Any, Any, T]) -> T:
        """Await work, unless the client leaves: then it is cancelled, and `Gone` raised.

        The body must have been read.
        """
        if self._gone is None:
            self._gone = asyncio.ensure_future(self._watch())
        task = asyncio.ensure_future(work)
        try:
            either: set[asyncio.Future[Any]] = {task, self._gone}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Gone
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await to_its_end(ended(task))

    async def _watch(self) -> None:
        """Ends when the client has gone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def let_go(self) -> None:
        """The response has ended: the client is watched no more."""
        if self._gone is not None:
            self._gone.cancel()

    # -- the response -----------------------------------------------------------------

    async def send_json(self, body: Any, status: int = 200, headers: Headers = ()) -> None:
        """The whole response."""
        await self.send_bytes(to_json(body), status, [JSON, *headers])

    async def send_bytes(self, payload: bytes, status: int, headers: Headers) -> None:
        """The whole response, of a content type that the headers name."""
        length = (b"content-length", str(len(payload)).encode())
        await self._head(status, [length, *headers])
        await self._send({"type": "http.response.body", "body": payload})

    async def start_stream(
        self, headers: Headers, on_broken: Callable[[Refused], Awaitable[None]]
    ) -> None:
        """Begin an event stream. `on_broken` tells an error once it has begun."""
        self._on_broken = on_broken
        kind = (b"content-type", b"text/event-stream; charset=utf-8")
        still = (b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")
        await self._head(200, [kind, *still, *headers])

    async def write(self, piece: bytes) -> None:
        """A piece of the stream. Raises `Gone` where the client does not read."""
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def end_stream(self) -> None:
        """The end of a stream, which then counts as complete."""
        await self._send({"type": "http.response.body", "body": b""})

    async def tell(self, told: Refused) -> None:
        """An error, in the place where the response is."""
        try:
            if self.status == 0:
                headers = [(n.encode(), v.encode("latin-1")) for n, v in told.headers.items()]
                await self.send_json(told.body, told.status, headers)
            elif self._on_broken is not None:
                self.status = told.status
                await self._on_broken(told)
                await self.end_stream()
        except Gone:
            self.status = GONE_STATUS

    async def _head(self, status: int, headers: Headers) -> None:
        self.status = status
        told = [*headers, *self.extra]
        await self._send({"type": "http.response.start", "status": status, "headers": told})

    async def _send(self, message: Mapping[str, Any]) -> None:
        try:
            async with asyncio.timeout(self._limits.send_timeout_s):
                await self._send_raw(dict(message))
        except (TimeoutError, OSError):
            raise Gone from None
