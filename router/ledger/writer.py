"""One thread writes: what concurrent requests want goes into one transaction (group commit).

An operation is a function of a connection that may run twice (each is idempotent, because
whether a commit arrived is not known where the connection dies in it). Operations run in
the order in which they were submitted. One that fails by itself undoes no other: the batch
is then run again, each in a transaction of its own. One that must not be lost (`must`) is
tried again until the ledger closes, while its request is told that it failed.
"""

import asyncio
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from router.errors import LedgerError, OckhamError
from router.ledger.budget import hold
from router.ledger.database import Database, because
from router.ledger.prepared import told

__all__ = ["Operation", "Writer"]

_log = logging.getLogger(__name__)

BATCH = 256
LATE_S = 2.0
"""Pause between tries of what must not be lost."""
LATE = 20_000
"""So many operations wait at most; then the oldest is given up, with a line in the log."""
CLOSE_S = 10.0
_RETRIED = ("40001", "40P01")  # serialization failure, deadlock


@dataclass(slots=True, eq=False)
class Operation:
    """One thing to be written."""

    run: Callable[[sa.Connection], Any]
    what: str
    """For the log: no texts, no secrets."""
    rows: tuple[tuple[str, str], ...] = ()
    """(tenant, period) of the budgets that it changes: they are locked first, in order."""
    must: bool = False
    alone: bool = False
    """In a transaction of its own: it finds out for itself which rows it changes."""
    dropped: bool = False
    """Nobody waits for it any more, and it has not begun: it is not run."""
    future: "Future[Any]" = field(default_factory=Future)
    """Ends with the result, or `LedgerError`, in the thread."""
    loop: asyncio.AbstractEventLoop | None = None
    """Whose future `waiting` is: it is told of a whole batch at once."""
    waiting: "asyncio.Future[Any] | None" = None


class Writer:
    """The thread, and its queue."""

    def __init__(
        self, database: Database, patience_s: float, every: Operation, every_s: float
    ) -> None:
        self.why_not: str | None = None
        """Why the last transaction failed; None where it was committed."""
        self._database = database
        self._patience_s = patience_s
        self._every, self._every_s = every, every_s
        self._next = time.monotonic() + every_s
        self._queue: queue.SimpleQueue[Operation | None] = queue.SimpleQueue()
        self._late: deque[Operation] = deque()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ockham-ledger", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation) -> "Future[Any]":
        """Queue it."""
        if self._closed.is_set():
            operation.future.set_exception(LedgerError("the ledger is closed"))
        else:
            self._queue.put(operation)
        return operation.future

    def ask(self, operation: Operation) -> "asyncio.Future[Any]":
        """Queue it; the future is the running loop's, and may be waited for there."""
        operation.loop = asyncio.get_running_loop()
        operation.waiting = operation.loop.create_future()
        if self._closed.is_set():
            operation.waiting.set_exception(LedgerError("the ledger is closed"))
        else:
            self._queue.put(operation)
        return operation.waiting

    @property
    def backlog(self) -> int:
        """Operations that wait to be written; those of the transaction that runs are none."""
        return self._queue.qsize() + len(self._late)

    def close(self) -> None:
        """Write what is queued, then stop. What could not be written is in the log."""
        if not self._closed.is_set():
            self._closed.set()
            self._queue.put(None)
            self._thread.join(CLOSE_S + self._patience_s)

    # -- the thread -----------------------------------------------------------------

    def _work(self) -> None:
        going = True
        while going:
            batch, going = self._gather()
            for part in _apart(batch):
                self._write(part)
            self._try_late()
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + self._every_s
                self._write([_again(self._every)])
        self._last_words()

    def _gather(self) -> tuple[list[Operation], bool]:
        """What waits, at least one where something comes in time; False: it is the end."""
        pause = LATE_S if self._late else max(0.0, self._next - time.monotonic())
        batch: list[Operation] = []
        try:
            item = self._queue.get(timeout=pause)
            while item is not None:
                batch.append(item)
                if len(batch) == BATCH:
                    return batch, True
                item = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, False

    def _write(self, batch: list[Operation]) -> None:
        batch = [op for op in batch if not op.dropped]
        if not batch:
            return
        try:
            results = self._transact(batch)
        except Exception as error:
            if len(batch) > 1 and not _is_down(error):
                for operation in batch:  # one of them is bad: the others must not suffer
                    self._write([operation])
                return
            self._failed(batch, error)
            return
        self.why_not = None
        _tell([(op, result, None) for op, result in zip(batch, results, strict=True)])

    def _transact(self, batch: Sequence[Operation]) -> list[Any]:
        """All in one transaction, tried again where the database asks for it."""
        rows = sorted({row for op in batch for row in op.rows})
        tries = Retrying(
            retry=retry_if_exception(_may_pass),
            wait=wait_random_exponential(multiplier=0.02, max=0.5),
            stop=stop_after_delay(self._patience_s),
            reraise=True,
        )
        for attempt in tries:
            with attempt, self._database.writer.begin() as connection, told(connection):
                hold(connection, rows)
                results = [operation.run(connection) for operation in batch]
        return results

    def _failed(self, batch: Sequence[Operation], error: Exception) -> None:
        down = isinstance(error, sa.exc.SQLAlchemyError)
        if down:
            self.why_not = because(error)
        said = error if isinstance(error, OckhamError) else _unwritten(self._database, error)
        for operation in batch:
            _log.error("ledger: not written: %s (%s)", operation.what, because(error))
            if operation.must and down:
                self._keep(operation)
        _tell([(operation, None, said) for operation in batch])

    def _keep(self, operation: Operation) -> None:
        if len(self._late) >= LATE:
            _log.error("ledger: given up, too many wait: %s", self._late.popleft().what)
        self._late.append(_again(operation))

    def _try_late(self) -> None:
        """All that failed before, in order, at most once a round."""
        for _ in range(len(self._late)):
            if self.why_not is not None and not self._answers():
                return
            operation = self._late.popleft()
            self._write([operation])
            if operation.future.done() and operation.future.exception() is None:
                _log.warning("ledger: written at last: %s", operation.what)

    def _answers(self) -> bool:
        """Whether the database takes a transaction again."""
        with suppress(sa.exc.SQLAlchemyError), self._database.writer.begin() as connection:
            connection.execute(sa.select(sa.literal(1)))
            return True
        return False

    def _last_words(self) -> None:
        deadline = time.monotonic() + CLOSE_S
        while self._late and time.monotonic() < deadline:
            self._try_late()
            if self._late:
                time.sleep(0.2)
        for operation in self._late:
            _log.error("ledger: lost, the database stayed away: %s", operation.what)


