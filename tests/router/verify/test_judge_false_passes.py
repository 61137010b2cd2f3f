"""Tests that look as if they held: none of them makes a wrong program pass."""

import asyncio
from typing import Any

import pytest

from router.state import Verdict
from router.verify.judge import judge
from router.verify.sandbox import Sandbox

STATE = asyncio.run(Sandbox().available())
pytestmark = pytest.mark.skipif(not STATE.ok, reason=f"no sandbox here: {STATE.hint}")


async def verdict(program: str, tests: str, **more: Any) -> Verdict:
    return await judge(program, tests, Sandbox(), **more)


WRONG = "def add(a, b): return 42\n"
UNITTEST = "import unittest\nclass T(unittest.TestCase):\n"

ASSERT_NOTHING = [
    "add(1, 2)",
    "add(1, 2) == 3",
    "print(add(1, 2) == 3)",
    "def test_add(): return add(1, 2) == 3",
    "def check(candidate): return candidate(1, 2) == 3",
    "assert (add(1, 2) == 3, 'msg')",
    "assert (add(a, 2) == 3 for a in [1])",
    "assert [add(a, 2) == 3 for a in [1]]",
    "assert add(1, 2) == 3 or True",
    "assert lambda: add(1, 2) == 3",
    "assert map(add, [1], [2])",
    "assert add(1, 2) == add(1, 2)",
    f"{UNITTEST}    def test_a(self): self.assertTrue((add(1, 2) == 3, 'msg'))",
    "assert add\nadd(1, 2)",
    "assert add is not None\nadd(1, 2)",
    "add(1, 2)\nassert 1 == 1",
    "try:\n    assert add(1, 2) == 3\nexcept AssertionError:\n    print('failed')",
    "try:\n    assert add(1, 2) == 3\nexcept:\n    pass\nassert add(0, 42) == 42",
    "import contextlib\nwith contextlib.suppress(AssertionError): assert add(1, 2) == 3\n"
    "assert add(0, 42) == 42",
    "for a, b, c in []: assert add(a, b) == c\nadd(1, 1)",
    "for a, b, c in []: assert add(a, b) == c\nassert add(0, 42) == 42",
    '"""\n>>> 1\n1\n"""\nimport doctest\ndoctest.testmod()\nadd(1, 2)',
    f"{UNITTEST}    def test_a(self):\n        if add(1, 2) != 3: self.skipTest('x')",
    f"{UNITTEST}    @unittest.expectedFailure\n"
    "    def test_a(self): self.assertEqual(add(1, 2), 3)",
    f"{UNITTEST}    @unittest.skip('x')\n    def test_a(self): self.assertEqual(add(1, 2), 3)\n"
    "    def test_b(self): self.assertEqual(add(0, 42), 42)",
    "import threading\ndef chk(): assert add(1, 2) == 3\nt = threading.Thread(target=chk)\n"
    "t.start()\nt.join()",
]  # fmt: skip
NEVER_RAN = [
    "async def test_b(): assert add(1, 2) == 3",
    "def test_b():\n    yield 1\n    assert add(1, 2) == 3",
    "class TestX:\n    async def test_a(self): assert add(1, 2) == 3",
    "def helper(): assert add(1, 2) == 3",
    "if False: assert add(1, 2) == 3",
    "class Base:\n    def test_a(self): assert add(1, 2) == 3",
]


@pytest.mark.parametrize("tests", ASSERT_NOTHING)
async def test_tests_that_assert_nothing_are_no_pass(tests: str) -> None:
    found = await verdict(WRONG, tests)
    assert (found.passed, found.status) == (None, "unchecked"), found.evidence


@pytest.mark.parametrize("tests", NEVER_RAN)
async def test_tests_that_never_ran_are_no_pass(tests: str) -> None:
    found = await verdict(WRONG, f"{tests}\nassert add(0, 42) == 42")
    assert (found.passed, found.status) == (None, "unchecked"), found.evidence


@pytest.mark.parametrize(
    "tests",
    [
        "class Base:\n    def test_a(self): assert add(1, 2) == 3\nclass TestX(Base): pass",
        "def chk(): assert add(1, 2) == 3\ntest_b = lambda: chk()",
        "if __name__ == '__main__': assert add(1, 2) == 3",
        "def run(): assert add(1, 2) == 3\nif __name__ == '__main__': run()",
        "if add(1, 2) != 3: raise AssertionError('no')",
    ],
)
async def test_what_is_run_after_all_tells_right_from_wrong(tests: str) -> None:
    assert (await verdict(WRONG, tests)).passed is False
    assert (await verdict("def add(a, b): return a + b", tests)).passed is True


@pytest.mark.parametrize(
    "tests",
    [
        "try:\n    bad()\nexcept ValueError: pass\nelse: raise AssertionError",
        "try:\n    bad()\n    assert False\nexcept ValueError: pass",
        f"{UNITTEST}    def test_a(self): self.assertRaises(ValueError, bad)",
        f"{UNITTEST}    def test_a(self):\n        with self.assertRaises(ValueError): bad()",
        f"{UNITTEST}    def test_a(self):\n        x = add(1, 2)\n        self.assertTrue(x == 3)",
        "x = add(1, 2)\ny = [x]\nfor z in y:\n    assert z == 3",
        "def expect(got, value): assert got == value\nexpect(add(1, 2), 3)",
        "assert 3 == add(1, 2), 'message'\nassert True",
        "bad = 0\nfor a in range(3):\n    if add(a, 1) != a + 1: bad += 1\nassert bad == 0",
    ],
)
async def test_checks_of_other_forms_count(tests: str) -> None:
    program = "def add(a, b): return a + b\ndef bad(): raise ValueError"
    found = await verdict(program, tests)
    assert found.passed is True, found.evidence


