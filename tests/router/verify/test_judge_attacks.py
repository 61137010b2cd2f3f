"""Hostile programs and hostile tests in front of the judge, as root and as a user."""

import asyncio

import pytest

from router.state import Verdict
from router.verify.judge import LIMITS, judge
from router.verify.sandbox import Sandbox

from .attacks import CHEATS, ESCAPES
from .boxes import NO_SANDBOX, USERS, boxes_alive, host, nothing_left_behind, run_as
from .judge_attacks import ASSAULTS, FORGERIES, FOUND

__all__ = ["host", "nothing_left_behind"]  # fixtures

MIB = 1024 * 1024
STRICT = LIMITS._replace(
    seconds=1.0, memory=256 * MIB, processes=24, file_bytes=4 * MIB, output_bytes=4 * MIB
)
PATIENT = STRICT._replace(seconds=5.0)
TESTS = "assert f(2) == 4\nassert f(3) == 9"
PROGRAM = "forged = []\ndef f(n): return 'forged' if forged else n"

pytestmark = [
    pytest.mark.skipif(not NO_SANDBOX.ok, reason=f"no sandbox here: {NO_SANDBOX.hint}"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
    pytest.mark.usefixtures("nothing_left_behind"),
]


def judged(user: str, program: str, tests: str, seconds: float = STRICT.seconds) -> Verdict:
    limits = STRICT._replace(seconds=seconds)
    found = run_as(user, lambda: judge(program, tests, Sandbox(), limits=limits))
    assert isinstance(found, Verdict)
    assert found.seconds < seconds + 10  # a busy machine starts the processes late
    assert found.evidence
    return found


def test_the_suite_is_large() -> None:
    assert len(FORGERIES) + len(ASSAULTS) >= 90


def test_what_the_forgeries_look_for_is_there() -> None:
    """Else they would fail for want of it."""
    found = judged(USERS[0], f"{FOUND}\ndef f(n): return n * n if nonce and channel else 0", TESTS)
    assert found.passed is True
    assert judged(USERS[0], "def f(n): return n", f"{FOUND}\nassert nonce and f(2) == 2").passed


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("name", FORGERIES)
def test_no_forgery_passes(user: str, name: str) -> None:
    found = judged(user, FOUND + FORGERIES[name], TESTS)
    assert found.passed is not True
    assert found.status in ("failed", "timeout", "unchecked")


@pytest.mark.parametrize("name", CHEATS)
def test_no_cheat_passes(name: str) -> None:
    assert judged(USERS[0], CHEATS[name], TESTS).passed is not True


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("name", ASSAULTS)
def test_no_test_holds_the_judge_up(user: str, name: str) -> None:
    source = ASSAULTS[name]
    found = judged(user, PROGRAM, source if source.startswith("-") else FOUND + source)
    assert "forged" not in found.evidence[0]


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("name", sorted(set(ESCAPES) - {"open files"}))  # it has a channel
def test_nothing_escapes_out_of_the_tests(
    user: str, name: str, host: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCKHAM_TEST", "SECRET")
    tests = ESCAPES[name]
    for word, value in host.items():
        tests = tests.replace(word, value)
    told = "f(2)\ndef print(*said): assert 'escaped' not in said, 'it is out'\n"
    assert "it is out" not in judged(user, PROGRAM, told + tests, 5.0).evidence[0]


def test_cancelling_a_judgement_ends_both_sides() -> None:
    async def cancelled() -> None:
        work = asyncio.create_task(judge("while True: pass", TESTS, Sandbox(), limits=PATIENT))
        await asyncio.sleep(0.4)
        assert len(boxes_alive()) >= 2
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(cancelled())
