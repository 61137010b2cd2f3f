"""`Ledger`: the face of this folder. Who may spend what, what was spent, and what came of it.

    with Ledger.open(settings) as ledger:
        principal = await ledger.authenticate(key)
        booking = ledger.book(principal, RequestStart(...))

Writing is one thread's (`router.ledger.writer`), reading a small pool's: the event loop waits
for neither. Every `ledger.sweep_every_s`, and when it is opened, reserves that nobody settled
in time are taken as spent and their requests as `lost`, whichever replica left them.
"""

import asyncio
import os
import socket
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Self, TypeVar

import sqlalchemy as sa

from router.config import Settings
from router.errors import LedgerError
from router.ledger import labels, leases, reads
from router.ledger.authentication import Doorman
from router.ledger.booking import Booking, Sight
from router.ledger.database import READERS, Database, because, open_database
from router.ledger.labels import Label
from router.ledger.leases import Swept
from router.ledger.migrate import is_current, migrate
from router.ledger.money import nano, now
from router.ledger.prepared import told
from router.ledger.records import Principal, RequestStart
from router.ledger.writer import Operation, Writer

__all__ = ["Ledger"]

_T = TypeVar("_T")
_PLENTY = 100
"""Requests at the cap that a budget must still hold for what is left not to be read each time."""
_PATIENCE = 0.5
"""Of ledger.timeout_s, how long one transaction is tried again."""


