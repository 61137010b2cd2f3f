"""A run as server-sent events: what of it the client sees, and when.

Text that no check will judge streams at once, and then it stands. Text that may still be thrown
away is held back: the client sees progress as SSE comments, and the answer once it has been
verified or escalated. The response begins with the first piece worth sending, or after
`BEAT_S`: until then an error still has its own status.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from router.errors import ModelError
from router.gateway.connection import Headers
from router.gateway.encode import comment, header
from router.gateway.errors import Refused
from router.gateway.exchange import Exchange
from router.samples import AttemptStatus
from router.state import Answer, Event
from router.tasks import ended, to_its_end

__all__ = ["Writer", "stream_run"]

BEAT_S = 1.0
_ANSWERING = ("delta", "choice")
"""Events that carry tokens of the answer."""
_NO_ANSWER = frozenset({"role", "reasoning_content"})
"""Fields of a delta that leave another arm free to answer."""


class Writer(ABC):
    """Turns a run's events into one API's stream."""

    def __init__(self, id: str, *, reasoning: bool = False) -> None:
        self.id = id
        self.committed = ""
        """Text that the client has been shown."""
        self.answer: Answer | None = None
        self.route: list[str] = []
        self.forwarded = False
        """Of the model's own deltas some of the answer was passed on: text, tool calls, ..."""
        self._reasoning = reasoning

    @abstractmethod
    def text(self, text: str) -> list[bytes]:
        """More of the answer's text."""

    @abstractmethod
    def delta(self, raw: Mapping[str, Any]) -> list[bytes]:
        """A delta of the model's own: `index`, `delta`, perhaps `logprobs`."""

    @abstractmethod
    def thought(self, text: str) -> list[bytes]:
        """More of what a reasoner thinks."""

    @abstractmethod
    def ending(self, answer: Answer) -> list[bytes]:
        """What follows the text: tool calls, finish reason, usage, the end's mark."""

    @abstractmethod
    def broken(self, told: Refused) -> bytes:
        """The error that ends a stream which then must not look complete."""

    def opening(self) -> list[bytes]:
        """What comes before all else."""
        return []

    def headers(self) -> Headers:
        """What is known when the response begins."""
        return [(b"x-ockham-route", header(",".join(self.route)))] if self.route else []

    def take(self, event: Event) -> tuple[list[bytes], bool]:
        """The bytes that one event adds, and whether they should leave at once."""
        if event.kind == "delta":
            if event.checked or self.forwarded or not event.text:
                return [], False
            return self._commit(event.text), True
        if event.kind == "choice":
            return ([], False) if event.checked else (self._forward(event.data), True)
        if event.kind == "reasoning":
            return (self.thought(event.text), True) if self._reasoning else ([], False)
        if event.kind == "attempt":
            self.route.append(event.arm or "")
            return [comment(f"attempt {event.arm}")], False
        if event.kind == "attempt_done":
            failed = event.data.status is AttemptStatus.FAILED
            if failed and (self.committed or self.forwarded):
                raise ModelError(event.data.error or "the model failed in the middle of its answer")
            return [], False
        if event.kind == "verdict":
            return [comment(f"verdict {event.arm} {event.data.status}")], False
        if event.kind == "answer":
            self.answer = event.data
        return [], False

    def end(self) -> list[bytes]:
        """What is left of the answer, and the end."""
        answer = self.answer
        if answer is None:  # pragma: no cover - astream raises before it ends without one
            raise ModelError("the run ended without an answer")
        pieces: list[bytes] = []
        if not self.forwarded and not self.committed.strip().endswith(answer.answer.strip()):
            if self.committed:
                raise ModelError("the answer changed after part of it had been sent")
            pieces += self._commit(answer.answer) if answer.answer else []
        return [*pieces, *self.ending(answer)]

    def _forward(self, raw: Mapping[str, Any]) -> list[bytes]:
        """A delta of the model's own. Its text comes as a `delta` event too, just after."""
        pieces = self.delta(raw)
        if pieces and not raw["delta"].keys() <= _NO_ANSWER:
            self.forwarded = True
            if not raw.get("index"):
                self.committed += raw["delta"].get("content") or ""
        return pieces

    def _commit(self, text: str) -> list[bytes]:
        pieces = self.text(text)
        self.committed += text
        return pieces


async def stream_run(
    exchange: Exchange, events: AsyncGenerator[Event, None], writer: Writer
) -> None:
    """Send a run. Leaving it, for whatever reason, stops the run."""
    outlet = _Outlet(exchange, writer)
    beating = asyncio.ensure_future(outlet.beat())
    try:
        await exchange.race(_forward(events, writer, outlet))
    finally:
        beating.cancel()
        # The client that left while it wrote is noticed elsewhere.
        await to_its_end(ended(beating))
    await exchange.end_stream()


async def _forward(events: AsyncGenerator[Event, None], writer: Writer, outlet: "_Outlet") -> None:
    async with aclosing(events):
        async for event in events:
            pieces, now = writer.take(event)
            if pieces:
                await outlet.put(pieces, now=now, answer=event.kind in _ANSWERING)
    outlet.exchange.answer = writer.answer
    await outlet.put(writer.end(), now=True, answer=True)


class _Outlet:
    """Where pieces leave; holds them back until the response begins."""

    def __init__(self, exchange: Exchange, writer: Writer) -> None:
        self.exchange, self._writer = exchange, writer
        self._held: list[bytes] = []
        self._begun = False
        self._turn = asyncio.Lock()
        self._last = 0.0

    async def put(self, pieces: list[bytes], *, now: bool, answer: bool = False) -> None:
        """Send pieces, or hold them until the response begins."""
        if not (now or self._begun):
            self._held += pieces
            return
        if answer:
            self.exchange.saw_answer()
        await self._write(b"".join(pieces))

    async def _write(self, piece: bytes) -> None:
        async with self._turn:
            if not self._begun:
                await self.exchange.start_stream(self._writer.headers(), self._tell)
                self._begun = True
                piece = b"".join([*self._writer.opening(), *self._held, piece])
            self._last = asyncio.get_running_loop().time()
            await self.exchange.write(piece)

    async def beat(self) -> None:
        """A comment for every `BEAT_S` in which nothing was sent."""
        clock = asyncio.get_running_loop().time
        self._last = clock()
        while True:
            await asyncio.sleep(max(0.05, self._last + BEAT_S - clock()))
            if clock() - self._last >= BEAT_S:
                await self._write(comment("working"))

    async def _tell(self, told: Refused) -> None:
        await self.exchange.write(self._writer.broken(told))
