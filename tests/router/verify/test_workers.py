"""Processes that can be killed: overruns, deaf calls, deaths, threads, and nothing left over."""

import multiprocessing
import operator
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from router.verify.workers import Done, Workers, cores

DEAF = 10**9
"""7 to that power is one operation in C, which hears no signal."""


def nothing() -> None:
    """Nothing to prepare."""


def slow_start() -> None:
    time.sleep(1.0)


def fail(word: str) -> None:
    raise ValueError(word)


def deep(n: int) -> int:
    return deep(n + 1)


def broken_start() -> None:
    raise ImportError("no sympy here")


def eat(count: int) -> int:
    return len(bytearray(count))


@pytest.fixture(scope="module")
def two() -> Iterator[Workers]:
    workers = Workers(2, nothing)
    yield workers
    workers.close()


def test_a_call_gives_its_value(two: Workers) -> None:
    done = two.submit(operator.add, 1, 2, seconds=1).result()
    assert (done.value, done.lost) == (3, None)


def test_the_start_of_a_process_is_not_on_the_clock() -> None:
    workers = Workers(1, slow_start)
    try:
        done = workers.submit(operator.add, 1, 2, seconds=0.2).result()
    finally:
        workers.close()
    assert done.value == 3


def test_an_overrun_is_stopped_and_its_process_lives_on(two: Workers) -> None:
    one = Workers(1, nothing)
    try:
        before = one.submit(os.getpid, seconds=1).result().value
        done: Done[None] = one.submit(time.sleep, 30, seconds=0.2).result()
        assert (done.value, done.lost) == (None, "timeout")
        assert 0.2 <= done.seconds < 20
        assert one.submit(os.getpid, seconds=1).result().value == before
    finally:
        one.close()


def test_a_deaf_call_is_killed_while_the_other_worker_goes_on(two: Workers) -> None:
    two.submit(operator.add, 0, 0, seconds=1).result()
    two.submit(operator.add, 0, 0, seconds=1).result()
    bomb = two.submit(operator.pow, 7, DEAF, seconds=3)
    calls = [two.submit(operator.add, n, 1, seconds=1) for n in range(10)]
    assert [call.result().value for call in calls] == list(range(1, 11))
    assert not bomb.done()  # nobody waited for it
    assert bomb.result().lost == "timeout"
    assert two.submit(operator.add, 1, 1, seconds=1).result().value == 2


def test_after_a_kill_the_worker_that_is_ready_takes_the_next_call() -> None:
    pair = Workers(2, slow_start)
    try:
        naps = [pair.submit(time.sleep, 0.3, seconds=5) for _ in range(2)]
        assert [nap.result().lost for nap in naps] == [None, None]
        asked = [pair.submit(os.getpid, seconds=5).result().value for _ in range(4)]
        assert pair.submit(operator.pow, 7, DEAF, seconds=0.2).result().lost == "timeout"
        assert pair.submit(os.getpid, seconds=5).result().value in asked
    finally:
        pair.close()


def test_all_workers_may_be_killed_at_once(two: Workers) -> None:
    bombs = [two.submit(operator.pow, 7, DEAF, seconds=0.2) for _ in range(2)]
    assert [bomb.result().lost for bomb in bombs] == ["timeout"] * 2
    assert two.submit(operator.add, 1, 1, seconds=1).result().value == 2


def test_a_worker_that_dies_loses_its_own_call_only(two: Workers) -> None:
    assert two.submit(os._exit, 3, seconds=1).result().lost == "ended"
    assert two.submit(operator.add, 1, 1, seconds=1).result().value == 2


def test_the_death_of_an_idle_worker_is_survived() -> None:
    one = Workers(1, nothing)
    try:
        pid = one.submit(os.getpid, seconds=1).result().value
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)
        assert one.submit(operator.add, 1, 1, seconds=1).result().value == 2
    finally:
        one.close()


def test_memory_and_recursion_are_bounded(two: Workers) -> None:
    assert two.submit(eat, 10**11, seconds=1).result().lost == "memory"
    assert two.submit(deep, 0, seconds=1).result().lost == "memory"


def test_what_a_call_raises_comes_back(two: Workers) -> None:
    with pytest.raises(ValueError, match="why"):
        two.submit(fail, "why", seconds=1).result()


def test_closing_leaves_no_process_and_loses_what_runs() -> None:
    one = Workers(1, nothing)
    pid = one.submit(os.getpid, seconds=1).result().value
    waiting = one.submit(time.sleep, 30, seconds=30)
    one.close()
    one.close()
    assert waiting.result().lost == "ended"
    assert not one.started
    assert pid is not None and not alive(pid)
    assert pid not in [process.pid for process in multiprocessing.active_children()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_that_cannot_start_says_why() -> None:
    one = Workers(1, broken_start)
    for _ in range(2):
        with pytest.raises(ImportError, match="no sympy here"):
            one.submit(operator.add, 1, 1, seconds=1).result()
    one.close()


def test_what_cannot_be_pickled_is_the_callers_error(two: Workers) -> None:
    with pytest.raises((AttributeError, pickle.PicklingError)):
        two.submit(lambda: 1, seconds=1).result()
    assert two.submit(operator.add, 1, 1, seconds=1).result().value == 2


def test_at_least_one_worker() -> None:
    with pytest.raises(ValueError, match="workers"):
        Workers(0, nothing)
    assert cores() >= 1


def test_a_script_without_a_guard_runs_once(tmp_path):
    """Workers do not run the caller's main module: it would start itself over and over."""
    script = tmp_path / "script.py"
    script.write_text(
        "import operator\n"
        "from router.verify.workers import Workers\n"
        "workers = Workers(1, list)\n"
        "print('sum', workers.submit(operator.add, 2, 3, seconds=5).result().value)\n",
        encoding="utf-8",
    )
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("sum 5\n", "", 0)


def test_a_call_that_is_cancelled_before_its_turn_is_not_run() -> None:
    workers = Workers(1, nothing)
    try:
        slow = workers.submit(time.sleep, 0.5, seconds=5)
        assert workers.submit(fail, "never", seconds=1).cancel()
        assert slow.result().lost is None
        assert workers.submit(operator.add, 1, 2, seconds=1).result().value == 3
    finally:
        workers.close()
