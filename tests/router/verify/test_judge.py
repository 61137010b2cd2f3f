"""Programs judged by tests, each in a sandbox of its own."""

import asyncio
import re
from typing import Any

import pytest

from router.state import Verdict
from router.verify.judge import LIMITS, MAX_SOURCE, judge
from router.verify.sandbox import Sandbox

STATE = asyncio.run(Sandbox().available())
needs_sandbox = pytest.mark.skipif(not STATE.ok, reason=f"no sandbox here: {STATE.hint}")

PROGRAM = """
from collections import Counter, namedtuple
TABLE = {1: (2, {3})}
def f(n, plus=0): return n * n + plus
def sort(xs): xs.sort()
def grow(d): d["new"] = 1; return d
def fail(x): raise ValueError("bad", x)
class Own(KeyError): pass
def own(): raise Own("k")
def give(x): return x
def count(s): return Counter(s)
Point = namedtuple("Point", "x y")
def point(): return Point(1, 2)
def stop(): raise StopIteration
def leave(): raise SystemExit(0)
"""


async def verdict(
    tests: str, program: str = PROGRAM, seconds: float = LIMITS.seconds, **more: Any
) -> Verdict:
    limits = LIMITS._replace(seconds=seconds)
    return await judge(program, tests, Sandbox(), limits=limits, **more)


PASS = [
    "assert f(2) == 4",
    "assert f(n=2, plus=1) == 5",
    "assert abs(f(0.1) - 0.01) < 1e-9",
    "assert math.isclose(f(2.0), 4)",
    "from solution import f, TABLE\nassert TABLE == {1: (2, {3})}\nassert f(1) == 1",
    "from solution import *\nassert f(1) == 1",
    "import solution\nassert solution.f(3) == 9",
    "xs = [3, 1]\nassert sort(xs) is None\nassert xs == [1, 3]",
    "d = {}\nassert grow(d) is d\nassert d == {'new': 1}",
    "def test_a(): assert f(2) == 4\ndef test_b(): assert f(3) == 9",
    "class TestF:\n    def test_a(self): assert f(2) == 4",
    "import unittest\nclass T(unittest.TestCase):\n    def setUp(self): self.n = 3\n"
    "    def test_a(self):\n        with self.assertRaises(ValueError) as c: fail(3)\n"
    "        self.assertEqual(c.exception.args, ('bad', 3))\n"
    "    def test_b(self):\n        for i in range(3):\n            with self.subTest(i=i):\n"
    "                self.assertEqual(f(i), i * i)\n"
    "if __name__ == '__main__': unittest.main()",
    "try:\n    fail(0)\nexcept ValueError as error:\n    assert str(error) == \"('bad', 0)\"\n"
    "else:\n    raise AssertionError",
    "for v in (None, True, 0, -3, 10**30, 1.5, float('inf'), 1 + 2j, 'a\\n\\x00é\\ud800', b'\\x00',"
    " [], [1, [2]], (), (1,), set(), {1}, frozenset({'a'}), {}, {'a': [1.5, (2,)]}):\n"
    "    assert repr(give(v)) == repr(v)",
    "nan = give(float('nan'))\nassert nan != nan",
    "assert give('x' * 300_000) == 'x' * 300_000",
    "assert count('aab') == {'a': 2, 'b': 1}",
    "assert point() == (1, 2)",
    "for _ in range(20):\n    v = random.random()\n    assert f(v) == v * v",
    "import threading\nts = [threading.Thread(target=lambda: f(2)) for _ in range(8)]\n"
    "[t.start() for t in ts]\n[t.join() for t in ts]\nassert f(5) == 25",
]  # fmt: skip


@needs_sandbox
@pytest.mark.parametrize("tests", PASS)
async def test_what_holds_passes(tests: str) -> None:
    found = await verdict(tests)
    assert (found.passed, found.status, found.kind) == (True, "passed", "code"), found.evidence


