"""One request, from its arrival to the closing of its books.

    authenticate -> rate limit -> read -> place in the queue -> book -> run -> answer -> close

Whatever happens in between (a bad body, no budget, an error, a client that leaves, a shutdown)
the place is given back, the ledger's row is closed once, and the client that is still there gets
an answer or a clean error. A response that has begun is never ended as if it were complete.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.types import Receive, Scope, Send

from router.gateway.body import Gone, read_json
from router.gateway.encode import to_json
from router.gateway.errors import Refused, error_of, out_of_budget
from router.gateway.fields import Overrides
from router.gateway.overrides import bounds_of
from router.gateway.parts import Finished
from router.ledger.records import Closing, Ending, Principal, RequestStart
from router.state import Answer, Query

if TYPE_CHECKING:
    from router.gateway.gateway import Gateway
    from router.ledger.booking import Booking

__all__ = ["Exchange", "to_its_end"]

_LOG = logging.getLogger(__name__)
T = TypeVar("T")
Headers = Sequence[tuple[bytes, bytes]]
JSON = (b"content-type", b"application/json")
GONE_STATUS = 499
"""nginx's: the client closed the request."""


class Exchange:
    """A request and its response. Handlers read its body, run, and send through it."""

    def __init__(
        self, gateway: "Gateway", scope: Scope, receive: Receive, send: Send, endpoint: str
    ) -> None:
        self.gateway = gateway
        self.generation = gateway.generation
        self.settings = self.generation.settings
        self.endpoint = endpoint
        self.id = uuid.uuid4().hex
        self.arrived = time.perf_counter()
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.path: Mapping[str, str] = scope.get("path_params", {})
        self.principal: Principal | None = None
        self.booking: Booking | None = None
        self.answer: Answer | None = None
        self.query: Query | None = None
        self.model = ""
        self.policy: str | None = None
        self.stream = False
        self.waited = 0.0
        self.first_token: float | None = None
        self.extra: list[tuple[bytes, bytes]] = []
        """Headers that every response to this request carries."""
        self.status = 0
        self._receive, self._send_raw = receive, send
        self._gone: asyncio.Future[None] | None = None
        self.closed = asyncio.Event()
        self._placed = False
        self._on_broken: Callable[[Refused], Awaitable[None]] | None = None

    # -- the whole life ---------------------------------------------------------------

    async def serve(self, work: "Callable[[Exchange], Awaitable[None]]", metered: bool) -> None:
        """Run a handler; `metered` requests leave a row in the ledger."""
        self.gateway.running[self.id] = self
        self.generation.users += 1
        ending: Ending = "answered"
        error: str | None = None
        try:
            try:
                await work(self)
            except Gone:
                ending, error, self.status = "cancelled", "client_closed_request", GONE_STATUS
            except asyncio.CancelledError:
                ending = "cancelled"
                told = Refused(
                    503, "the gateway is shutting down", "shutting_down",
                    headers={"retry-after": "5"},
                )  # fmt: skip
                error = told.code
                await to_its_end(self._tell(told))
            except Exception as caught:
                told = error_of(caught)
                if told.status >= 500 and told.code == "internal_error":
                    _LOG.exception("request %s failed", self.id)
                ending = "refused" if self.query is None or told.status == 429 else "failed"
                error = told.code
                await self._tell(told)
        finally:
            await to_its_end(self._finish(ending, error, metered))

    async def _finish(self, ending: Ending, error: str | None, metered: bool) -> None:
        if self._placed:
            self.gateway.places.give()
        if self._gone is not None:
            self._gone.cancel()
        try:
            if metered and self.principal is not None:
                await self._close_books(self.principal, ending, error)
        except Exception:
            _LOG.exception("the ledger's row of request %s could not be closed", self.id)
        finally:
            self.gateway.running.pop(self.id, None)
            self.closed.set()
            self.generation.leave()

    async def _close_books(self, who: Principal, ending: Ending, error: str | None) -> None:
        answer = self.answer if ending in ("answered", "cancelled") else None
        booking = self.booking or self.gateway.ledger.book(who, self._start_record())
        await booking.close(
            Closing(
                ending=ending,
                http_status=self.status,
                answer=answer,
                error=error,
                first_token_seconds=self.first_token,
            )
        )
        if answer is not None:
            tokens = answer.prompt_tokens + answer.completion_tokens
            await self.gateway.limits.spent(who, tokens - self.estimated_tokens)
        finished = Finished(
            id=self.id,
            endpoint=self.endpoint,
            principal=who,
            model=self.model,
            policy=self.policy,
            stream=self.stream,
            status=self.status,
            ending=ending,
            error=error,
            seconds=time.perf_counter() - self.arrived,
            waited_seconds=self.waited,
            first_token_seconds=self.first_token,
            answer=answer,
            query=self.query,
            traceparent=self.headers.get(b"traceparent", b"").decode("latin-1") or None,
        )
        for part in self.gateway.parts:
            part.finished(finished)

    # -- before the run ---------------------------------------------------------------

    async def authenticate(self) -> Principal:
        """Who asks; counts the request against the tenant's rate. Raises `Refused` (401, 429)."""
        self.principal = who = await self.gateway.authenticate(self.headers)
        await self._limit("requests", 1)
        return who

    async def _limit(self, kind: str, cost: int) -> None:
        assert self.principal is not None
        told = await self.gateway.limits.admit(self.principal, kind, cost)
        self.extra += [(name.encode(), value.encode()) for name, value in told.items()]

    async def body(self) -> dict[str, Any]:
        """The body as a JSON object; notes the model that it names."""
        gateway = self.settings.gateway
        body = await read_json(
            self.headers, self._receive, gateway.max_body_bytes, gateway.body_timeout_s
        )
        model = body.get("model")
        self.model = model[:200] if isinstance(model, str) else ""
        self.stream = body.get("stream") is True
        return body

    async def place(self) -> float:
        """Wait for a place among the running requests; seconds waited."""
        self._gone = asyncio.ensure_future(self._watch())
        places = self.gateway.places
        self.waited = await (self._timely(places.take()) if places.full else places.take())
        self._placed = True
        return self.waited

    async def admit(self, query: Query, asked: Overrides) -> Query:
        """Wait for a place; the query with what is left of its time."""
        waited = await self.place()
        if not waited:
            return query
        bounds = bounds_of(asked, waited, self.settings.limits.timeout_s)
        return query.model_copy(update={"bounds": bounds})

    async def _timely(self, wait: Coroutine[Any, Any, float]) -> float:
        limit = self.settings.limits.timeout_s
        try:
            async with asyncio.timeout(limit):
                return await self.race(wait)
        except TimeoutError:
            raise Refused(
                503, f"no place was free within limits.timeout_s = {limit:g}", "queue_timeout",
                headers={"retry-after": "1"},
            ) from None  # fmt: skip

    async def book(self, query: Query) -> "Booking":
        """Open the ledger's row. Raises `Refused` (429) where tokens or budget are used up."""
        assert self.principal is not None
        self.query = query
        if self.principal.tokens_per_minute is not None:
            self.estimated_tokens = sum(len(m.content) for m in query.messages) // 4 + 1
            await self._limit("tokens", self.estimated_tokens)
        self.booking = booking = self.gateway.ledger.book(self.principal, self._start_record())
        await booking.open()
        if booking.left_usd <= 0:
            raise out_of_budget()
        return booking

    estimated_tokens = 0
    """Of the prompt, counted against the tenant's rate before the run."""

    def _start_record(self) -> RequestStart:
        return RequestStart(
            id=self.id,
            endpoint=self.endpoint,
            model=self.model,
            stream=self.stream,
            conversation=self.query.conversation if self.query else None,
        )

    # -- the client -------------------------------------------------------------------

    async def _watch(self) -> None:
        """Ends when the client has gone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    @property
    def gone(self) -> "asyncio.Future[None]":
        """Done once the client has gone."""
        if self._gone is None:
            self._gone = asyncio.ensure_future(self._watch())
        return self._gone

    async def race(self, work: Coroutine[Any, Any, T]) -> T:
        """Await work, unless the client leaves: then it is cancelled, and `Gone` raised."""
        task = asyncio.ensure_future(work)
        try:
            either: set[asyncio.Future[Any]] = {task, self.gone}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Gone
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await to_its_end(_quiet(task))

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

    def saw_answer(self) -> None:
        """The first token of the answer leaves now."""
        if self.first_token is None:
            self.first_token = time.perf_counter() - self.arrived

    async def _tell(self, told: Refused) -> None:
        """An error, in the place where the response is."""
        try:
            if self.status == 0:
                told.headers.setdefault("x-ockham-trace-id", self.id)
                headers = [(n.encode(), v.encode("latin-1")) for n, v in told.headers.items()]
                await self.send_json(told.body, told.status, headers)
            elif self._on_broken is not None:
                self.status = told.status
                await self._on_broken(told)
                await self.end_stream()
        except Gone:
            self.status = GONE_STATUS

    async def _head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status = status
        ids = (b"x-request-id", self.id.encode())
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*headers, ids, *self.extra],
            }
        )

    async def _send(self, message: Mapping[str, Any]) -> None:
        try:
            async with asyncio.timeout(self.settings.gateway.send_timeout_s):
                await self._send_raw(dict(message))
        except (TimeoutError, OSError):
            raise Gone from None


async def _quiet(task: "asyncio.Future[Any]") -> None:
    """Wait for a cancelled task's clean-up; its outcome is nobody's any more."""
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Await work that must be finished; a cancellation is passed on only afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()
        raise cancelled
    return task.result()
