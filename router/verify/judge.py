"""Judging a program by tests, where neither may reach the other.

The program and its tests run at the same time, each in a sandbox of its own, and this
process passes lines between them: a call out of the tests, its answer out of the program.

What is covered
- All that a program can do is answer: there is no test, no expected value and no judge in
  its process. An answer that is missing, early, doubled or garbled fails.
- The tests are untrusted too (they come out of a prompt): they reach no file, no network and
  no process but their own. Sizes, the number of calls and the wall clock are bounded.
- A pass needs a check that held and depends on the program, and none that was left out,
  skipped or caught (`inside_tests`): tests that assert nothing are `unchecked`.
- Values keep their types (`wire`): an `__eq__` that is always true never leaves its sandbox.

What is not covered
- Tests that are wrong, or that say "passed" themselves: they are the user's word.
- What `inside_tests` lists: classes, callables as arguments, pytest: `unchecked`.
- Two arguments that are one object arrive as two.
"""

import asyncio
import json
import keyword
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from router.state import Verdict
from router.verify.finding import Finding, as_verdict
from router.verify.inner import inner
from router.verify.runner import Runner, Talk
from router.verify.sandbox import Limits

__all__ = ["LIMITS", "MAX_CALLS", "judge"]

LIMITS = Limits(seconds=10.0, output_bytes=8 * 1024 * 1024)
"""Of each side. The wall clock is one for both, with room for a busy machine."""
MAX_SOURCE = 400_000
MAX_CALLS = 10_000
TESTS_HOLD, TESTS_FAIL = 0.95, 0.05
"""Uncalibrated: the tests hold, other inputs may still fail."""

LAST_WORDS_SECONDS = 3.0
"""Most that a program may take to end: on a busy machine, a hundred times what it needs."""

Message = Mapping[str, Any]


async def judge(
    program: str,
    tests: str,
    sandbox: Runner,
    *,
    entry: str | None = None,
    modules: Sequence[str] = (),
    limits: Limits = LIMITS,
) -> Verdict:
    """Run tests on a program; never raises for what either of them holds.

    Args:
        entry: the function that a `check(candidate)` gets; without it the program's only one,
            or the only one that the tests mention. A program without it fails.
        modules: names beside `solution` from which the tests import the program.
    """
    started = time.perf_counter()
    finding = _too_long(program, tests) or await _unavailable(sandbox)
    if finding is None:
        names = ["solution", *filter(_free_name, modules)]
        job = {"tests": tests, "entry": entry, "modules": names}
        finding = await _judge(program, job, sandbox, limits)
    return as_verdict("code", finding, started)


def _too_long(program: str, tests: str) -> Finding | None:
    if max(len(program), len(tests)) <= MAX_SOURCE:
        return None
    return Finding(None, "too_long", evidence=(f"More than {MAX_SOURCE} characters of code.",))


async def _unavailable(sandbox: Runner) -> Finding | None:
    state = await sandbox.available()
    return None if state.ok else _unchecked(f"Not run, no sandbox: {state.hint}")


def _free_name(name: str) -> bool:
    """A module of that name hides nothing that the tests may need."""
    is_name = name.isidentifier() and not keyword.iskeyword(name)
    return is_name and name not in sys.stdlib_module_names


async def _judge(program: str, job: Message, sandbox: Runner, limits: Limits) -> Finding:
    walls = limits._replace(seconds=limits.seconds + 0.5)  # `_Relay` sees the end first
    async with (
        sandbox.session(inner("inside"), limits=walls) as left,
        sandbox.session(inner("inside_tests"), limits=walls) as right,
    ):
        relay = _Relay(_Side(left), _Side(right))
        try:
            async with asyncio.timeout(limits.seconds):
                return await relay.run(program, job)
        except TimeoutError:
            return relay.out_of_time(limits.seconds)


class _Side:
    """One sandbox: its records, which start with a nonce that only it was told."""

    def __init__(self, session: Talk) -> None:
        self.session = session
        self._nonce = secrets.token_hex(16)

    async def start(self, job: Message) -> None:
        await self.send({"nonce": self._nonce, **job})

    async def send(self, record: Message) -> bool:
        """Send a record; False where it holds what cannot be written again."""
        try:
            line = json.dumps(record)
        except (ValueError, RecursionError):
            return False
        await self.session.send(line.encode("ascii") + b"\n")
        return True

    async def receive(self) -> Message | None:
        """The next record; None at the end. Lines without the nonce are anybody's."""
        while (line := await self.session.line()) is not None:
            if (record := self._record(line)) is not None:
                return record
        return None

    def spoke(self) -> bool:
        """Has it sent a record that nobody asked for?"""
        while (line := self.session.line_there()) is not None:
            if self._record(line) is not None:
                return True
        return False

    async def ends_silently(self) -> bool:
        """Tell it that no more will come; did it end without a record that nobody asked for?"""
        await self.session.send(b"", last=True)
        return await self.receive() is None

    def _record(self, line: bytes) -> Message | None:
        nonce = self._nonce.encode("ascii")
        if not line.startswith(nonce):
            return None
        try:
            record = json.loads(line[len(nonce) :])
        except (ValueError, RecursionError, MemoryError):
            return {}
        return record if isinstance(record, dict) else {}