@needs_sandbox
@pytest.mark.parametrize(
    ("tests", "told"),
    [
        ("x = 1\nassert f(2) == 5", "Line 2: assert f(2) == 5; f(2) gave 4"),
        ("assert f(2) == 5, 'no square'", "AssertionError: no square"),
        ("def test_a(): assert f(2) == 4\ndef test_b(): assert f(3) == 8", "f(3) == 8"),
        ("class TestF:\n    def test_a(self): assert f(2) == 5", "f(2) gave 4"),
        ("import unittest\nclass T(unittest.TestCase):\n"
         "    def test_a(self): self.assertEqual(f(2), 5)", "4 != 5"),
        ("import unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n"
         "        with self.subTest(1): self.assertEqual(f(2), 5)", "4 != 5"),
        ("import unittest\nclass T(unittest.TestCase):\n    @unittest.expectedFailure\n"
         "    def test_a(self): self.assertEqual(f(2), 4)", "unexpected success"),
        ("assert f(1) == 1\nfail(1)", "fail(1) raised ValueError"),
        ("assert f(2)[0] == 4", "TypeError"),
        ("try: leave()\nexcept Exception: pass", "SystemExit"),
        ("assert g(2) == 4", "does not define g"),
        ("from solution import g", "does not define g"),
        ("import solution\nassert solution.g(2) == 4", "does not define g"),
        ("assert give((1, 2)) == [1, 2]", "gave (1, 2)"),
        ("assert give(2) is True", "gave 2"),
    ],
)  # fmt: skip
async def test_what_does_not_hold_fails_and_says_why(tests: str, told: str) -> None:
    found = await verdict(tests)
    assert (found.passed, found.status) == (False, "failed"), found.evidence
    assert told in found.evidence[0]


@needs_sandbox
@pytest.mark.parametrize(
    ("tests", "told"),
    [
        ("", "never call"),
        ("assert 1 == 1", "never call"),
        ("assert f(", "do not compile"),
        ("assert (lambda: 1)() == 2", "before any call"),
        ("import nothing_like_this\nassert f(2) == 4", "before any call"),
        ("assert f(lambda: 1)", "argument of f"),
        ("try: f(object())\nexcept BaseException: pass", "argument of f"),
        ("assert Own", "Own is no function"),
        ("assert Point(1, 2) == (1, 2)", "Point is no function"),
        ("assert f.cache_clear() is None", "f.cache_clear is no call"),
        ("assert point().x == 1", "A Point crosses as its base only"),
        ("assert count('aa').most_common() == [('a', 2)]", "A Counter crosses"),
        ("try: own()\nexcept KeyError: pass\nelse: raise AssertionError", "A Own crosses"),
        ("assert all(map(lambda n: stop() == n, [1, 2]))", "A StopIteration crosses"),
        ("try: own()\nexcept LookupError as e: assert type(e).__name__ == 'Own'", "crosses"),
        ("def test_a(tmp_path): assert f(2) == 4", "wants arguments"),
        ("class TestF:\n    def setup_method(self): self.n = 1\n"
         "    def test_a(self): assert f(self.n) == 2", "set-up"),
        ("assert f(2) == 4\nraise SystemExit(1)", "end themselves"),
        ("while True: pass", "did not end"),
        ("x = [0]\nwhile True: x = x + x", "before any call"),
        ("while True: f(1)", "more than|did not end"),
        ("import os\nos._exit(0)", "ended early"),
    ],
)  # fmt: skip
async def test_what_cannot_be_judged_is_unchecked(tests: str, told: str) -> None:
    seconds = 1.5 if "True: pass" in tests else LIMITS.seconds
    found = await verdict(tests, seconds=seconds)
    assert (found.passed, found.status) == (None, "unchecked"), found.evidence
    assert re.search(told, found.evidence[0])


@needs_sandbox
async def test_a_class_that_equals_everything_stays_in_its_sandbox() -> None:
    same = "class Same:\n    def __eq__(self, other): return True\n    __hash__ = None\n"
    found = await verdict("assert f(2) == 4", same + "def f(n): return Same()")
    assert (found.passed, found.status) == (None, "unchecked")
    number = "class Same(int):\n    def __eq__(self, other): return True\n    __hash__ = None\n"
    found = await verdict("assert f(2) == 4", number + "def f(n): return Same(7)")
    assert found.passed is not True


