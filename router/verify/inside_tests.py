"""The half of the judge that runs the *tests*, in a sandbox of their own.

It is sent in as source text and runs there as `__main__`. The names of the program are stubs
here: each call goes out as typed JSON and comes back as a plain value, or as a builtin
exception. No object of the program is ever in this process, so `==`, `isinstance` and
`assert` mean what they say.

What: bare asserts, `check(candidate)`, `test_*` functions, methods of `Test*` and of
`unittest.TestCase` classes, `from solution import f`; arguments that a call changes in place.
What not: pytest and its fixtures, classes of the program, callables as arguments, results
that are no plain values: the verdict is `unchecked`. So is a test that fails after an answer
or an error had a subclass (named tuple, own exception), which arrives as its base. A builtin
that the program redefines (`abs`) is asked only where it is imported or is the entry.
It keeps to Python 3.8: the system's interpreter may be older than the router's.
"""

from __future__ import annotations

import ast
import builtins
import sys
import traceback
import types
from typing import TYPE_CHECKING, Any

from router.verify.stubs import Program, Stub, cut
from router.verify.wire import Channel, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MODULES = frozenset(
    (
        "collections",
        "copy",
        "functools",
        "heapq",
        "itertools",
        "json",
        "math",
        "operator",
        "random",
        "re",
        "statistics",
        "string",
        "sys",
        "typing",
    )
)
"""Tests may use these without an import, as they often do; never the program's own."""
_NOT_A_RESULT = (SystemExit, KeyboardInterrupt)


class Tests:
    """The source of the tests, and how it is run."""

    def __init__(self, job: dict[str, Any], program: Program) -> None:
        self.source: str = job["tests"]
        self.entry: str | None = job["entry"]
        self.modules: list[str] = job["modules"]
        self.program = program
        self.tree = ast.parse(self.source)
        self.bound, self.mentioned, self.called = _names(self.tree)
        self.space: dict[str, Any] = {}
        self.candidate: Any = None

    def run(self) -> None:
        """All of it; the first failure raises."""
        self._prepare()
        exec(compile(self.tree, "tests.py", "exec"), self.space)  # noqa: S102  own sandbox
        for step in list(self._steps()):
            step()

    def _prepare(self) -> None:
        module = types.ModuleType("tests")
        sys.modules["tests"] = module
        self.space = module.__dict__
        if "random" in self.source:
            import random

            random.seed(0)
        imports_it = any(m in self.source for m in self.modules)
        every = imports_it or ("check" in self.bound and self.entry is None)
        wanted = sorted(self.mentioned | ({self.entry} if self.entry else set()))
        found = self.program.names(None if every else wanted)
        functions = [name for name, value in found.items() if isinstance(value, Stub)]
        self.entry = self.entry or (functions[-1] if functions else None)
        self.candidate = found.get(self.entry or "")
        self._inject(found)
        for name in self.modules:
            sys.modules[name] = self._module(name, found)

    def _inject(self, found: dict[str, Any]) -> None:
        for name in (self.mentioned - self.called - self.bound) & _MODULES:
            self.space[name] = __import__(name)
        for name in self.mentioned & set(found) - set(self.space):
            if not hasattr(builtins, name) or name == self.entry:
                self.space[name] = found[name]
        if self.candidate is not None:
            self.space.setdefault("candidate", self.candidate)

    def _module(self, name: str, found: dict[str, Any]) -> types.ModuleType:
        module = types.ModuleType(name)
        module.__dict__.update(found)

        def missing(attribute: str) -> Any:
            if not attribute.startswith("__"):
                self.program.missing = attribute
            raise AttributeError(attribute)

        module.__dict__["__getattr__"] = missing
        return module

    def _steps(self) -> Iterator[Callable[[], Any]]:
        own = [v for v in self.space.values() if getattr(v, "__module__", "") == "tests"]
        functions = [v for v in own if isinstance(v, types.FunctionType)]
        check = next((f for f in functions if f.__name__ == "check" and _needs(f) == 1), None)
        if check and not _calls_it(self.tree):
            yield lambda: check(self._candidate())
        for function in functions:
            if function.__name__.startswith("test"):
                yield self._alone(function)
        for kind in own:
            if isinstance(kind, type):
                yield from self._methods(kind)

    def _candidate(self) -> Any:
        if self.candidate is None:
            self.program.missing = self.entry or "a function"
            raise NameError(self.program.missing)
        return self.candidate

    def _alone(self, function: Any, own: int = 0) -> Callable[[], Any]:
        if _needs(function) == own:
            return function  # type: ignore[no-any-return]
        return lambda: self.program.refuse(function.__name__ + " wants arguments (fixtures).")

    def _methods(self, kind: Any) -> Iterator[Callable[[], Any]]:
        if "unittest" in sys.modules and issubclass(kind, sys.modules["unittest"].TestCase):
            yield lambda: _run_case(kind)
        elif kind.__name__.startswith("Test"):
            if any(name.startswith("setup") for name in vars(kind)):
                yield lambda: self.program.refuse(kind.__name__ + " has a set-up of pytest's.")
            for name, method in vars(kind).items():
                if name.startswith("test") and isinstance(method, types.FunctionType):
                    self._alone(method, own=1)
                    yield lambda name=name: getattr(kind(), name)()  # type: ignore[misc]

    def explain(self, error: BaseException) -> str:
        """The line that failed, and the last answer."""
        said = [] if isinstance(error, AssertionError) and not str(error) else [told(error)]
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == "tests.py"]
        if frames:
            number = frames[-1].lineno or 0
            line = self.source.split("\n")[number - 1 : number]
            said.insert(0, "Line " + str(number) + ": " + cut("".join(line).strip(), 150))
        return "; ".join(said + ([self.program.last] if self.program.last else []))

    def is_missing(self, error: BaseException) -> str:
        """The name that the tests call and nobody defines."""
        if isinstance(error, NameError) and error is not self.program.raised:
            unknown = self.called - self.bound - set(self.space) - set(dir(builtins))
            for name in sorted(unknown):
                if "'" + name + "'" in str(error):
                    return name
        return (
            self.program.missing
            if isinstance(error, (ImportError, AttributeError, NameError))
            else ""
        )


