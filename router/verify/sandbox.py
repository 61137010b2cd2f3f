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
import functools
import math
import os
import re
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from router.errors import SetupError

__all__ = ["Availability", "Limits", "Sandbox", "SandboxResult", "SandboxStatus"]

SandboxStatus = Literal["exited", "timeout", "output_limit", "memory_limit"]

MIB = 1024 * 1024
NOBODY = 65534
SAMPLE_SECONDS = 0.05
PROBE_SECONDS = 10.0
_MAIN = "/box/main.py"
_PYTHON = re.compile(r"python3(?:\.\d+)?")
_SYSCTLS = (
    ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1",
     "kernel.apparmor_restrict_unprivileged_userns=0"),
    ("user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
)  # fmt: skip


class Limits(NamedTuple):
    """What one run may take. `memory` binds each process, and all of them together."""

    seconds: float = 5.0
    memory: int = 512 * MIB
    processes: int = 32
    file_bytes: int = 16 * MIB
    output_bytes: int = 256 * 1024


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

    limits: Limits = Limits()
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
        tools = [t for t in ("prlimit", *(["setpriv"] if _is_root() else [])) if not _usr_tool(t)]
        if tools:
            return Availability(False, f"{', '.join(tools)} not found: apt install util-linux")
        if not _interpreter():
            return Availability(False, "no python3 under /usr: apt install python3-minimal")
        return None

    async def _probe(self) -> Availability:
        probe = self.limits._replace(seconds=PROBE_SECONDS)
        result = await self._run("print('ready')", b"", {}, probe)
        if result.stdout.strip() == b"ready":
            return Availability(True)
        told = result.stderr.decode(errors="replace").strip().splitlines()
        return Availability(False, _refusal(told[-1] if told else result.status))

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
        contents = {_MAIN: program.encode("utf-8", "replace")}
        contents |= {f"/box/{_plain(name)}": data for name, data in files.items()}
        started = time.perf_counter()
        with contextlib.ExitStack() as stack:
            fds = {path: stack.enter_context(_memory_file(d)) for path, d in contents.items()}
            process = await asyncio.create_subprocess_exec(
                *self._command(fds, limits),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=tuple(fds.values()),
                start_new_session=True,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                cwd="/",
            )
        watch = _Watch(process, limits)
        status = await watch.until_end(stdin)
        return SandboxResult(
            status=status,
            exit_code=process.returncode,
            stdout=bytes(watch.stdout),
            stderr=bytes(watch.stderr),
            seconds=time.perf_counter() - started,
        )

    def _command(self, fds: Mapping[str, int], limits: Limits) -> list[str]:
        python = _interpreter() or "/usr/bin/python3"
        bwrap = shutil.which(self.bwrap) or self.bwrap
        command = []
        if _is_root():
            command = [
                "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                "--inh-caps=-all", "--no-new-privs", "--",
            ]  # fmt: skip
        command += [bwrap, *_namespaces(bwrap), *_filesystem(python, limits, bwrap)]
        for path, fd in fds.items():
            command += ["--ro-bind-data", str(fd), path]
        # Everything else that bubblewrap mounts would be writable memory.
        command += ["--remount-ro", "/", "--chdir", "/tmp", "--"]  # noqa: S108
        return command + _rlimits(limits) + [python, "-I", "-B", "-X", "utf8", _MAIN]


def _namespaces(bwrap: str) -> list[str]:
    flags = ["--unshare-user", "--unshare-all", "--die-with-parent", "--new-session"]
    flags += ["--hostname", "box", "--cap-drop", "ALL", "--clearenv"]
    return flags + (["--disable-userns"] if "--disable-userns" in _bwrap_help(bwrap) else [])


def _filesystem(python: str, limits: Limits, bwrap: str) -> list[str]:
    local = python.startswith("/usr/local/")
    flags = ["--ro-bind", "/usr", "/usr"]
    hidden = ["/usr/src"] if local else ["/usr/src", "/usr/local"]
    for path in filter(os.path.isdir, hidden):
        flags += ["--tmpfs", path, "--remount-ro", path]
    for name in ("lib", "lib64", "bin"):
        flags += ["--symlink", f"usr/{name}", f"/{name}"]
    size = ["--size", str(limits.file_bytes)] if "--size BYTES" in _bwrap_help(bwrap) else []
    flags += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    flags += [*size, "--tmpfs", "/tmp"]  # noqa: S108
    environment = {"PATH": "/usr/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108
    if local:  # its shared library is found through the host's cache, which is not here
        environment["LD_LIBRARY_PATH"] = "/usr/local/lib"
    for name, value in environment.items():
        flags += ["--setenv", name, value]
    return flags


def _rlimits(limits: Limits) -> list[str]:
    return [
        _usr_tool("prlimit") or "/usr/bin/prlimit",
        f"--as={limits.memory}",
        f"--cpu={math.ceil(limits.seconds) + 1}",
        f"--nproc={limits.processes}",
        f"--fsize={limits.file_bytes}",
        "--nofile=64",
        "--core=0",
        "--",
    ]


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
            _kill_group(self.process)
            await asyncio.gather(asyncio.shield(work), sampling, return_exceptions=True)
        return self.status

    def _kill(self, why: SandboxStatus) -> None:
        if self.status == "exited":
            self.status = why
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
    """Bubblewrap dies, its pid 1 with it, and with that all of the namespace."""
    if process.returncode is None:
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
def _memory_file(data: bytes):  # type: ignore[no-untyped-def]  # noqa: ANN202
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


def _is_root() -> bool:
    return os.geteuid() == 0


@functools.cache
def _usr_tool(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/bin")


@functools.cache
def _interpreter() -> str | None:
    """A Python that lies wholly under /usr, the system's own first."""
    for folder in (Path("/usr/bin"), Path("/usr/local/bin")):
        for path in sorted(folder.glob("python3*"), key=lambda p: (len(p.name), p.name)):
            usable = _PYTHON.fullmatch(path.name) and os.access(path, os.X_OK)
            if usable and path.resolve().is_relative_to("/usr"):
                return str(path)
    return None


@functools.cache
def _bwrap_help(bwrap: str) -> str:
    import subprocess

    run = subprocess.run([bwrap, "--help"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    return run.stdout + run.stderr


def _refusal(told: str) -> str:
    """What to change, from bubblewrap's last line and the kernel's settings."""
    for name, off, setting in _SYSCTLS:
        path = Path("/proc/sys") / name
        with contextlib.suppress(OSError):
            if path.read_text().strip() == off:
                return f"user namespaces are off: sysctl -w {setting} ({told})"
    return f"bubblewrap cannot start: {told}"


_Argv = Sequence[str]
