"""One request's money and its row: the purse of a run (`router.purse.Purse`).

    booking = ledger.book(principal, start)
    await booking.open()                            what the budget has left
    lease = await booking.reserve("large", 0.01)    durable, or refused, or LedgerError
    await booking.settle(lease, bill)
    await booking.begin()                           the row is there: the client may be told
    await booking.close(closing)                    the row, once, whatever happened

Where the database is away, `open` and `reserve` raise before anything is spent. What cannot
be written afterwards (bills, the row) is tried again until the ledger closes and is in the
log, without texts: an answer that was paid for is never withheld for it. A reserve that
nobody settles counts as spent when the request ends, or when it is swept.
"""

import asyncio
import logging
import math
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from router.errors import LedgerError
from router.ledger import leases, requests
from router.ledger.budget import UNLIMITED, left_of
from router.ledger.money import Periods, nano, now, periods_of, usd
from router.ledger.records import Closing, Principal, RequestStart
from router.ledger.rows import closing_values, start_values
from router.ledger.writer import Operation, Writer
from router.purse import Bill, Bills, Lease

__all__ = ["Booking", "Reader", "Sight"]

_SIGHT_S = 1.0
_SOON_S = 0.05
"""A bill waits so long for the row of its request."""
_log = logging.getLogger(__name__)
Reader = Callable[[Callable[[sa.Connection], Any]], Any]
"""`await read(function)`: run it on a reading connection, off the event loop."""


class Sight:
    """What tenants had left when it was last seen, so that not every request has to ask.

    Only plenty is believed, for a second: near the limit the database is asked. Whether a
    reserve fits is never told from here.
    """

    def __init__(self, plenty_nano: int) -> None:
        self._plenty = plenty_nano
        self._left: dict[str, tuple[float, int]] = {}

    def see(self, tenant: str, left: int) -> None:
        """Remember it."""
        self._left[tenant] = (time.monotonic() + _SIGHT_S, left)

    def plenty(self, tenant: str) -> int | None:
        """Nano-USD left lately; None: ask."""
        until, left = self._left.get(tenant, (0.0, 0))
        return left if left >= self._plenty and time.monotonic() < until else None


class Booking:
    """What a request reserves, settles and leaves behind. Made by `Ledger.book`."""

    def __init__(
        self,
        writer: Writer,
        read: Reader,
        principal: Principal,
        start: RequestStart,
        *,
        sight: Sight,
        replica: str,
        lease_s: float,
        timeout_s: float,
    ) -> None:
        self.principal, self.start = principal, start
        self._writer, self._read, self._sight = writer, read, sight
        self._lease_s, self._timeout_s = lease_s, timeout_s
        self._began, self._ticked = now(), time.perf_counter()
        self._row = {
            "tenant": principal.tenant, "key": principal.key, "replica": replica,
            **start_values(start),
        }  # fmt: skip
        self._left = math.inf
        self._open: dict[str, leases.Reserve] = {}
        self._begun = False
        """The row is committed, and says who asked, if not yet what came of it."""
        self._reserves = 0
        self._billed = 0
        self._charged: list[tuple[str, Bill]] = []
        self._bills: list[tuple[leases.Reserve, Bill]] = []
        """Settled, and not yet queued: most of them go with the row, in one commit."""
        self._closing: asyncio.Future[Any] | None = None

    @property
    def id(self) -> str:
        """The trace's id."""
        return self.start.id

    @property
    def left_usd(self) -> float:
        """What may still be reserved, as last seen; infinity where nothing bounds it."""
        return self._left

    @property
    def charged(self) -> Bills:
        """What the arms were charged with so far; all of it once the row is closed."""
        return tuple(self._charged)

    async def open(self) -> None:
        """Read what the budget has left. `LedgerError`: the database is away."""
        tenant, periods = self.principal.tenant, periods_of(now())
        known = self._sight.plenty(tenant)
        if known is not None:
            self._left = _usd(known)
            return
        self._seen(await self._read(lambda c: left_of(c, tenant, periods)))

    async def reserve(self, arm: str, usd: float) -> Lease | None:
        """Set the worst case of an arm aside; None where the budget does not hold it.

        It is committed when this returns. Raises `LedgerError` where it cannot be written:
        then nothing is reserved, and the arm must not be run.
        """
        if self._closing is not None:
            raise LedgerError(f"request {self.id} has ended: nothing more can be reserved")
        lease = self._reserve_of(arm, nano(usd))
        self._reserves += 1
        self._submit_bills()
        row = self._beginning(lease.expires)

        def run(connection: sa.Connection) -> tuple[bool, int]:
            requests.begin(connection, row)
            return leases.reserve(connection, lease)

        what = f"reserve of request {self.id} for {arm}"
        operation = Operation(run, what, _rows(lease.tenant, lease.periods))
        granted, left = await self._wait(operation, lambda taken: self._unused(lease, taken))
        self._begun = True
        self._seen(left)
        if not granted:
            return None
        self._open[lease.id] = lease
        return Lease(lease.id, arm, usd)

    async def begin(self) -> None:
        """Have the row in the ledger before its client is told anything; a reserve has done it.

        `LedgerError`: it cannot be written.
        """
        if self._begun or self._closing is not None:
            return
        row = self._beginning(self._began + timedelta(seconds=self._lease_s))
        what = f"beginning of request {self.id}"
        await self._wait(Operation(lambda c: requests.begin(c, row), what), _nothing_to_undo)
        self._begun = True

    async def settle(self, lease: Lease, bill: Bill) -> None:
        """Book what the attempt cost and give the rest back. Once a lease; later ones do nothing.

        It does not wait for the commit and does not raise.
        """
        held = self._open.pop(lease.id, None)
        if held is None:
            return
        self._billed += nano(bill.usd)
        self._charged.append((held.arm, bill))
        if self._closing is not None:
            self._submit_bill(held, bill)
            return
        self._bills.append((held, bill))
        if len(self._bills) == 1:
            asyncio.get_running_loop().call_later(_SOON_S, self._submit_bills)

    async def close(self, closing: Closing) -> None:
        """Write the request's row. Once; cancelling this call does not stop it."""
        if self._closing is None:
            self._closing = self._writer.ask(self._close(closing))
            self._closing.add_done_callback(_retrieved)
        # `wait`, because it cancels nothing: the row is written whoever goes away.
        await asyncio.wait({self._closing}, timeout=self._timeout_s)
        if not self._closing.done() or self._closing.exception() is not None:
            _log.error("ledger: request %s ended %s, row still unwritten", self.id, closing.ending)

    # -- inside ---------------------------------------------------------------------

    def _beginning(self, expires: datetime) -> dict[str, Any]:
        return {**self._row, "created": self._began, "expires": expires}

    def _seen(self, left: int) -> None:
        self._sight.see(self.principal.tenant, left)
        self._left = _usd(left)

    def _reserve_of(self, arm: str, worst: int) -> leases.Reserve:
        moment = now()
        return leases.Reserve(
            id=uuid.uuid4().hex, request=self.id, tenant=self.principal.tenant,
            periods=periods_of(moment), arm=arm, place=self._reserves, worst=worst,
            created=moment, expires=moment + timedelta(seconds=self._lease_s),
        )  # fmt: skip

    async def _wait(self, operation: Operation, undo: Callable[[Any], None]) -> Any:
        """The operation's result. Where nobody waits any more, it is dropped or undone."""
        asked = self._writer.ask(operation)

        def give_up() -> None:
            operation.dropped = True
            asked.add_done_callback(lambda done: _undo(done, undo))

        try:
            await asyncio.wait({asked}, timeout=self._timeout_s)
        except BaseException:
            give_up()
            raise
        if asked.done():
            return asked.result()
        give_up()
        raise LedgerError(
            f"the ledger did not answer within ledger.timeout_s = {self._timeout_s:g}: "
            "nothing was reserved"
        )

    def _unused(self, lease: leases.Reserve, taken: tuple[bool, int]) -> None:
        """Give back a reserve that was committed after its request had gone."""
        if taken[0]:
            self._submit_bill(lease, Bill(0.0, "reported"))

    def _submit_bills(self) -> None:
        for lease, bill in self._bills:
            self._submit_bill(lease, bill)
        self._bills = []

    def _submit_bill(self, lease: leases.Reserve, bill: Bill) -> None:
        what = (
            f"bill of request {self.id} for {lease.arm}: USD {bill.usd:.9f} {bill.basis}, "
            f"tokens {bill.prompt_tokens}+{bill.completion_tokens}"
        )
        self._writer.submit(
            Operation(
                lambda c: leases.settle(c, lease, bill),
                what,
                _rows(lease.tenant, lease.periods),
                must=True,
            )
        )

    def _close(self, closing: Closing) -> Operation:
        ended = now()
        row = {**self._row, "created": self._began, "expires": ended, "closed": ended}
        texts, took = self.principal.stores_prompts, time.perf_counter() - self._ticked
        rest = self._unreserved(closing)
        # Of the day on which it ends, also where it is written on another.
        extra = (self._reserve_of("other", rest),) if rest else ()
        unsettled = tuple(self._open.values())
        bills, self._bills = tuple(self._bills), []
        self._charged += [(lease.arm, Bill(usd(lease.worst), "reserved")) for lease in unsettled]
        self._charged += [(lease.arm, Bill(usd(lease.worst), "reported")) for lease in extra]
        changed = (*unsettled, *(lease for lease, _ in bills), *extra)
        held = {row for lease in changed for row in _rows(lease.tenant, lease.periods)}

        def run(connection: sa.Connection) -> None:
            for lease, bill in bills:
                leases.settle(connection, lease, bill)
            if unsettled:
                leases.take_unsettled(connection, self.id)
            for lease in extra:
                leases.book_directly(connection, lease, f"{self.id}-other")
            values = closing_values(closing, texts)
            requests.end(connection, {"seconds": None, **row, **values}, took)

        spent = usd(self._billed + sum(lease.worst for lease in unsettled) + rest)
        what = (
            f"row of request {self.id}, tenant {self.principal.tenant}: {closing.ending}, "
            f"HTTP {closing.http_status}, USD {spent:.9f}"
        )
        return Operation(run, what, tuple(held), must=True)

    def _unreserved(self, closing: Closing) -> int:
        """Nano-USD of the answer that no lease paid for (a search, say); rounding is none."""
        if closing.answer is None:
            return 0
        rest = nano(max(0.0, closing.answer.cost_usd)) - self._billed
        rest -= sum(lease.worst for lease in self._open.values())
        return rest if rest > self._reserves + 1 else 0


def _usd(left: int) -> float:
    return math.inf if left > UNLIMITED // 2 else max(0.0, usd(left))


def _rows(tenant: str, periods: Periods) -> tuple[tuple[str, str], ...]:
    return tuple((tenant, period) for period in periods)


def _undo(done: "asyncio.Future[Any]", undo: Callable[[Any], None]) -> None:
    if not done.cancelled() and done.exception() is None:
        undo(done.result())


def _nothing_to_undo(_: Any) -> None:
    """A row that has begun is closed, or swept as lost."""


def _retrieved(future: "asyncio.Future[Any]") -> None:
    """The writer has logged it: asyncio need not complain that nobody asked."""
    if not future.cancelled():
        future.exception()
