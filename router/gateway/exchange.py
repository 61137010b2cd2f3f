"""One request, from its arrival to the closing of its books.

    authenticate -> rate limit -> read -> place in the queue -> book -> run -> answer -> close

Whatever happens in between (a bad body, no budget, an error, a client that leaves, a shutdown)
the place is given back, the ledger's row is closed once, and the client that is still there gets
an answer or a clean error. A response that has begun is never ended as if it were complete.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.types import Receive, Scope, Send

from router.embedding import Embedded
from router.errors import LedgerError
from router.gateway.body import Gone
from router.gateway.connection import GONE_STATUS, Connection, Headers
from router.gateway.errors import Refused, budget_told, error_of, needed_usd, out_of_budget
from router.gateway.fields import Overrides
from router.gateway.overrides import bounds_of
from router.gateway.parts import Finished
from router.ledger.records import Closing, Ending, Principal, RequestStart
from router.runlog import RunLog
from router.state import Answer, JsonSchemaCheck, Query, Trace
from router.tasks import to_its_end

if TYPE_CHECKING:
    from router.gateway.gateway import Gateway
    from router.ledger.booking import Booking

__all__ = ["Exchange"]

_LOG = logging.getLogger(__name__)


class Exchange(Connection):
    """A request and its response. Handlers read its body, run, and send through it."""

    def __init__(
        self, gateway: "Gateway", scope: Scope, receive: Receive, send: Send, endpoint: str
    ) -> None:
        self.gateway = gateway
        self.generation = gateway.generation
        self.settings = self.generation.settings
        super().__init__(self.settings.gateway, scope, receive, send)
        self.endpoint = endpoint
        self.arrived = time.perf_counter()
        self.principal: Principal | None = None
        self.booking: Booking | None = None
        self.answer: Answer | None = None
        self.embedded: Embedded | None = None
        self.log = RunLog()
        """What the run did, where there is no answer to tell it."""
        self.query: Query | None = None
        self.model = ""
        self.policy: str | None = None
        self.stream = False
        self.estimated_tokens = 0
        """Of the prompt, counted against the tenant's rate before the run."""
        self.waited = 0.0
        self.first_token: float | None = None
        self.closed = asyncio.Event()
        self._metered = False
        self._placed = False

    # -- the whole life ---------------------------------------------------------------

    async def serve(self, work: "Callable[[Exchange], Awaitable[None]]", metered: bool) -> None:
        """Run a handler; `metered` requests leave a row in the ledger."""
        self.gateway.running[self.id] = self
        self.generation.users += 1
        self._metered = metered
        if metered:
            self.extra.append((b"x-ockham-trace-id", self.id.encode()))
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
                await to_its_end(self.tell(told))
            except Exception as caught:  # every error has its answer; ours are in the log too
                told = await self._told_of(caught)
                if told.status == 500:
                    _LOG.exception("request %s failed", self.id)
                ending = "refused" if self.query is None or told.status == 429 else "failed"
                error = told.code
                await self.tell(told)
        finally:
            await to_its_end(self._finish(ending, error))

    async def _told_of(self, caught: Exception) -> Refused:
        told = error_of(caught)
        if told.code != "insufficient_quota" or self.principal is None:
            return told
        try:
            used = await self.gateway.ledger.usage(self.principal.tenant)
        except Exception:  # the refusal stands without it
            return told
        return budget_told(told, used, needed_usd(caught, self.log.trace()))

    async def _finish(self, ending: Ending, error: str | None) -> None:
        if self._placed:
            self.gateway.places.give()
        self.let_go()
        who = self.principal
        try:
            if self._metered and who is not None:
                answer = self.answer if ending in ("answered", "cancelled") else None
                trace = answer.trace if answer else self.log.trace()
                try:
                    await self._close_books(who, ending, error, answer, trace)
                except Exception:  # the request has ended and is counted, whatever the ledger does
                    _LOG.exception("the books of request %s could not be closed", self.id)
                self._tell_parts(who, ending, error, answer, trace)
        finally:
            self.gateway.running.pop(self.id, None)
            self.closed.set()
            self.generation.leave()

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
        body = await self.read_json()
        model = body.get("model")
        self.model = model[:200] if isinstance(model, str) else ""
        self.stream = body.get("stream") is True
        return body

    async def place(self) -> float:
        """Wait for a place among the running requests; seconds waited."""
        if self.gateway.places.full:
            await self._wait_for_place()
        else:
            await self._take_place()
        return self.waited

    async def _take_place(self) -> None:
        # Noted where it is taken: who waits for this may be cancelled at the same moment.
        self.waited = await self.gateway.places.take()
        self._placed = True

    async def _wait_for_place(self) -> None:
        limit = self.settings.limits.timeout_s
        try:
            async with asyncio.timeout(limit):
                await self.race(self._take_place())
        except TimeoutError:
            raise Refused(
                503, f"no place was free within limits.timeout_s = {limit:g}", "queue_timeout",
                headers={"retry-after": "1"},
            ) from None  # fmt: skip

    async def admit(self, query: Query, asked: Overrides, form: str) -> Query:
        """Wait for a place, and for a word on its schemas; the query with what is left of its
        time. `form`: the field that a schema came in. Raises `InputError` where one is wrong."""
        waited = await self.place()
        for check in query.checks:
            if isinstance(check, JsonSchemaCheck):
                schemas = self.gateway.schemas
                waited += await self.race(schemas.check(check.definition, form))
        if not waited:
            return query
        bounds = bounds_of(asked, waited, self.settings.limits.timeout_s)
        return query.model_copy(update={"bounds": bounds})

    # -- the books --------------------------------------------------------------------

    async def book(self, query: Query) -> "Booking":
        """Open the ledger's row. Raises `Refused` (429) where tokens or budget are used up."""
        assert self.principal is not None
        self.query = query
        if self.principal.tokens_per_minute is not None:
            self.estimated_tokens = sum(len(m.content) for m in query.messages) // 4 + 1
            await self._limit("tokens", self.estimated_tokens)
        booking = await self.purse()
        if booking.left_usd <= 0:
            raise out_of_budget()
        return booking

    async def purse(self) -> "Booking":
        """What the caller's budget has left; nothing is written yet."""
        assert self.principal is not None
        booking = self._booked(self.principal)
        await booking.open()
        return booking

    async def _head(self, status: int, headers: Headers) -> None:
        """Nothing is acknowledged that a kill could leave without a row."""
        if self._metered and self.principal is not None:
            try:
                await self._booked(self.principal).begin()
            except LedgerError:
                if status < 400:
                    raise  # the refusal of a ledger that is away has no row to wait for
        await super()._head(status, headers)

    def _booked(self, who: Principal) -> "Booking":
        """The request's row, also where it was refused before it could spend."""
        if self.booking is None:
            self.booking = self.gateway.ledger.book(who, self._start_record())
        return self.booking

    def _start_record(self) -> RequestStart:
        return RequestStart(
            id=self.id,
            endpoint=self.endpoint,
            model=self.model,
            stream=self.stream,
            conversation=self.query.conversation if self.query else None,
        )

    def saw_answer(self) -> None:
        """The first token of the answer leaves now."""
        if self.first_token is None:
            self.first_token = time.perf_counter() - self.arrived

    async def _close_books(
        self,
        who: Principal,
        ending: Ending,
        error: str | None,
        answer: Answer | None,
        trace: Trace | None,
    ) -> None:
        await self._booked(who).close(
            Closing(
                ending=ending,
                http_status=self.status,
                answer=answer,
                trace=trace,
                model=None if self.embedded is None else self.embedded.model,
                prompt_tokens=None if self.embedded is None else self.embedded.tokens,
                error=error,
                first_token_seconds=self.first_token,
            )
        )
        if answer is not None:
            tokens = answer.prompt_tokens + answer.completion_tokens
            await self.gateway.limits.spent(who, tokens - self.estimated_tokens)

    def _tell_parts(
        self,
        who: Principal,
        ending: Ending,
        error: str | None,
        answer: Answer | None,
        trace: Trace | None,
    ) -> None:
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
            trace=trace,
            bills=() if self.booking is None else self.booking.charged,
            query=self.query,
            traceparent=self.headers.get(b"traceparent", b"").decode("latin-1") or None,
        )
        for part in self.gateway.parts:
            part.finished(finished)
