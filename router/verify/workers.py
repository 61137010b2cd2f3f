"""Worker processes that can be killed: for work that may never end.

What: calls run in processes of their own, each with its own time limit; a call that overruns is
stopped by a signal, and where it is deaf to signals (one long operation in C) its process
is killed and replaced. Other calls go on in the other workers. The limit starts when the
call starts: neither starting a process nor what `prepare` imports counts. What not: no
sandbox. The work is our own code; only the data may be hostile.

One thread drives one process over a pipe of its own: processes share no lock and no queue,
so that killing one can leave nothing locked. (A pool of pebble's never answers the calls
that run while it is stopped, and may lose the call of a worker that dies. A process that
multiprocessing spawns runs the caller's main module again: a script without a guard, whose
author knows of no processes, would start itself over and over.)
"""

import atexit
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from router.verify.worker_process import Done

__all__ = ["Done", "Workers", "cores"]

T = TypeVar("T")

_SERVE = "from router.verify.worker_process import main; main()"
_living: "set[subprocess.Popen[bytes]]" = set()


@atexit.register
def _kill_all() -> None:
    """At the end of the program; a program that is killed ends them by closing their pipes."""
    for process in list(_living):
        process.kill()


HARD_EXTRA = 0.1
"""Seconds from the signal to the kill."""


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Job(NamedTuple):
    """A call and who waits for it."""

    call: Callable[..., Any]
    args: tuple[Any, ...]
    seconds: float
    future: "Future[Done[Any]]"


class Workers:
    """Up to `count` processes, started when calls need them; any thread may ask."""

    def __init__(self, count: int, prepare: Callable[[], object]) -> None:
        if count < 1:
            raise ValueError("workers: at least one is needed")
        self.count, self._prepare = count, prepare
        self._crew: _Crew | None = None
        self._turn = threading.Lock()

    @property
    def started(self) -> bool:
        """Was there a call since the start, or since the last `close`?"""
        return self._crew is not None

    def submit(self, call: Callable[..., T], *args: Any, seconds: float) -> "Future[Done[T]]":
        """Queue a call of a module's function; its arguments and result are pickled.

        The future gives a `Done`, or raises what the call raised. One that is cancelled before
        its turn is not run.
        """
        future: Future[Done[T]] = Future()
        with self._turn:
            if self._crew is None:
                self._crew = _Crew(self.count, self._prepare)
            self._crew.jobs.put(_Job(call, args, seconds, future))
        return future

    def close(self) -> None:
        """End all processes; calls under way are lost. A later call starts new ones."""
        with self._turn:
            crew, self._crew = self._crew, None
        if crew is not None:
            crew.close()


class _Crew:
    """The threads, their queue, and the pipe whose closing ends them."""

    def __init__(self, count: int, prepare: Callable[[], object]) -> None:
        self.jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._ended, self._end = multiprocessing.Pipe(duplex=False)
        self._threads = [
            threading.Thread(target=_Worker(self.jobs, self._ended, prepare).run, daemon=True)
            for _ in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._end.close()  # whoever waits for a process sees this at once
        for _ in self._threads:
            self.jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._ended.close()


class _Worker:
    """One thread and its process."""

    def __init__(
        self,
        jobs: "SimpleQueue[_Job | None]",
        ended: Connection,
        prepare: Callable[[], object],
    ) -> None:
        self._jobs, self._ended, self._prepare = jobs, ended, prepare
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def run(self) -> None:
        """In the thread: one job after the other, until None."""
        while (job := self._jobs.get()) is not None:
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                answer = self._answer(job)
            except Exception as error:  # what cannot be pickled, no more processes: the caller's
                self._kill()
                answer = error
            if isinstance(answer, Exception):
                job.future.set_exception(answer)
            else:
                job.future.set_result(answer)
            self._replace()
        self._kill()

    def _replace(self) -> None:
        """Start anew after a kill before taking a job: another worker is ready for it now."""
        if self._pipe is not None or self._ended.poll():
            return
        try:
            if self._start() is not None:
                self._kill()
        except Exception:  # the next job tries again, and tells its caller
            self._kill()

    def _answer(self, job: _Job) -> Done[Any] | Exception:
        if self._ended.poll():
            return Done(None, 0.0, "ended")
        if self._process is not None and self._process.poll() is not None:
            self._kill()  # it died while it had nothing to do
        if self._pipe is None:
            failed = self._start()
            if failed is not None:
                self._kill()
                return failed
        assert self._pipe is not None
        self._pipe.send((job.call, job.args, job.seconds))
        answer: Done[Any] | Exception = self._receive(self._pipe, job.seconds + HARD_EXTRA)
        if isinstance(answer, Done) and answer.lost in ("ended", "killed"):
            self._kill()
            return answer if answer.lost == "ended" else answer._replace(lost="timeout")
        return answer

    def _start(self) -> Done[Any] | Exception | None:
        """Start a process and wait until it is ready; what went wrong, or None."""
        self._pipe, theirs = multiprocessing.Pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SERVE, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(p or os.curdir for p in sys.path)},
            )
        finally:
            theirs.close()  # so that its death is seen as the end of the pipe
        _living.add(self._process)
        self._pipe.send(self._prepare)
        failed: Done[Any] | Exception | None = self._receive(self._pipe, None)
        return failed

    def _receive(self, pipe: Connection, limit: float | None) -> Any:
        """What the process says; `Done` of "killed" after the limit, of "ended" at its end."""
        ready = wait([pipe, self._ended], limit)
        if not ready:
            return Done(None, limit or 0.0, "killed")
        try:
            return pipe.recv() if pipe in ready else Done(None, 0.0, "ended")
        except (EOFError, OSError):
            return Done(None, 0.0, "ended")

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            _living.discard(self._process)
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None