def _again(operation: Operation) -> Operation:
    """The same with a future that nobody has been told yet."""
    return Operation(operation.run, operation.what, operation.rows, operation.must, operation.alone)


def _apart(batch: Iterable[Operation]) -> Iterable[list[Operation]]:
    """In order; what wants to be alone is alone."""
    part: list[Operation] = []
    for operation in batch:
        if operation.alone:
            if part:
                yield part
            yield [operation]
            part = []
        else:
            part.append(operation)
    if part:
        yield part


_Outcome = tuple[Operation, Any, Exception | None]


def _tell(outcomes: Sequence[_Outcome]) -> None:
    """Who waits: futures of threads at once, those of a loop in one call of it."""
    loops: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for outcome in outcomes:
        operation = outcome[0]
        if operation.loop is not None:
            loops.setdefault(operation.loop, []).append(outcome)
        _resolve(operation.future, outcome)
    for loop, mine in loops.items():
        with suppress(RuntimeError):  # it has closed: nobody waits
            loop.call_soon_threadsafe(_tell_here, mine)


def _tell_here(outcomes: Sequence[_Outcome]) -> None:
    for outcome in outcomes:
        if outcome[0].waiting is not None:
            _resolve(outcome[0].waiting, outcome)


def _resolve(future: "Future[Any] | asyncio.Future[Any]", outcome: _Outcome) -> None:
    _, result, error = outcome
    if not future.done():
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


def _unwritten(database: Database, error: Exception) -> LedgerError:
    return LedgerError(f"the ledger {database.name} cannot be written: {because(error)}")


def _is_down(error: Exception) -> bool:
    """The database's fault and nobody's operation: there is no use in trying them one by one."""
    return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.TimeoutError)


def _may_pass(error: BaseException) -> bool:
    """Deadlocks, serialization failures, a lock or a lost connection; not a full disk."""
    if not isinstance(error, sa.exc.DBAPIError):
        return isinstance(error, sa.exc.TimeoutError)
    code = getattr(error.orig, "sqlstate", None)
    said = str(error.orig)
    if code in _RETRIED or error.connection_invalidated or "database is locked" in said:
        return True
    # psycopg gives no code where it could not even connect.
    return isinstance(error, sa.exc.OperationalError) and code is None and "connect" in said
