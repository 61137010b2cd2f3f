"""The event loop in which a router's clients live: a background thread's, or its opener's.

Work from any other loop or thread is carried over, so that `ask` works inside Jupyter and
nothing blocks the caller's loop.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from router.errors import InputError
from router.models.loading import close_clients

__all__ = ["Home"]

T = TypeVar("T")
_guests: WeakKeyDictionary[asyncio.AbstractEventLoop, int] = WeakKeyDictionary()
"""How many homes are in a loop of their openers'."""


class Home:
    """One router's loop. The thread is started when it is first needed."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._opening = threading.Lock()

    def move_in(self) -> None:
        """Live in the running loop."""
        if self._loop is not None:
            raise InputError("the router is open already: `async with` opens it in this loop")
        self._loop = loop = asyncio.get_running_loop()
        _guests[loop] = _guests.get(loop, 0) + 1

    async def move_out(self) -> None:
        """Leave the running loop. Homes in one loop share its connections: the last hangs up."""
        loop = asyncio.get_running_loop()
        _guests[loop] -= 1
        if not _guests[loop]:
            await close_clients()

    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, in a thread of its own unless `move_in` came before."""
        with self._opening:
            if self._loop is None or self._loop.is_closed():
                loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve_loop, args=(loop,), name="ockham-router", daemon=True
                )
                self._thread.start()
                self._loop = loop
            return self._loop

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run work there; from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop())

    async def carry_over(self, work: Coroutine[Any, Any, T]) -> T:
        """Run work there and await it here."""
        if self.loop() is asyncio.get_running_loop():
            return await work
        return await asyncio.wrap_future(self.submit(work))

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run work there and block. From the loop itself it could never end: `InputError`."""
        home = self.loop()
        try:
            inside = asyncio.get_running_loop() is home
        except RuntimeError:
            inside = False
        if inside:
            work.close()
            raise InputError(
                "called from the router's own event loop: use `await router.aask(...)`"
            )
        future = self.submit(work)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def cancel_all(self) -> None:
        """Cancel what runs in a thread of our own, and wait for its clean-up, 10 s at most."""
        if self._thread is not None and self._loop is not None:
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result(timeout=10)

    def close(self) -> None:
        """End the thread; another loop can be moved into."""
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)
        self._loop = self._thread = None


async def _cancel_all() -> None:
    """Cancel every other task of this loop and wait for their clean-up."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)


def _serve_loop(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(close_clients())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
