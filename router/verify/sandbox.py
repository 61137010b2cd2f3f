"""One sandbox for every program that nobody has read: two ways to shut it in, or none.

What is covered
- Files: nothing of the host but a read-only /usr (without /usr/local and /usr/src unless
  the interpreter lives there). /tmp is private, small and gone afterwards.
- Network, host processes, IPC and host name: own namespaces; no interface but a dead loopback.
- Environment: empty but for PATH, HOME and the locale. Open files: stdin, stdout, stderr.
- Memory and CPU time (each process, and the memory of all of them together, sampled),
  number of processes, size of a file and of /tmp, bytes of output, wall clock.
- The end: all processes of a run die with it, on time-out, output flood and cancellation.
- Privileges: as root it becomes nobody first (process limits do not bind root); no
  capabilities, no new privileges, and no further user namespaces where bubblewrap can say so.

What is not covered
- Holes of the kernel: there is no system-call filter, and /proc shows the kernel's facts
  (version, CPU, memory), though no process of the host.
- Timing and other side channels; a program can take its share of the CPU until its limit.
- A memory burst shorter than the sampling interval, up to processes x memory limit.

Where bubblewrap is missing or cannot start, `unshare` builds the same walls (the module of
that name), for whoever may make user namespaces. Where neither holds in a trial run, nothing
runs: `available()` says what to change. There is no unsandboxed way in; another sandbox is
plugged in as a `Runner`.
"""

import asyncio
import contextlib
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from router.errors import SetupError
from router.verify import unshare
from router.verify.bubblewrap import (
    MAIN,
    Limits,
    command,
    interpreter,
    is_root,
    refusal,
    usr_tool,
)
from router.verify.session import SandboxResult, Session, finished, kill_group

__all__ = ["Availability", "Limits", "Sandbox", "SandboxResult"]

PROBE_SECONDS = 10.0
DEFAULT_LIMITS = Limits()


class Availability(NamedTuple):
    """Whether programs can run here; `hint` says what to change where they cannot."""

    ok: bool
    hint: str = ""


@dataclass
class Sandbox:
    """Runs Python programs in bubblewrap, else behind the same walls made with `unshare`.

    Holds nothing open between runs.
    """

    limits: Limits = DEFAULT_LIMITS
    bwrap: str = "bwrap"
    unshare: str = "unshare"
    _second: bool = field(default=False, init=False, repr=False)
    _available: Availability | None = field(default=None, init=False, repr=False)

    async def available(self) -> Availability:
        """Can a program run here? Tried once, with a real one."""
        if self._available is None:
            self._available = self._missing() or await self._probe()
            if not self._available.ok and all(map(usr_tool, (self.unshare, *unshare.TOOLS))):
                self._second = True
                if (await self._probe()).ok:
                    self._available = Availability(True)
        return self._available

    def _missing(self) -> Availability | None:
        if not shutil.which(self.bwrap):
            return Availability(False, "bubblewrap is not installed: apt install bubblewrap")
        needed = ("prlimit", "setsid", *(["setpriv"] if is_root() else []))
        tools = [tool for tool in needed if not usr_tool(tool)]
        if tools:
            return Availability(False, f"{', '.join(tools)} not found: apt install util-linux")
        if not interpreter():
            return Availability(False, "no python3 under /usr: apt install python3-minimal")
        return None

    async def _probe(self) -> Availability:
        probe = self.limits._replace(seconds=PROBE_SECONDS)
        result = await self._run("print('ready')", b"", {}, probe)
        if result.stdout.strip() == b"ready":
            return Availability(True)
        told = result.stderr.decode(errors="replace").strip().splitlines()
        return Availability(False, refusal(told[-1] if told else result.status))

    async def run(
        self,
        program: str,
        *,
        stdin: bytes = b"",
        files: Mapping[str, bytes] | None = None,
        limits: Limits | None = None,
    ) -> SandboxResult:
        """Run a Python program; `files` appear read-only in /box under their names.

        Raises `SetupError` where no sandbox is available.
        """
        await self._needed()
        return await self._run(program, stdin, files or {}, limits or self.limits)

    @contextlib.asynccontextmanager
    async def session(
        self,
        program: str,
        *,
        files: Mapping[str, bytes] | None = None,
        limits: Limits | None = None,
    ) -> "AsyncIterator[Session]":
        """A program to talk with, line by line; it is killed when the block is left.

        Raises `SetupError` where no sandbox is available.
        """
        await self._needed()
        async with self._session(program, files or {}, limits or self.limits) as session:
            yield session

    async def _needed(self) -> None:
        state = await self.available()
        if not state.ok:
            raise SetupError(f"No sandbox: {state.hint}")

    async def _run(
        self, program: str, stdin: bytes, files: Mapping[str, bytes], limits: Limits
    ) -> SandboxResult:
        async with self._session(program, files, limits) as session:
            feeding = asyncio.create_task(session.send(stdin, last=True))
            try:
                return await session.result()
            finally:
                feeding.cancel()

    @contextlib.asynccontextmanager
    async def _session(
        self, program: str, files: Mapping[str, bytes], limits: Limits
    ) -> "AsyncIterator[Session]":
        contents = {MAIN: program.encode("utf-8", "replace")}
        contents |= {f"/box/{_plain(name)}": data for name, data in files.items()}
        started = time.perf_counter()
        process = await _whole(asyncio.create_task(self._start(contents, limits)))
        session = Session(process, limits, started)
        try:
            yield session
        finally:
            await session.end()

    def _command(self, fds: Mapping[str, int], limits: Limits) -> list[str]:
        if self._second:
            return unshare.command(self.unshare, fds, limits)
        return command(self.bwrap, fds, limits)

    async def _start(
        self, contents: Mapping[str, bytes], limits: Limits
    ) -> asyncio.subprocess.Process:
        with contextlib.ExitStack() as stack:
            fds = {path: stack.enter_context(_memory_file(d)) for path, d in contents.items()}
            return await asyncio.create_subprocess_exec(
                *self._command(fds, limits),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=tuple(fds.values()),
                start_new_session=True,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                cwd="/",
            )


async def _whole(
    start: asyncio.Task[asyncio.subprocess.Process],
) -> asyncio.subprocess.Process:
    """A start that cancellation does not cut in two.

    asyncio would kill bubblewrap alone, whose child may not yet have asked to die with it,
    and then wait for that child.
    """
    try:
        return await asyncio.shield(start)
    except asyncio.CancelledError:
        await finished(asyncio.create_task(_kill_started(start)))
        raise


async def _kill_started(start: asyncio.Task[asyncio.subprocess.Process]) -> None:
    await asyncio.wait([start])
    if not start.cancelled() and not start.exception():
        kill_group(start.result())
        await start.result().wait()


@contextlib.contextmanager
def _memory_file(data: bytes) -> Iterator[int]:
    """A file that no directory shows: nothing is left behind, and nobody needs to read /tmp."""
    fd = os.memfd_create("box")
    try:
        with os.fdopen(os.dup(fd), "wb") as out:
            out.write(data)
        os.lseek(fd, 0, os.SEEK_SET)
        yield fd
    finally:
        os.close(fd)


def _plain(name: str) -> str:
    if not re.fullmatch(r"[\w-][\w.-]{0,80}", name) or name == "main.py":
        raise SetupError(f"A file in the sandbox needs a plain name, not {name!r}.")
    return name