class Ledger:
    """An open ledger. Build it with `Ledger.open`; used from one event loop and any thread."""

    def __init__(self, settings: Settings, database: Database, replica: str) -> None:
        self.settings = settings.ledger
        self.database = database
        self.replica = replica
        self._lease_s = settings.limits.timeout_s + self.settings.lease_grace_s
        self._sight = Sight(nano(_PLENTY * settings.limits.max_cost_usd))
        self._doorman = Doorman(settings.gateway.api_keys, self.settings.key_cache_s)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="ockham-ledger-read")
        self._writer = Writer(
            database,
            self.settings.timeout_s * _PATIENCE,
            _sweeping(),
            self.settings.sweep_every_s,
        )
        self._first_sweep = self._writer.submit(_sweeping())

    @classmethod
    def open(cls, settings: Settings, replica: str | None = None) -> Self:
        """Open the ledger, its tables brought up to date; blocks. `replica` names this process.

        Raises:
            ConfigError: ledger.url cannot be used.
            LedgerError: it cannot be reached, or has other tables than this version's.
        """
        database = open_database(settings.ledger)
        try:
            if settings.ledger.auto_migrate:
                migrate(database)
            elif not is_current(database):
                raise LedgerError(
                    f"the tables of the ledger {database.name} are not this version's: run "
                    "`ockham ledger migrate`, or set ledger.auto_migrate"
                )
        except BaseException:
            database.close()
            raise
        return cls(settings, database, replica or _this_process())

    # -- requests -------------------------------------------------------------------

    async def authenticate(self, key: str) -> Principal | None:
        """Who comes with the key; None: a stranger, or a key revoked or expired (up to
        `ledger.key_cache_s` ago). `LedgerError`: the database is away."""
        return await self._who(key)

    def use(self, settings: Settings) -> None:
        """Take the keys and the time limit of a changed configuration, at once."""
        self._doorman.configure(settings.gateway.api_keys)
        self._lease_s = settings.limits.timeout_s + self.settings.lease_grace_s

    async def anonymous(self) -> Principal:
        """The tenant `default` without a key: for a gateway on loopback that asks for none."""
        who = await self._who(None)
        assert who is not None  # the tenant `default` is always there
        return who

    def book(self, principal: Principal, start: RequestStart) -> Booking:
        """The purse and row of one request; nothing is read or written yet."""
        return Booking(
            self._writer,
            self._read,
            principal,
            start,
            sight=self._sight,
            replica=self.replica,
            lease_s=self._lease_s,
            timeout_s=self.settings.timeout_s,
        )

    async def trace(self, ident: str, tenant: str | None) -> dict[str, Any] | None:
        """All that is kept of a request, as JSON-able data; None: the tenant has none such.
        `tenant` None: anybody's."""
        found: dict[str, Any] | None = await self._read(lambda c: reads.trace(c, ident, tenant))
        return found

    async def requests(
        self,
        tenant: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
        ending: str | None = None,
    ) -> list[dict[str, Any]]:
        """The latest requests, the last first, without texts, traces and features."""
        found: list[dict[str, Any]] = await self._read(
            lambda c: reads.list_requests(c, tenant, since, limit, ending)
        )
        return found

    async def usage(self, tenant: str) -> dict[str, Any]:
        """Limit, spent, reserved and left of the running UTC day and month, USD."""
        found: dict[str, Any] = await self._read(lambda c: reads.usage(c, tenant))
        return found

    async def stats(self, since: datetime | None = None) -> dict[str, Any]:
        """Counts and sums over all tenants."""
        found: dict[str, Any] = await self._read(lambda c: reads.stats(c, since))
        return found

    # -- labels ---------------------------------------------------------------------

    async def label(
        self,
        request: str,
        *,
        source: str,
        score: float | None,
        arm: str | None = None,
        probability: float = 1.0,
        cost_usd: float = 0.0,
        meta: Mapping[str, Any] | None = None,
        tenant: str | None = None,
    ) -> Label | None:
        """Write a label; see `router.ledger.labels.write_label`."""

        def write(connection: sa.Connection) -> Label | None:
            return labels.write_label(
                connection, request, source=source, score=score, arm=arm, meta=meta,
                probability=probability, cost_usd=cost_usd, tenant=tenant,
            )  # fmt: skip

        return await self._write(write, f"label of request {request} from {source}")

    async def labels(
        self,
        *,
        tenant: str | None = None,
        source: str | None = None,
        since: datetime | None = None,
        request: str | None = None,
        limit: int | None = None,
    ) -> list[Label]:
        """Labels by time; of a limit the latest."""
        found: list[Label] = await self._read(
            lambda c: labels.list_labels(
                c, tenant=tenant, source=source, since=since, request=request, limit=limit
            )
        )
        return found

    # -- upkeep ---------------------------------------------------------------------

    async def sweep(self) -> Swept:
        """Take what expired as spent, now."""
        swept: Swept = await self._writer.ask(_sweeping())
        return swept

    def sweep_all(self) -> Swept:
        """The same, until nothing is left; counts from when the ledger was opened. Blocks."""
        swept: Swept = self._first_sweep.result()
        total = swept
        while swept.leases:
            swept = self._writer.submit(_sweeping()).result()
            total = Swept(total.leases + swept.leases, total.requests + swept.requests)
        return total

    @property
    def why_not(self) -> str | None:
        """Why the last write failed; None: the last one did not."""
        return self._writer.why_not

    @property
    def backlog(self) -> int:
        """Changes that wait to be written."""
        return self._writer.backlog

    def run(self, function: Callable[[sa.Connection], _T], what: str = "a change") -> _T:
        """Run a function in a writing transaction and wait for it; not on an event loop."""
        done: _T = self._writer.submit(Operation(function, what)).result()
        return done

    def read(self, function: Callable[[sa.Connection], _T]) -> _T:
        """Run a function on a reading connection; blocks. `LedgerError`: it is away."""
        try:
            with self.database.readers.connect() as connection, told(connection):
                return function(connection)
        except sa.exc.SQLAlchemyError as error:
            raise LedgerError(
                f"the ledger {self.database.name} cannot be read: {because(error)}"
            ) from None

    def close(self) -> None:
        """Write what is still queued, then let go of the database; blocks, seconds at most."""
        self._writer.close()
        self._readers.shutdown(wait=False, cancel_futures=True)
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- inside ---------------------------------------------------------------------

    async def _who(self, key: str | None) -> Principal | None:
        digest = self._doorman.digest(key)
        known = self._doorman.remembered(digest)
        if known is not None:
            return known
        found: Principal | None = await self._read(lambda c: self._doorman.look_up(c, digest))
        self._doorman.remember(digest, found)
        return found

    async def _read(self, function: Callable[[sa.Connection], Any]) -> Any:
        running = asyncio.get_running_loop().run_in_executor(self._readers, self.read, function)
        try:
            return await asyncio.wait_for(running, self.settings.timeout_s)
        except TimeoutError:
            raise LedgerError(
                f"the ledger {self.database.name} did not answer within ledger.timeout_s = "
                f"{self.settings.timeout_s:g}"
            ) from None

    async def _write(self, function: Callable[[sa.Connection], _T], what: str) -> _T:
        done: _T = await self._writer.ask(Operation(function, what))
        return done


def _sweeping() -> Operation:
    return Operation(lambda c: leases.sweep(c, now()), "the sweep", alone=True)


def _this_process() -> str:
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