class _Relay:
    """Passes calls to the program and its answers back, and decides how it ended."""

    def __init__(self, program: _Side, tests: _Side) -> None:
        self.program, self.tests = program, tests
        self.calls = 0
        self._asked_at: float | None = None
        self._in_program = 0.0
        self._started = time.perf_counter()

    async def run(self, program: str, job: Message) -> Finding:
        await asyncio.gather(self.program.start({"program": program}), self.tests.start(job))
        if finding := await self._ready():
            return finding
        while True:
            record = await self.tests.receive()
            if record is None:
                return _unchecked(f"The tests' sandbox ended early: {self.tests.session.status}.")
            if "end" in record:
                return await self._after(_told(record))
            call = _call(record.get("ask"))
            if call is None:
                return _unchecked("The tests sent what is no call.")
            if self.calls > MAX_CALLS:
                return _unchecked(f"The tests made more than {MAX_CALLS} calls.")
            if finding := await self._ask(call):
                return finding

    async def _after(self, told: Finding) -> Finding:
        """The verdict of the tests, once the program has ended without another word."""
        try:
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                return told if await self.program.ends_silently() else _forged()
        except TimeoutError:
            return _unchecked("The program did not end with its tests.")

    async def _ready(self) -> Finding | None:
        """Both sides are there, and the program compiles."""
        compiled = await self.program.receive()
        if compiled is None or not await self.tests.receive():
            return Finding(None, "no_report", evidence=("A sandbox gave no report.",))
        if compiled.get("compiled") is True:
            return None
        told = f"It does not compile: {_text(compiled.get('error'))}"
        return Finding(False, "failed", 0.0, (told,))

    async def _ask(self, call: Message) -> Finding | None:
        """One call there and back; a finding where the program did anything but answer."""
        if self.program.spoke():
            return _forged()
        self.calls += 1
        self._asked_at = time.perf_counter()
        ticket = secrets.randbits(48)  # counted ones could be answered ahead
        if not await self.program.send({**call, "call": ticket}):
            return _unchecked("The tests sent what is no call.")
        answer = await self.program.receive()
        self._in_program += time.perf_counter() - self._asked_at
        self._asked_at = None
        if answer is None:
            return _failed(f"The program ended in a call: {self.program.session.status}.")
        if answer.get("loaded") is False:
            return _failed(f"It does not load: {_text(answer.get('error'))}")
        if answer.get("call") != ticket or type(answer["call"]) is not int:
            return _forged()
        return None if await self.tests.send(answer) else _forged()

    def out_of_time(self, seconds: float) -> Finding:
        """Who had the time? A call that is out counts for the program."""
        now = time.perf_counter()
        taken = self._in_program + (now - self._asked_at if self._asked_at else 0.0)
        if self._asked_at and taken >= (now - self._started) / 2:
            told = f"The program did not answer within {seconds:.1f} s."
            return Finding(False, "timeout", TESTS_FAIL, (told,))
        return _unchecked(f"The tests did not end within {seconds:.1f} s.")


def _call(ask: Any) -> Message | None:
    """A call of the tests, with nothing in it but what a call holds."""
    if not isinstance(ask, dict):
        return None
    if "names" in ask:
        return {"names": ask["names"]}
    if isinstance(ask.get("name"), str):
        return {"name": ask["name"], "arguments": ask.get("arguments")}
    return None


def _text(value: Any) -> str:
    return value[:300] if isinstance(value, str) else ""


def _told(record: Message) -> Finding:
    told = _text(record.get("told"))
    if record["end"] == "passed":
        return Finding(True, "passed", TESTS_HOLD, (told,))
    return _failed(told) if record["end"] == "failed" else _unchecked(told)


def _failed(told: str) -> Finding:
    return Finding(False, "failed", TESTS_FAIL, (told,))


def _forged() -> Finding:
    return _failed("An answer that nobody asked for: the result channel was written to.")


def _unchecked(told: str) -> Finding:
    return Finding(None, "unchecked", evidence=(told,))
