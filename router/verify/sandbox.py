"""One sandbox for every program that nobody has read: bubblewrap, or nothing at all.

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

Where bubblewrap is missing or the kernel forbids user namespaces, nothing runs:
`available()` says what to change. There is no unsandboxed way in.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from router.errors import SetupError
from router.verify.bubblewrap import (
    MAIN,
    Limits,
    command,
    interpreter,
    is_root,
    refusal,
    usr_tool,
)

__all__ = ["Availability", "Limits", "Sandbox", "SandboxResult", "SandboxStatus"]

SandboxStatus = Literal["exited", "timeout", "output_limit", "memory_limit"]

SAMPLE_SECONDS = 0.05
PROBE_SECONDS = 10.0
DEFAULT_LIMITS = Limits()


class Availability(NamedTuple):
    """Whether programs can run here; `hint` says what to change where they cannot."""

    ok: bool
    hint: str = ""


class SandboxResult(NamedTuple):
    """How a run ended. `exit_code` is negative for a signal, as in `subprocess`."""

    status: SandboxStatus
    exit_code: int | None
    stdout: bytes
    stderr: bytes
    seconds: float


@dataclass
class Sandbox:
    """Runs Python programs in bubblewrap. Holds nothing open between runs."""

    limits: Limits = DEFAULT_LIMITS
    bwrap: str = "bwrap"
    _available: Availability | None = field(default=None, init=False, repr=False)

    async def available(self) -> Availability:
        """Can a program run here? Tried once, with a real one."""
        if self._available is None:
            self._available = self._missing() or await self._probe()
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
        state = await self.available()
        if not state.ok:
            raise SetupError(f"No sandbox: {state.hint}")
        return await self._run(program, stdin, files or {}, limits or self.limits)

    async def _run(
        self, program: str, stdin: bytes, files: Mapping[str, bytes], limits: Limits
    ) -> SandboxResult:
        contents = {MAIN: program.encode("utf-8", "replace")}
        contents |= {f"/box/{_plain(name)}": data for name, data in files.items()}
        started = time.perf_counter()
        process = await _whole(asyncio.create_task(self._start(contents, limits)))
        watch = _Watch(process, limits)
        status = await watch.until_end(stdin)
        return SandboxResult(
            status=status,
            exit_code=process.returncode,
            stdout=bytes(watch.stdout),
            stderr=bytes(watch.stderr),
            seconds=time.perf_counter() - started,
        )

    async def _start(
        self, contents: Mapping[str, bytes], limits: Limits
    ) -> asyncio.subprocess.Process:
        with contextlib.ExitStack() as stack:
            fds = {path: stack.enter_context(_memory_file(d)) for path, d in contents.items()}
            return await asyncio.create_subprocess_exec(
                *command(self.bwrap, fds, limits),
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
        start.add_done_callback(_kill_started)  # holds even if this wait is cancelled too
        await asyncio.wait([start])
        if not start.cancelled() and not start.exception():
            await start.result().wait()
        raise


def _kill_started(start: asyncio.Task[asyncio.subprocess.Process]) -> None:
    if not start.cancelled() and not start.exception():
        _kill_group(start.result())


class _Watch:
    """Feeds a process, collects what it says, and ends it when a limit is reached."""

    def __init__(self, process: asyncio.subprocess.Process, limits: Limits) -> None:
        self.process, self.limits = process, limits
        self.stdout, self.stderr = bytearray(), bytearray()
        self.status: SandboxStatus = "exited"

    async def until_end(self, stdin: bytes) -> SandboxStatus:
        work = asyncio.gather(
            self._feed(stdin),
            self._collect(self.process.stdout, self.stdout),
            self._collect(self.process.stderr, self.stderr),
            self.process.wait(),
        )
        sampling = asyncio.create_task(self._sample())
        try:
            await asyncio.wait_for(asyncio.shield(work), self.limits.seconds)
        except TimeoutError:
            self._kill("timeout")
        finally:
            # Also on cancellation: the run is over when all its processes are gone.
            sampling.cancel()
            if not work.done():  # even if bubblewrap is: its pid 1 may hold the pipes
                _kill_group(self.process)
            await asyncio.gather(asyncio.shield(work), sampling, return_exceptions=True)
        return self.status

    def _kill(self, why: SandboxStatus) -> None:
        if self.status == "exited":
            self.status = why
        if self.process.returncode is None:
            _kill_group(self.process)

    async def _feed(self, stdin: bytes) -> None:
        pipe = self.process.stdin
        if pipe is None:
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            pipe.write(stdin)
            await pipe.drain()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            pipe.close()
            await pipe.wait_closed()

    async def _collect(self, pipe: asyncio.StreamReader | None, into: bytearray) -> None:
        while pipe and (chunk := await pipe.read(65536)):
            room = self.limits.output_bytes - len(into)
            into += chunk[: max(0, room)]
            if len(chunk) > room:
                self._kill("output_limit")

    async def _sample(self) -> None:
        while self.process.returncode is None:
            await asyncio.sleep(SAMPLE_SECONDS)
            if _tree_memory(self.process.pid) > self.limits.memory:
                self._kill("memory_limit")


def _kill_group(process: asyncio.subprocess.Process) -> None:
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
