"""How many requests run at once, and how many wait for a place. Nobody waits without bound."""

import asyncio
import time

from router.gateway.errors import Refused

__all__ = ["Places"]


class Places:
    """`running` requests at once, `waiting` more in line (first come, first served)."""

    def __init__(self, running: int, waiting: int) -> None:
        self._places = asyncio.Semaphore(running)
        self._most_waiting = waiting
        self.running = 0
        self.waiting = 0

    async def take(self) -> float:
        """A place; returns the seconds that it was waited for. Give it back with `give`.

        Raises `Refused` (429, with Retry-After) where the line is full.
        """
        if not self._places.locked():
            await self._places.acquire()
            self.running += 1
            return 0.0
        if self.waiting >= self._most_waiting:
            raise Refused(
                429, f"{self.running} requests are running and {self.waiting} are waiting: "
                "all places are taken (gateway.max_concurrent, gateway.max_queue)",
                "queue_full", kind="rate_limit_exceeded", headers={"retry-after": "1"},
            )  # fmt: skip
        self.waiting += 1
        start = time.perf_counter()
        try:
            await self._places.acquire()
        finally:
            self.waiting -= 1
        self.running += 1
        return time.perf_counter() - start

    @property
    def full(self) -> bool:
        """Whether the next one has to wait."""
        return self._places.locked()

    def give(self) -> None:
        """Give a place back."""
        self.running -= 1
        self._places.release()
