"""Worker processes that can be killed: for work that may never end.

What: calls run in spawned processes, each with its own time limit; a call that overruns is
stopped by a signal, and where it is deaf to signals (one long operation in C) its process
is killed and replaced. Other calls go on in the other workers. The limit starts when the
call starts: neither starting a process nor what `prepare` imports counts. What not: no
sandbox. The work is our own code; only the data may be hostile.
"""

import multiprocessing
import os
import resource
import signal
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from pebble import ProcessFuture, ProcessPool

__all__ = ["Done", "Pending", "Workers", "cores"]

T = TypeVar("T")

HARD_EXTRA = 0.1
"""Seconds from the signal to the kill; pebble looks for overruns ten times a second."""

MAX_MEMORY = 4 * 1024**3


class Done(NamedTuple, Generic[T]):
    """What a call gave; `value` is None where `lost` says why there is none."""

    value: T | None
    seconds: float
    lost: str | None = None
    """"timeout", "memory" or "ended"."""


class _Overrun(BaseException):
    """Not an Exception: what is called must not catch it."""


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Pending(Generic[T]):
    """A call under way."""

    def __init__(self, future: "ProcessFuture[Done[T]]", limit: float) -> None:
        self._future, self._limit = future, limit

    def result(self) -> Done[T]:
        """Waits for it. Raises what the call raised, and nothing of the machinery's own."""
        from pebble import ProcessExpired

        try:
            done = self._future.result()
        except FutureTimeout:
            return Done(None, self._limit, "timeout")
        except (ProcessExpired, CancelledError, BrokenProcessPool):
            return Done(None, self._limit, "ended")
        return done


class Workers:
    """`count` processes, started by the first call; any thread may ask. `close()` ends them."""

    def __init__(self, count: int, prepare: Callable[[], object]) -> None:
        if count < 1:
            raise ValueError("workers: at least one is needed")
        self.count, self._prepare = count, prepare
        self._pool: ProcessPool | None = None
        self._turn = threading.Lock()

    @property
    def started(self) -> bool:
        """Do any processes run?"""
        return self._pool is not None

    def submit(self, call: Callable[..., T], *args: Any, seconds: float) -> Pending[T]:
        """Queue a call of a module's function; its arguments and result are pickled."""
        limit = seconds + HARD_EXTRA
        with self._turn:
            future = self._open().schedule(_bounded, args=(call, args, seconds), timeout=limit)
        return Pending(future, limit)

    def close(self) -> None:
        """End all processes; calls under way are lost. A later call starts new ones."""
        with self._turn:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()

    def _open(self) -> "ProcessPool":
        if self._pool is None or not self._pool.active:  # it breaks if an idle worker is killed
            from pebble import ProcessPool

            # Spawned, not forked: the parent may hold threads and an event loop.
            self._pool = ProcessPool(
                max_workers=self.count,
                context=multiprocessing.get_context("spawn"),
                initializer=_start,
                initargs=(self._prepare,),
            )
        return self._pool


def _start(prepare: Callable[[], object]) -> None:
    """In the worker, before its first call."""
    warnings.simplefilter("ignore")  # of sympy and antlr: they would end on the user's screen
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = MAX_MEMORY if hard == resource.RLIM_INFINITY else min(MAX_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    signal.signal(signal.SIGALRM, _overrun)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a handler of Python's waits for C to return
    prepare()


def _overrun(_signal: int, _frame: object) -> None:
    raise _Overrun


def _bounded(call: Callable[..., T], args: tuple[Any, ...], seconds: float) -> Done[T]:
    """In the worker: the call under its own clock, so that an overrun costs no new process."""
    started = time.perf_counter()
    lost = None
    value = None
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            value = call(*args)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except _Overrun:
        lost = "timeout"
    except (MemoryError, RecursionError):
        lost = "memory"
    return Done(value, time.perf_counter() - started, lost)