async def test_large_integers_are_no_error() -> None:
    program = "import math\nfact = math.factorial\ndef big(n): return math.factorial(n)"
    assert (await verdict(program, "assert fact(2000) == math.factorial(2000)")).passed is True
    raises = (
        f"{UNITTEST}    def test_a(self):\n        with self.assertRaises(ValueError): big(2000)"
    )
    assert (await verdict(program, raises)).passed is False
    assert (await verdict("def f(n): return n", "assert f(10**5000) == 10**5000")).passed is True


LOSES = """
import collections, enum
class Own(ValueError): pass
class E(enum.IntEnum): A = 1
Point = collections.namedtuple("Point", "x y")
def f(s): return collections.Counter(s)
def number(): return E.A
def point(): return Point(1, 2)
def ordered(): return collections.OrderedDict(b=1, a=2)
def given(): return collections.defaultdict(int)
def own(): raise Own
def stop(): raise StopIteration
"""


@pytest.mark.parametrize(
    "tests",
    [
        "assert type(f('aab')) is dict",
        "assert str(number()) == '1'",
        "assert f'{number()}' == '1'",
        "assert '%s' % number() == '1'",
        "assert repr(point()) == '(1, 2)'",
        "from collections import OrderedDict\nassert ordered() == OrderedDict(a=2, b=1)",
        "try:\n    given()['a']\n    assert False\nexcept KeyError: pass\nassert given() == {}",
        "try:\n    own()\n    assert False\nexcept ValueError as e: assert type(e) is ValueError",
        "try:\n    stop()\n    assert False\nexcept RuntimeError: pass",
        "assert f.__doc__\nassert f('a') == {'a': 1}",
        "assert point() is not point()",
        "assert f.__annotations__ == {}",
    ],
)
async def test_what_crosses_as_its_base_is_no_pass(tests: str) -> None:
    found = await verdict(LOSES, tests)
    assert (found.passed, found.status) == (None, "unchecked"), found.evidence


LIES = "def isclose(*a): return True\ndef diff(*a): return 0\ndef f(x): return 7\n"


@pytest.mark.parametrize(
    ("program", "tests", "entry", "passed"),
    [
        (LIES, "assert isclose(f(2), 4.0)", None, None),
        (LIES, "x = f(2)\nassert isclose(x, 4.0)", None, None),
        (LIES, "assert diff(f(2), 4.0) < 1e-9", "f", None),
        (LIES, "from math import isclose\nassert isclose(f(2), 4.0)", None, False),
        ("def abs(x): return 0\ndef f(x): return 7",
         "from solution import *\nassert abs(f(2) - 4.0) < 1e-9", None, False),
        ("def len(x): return 1\ndef f(x): return []",
         "from solution import *\nassert len(f(2)) == 1", None, False),
        ("def sorted(x): return []", "assert sorted([3, 1]) == sorted([1, 3])", "sorted", None),
        ("def sorted(x): return []",
         "def check(candidate): assert candidate([2, 1]) == sorted([2, 1])", "sorted", False),
        ("def f(x): return 4", "assert f(2) == 4", "nosuch", False),
        ("def f(x): return x\ndef g(x): return x", "assert g(f(2)) == 2", None, True),
    ],
)  # fmt: skip
async def test_the_program_does_not_compare_its_own_results(
    program: str, tests: str, entry: str | None, passed: bool | None
) -> None:
    found = await verdict(program, tests, entry=entry)
    assert found.passed is passed, found.evidence
    if entry == "nosuch":
        assert found.evidence == ("The program does not define nosuch.",)


RIGHT = """
import random
RATE = 2
def f(n): return n * n
def show(n): print(n)
def ask(): return input()
def roll(): return random.random()
def same(x): return list(x)
def table(): return [1]
def stop(): raise StopIteration
def first(a, b): a.append(1); return b
"""


@pytest.mark.parametrize(
    "tests",
    [
        "assert f(2) == 4\nassert np.allclose(f(2), 4)",
        "assert f(2) == 4\nimport pytest",
        "assert isclose(f(2), 4)",
        "import io, contextlib\nout = io.StringIO()\n"
        "with contextlib.redirect_stdout(out): show(1)\nassert out.getvalue() == '1\\n'",
        "from unittest.mock import patch\nwith patch('builtins.input', lambda: 'a'):\n"
        "    assert ask() == 'a'",
        "import random\nrandom.seed(1)\nx = random.random()\nrandom.seed(1)\nassert roll() == x",
        "import solution\nsolution.RATE = 3\nassert solution.f(2) == 4",
        "x = table()\nassert x is table()",
        "try:\n    stop()\n    assert False\nexcept StopIteration: pass",
        "n = float('nan')\nassert same([n]) == [n]",
        "x = []\nassert first(x, x) == [1]",
    ],
)
async def test_a_fault_of_the_tests_or_of_the_wall_fails_nobody(tests: str) -> None:
    found = await verdict(RIGHT, tests)
    assert (found.passed, found.status) == (None, "unchecked"), found.evidence
