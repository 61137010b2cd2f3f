"""The command line that shuts a program in, and what a machine needs for it.

What: the bubblewrap, setpriv and prlimit flags; the search for an interpreter that lies
wholly under /usr; the reading of a refusal into a hint. What not: it starts nothing but
`bwrap --help`; running and ending programs is `sandbox`'s work, whose docstring says what
these flags cover.
"""

import contextlib
import functools
import math
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "MAIN",
    "NOBODY",
    "Limits",
    "as_nobody",
    "command",
    "interpreter",
    "is_root",
    "refusal",
    "rlimits",
    "usr_tool",
]

MIB = 1024 * 1024
NOBODY = 65534
MAIN = "/box/main.py"
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


def command(bwrap: str, fds: Mapping[str, int], limits: Limits) -> list[str]:
    """The whole command line; each open file of `fds` appears under its path."""
    python = interpreter() or "/usr/bin/python3"
    bwrap = shutil.which(bwrap) or bwrap
    command = [*as_nobody(), bwrap, *_namespaces(bwrap), *_filesystem(python, limits, bwrap)]
    for path, fd in fds.items():
        command += ["--ro-bind-data", str(fd), path]
    # Everything else that bubblewrap mounts would be writable memory.
    command += ["--remount-ro", "/", "--chdir", "/tmp", "--"]  # noqa: S108
    session = [usr_tool("setsid") or "/usr/bin/setsid"]
    return command + session + rlimits(limits) + [python, "-I", "-B", "-X", "utf8", MAIN]


def _namespaces(bwrap: str) -> list[str]:
    # No --new-session: it would take bubblewrap's pid 1 out of the process group that
    # `sandbox` kills, and --die-with-parent misses a parent that dies while it sets up
    # (containers/bubblewrap#633). The program itself gets a session from setsid.
    flags = ["--unshare-user", "--unshare-all", "--die-with-parent"]
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


def rlimits(limits: Limits) -> list[str]:
    """`prlimit` with all limits, before a command."""
    return [
        usr_tool("prlimit") or "/usr/bin/prlimit",
        f"--as={limits.memory}",
        f"--cpu={math.ceil(limits.seconds) + 1}",
        f"--nproc={limits.processes}",
        f"--fsize={limits.file_bytes}",
        "--nofile=64",
        "--core=0",
        "--",
    ]


def as_nobody() -> list[str]:
    """What comes first where we are root: limits on processes do not bind root."""
    if not is_root():
        return []
    return [
        "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
        "--inh-caps=-all", "--no-new-privs", "--",
    ]  # fmt: skip


def is_root() -> bool:
    return os.geteuid() == 0


@functools.cache
def usr_tool(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/bin")


@functools.cache
def interpreter() -> str | None:
    """A Python that lies wholly under /usr, the system's own first."""
    for folder in (Path("/usr/bin"), Path("/usr/local/bin")):
        for path in sorted(folder.glob("python3*"), key=lambda p: (len(p.name), p.name)):
            usable = _PYTHON.fullmatch(path.name) and os.access(path, os.X_OK)
            if usable and path.resolve().is_relative_to("/usr"):
                return str(path)
    return None


@functools.cache
def _bwrap_help(bwrap: str) -> str:
    run = subprocess.run([bwrap, "--help"], capture_output=True, text=True, timeout=10, check=False)
    return run.stdout + run.stderr


def refusal(told: str) -> str:
    """What to change, from bubblewrap's last line and the kernel's settings."""
    for name, off, setting in _SYSCTLS:
        path = Path("/proc/sys") / name
        with contextlib.suppress(OSError):
            if path.read_text().strip() == off:
                return f"user namespaces are off: sysctl -w {setting} ({told})"
    return f"bubblewrap cannot start: {told}"
