"""How long a check takes: the sandbox, the judge of code, and answers against gold.

    python        a bare `python3 -I -c pass`, the same interpreter (reference)
    sandbox       one run of `pass` in the sandbox, all in
    judge         a program with one test, in two sandboxes, all in
    gsm8k         gold answers against the same in a box, as `ockham verify math --file` does it:
                  plain numbers, compared exactly without a worker
    math500       the same of MATH-500: structure first, what that leaves in the pool of workers
    math-verify   the same pairs, parsed and compared in this process (reference, one core)

The first three are timed in turn, so that a busy neighbour slows them alike; a run's figure
is the median of its repetitions. Not measured: the first start of a worker, which imports
sympy, and programs that do something.
"""

import asyncio
import json
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from eval.benchmarks.reading import question_file
from router.errors import SetupError
from router.verify.bubblewrap import interpreter
from router.verify.equivalence import EquivalenceChecker
from router.verify.judge import judge
from router.verify.sandbox import Sandbox

__all__ = ["Rate", "Timed", "bench_gold", "bench_sandbox", "gold_pairs"]

REPETITIONS = 10
PROGRAM, TESTS = "def f(n): return n * n", "assert f(2) == 4"

Pair = tuple[str, str]


class Timed(NamedTuple):
    """Milliseconds a piece: the median of the runs, the fastest and the slowest run."""

    name: str
    median_ms: float
    low_ms: float
    high_ms: float


class Rate(NamedTuple):
    """Verifications a second: the median of the runs; how many of them came out equal."""

    name: str
    per_second: float
    equal: int
    of: int


def bench_sandbox(runs: int) -> list[Timed]:
    """The reference, the sandbox and the judge. Raises `SetupError` where none can run."""
    return asyncio.run(_sandbox(runs))


async def _sandbox(runs: int) -> list[Timed]:
    sandbox = Sandbox()
    if not (state := await sandbox.available()).ok:
        raise SetupError(f"No sandbox: {state.hint}")
    taken: dict[str, list[float]] = {}
    for _ in range(runs):
        for name, seconds in (await _one_run(sandbox)).items():
            taken.setdefault(name, []).append(seconds * 1e3)
    return [Timed(n, statistics.median(v), min(v), max(v)) for n, v in taken.items()]


async def _one_run(sandbox: Sandbox) -> dict[str, float]:
    taken: dict[str, list[float]] = {"python": [], "sandbox": [], "judge": []}
    command = [interpreter() or "/usr/bin/python3", "-I", "-c", "pass"]
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL)
        await process.wait()
        taken["python"].append(time.perf_counter() - started)
        taken["sandbox"].append((await sandbox.run("pass")).seconds)
        taken["judge"].append((await judge(PROGRAM, TESTS, sandbox)).seconds)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def gold_pairs(count: int, file: str = "gsm8k_test.jsonl") -> list[Pair]:
    """Gold answers, each beside itself in a box. Raises `SetupError` without the data."""
    path = question_file(None, file)
    with path.open(encoding="utf-8") as lines:
        golds = [str(json.loads(line)["answer"]) for line in lines if line.strip()]
    return [(gold, f"\\boxed{{{gold}}}") for gold in golds[:count]]


def bench_gold(pairs: Sequence[Pair], runs: int, name: str = "gsm8k") -> list[Rate]:
    """Our checker and plain math-verify on the same pairs, in turn."""
    import math_verify

    def plain(gold: str, answer: str) -> bool:
        return bool(math_verify.verify(math_verify.parse(gold), math_verify.parse(answer)))

    peer = f"math-verify, {name}"
    ways: dict[str, list[float]] = {name: [], peer: []}
    with EquivalenceChecker() as checker:
        checker.warm()  # importing sympy is no verification
        for _ in range(runs):
            equal, seconds = _timed(
                lambda: sum(e.equal is True for e in checker.equivalent_many(pairs))
            )
            ways[name].append(seconds)
            alike, seconds = _timed(lambda: sum(plain(*pair) for pair in pairs))
            ways[peer].append(seconds)
    found = {name: equal, peer: alike}
    return [
        Rate(way, len(pairs) / statistics.median(taken), found[way], len(pairs))
        for way, taken in ways.items()
    ]


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started
