"""The walls: nothing gets out, nothing outlives its run. As root and as an ordinary user."""

import asyncio
import time
from pathlib import Path

import pytest

from router.errors import SetupError
from router.verify.sandbox import Limits, Sandbox, SandboxResult

from .attacks import ESCAPES, HUNGERS
from .boxes import NO_SANDBOX, USERS, boxes_alive, host, nothing_left_behind, run_as

__all__ = ["host", "nothing_left_behind"]  # fixtures

MIB = 1024 * 1024
STRICT = Limits(seconds=0.4, memory=256 * MIB, processes=24, file_bytes=4 * MIB)

pytestmark = [
    pytest.mark.usefixtures("nothing_left_behind"),
    pytest.mark.skipif(not NO_SANDBOX.ok, reason=f"no sandbox here: {NO_SANDBOX.hint}"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def sandbox_of(tier: str) -> Sandbox:
    return Sandbox() if tier == "bubblewrap" else Sandbox(bwrap="no-such-bubblewrap")


TIERS = [
    pytest.param(tier, marks=pytest.mark.skipif(not state.ok, reason=f"no {tier}: {state.hint}"))
    for tier in ("bubblewrap", "unshare")
    if (state := asyncio.run(sandbox_of(tier).available()))
]


def run(
    user: str,
    program: str,
    limits: Limits = STRICT,
    stdin: bytes = b"",
    tier: str = "bubblewrap",
) -> SandboxResult:
    result = run_as(user, lambda: sandbox_of(tier).run(program, limits=limits, stdin=stdin))
    assert isinstance(result, SandboxResult)
    return result


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("name", ESCAPES)
def test_nothing_escapes(
    user: str, tier: str, name: str, host: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCKHAM_TEST", "SECRET")
    program = ESCAPES[name]
    for word, value in host.items():
        program = program.replace(word, value)
    result = run(user, program, STRICT._replace(seconds=5.0), tier=tier)
    assert b"escaped" not in result.stdout
    assert result.status == "exited"


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("name", HUNGERS)
def test_nothing_takes_more_than_its_share(user: str, tier: str, name: str) -> None:
    result = run(user, HUNGERS[name], tier=tier)
    assert result.seconds < STRICT.seconds + 1
    assert len(result.stdout) <= STRICT.output_bytes
    assert len(result.stderr) <= STRICT.output_bytes
    assert (result.status, result.exit_code) != ("exited", 0) or name == "daemon"


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("user", USERS)
def test_a_program_runs(user: str, tier: str) -> None:
    program = "import os, sys; print(sys.stdin.read() * 2, os.getuid() != 0)"
    result = run(user, program, STRICT._replace(seconds=5.0), stdin=b"ab", tier=tier)
    assert result == ("exited", 0, b"abab True\n", b"", result.seconds)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("user", USERS)
def test_limits_are_told_apart(user: str, tier: str) -> None:
    assert run(user, HUNGERS["endless loop"], tier=tier).status == "timeout"
    flood = run(user, HUNGERS["stdout flood"], STRICT._replace(seconds=8.0), tier=tier)
    assert (flood.status, len(flood.stdout)) == ("output_limit", STRICT.output_bytes)
    patient = STRICT._replace(seconds=8.0)
    assert run(user, HUNGERS["memory of many"], patient, tier=tier).status == "memory_limit"
    assert b"MemoryError" in run(user, HUNGERS["memory bomb"], patient, tier=tier).stderr


async def test_exit_codes_and_stderr_come_back() -> None:
    result = await Sandbox().run("import sys; sys.stderr.write('oh'); sys.exit(3)")
    assert (result.exit_code, result.stderr) == (3, b"oh")


async def test_files_are_read_only_and_have_plain_names() -> None:
    sandbox = Sandbox()
    program = "print(open('/box/data.txt').read())\nopen('/box/data.txt', 'w')"
    result = await sandbox.run(program, files={"data.txt": b"hello"})
    assert result.stdout == b"hello\n"
    assert b"Errno" in result.stderr
    for name in ("../x", "a/b", "main.py", "", ".hidden"):
        with pytest.raises(SetupError, match="plain name"):
            await sandbox.run("", files={name: b""})


async def test_a_large_stdin_that_nobody_reads_hangs_nothing() -> None:
    result = await Sandbox().run("print(1)", stdin=b"x" * 10**6, limits=STRICT)
    assert result.stdout == b"1\n"


SLEEPER = "import time; time.sleep(9)"


async def seconds_to_cancel(task: asyncio.Task[SandboxResult], times: int = 1) -> float:
    """How long until a run that is cancelled is over; 9 where nothing kills it."""
    started = time.monotonic()
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([task])
    assert task.cancelled()
    return time.monotonic() - started


async def left_alive() -> list[str]:
    """What still runs after some seconds; one look without any is enough, since the next may
    catch a box of another test's in the moment in which it ends."""
    until = time.monotonic() + 6  # a busy machine may take its time
    while (alive := boxes_alive()) and time.monotonic() < until:  # noqa: ASYNC110  another process
        await asyncio.sleep(0.02)
    return alive


async def cancelled_at_many_moments(times: int, tier: str) -> float:
    """The longest time it took, over moments from before the start to after all set-up."""
    sandbox, longest = sandbox_of(tier), 0.0
    await sandbox.available()
    for step in (*range(50), 100, 300):
        task = asyncio.create_task(sandbox.run(SLEEPER))
        await asyncio.sleep(step * 0.0002 if step < 50 else step / 1000)
        longest = max(longest, await seconds_to_cancel(task, times))
        assert await left_alive() == []
    return longest


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("times", [1, 3])
def test_cancelling_kills_the_program_at_whatever_moment(user: str, tier: str, times: int) -> None:
    """Also while bubblewrap sets up, when its child does not yet die with it."""
    assert run_as(user, lambda: cancelled_at_many_moments(times, tier)) < 5


async def test_a_limit_that_ends_during_set_up_leaves_nothing() -> None:
    sandbox = Sandbox()
    await sandbox.available()
    for step in range(25):
        result = await sandbox.run(SLEEPER, limits=STRICT._replace(seconds=step * 0.0004))
        assert (result.status, result.seconds < 5) == ("timeout", True)  # it sleeps for 9


async def test_cancelling_the_first_run_of_a_sandbox_stops_its_trial() -> None:
    task = asyncio.create_task(Sandbox().run(SLEEPER))
    while not (boxes_alive() or task.done()):  # noqa: ASYNC110  it is another process that we wait for
        await asyncio.sleep(0.005)
    assert await seconds_to_cancel(task) < 5
    assert await left_alive() == []


async def test_a_program_cannot_signal_what_watches_it() -> None:
    """It has a process group of its own: it ends itself, and bubblewrap tells of it."""
    result = await Sandbox().run("import os\nassert os.getsid(0) == os.getpid()\nos.kill(0, 9)")
    assert (result.status, result.exit_code) == ("exited", 128 + 9)


async def test_many_run_side_by_side() -> None:
    sandbox = Sandbox()
    programs = [f"print({n} * {n})" for n in range(8)]
    results = await asyncio.gather(*map(sandbox.run, programs))
    assert [int(r.stdout) for r in results] == [n * n for n in range(8)]


async def test_without_bubblewrap_nothing_runs(tmp_path: Path) -> None:
    sandbox = Sandbox(bwrap="no-such-bubblewrap", unshare="no-such-unshare")
    state = await sandbox.available()
    assert not state.ok
    assert "apt install bubblewrap" in state.hint
    with pytest.raises(SetupError, match="apt install bubblewrap"):
        await sandbox.run(f"open({str(tmp_path / 'x')!r}, 'w')")
    assert not list(tmp_path.iterdir())  # noqa: ASYNC240


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A bubblewrap that refuses."""
    path = tmp_path / "bwrap"
    path.write_text("#!/bin/sh\necho 'bwrap: No permissions' >&2\nexit 1\n")
    path.chmod(0o755)
    return path


async def test_a_bubblewrap_that_fails_is_not_available(broken: Path) -> None:
    state = await Sandbox(bwrap=str(broken), unshare="no-such-unshare").available()
    assert not state.ok
    assert state.hint