@needs_sandbox
@pytest.mark.parametrize(
    ("program", "status", "told"),
    [
        ("def f(n) return n", "failed", "does not compile"),
        ("1 / 0", "failed", "does not load: ZeroDivisionError"),
        ("import os\ndef f(n): os._exit(0)", "failed", "ended in a call"),
        ("def f(n):\n    while True: pass", "timeout", "did not answer"),
        ("while True: pass", "timeout", "did not answer"),
        ("def f(n): return [0] * 10**9", "failed", "MemoryError"),
        ("def f(n): return 'x' * (LIMIT)", "failed", "output_limit"),
    ],
)
async def test_a_program_that_ends_or_hangs_fails(program: str, status: str, told: str) -> None:
    program = program.replace("LIMIT", str(LIMITS.output_bytes))
    found = await verdict("assert f(2) == 4", program, seconds=3.0 if status == "timeout" else 10)
    assert (found.passed, found.status) == (False, status), found.evidence
    assert told in found.evidence[0]


@needs_sandbox
async def test_check_gets_the_entry_or_the_only_function() -> None:
    tests = "def check(candidate):\n    assert candidate(3) == 9"
    program = "def helper(n): return 0\ndef f(n): return n * n"
    assert (await verdict(tests, program)).passed is None
    assert (await verdict(f"# of f\n{tests}", program)).passed is True
    assert (await verdict(tests, "from math import gcd\ndef f(n): return n * n")).passed is True
    assert (await verdict(tests, program, entry="helper")).passed is False
    assert (await verdict(tests, program, entry="g")).evidence == (
        "The program does not define g.",
    )
    assert (await verdict(f"{tests}\ncheck(f)", program, entry="helper")).passed is True


@needs_sandbox
async def test_a_builtin_is_the_programs_only_where_it_is_asked_for() -> None:
    program = "def abs(n): return 0\ndef f(n): return 7"
    assert (await verdict("assert abs(f(2) - 4) < 1e-9", program)).passed is False
    assert (await verdict("assert abs(-4) == 0", program, entry="abs")).passed is True
    assert (await verdict("from solution import abs\nassert abs(-4) == 0", program)).passed is True


@needs_sandbox
async def test_the_program_may_be_imported_under_its_files_name() -> None:
    tests = "from squares import f\nassert f(2) == 4"
    assert (await verdict(tests, modules=["squares"])).passed is True
    hidden = await verdict("import json\nassert json.dumps(f(2)) == '4'", modules=["json", "a b"])
    assert hidden.passed is True


@needs_sandbox
async def test_many_calls_and_many_judgements() -> None:
    tests = "assert sum(f(n) for n in range(3000)) == sum(n * n for n in range(3000))"
    found = await asyncio.gather(*(verdict(tests) for _ in range(3)))
    assert [v.passed for v in found] == [True] * 3
    assert found[0].evidence == ("The tests hold, with 3000 calls.",)


async def test_the_second_tier_judges_too() -> None:
    sandbox = Sandbox(bwrap="no-such-bubblewrap")
    if not (state := await sandbox.available()).ok:
        pytest.skip(state.hint)
    found = await judge(PROGRAM, "xs = [3, 1]\nsort(xs)\nassert xs == [1, 3]", sandbox)
    assert (found.passed, found.status) == (True, "passed")
    assert (await judge(PROGRAM, "assert f(2) == 5", sandbox)).passed is False


async def test_without_a_sandbox_nothing_is_run() -> None:
    found = await judge(
        PROGRAM, "assert f(2) == 4", Sandbox(bwrap="no-such-bubblewrap", unshare="no-such-unshare")
    )
    assert (found.passed, found.status) == (None, "unchecked")
    assert "apt install bubblewrap" in found.evidence[0]


async def test_sources_have_a_length() -> None:
    long = "#" * (MAX_SOURCE + 1)
    assert (await judge(long, "", Sandbox())).status == "too_long"
    assert (await judge("", long, Sandbox())).status == "too_long"
