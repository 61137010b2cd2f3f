"""The half of the judge that runs the *tests*, in a sandbox of their own.

It is sent in as source text and runs there as `__main__`. The names of the program are stubs
here: each call goes out as typed JSON and comes back as a plain value, or as a builtin
exception. No object of the program is ever in this process, so `==`, `isinstance` and
`assert` mean what they say.

What: bare asserts, `check(candidate)`, `test_*` functions, methods of `Test*` and of
`unittest.TestCase` classes, `from solution import f`; arguments that a call changes in place.
The tests are rewritten so that they tell what they check (`Rewriter`, `Ledger`): they pass
where a check held that depends on the program, and none was left out or caught.
What not: pytest and its fixtures, classes of the program, callables as arguments, results
that are no plain values, output and files: the verdict is `unchecked`. So is one after an
error of a subclass, which arrives as its base, or a value of one where the tests look at
more than what it equals. A builtin that the program redefines (`abs`) is asked only where it
is imported by name or is the entry.
It keeps to Python 3.8: the system's interpreter may be older than the router's.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

from router.verify.reasons import doubts, failure, unclear
from router.verify.rewriting import HOOK, MODULES, Rewriter, concerned_by, is_main
from router.verify.stubs import Ledger, Opaque, Program, Stub
from router.verify.wire import Channel, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NO_PLAIN_FUNCTION = 0x20 | 0x80 | 0x200
"""Code flags: a generator or a coroutine, whose call runs nothing."""


class Tests:
    """The source of the tests, and how it is run."""

    def __init__(self, job: dict[str, Any], program: Program) -> None:
        self.source: str = job["tests"]
        self.entry: str | None = job["entry"]
        self.modules: list[str] = job["modules"]
        self.program = program
        self.tree = ast.parse(self.source)
        self.bound, self.mentioned, self.called = _names(self.tree)
        self.ledger = Ledger(program)
        self.space: dict[str, Any] = {}
        self.stubs: set[str] = set()
        self.given: str | None = None
        self.candidate: Any = None

    def run(self) -> None:
        """All of it; the first failure raises."""
        stubs = self._prepare()
        Rewriter(self.ledger, concerned_by(self.tree, stubs), stubs, self.given).visit(self.tree)
        tree = ast.fix_missing_locations(self.tree)
        exec(compile(tree, "tests.py", "exec"), self.space)  # noqa: S102  own sandbox
        for step in list(self._steps()):
            if step() is not None:
                self.ledger.doubt("A test returns its result, which nobody asserts.")

    def _prepare(self) -> set[str]:
        """The names under which the tests may call the program."""
        module = types.ModuleType("tests")
        sys.modules["tests"] = module
        self.space = module.__dict__
        self.space[HOOK] = self.ledger
        threading.excepthook = lambda _: self.ledger.doubt("A thread of the tests fails.")
        if "random" in self.source:
            import random

            random.seed(0)
        imports_it = any(m in self.source for m in self.modules)
        every = imports_it or ("check" in self.bound and self.entry is None)
        wanted = sorted(self.mentioned | ({self.entry} if self.entry else set()))
        found = self.program.names(None if every else wanted)
        self.given = self.entry
        if self.entry and self.entry not in found and not (every and self._asked(found)):
            self.program.missing = self.entry
            raise NameError(self.entry)
        self.entry = self.entry or self._only_function(found)
        self.candidate = found.get(self.entry or "")
        self._inject(found)
        for name in self.modules:
            sys.modules[name] = self._module(name, found)
        self.stubs = {name for name, value in found.items() if isinstance(value, Stub)}
        return (self.stubs - (self.bound - self._imported())) | {"candidate", *self.modules}

    def _asked(self, found: dict[str, Any]) -> bool:
        """An entry that is private is not among all public names."""
        if self.entry and self.entry.startswith("_"):
            found.update(self.program.names([self.entry]))
        return (self.entry or "") in found

    def _only_function(self, found: dict[str, Any]) -> str | None:
        """The candidate where no entry is named: the one function, or the one mentioned."""
        stubs = [n for n, v in found.items() if isinstance(v, Stub) and v._own]
        said = [n for n in stubs if re.search(r"\b" + n + r"\b", self.source)]
        guess = next((names[0] for names in (stubs, said) if len(names) == 1), None)
        every = [v for v in found.values() if isinstance(v, Stub)]
        return None if hasattr(builtins, guess or "") and len(every) > 1 else guess

    def _imported(self) -> set[str]:
        """Names that the tests import out of the program."""
        nodes = (n for n in ast.walk(self.tree) if isinstance(n, ast.ImportFrom))
        named = (a for n in nodes if n.module in self.modules for a in n.names)
        return {a.asname or a.name for a in named}

    def _inject(self, found: dict[str, Any]) -> None:
        for name in (self.mentioned - self.called - self.bound) & MODULES:
            self.space[name] = __import__(name)
        for name in self.mentioned & set(found) - set(self.space):
            asked = name == self.entry and "candidate" not in self.mentioned
            if asked or not hasattr(builtins, name):
                self.space[name] = found[name]
        if self.candidate is not None:
            self.space.setdefault("candidate", self.candidate)

    def _module(self, name: str, found: dict[str, Any]) -> types.ModuleType:
        module = _Module(name)
        module.__dict__.update(found)
        module.__dict__["__all__"] = [n for n in found if not hasattr(builtins, n)]

        def missing(attribute: str) -> Any:
            if not attribute.startswith("__"):
                self.program.missing = attribute
            raise AttributeError(attribute)

        module.__dict__["__getattr__"] = missing
        module.__dict__["__set__"] = self.program.refuse
        return module

    def _steps(self) -> Iterator[Callable[[], Any]]:
        seen = {k: v for k, v in self.space.items() if not isinstance(v, (Stub, Opaque))}
        own = {k: v for k, v in seen.items() if getattr(v, "__module__", "") == "tests"}
        functions = {k: v for k, v in own.items() if isinstance(v, types.FunctionType)}
        check = functions.get("check")
        if check and _needs(check) == 1 and not _calls_it(self.tree):
            yield lambda: self._plain(check)(self._candidate())
        for name, function in functions.items():
            if name.startswith("test"):
                yield self._alone(function)
        for kind in own.values():
            if isinstance(kind, type):
                yield from self._methods(kind)

    def _candidate(self) -> Any:
        if self.candidate is None:
            if self.given is None and self.stubs:
                self.program.refuse("Which function is the candidate? None is named as the entry.")
            self.program.missing = self.entry or "a function"
            raise NameError(self.program.missing)
        return self.candidate

    def _plain(self, function: Any) -> Any:
        if function.__code__.co_flags & _NO_PLAIN_FUNCTION:
            self.program.refuse(function.__name__ + " is a coroutine or a generator.")
        return function

    def _alone(self, function: Any, own: int = 0) -> Callable[[], Any]:
        if _needs(function) == own:
            return lambda: self._plain(function)()
        return lambda: self.program.refuse(function.__name__ + " wants arguments (fixtures).")

    def _methods(self, kind: Any) -> Iterator[Callable[[], Any]]:
        if "unittest" in sys.modules and issubclass(kind, sys.modules["unittest"].TestCase):
            yield lambda: _run_case(kind, self.ledger)
        elif kind.__name__.startswith("Test"):
            found = {k: v for base in reversed(kind.__mro__) for k, v in vars(base).items()}
            if any(name.startswith("setup") for name in found):
                yield lambda: self.program.refuse(kind.__name__ + " has a set-up of pytest's.")
            for name, method in found.items():
                if name.startswith("test") and isinstance(method, types.FunctionType):
                    yield self._method(kind, name, method)

    def _method(self, kind: Any, name: str, method: Any) -> Callable[[], Any]:
        if _needs(method) != 1:
            return self._alone(method, own=1)
        return lambda: self._plain(method) and getattr(kind(), name)()


class _Module(types.ModuleType):
    """The program as a module; what is set on it would not reach the program."""

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__["__set__"](name + " is set on the program, which is out of reach.")


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
    """Does the top level already call `check`, or what stands behind a main guard?"""
    guarded = [n for g in tree.body if isinstance(g, ast.If) and is_main(g.test) for n in g.body]
    return any(
        isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) and _is_check(n.value.func)
        for n in [*tree.body, *guarded]
    )


def _is_check(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "check"


def _needs(function: types.FunctionType) -> int:
    return function.__code__.co_argcount - len(function.__defaults__ or ())


def _run_case(kind: Any, ledger: Ledger) -> None:
    """A `unittest.TestCase` class; raises its first failure."""
    import unittest

    class First(unittest.TestResult):
        error: BaseException | None = None

        def _keep(self, test: Any, err: Any) -> None:
            self.error = self.error or (err and err[1])

        addError = addFailure = _keep

        def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
            self._keep(test, err)

        def addSkip(self, test: Any, reason: str) -> None:
            ledger.doubt("A test is skipped.")

        def addExpectedFailure(self, test: Any, err: Any) -> None:
            ledger.doubt("A test is expected to fail, and does.")

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
        program.finish(*failure(tests, error))
    if program.refused:
        program.finish("unchecked", program.refused)
    if not program.calls:
        program.finish("unchecked", "The tests never call the program.")
    why = unclear(tests) or doubts(tests)
    if why:
        program.finish("unchecked", why)
    program.finish("passed", "The tests hold, with " + str(program.calls) + " calls.")


if __name__ == "__main__":
    main()
