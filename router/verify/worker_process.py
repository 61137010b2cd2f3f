"""The process's side of `workers`: takes calls from a pipe, and bounds each one.

What: the alarm that stops an overrun, a memory limit, errors that cross as values. What
not: it cannot stop one long operation in C; the other side kills the process then.
"""

import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Generic, NamedTuple, TypeVar

__all__ = ["Done", "main", "serve"]

T = TypeVar("T")

MAX_MEMORY = 4 * 1024**3


class Done(NamedTuple, Generic[T]):
    """What a call gave; `value` is None where `lost` says why there is none."""

    value: T | None
    seconds: float
    lost: str | None = None
    """"timeout", "memory" or "ended" (the process died, or the workers were closed)."""


class _Overrun(BaseException):
    """Not an Exception: what is called must not catch it."""


def main() -> None:
    """Serve the pipe whose descriptor is the first argument; what prepares comes through it."""
    pipe = Connection(int(sys.argv[1]))
    try:
        prepare = pipe.recv()
    except (EOFError, OSError):  # nobody waits any more
        return
    except Exception as error:  # it cannot be imported here
        pipe.send(error)
        return
    serve(pipe, prepare)


def serve(pipe: Connection, prepare: Callable[[], object]) -> None:
    """The life of a worker: says None when it is ready, then answers until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGALRM, _overrun)
    warnings.simplefilter("ignore")  # of sympy and antlr: they would end on the user's screen
    try:
        _bound_memory()
        prepare()
    except Exception as error:
        pipe.send(error)
        return
    pipe.send(None)
    while True:
        try:
            call, args, seconds = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(_bounded(call, args, seconds))


def _bound_memory() -> None:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = MAX_MEMORY if hard == resource.RLIM_INFINITY else min(MAX_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _overrun(_signal: int, _frame: object) -> None:
    raise _Overrun


def _bounded(call: Callable[..., T], args: tuple[Any, ...], seconds: float) -> Done[T] | Exception:
    """The call under its own clock, so that an overrun costs no new process."""
    started = time.perf_counter()
    value, lost = None, None
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
    except Exception as error:
        return error
    return Done(value, time.perf_counter() - started, lost)
