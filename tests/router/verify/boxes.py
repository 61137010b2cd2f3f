"""Sandboxes as root and as an ordinary user, and what they leave behind. No test file."""

import asyncio
import contextlib
import os
import pickle
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from router.verify.sandbox import Sandbox

NO_SANDBOX = asyncio.run(Sandbox().available())
USERS = ["root", "ordinary user"] if os.geteuid() == 0 else ["ordinary user"]
ORDINARY_USER = 12345


def run_as(user: str, work: Callable[[], Awaitable[Any]]) -> Any:
    """What `work` returns, done by that user; in a child where that is not us."""
    if user == "root" or os.geteuid() != 0:
        return asyncio.run(_awaited(work))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(ORDINARY_USER)
            os.setuid(ORDINARY_USER)
            os.write(writing, pickle.dumps(asyncio.run(_awaited(work))))
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return pickle.loads(data)


async def _awaited(work: Callable[[], Awaitable[Any]]) -> Any:
    return await work()


def boxes_alive() -> list[str]:
    """Command lines of our sandboxes that still run (zombies have none).

    Ours, or orphaned: the boxes of another live process on the machine are its own affair.
    """
    boxes = {pid: line for pid, line in _command_lines() if b"/box/main.py" in line}
    return [
        line.decode(errors="replace")
        for pid, line in boxes.items()
        if _outside(pid, boxes) in (os.getpid(), 1, None)
    ]


def _command_lines() -> Iterator[tuple[int, bytes]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), (entry / "cmdline").read_bytes()


def _outside(pid: int, boxes: dict[int, bytes]) -> int | None:
    """The first ancestor that is no box; None where the process has gone meanwhile."""
    while pid in boxes:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return None
        pid = int(stat.rpartition(")")[2].split()[1])
    return pid


@pytest.fixture
def nothing_left_behind() -> Iterator[None]:
    before = set(os.listdir(tempfile.gettempdir()))  # noqa: PTH208
    yield
    until = time.monotonic() + 2
    while (alive := boxes_alive()) and time.monotonic() < until:
        time.sleep(0.02)
    assert alive == []
    new = set(os.listdir(tempfile.gettempdir())) - before  # noqa: PTH208
    assert not [name for name in new if "box" in name or "bwrap" in name]


@pytest.fixture(scope="module")
def host() -> Iterator[dict[str, str]]:
    """Things of the host that a program would like to reach."""
    with tempfile.NamedTemporaryFile("w", suffix="secret") as file, socket.socket() as server:
        Path(file.name).chmod(0o644)
        file.write("SECRET")
        file.flush()
        server.bind(("127.0.0.1", 0))
        server.listen()
        with socket.socket(socket.AF_UNIX) as unix:
            name = f"ockham-test-{os.getpid()}"
            unix.bind(f"\0{name}")
            unix.listen()
            yield {
                "SECRET_FILE": file.name,
                "PORT": str(server.getsockname()[1]),
                "HOST_PID": str(os.getpid()),
                "ockham-test": name,
            }
