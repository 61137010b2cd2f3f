"""A token bucket of depth one: calls start at even distances, never faster than the rate."""

import asyncio
import time
from collections.abc import Awaitable, Callable

__all__ = ["RateLimit"]


class RateLimit:
    """At most `per_second` calls, spread evenly; None is no limit.

    `wait` is paid before a call whose number of requests is not known yet; `charge` puts
    the further ones (a policy's second attempt) on the account, so that the next waits longer.
    """

    def __init__(
        self,
        per_second: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._free_at = 0.0

    async def wait(self) -> None:
        """Returns when the next call may start; callers are served in the order they came."""
        if not self._gap:
            return
        start = max(self._free_at, self._clock())
        self._free_at = start + self._gap
        pause = start - self._clock()
        if pause > 0:
            await self._sleep(pause)

    def charge(self, requests: int) -> None:
        """Requests that were made beyond the one that `wait` admitted."""
        self._free_at += self._gap * max(0, requests)
