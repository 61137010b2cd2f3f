"""What a run of the tests says: why they fail, and why a pass or a failure may say nothing.

What: reads what the tests mention, what the program answered and what the ledger holds, once
the tests have been run. What not: it runs nothing, and it knows nothing of the wall's other
side. It is loaded inside the sandbox of the tests, and keeps to Python 3.8.
"""

from __future__ import annotations

import ast
import builtins
import traceback
from typing import TYPE_CHECKING

from router.verify.rewriting import asks_identity, attributes
from router.verify.stubs import cut
from router.verify.wire import told

if TYPE_CHECKING:
    from router.verify.inside_tests import Tests

__all__ = ["doubts", "failure", "unclear"]

_NOT_A_RESULT = (SystemExit, KeyboardInterrupt)
_WALL = frozenset(
    (
        "open",
        "redirect_stdout",
        "redirect_stderr",
        "patch",
        "mock",
        "stdout",
        "stderr",
        "stdin",
        "capsys",
        "assertLogs",
        "assertNoLogs",
        "assertWarns",
        "warns",
        "catch_warnings",
        "tempfile",
        "pathlib",
        "environ",
        "exists",
        "isfile",
        "isdir",
        "listdir",
        "monkeypatch",
        "subprocess",
        "suppress",
        "doctest",
    )
)
"""Tests that say one of these look at what does not cross, or look away."""
_LOOKS_CLOSER = frozenset(
    (
        "type",
        "isinstance",
        "issubclass",
        "str",
        "repr",
        "ascii",
        "format",
        "print",
        "getattr",
        "hasattr",
        "vars",
        "dir",
        "OrderedDict",
        "assertIsInstance",
        "assertIs",
        "assertRaises",
        "assertRaisesRegex",
        "json",
        "pickle",
        "__class__",
    )
)
"""With these a value of a subclass differs from what it crosses as."""


def unclear(tests: Tests) -> str:
    """Why neither a pass nor a failure of these tests says anything."""
    words = tests.mentioned | tests.bound | attributes(tests.tree)
    over = sorted(words & _WALL)
    return "What " + over[0] + " is about does not cross." if over else ""


def doubts(tests: Tests) -> str:
    """Why tests in which nothing failed are no pass."""
    program = tests.program
    if program.lost_errors:
        return "A " + program.lost_errors[0] + " crosses as its base only."
    if program.lost and _looks_closer(tests):
        return "A " + program.lost[0] + " crosses as its base only."
    return tests.ledger.open_question()


def _looks_closer(tests: Tests) -> bool:
    nodes = list(ast.walk(tests.tree))
    if any(isinstance(n, (ast.JoinedStr, ast.Try, ast.Is, ast.IsNot, ast.Mod)) for n in nodes):
        return True
    return bool((tests.mentioned | attributes(tests.tree)) & _LOOKS_CLOSER)


def _explain(tests: Tests, error: BaseException) -> str:
    """The line that failed, and the last answer."""
    said = [] if isinstance(error, AssertionError) and not str(error) else [told(error)]
    number = _line(error)
    if number:
        line = tests.source.split("\n")[number - 1 : number]
        said.insert(0, "Line " + str(number) + ": " + cut("".join(line).strip(), 150))
    return "; ".join(said + ([tests.program.last] if tests.program.last else []))


def _is_missing(tests: Tests, error: BaseException) -> str:
    """The name that the tests ask of the program, and that it does not define."""
    if not isinstance(error, (ImportError, AttributeError, NameError)):
        return ""
    if tests.program.missing:
        return tests.program.missing
    if isinstance(error, NameError) and error is not tests.program.raised:
        unknown = tests.called - tests.bound - set(tests.space) - set(dir(builtins))
        if not tests.called & tests.stubs:  # else it may be a helper that the tests lack
            return next((n for n in sorted(unknown) if "'" + n + "'" in str(error)), "")
    return ""


def _at_fault(tests: Tests, error: BaseException) -> str:
    """Why a failure is none of the program's."""
    if error is not tests.program.raised and isinstance(error, (NameError, ImportError)):
        return "The tests use what they do not define."
    if tests.program.nan:
        return "A nan does not cross as the same object."
    if {"seed", "Random"} & (tests.mentioned | attributes(tests.tree)):
        return "A seed does not cross."
    return "Identity does not cross." if asks_identity(tests.tree, _line(error)) else ""


def _line(error: BaseException) -> int:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == "tests.py"]
    return (frames[-1].lineno or 0) if frames else 0


def failure(tests: Tests, error: BaseException) -> tuple[str, str]:
    """What a failed test says about the program: the verdict, and why."""
    program = tests.program
    if program.refused:
        return "unchecked", program.refused
    missing = _is_missing(tests, error)
    if missing:
        return "failed", "The program does not define " + missing + "."
    told_all = _explain(tests, error)
    why = unclear(tests) or _at_fault(tests, error)
    if not program.calls:
        return "unchecked", "The tests fail before any call. " + told_all
    lost = program.lost or program.lost_errors
    if lost:
        return "unchecked", "A " + lost[0] + " crosses as its base only. " + told_all
    if why:
        return "unchecked", why + " " + told_all
    if isinstance(error, _NOT_A_RESULT) and error is not program.raised:
        return "unchecked", "The tests end themselves. " + told_all
    return "failed", told_all