def _names(tree: ast.AST) -> tuple[set[str], set[str], set[str]]:
    """Names that are bound somewhere, names that are read, names that are called."""
    bound: set[str] = set()
    mentioned: set[str] = set()
    called: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (mentioned if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.add(node.func.id)
    return bound, mentioned, called


def _calls_it(tree: ast.Module) -> bool:
    """Does the top level already call `check`?"""
    return any(
        isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) and _is_check(n.value.func)
        for n in tree.body
    )


def _is_check(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "check"


def _needs(function: types.FunctionType) -> int:
    return function.__code__.co_argcount - len(function.__defaults__ or ())


def _run_case(kind: Any) -> None:
    """A `unittest.TestCase` class; raises its first failure."""
    import unittest

    class First(unittest.TestResult):
        error: BaseException | None = None

        def _keep(self, test: Any, err: Any) -> None:
            self.error = self.error or (err and err[1])

        addError = addFailure = _keep

        def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
            self._keep(test, err)

        def addUnexpectedSuccess(self, test: Any) -> None:
            self._keep(test, (None, AssertionError("an unexpected success")))

    result = First()
    unittest.defaultTestLoader.loadTestsFromTestCase(kind).run(result)
    if result.error:
        raise result.error


def main() -> None:
    """Run the tests, tell the verdict, and end without exit hooks."""
    channel = Channel()
    channel.send({"ready": True})
    program = Program(channel)
    try:
        tests = Tests(channel.job, program)
    except BaseException as error:
        program.finish("unchecked", "The tests do not compile: " + told(error))
    try:
        tests.run()
    except BaseException as error:
        program.finish(*_failure(tests, program, error))
    if program.refused:
        program.finish("unchecked", program.refused)
    if not program.calls:
        program.finish("unchecked", "The tests never call the program.")
    program.finish("passed", "The tests hold, with " + str(program.calls) + " calls.")


def _failure(tests: Tests, program: Program, error: BaseException) -> tuple[str, str]:
    """What a failed test says about the program."""
    if program.refused:
        return "unchecked", program.refused
    missing = tests.is_missing(error)
    if missing:
        return "failed", "The program does not define " + missing + "."
    told_all = tests.explain(error)
    if not program.calls:
        return "unchecked", "The tests fail before any call. " + told_all
    if program.lost:
        return "unchecked", "A " + program.lost[0] + " crosses as its base only. " + told_all
    if isinstance(error, _NOT_A_RESULT) and error is not program.raised:
        return "unchecked", "The tests end themselves. " + told_all
    return "failed", told_all


if __name__ == "__main__":
    main()
