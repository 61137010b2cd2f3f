"""One program that runs in a sandbox, while it runs and at its end.

What: its stdin and stdout, line by line; its limits of wall clock, output and memory of all
its processes together; killing all of it at one stroke. What not: starting it, and the
walls, which are `sandbox`'s work.
"""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any, Literal, NamedTuple

from router.verify.bubblewrap import Limits

__all__ = ["SandboxResult", "SandboxStatus", "Session", "finished", "kill_group"]

SandboxStatus = Literal["exited", "timeout", "output_limit", "memory_limit"]

SAMPLE_SECONDS = 0.05


class SandboxResult(NamedTuple):
    """How a run ended. `exit_code` is negative for a signal, as in `subprocess`."""

    status: SandboxStatus
    exit_code: int | None
    stdout: bytes
    stderr: bytes
    seconds: float


class Session:
    """One running program: feeds it, collects what it says, and ends it at a limit."""

    def __init__(self, process: asyncio.subprocess.Process, limits: Limits, started: float) -> None:
        self.limits = limits
        self.status: SandboxStatus = "exited"
        self._process, self._started = process, started
        self._stdout, self._stderr = bytearray(), bytearray()
        self._taken = self._searched = 0
        self._news = asyncio.Event()
        self._over = False
        self._ended = asyncio.create_task(self._until_end())

    async def send(self, data: bytes, *, last: bool = False) -> None:
        """Write to the program's stdin; what it no longer reads is dropped."""
        pipe = self._process.stdin
        if pipe is None:
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            pipe.write(data)
            await pipe.drain()
        if last:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                pipe.close()
                await pipe.wait_closed()

    async def line(self) -> bytes | None:
        """The next whole line of its stdout; None when there will be no more."""
        while (line := self.line_there()) is None and not self._over:
            self._news.clear()
            await self._news.wait()
        return line

    def line_there(self) -> bytes | None:
        """The next whole line, if it has been said already."""
        end = self._stdout.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._stdout)
            return None
        line = bytes(self._stdout[self._taken : end])
        self._taken = self._searched = end + 1
        return line

    async def result(self) -> SandboxResult:
        """Wait for the end: of the program, or of what it may take."""
        await asyncio.shield(self._ended)
        return SandboxResult(
            status=self.status,
            exit_code=self._process.returncode,
            stdout=bytes(self._stdout),
            stderr=bytes(self._stderr),
            seconds=time.perf_counter() - self._started,
        )

    async def end(self) -> None:
        """Kill what still runs, and wait until it is gone, however often that is cancelled."""
        if not self._over:  # even if bubblewrap is: its pid 1 may hold the pipes
            kill_group(self._process)
        await finished(self._ended)

    async def _until_end(self) -> None:
        work = asyncio.gather(
            self._collect(self._process.stdout, self._stdout),
            self._collect(self._process.stderr, self._stderr),
            self._process.wait(),
        )
        sampling = asyncio.create_task(self._sample())
        try:
            await asyncio.wait_for(asyncio.shield(work), self.limits.seconds)
        except TimeoutError:
            self._kill("timeout")
        finally:
            sampling.cancel()
            if not work.done():
                kill_group(self._process)
            await asyncio.gather(asyncio.shield(work), sampling, return_exceptions=True)
            self._over = True
            self._news.set()

    def _kill(self, why: SandboxStatus) -> None:
        if self.status == "exited":
            self.status = why
        if self._process.returncode is None:
            kill_group(self._process)

    async def _collect(self, pipe: asyncio.StreamReader | None, into: bytearray) -> None:
        while pipe and (chunk := await pipe.read(65536)):
            room = self.limits.output_bytes - len(into)
            into += chunk[: max(0, room)]
            if len(chunk) > room:
                self._kill("output_limit")
            self._news.set()

    async def _sample(self) -> None:
        while self._process.returncode is None:
            await asyncio.sleep(SAMPLE_SECONDS)
            if _tree_memory(self._process.pid) > self.limits.memory:
                self._kill("memory_limit")


def kill_group(process: asyncio.subprocess.Process) -> None:
    """Kills bubblewrap and its pid 1 at one stroke, and with pid 1 all of the namespace."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _tree_memory(root: int) -> int:
    """Resident bytes of a process and all below it; what is gone counts nothing."""
    total, page, queue = 0, os.sysconf("SC_PAGE_SIZE"), [root]
    while queue:
        pid = queue.pop()
        with contextlib.suppress(OSError, ValueError, IndexError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page
            queue += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return total


async def finished(task: asyncio.Task[Any]) -> None:
    """Wait for what is sure to end soon; a cancellation is heeded after it."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled
