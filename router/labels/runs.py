"""Run an arm on a query that has been answered, behind the caller's back and from another purse.

    drawn -> label without a score -> reserve -> run -> settle -> compare -> label with its score

The label is written before the first dollar, so that a crash leaves a drawn label without a
score and a lease that the sweep takes as spent: nothing is lost, and nothing looks decided that
was not. The run is a request of its own in the ledger, of the tenant that is its purse, and
stores no text. Where it cannot be run or compared the label says why, and has no score.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from policies import OnlyArm
from router.errors import BudgetError, OckhamError
from router.facade import Router
from router.labels.compare import Compared, compare
from router.ledger.ledger import Ledger
from router.ledger.records import Closing, Ending, Principal, RequestStart
from router.ledger.tenants import PURSES
from router.state import Answer, Bounds, Query

__all__ = ["Job", "Runs", "Source", "Using", "cut_off", "plain", "today"]

_log = logging.getLogger(__name__)
Source = Literal["audit", "shadow"]
Using = Callable[[], AbstractAsyncContextManager[Router]]
"""The router of the moment, held open while it is used."""
_AGAIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Job:
    """One answer and the arm to be run beside it."""

    query: Query
    answer: Answer
    arm: str
    """To be run."""
    labelled: str
    """The arm that the label is about: of an audit the one that answered."""
    source: Source
    probability: float
    meta: Mapping[str, Any]

    def score(self, compared: Compared) -> float | None:
        """Of the arm that the label is about: does it say what the reference says?"""
        reference = self.meta.get("reference")
        if self.source == "audit" or self.answer.arm == reference:
            return compared.score
        return 1.0 if self.arm == reference else None

    @property
    def comparable(self) -> bool:
        """A text stands against a text: no tool calls, no several choices."""
        given = [s.attempt for s in self.answer.trace.steps if s.attempt is not None]
        return not any(attempt.choices for attempt in given) and not (
            {"tools", "functions", "n"} & set(self.query.call)
        )


class Runs:
    """The background runs of one purse, `at_once` at a time."""

    def __init__(self, ledger: Ledger, using: Using, source: Source, at_once: int) -> None:
        self._ledger, self._using = ledger, using
        self._purse = PURSES[source]
        self._slots = asyncio.Semaphore(at_once)
        self._tasks: set[asyncio.Task[None]] = set()
        self.refused_on: str | None = None
        """UTC day on which the purse was found empty."""

    @property
    def pending(self) -> int:
        """Drawn and not yet done."""
        return len(self._tasks)

    def start(self, job: Job, then: Callable[[], None]) -> None:
        """Begin in the background; `then` is called when it is done, however."""
        task = asyncio.get_running_loop().create_task(self._guarded(job))
        self._tasks.add(task)

        def ended(done: asyncio.Task[None]) -> None:
            self._tasks.discard(done)
            then()

        task.add_done_callback(ended)

    async def drain(self, timeout_s: float) -> None:
        """Wait for what runs, then cut the rest off; every lease is settled by then."""
        if self._tasks:
            _, left = await asyncio.wait(set(self._tasks), timeout=timeout_s)
            await cut_off(left)

    # -- inside ---------------------------------------------------------------------

    async def _guarded(self, job: Job) -> None:
        """A background run that breaks is logged without texts, and hurts nobody."""
        try:
            async with self._slots:
                await self._run(job)
        except asyncio.CancelledError:
            pass
        except Exception as error:
            _log.error("%s of %s broke: %s", job.source, job.answer.trace.id, _kind(error))

    async def _run(self, job: Job) -> None:
        if not await self._label(job, "drawn"):
            return
        if not job.comparable:
            await self._label(job, "undecided", why="not_comparable")
            return
        start = RequestStart(id=uuid.uuid4().hex, endpoint=job.source, model=job.arm)
        booking = self._ledger.book(Principal(self._purse, None), start)
        try:
            await booking.open()
            async with self._using() as router:
                other = await router.aask(
                    plain(job.query, start.id), policy=OnlyArm(arm=job.arm), purse=booking
                )
                await booking.close(Closing("answered", 200, other))
                compared = await compare(router.checker, job.query, job.answer, other)
        except asyncio.CancelledError:
            ending = asyncio.ensure_future(self._cut_off(job, booking))
            while not ending.done():  # also where it is cancelled again
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({ending})
            raise
        except Exception as error:
            await booking.close(Closing(*_ended(error), error=_kind(error)))
            if isinstance(error, BudgetError):
                self.refused_on = today()
            await self._label(job, "undecided", why=_kind(error))
            if not isinstance(error, OckhamError):
                raise
            return
        await self._label(job, compared.outcome, compared=compared, other=other)

    async def _cut_off(self, job: Job, booking: Any) -> None:
        await booking.close(Closing("cancelled", 499, error="drained"))
        await self._label(job, "undecided", why="drained")

    async def _label(
        self,
        job: Job,
        state: str,
        *,
        why: str | None = None,
        compared: Compared | None = None,
        other: Answer | None = None,
    ) -> bool:
        """Write or replace the label; False where the ledger has no such request."""
        meta: dict[str, Any] = {**job.meta, "state": state}
        if why is not None:
            meta["why"] = why
        if compared is not None and other is not None:
            meta |= {"how": compared.how, "passed": other.verdict.passed, "run": other.trace.id}
        written = await self._ledger.label(
            job.answer.trace.id,
            source=job.source,
            score=None if compared is None else job.score(compared),
            arm=job.labelled,
            probability=job.probability,
            cost_usd=other.cost_usd if other is not None else 0.0,
            meta=meta,
        )
        return written is not None


async def cut_off(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their clean-up. More than once: `asyncio.wait_for` of Python 3.11
    swallows a cancellation that comes just when its work is done."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_S)


def plain(query: Query, id_: str) -> Query:
    """The query under another id, without its caller's bounds: another purse pays."""
    return query.model_copy(update={"id": id_, "bounds": Bounds(), "conversation": None})


def today() -> str:
    """The UTC day, which is what a budget's day is."""
    return datetime.now(UTC).date().isoformat()


def _ended(error: Exception) -> tuple[Ending, int]:
    return ("refused", 429) if isinstance(error, BudgetError) else ("failed", 503)


def _kind(error: Exception) -> str:
    """Its type: a message may hold a text."""
    return type(error).__name__
