"""The half of the judge that runs the *tests*, in a sandbox of their own.

It is sent in as source text and runs there as `__main__`. The names of the program are stubs
here: each call goes out as typed JSON and comes back as a plain value, or as a builtin
exception. No object of the program is ever in this process, so `==`, `isinstance` and
`assert` mean what they say.

What: bare asserts, `check(candidate)`, `test_*` functions, methods of `Test*` and of
`unittest.TestCase` classes, `from solution import f`; arguments that a call changes in place.
The tests are rewritten so that they tell what they check (`_Rewriter`, `Ledger`): they pass
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
import traceback
import types
from typing import TYPE_CHECKING, Any

from router.verify.stubs import Ledger, Opaque, Program, Stub, cut
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
_HOOK = "__ockham__"
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
_COMPARES = frozenset(
    (
        "isclose",
        "approx",
        "allclose",
        "almost_equal",
        "assert_equal",
        "assert_almost_equal",
        "array_equal",
        "equal",
        "eq",
        "is_equal",
        "same",
        "fabs",
    )
)
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
        _Rewriter(self.ledger, _concerned(self.tree, stubs), stubs, self.given).visit(self.tree)
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
        self.space[_HOOK] = self.ledger
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
        for name in (self.mentioned - self.called - self.bound) & _MODULES:
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

    def unclear(self) -> str:
        """Why neither a pass nor a failure of these tests says anything."""
        words = self.mentioned | self.bound | _attributes(self.tree)
        over = sorted(words & _WALL)
        return "What " + over[0] + " is about does not cross." if over else ""

    def doubts(self) -> str:
        """Why tests in which nothing failed are no pass."""
        program = self.program
        if program.lost_errors:
            return "A " + program.lost_errors[0] + " crosses as its base only."
        if program.lost and self._looks_closer():
            return "A " + program.lost[0] + " crosses as its base only."
        return self.ledger.open_question()

    def _looks_closer(self) -> bool:
        nodes = list(ast.walk(self.tree))
        if any(isinstance(n, (ast.JoinedStr, ast.Try, ast.Is, ast.IsNot, ast.Mod)) for n in nodes):
            return True
        return bool((self.mentioned | _attributes(self.tree)) & _LOOKS_CLOSER)

    def explain(self, error: BaseException) -> str:
        """The line that failed, and the last answer."""
        said = [] if isinstance(error, AssertionError) and not str(error) else [told(error)]
        number = self._line(error)
        if number:
            line = self.source.split("\n")[number - 1 : number]
            said.insert(0, "Line " + str(number) + ": " + cut("".join(line).strip(), 150))
        return "; ".join(said + ([self.program.last] if self.program.last else []))

    def is_missing(self, error: BaseException) -> str:
        """The name that the tests ask of the program, and that it does not define."""
        if not isinstance(error, (ImportError, AttributeError, NameError)):
            return ""
        if self.program.missing:
            return self.program.missing
        if isinstance(error, NameError) and error is not self.program.raised:
            unknown = self.called - self.bound - set(self.space) - set(dir(builtins))
            if not self.called & self.stubs:  # else it may be a helper that the tests lack
                return next((n for n in sorted(unknown) if "'" + n + "'" in str(error)), "")
        return ""

    def at_fault(self, error: BaseException) -> str:
        """Why a failure is none of the program's."""
        if error is not self.program.raised and isinstance(error, (NameError, ImportError)):
            return "The tests use what they do not define. "
        if self.program.nan:
            return "A nan does not cross as the same object. "
        if {"seed", "Random"} & (self.mentioned | _attributes(self.tree)):
            return "A seed does not cross. "
        return "Identity does not cross. " if _asks_identity(self.tree, self._line(error)) else ""

    def _line(self, error: BaseException) -> int:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == "tests.py"]
        return (frames[-1].lineno or 0) if frames else 0


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
    guarded = [n for g in tree.body if isinstance(g, ast.If) and _is_main(g.test) for n in g.body]
    return any(
        isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) and _is_check(n.value.func)
        for n in [*tree.body, *guarded]
    )


def _is_check(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "check"


def _needs(function: types.FunctionType) -> int:
    return function.__code__.co_argcount - len(function.__defaults__ or ())


def _is_main(test: ast.expr) -> bool:
    return "__name__" in _loaded(test) and isinstance(test, ast.Compare)


def _loaded(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _stored(node: ast.AST) -> set[str]:
    names = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return {n.id for n in names if isinstance(n.ctx, ast.Store)}


def _attributes(tree: ast.AST) -> set[str]:
    """Attributes that are read, and the parts of imported names."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found.update(node.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            found.update((node.module or "").split("."))
    return found


def _asks_identity(tree: ast.AST, line: int) -> bool:
    """Does the statement in that line ask whether two things are one?"""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assert, ast.Expr)):
            is_there = node.lineno <= line <= (node.end_lineno or 0)
            if is_there and any(map(_is_identity, ast.walk(node))):
                return True
    return False


def _is_identity(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in ("assertIs", "assertIsNot")
    if not isinstance(node, ast.Compare):
        return False
    sides = zip(node.ops, node.comparators)  # noqa: B905
    return any(
        isinstance(op, (ast.Is, ast.IsNot)) and not isinstance(side, ast.Constant)
        for op, side in sides
    )


def _concerned(tree: ast.AST, stubs: set[str]) -> set[str]:
    """Names whose values may come from the program: that stand in a statement with one."""
    found = set(stubs)
    links = [link for node in ast.walk(tree) for link in _links(node)]
    for _ in range(20):
        before = len(found)
        for reads, writes in links:
            if reads & found:
                found |= writes
        if len(found) == before:
            break
    return found - stubs - set(dir(builtins)) - _MODULES


def _links(node: ast.AST) -> Iterator[tuple[set[str], set[str]]]:
    """From which names to which a value may go in a node."""
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr)):
        yield _loaded(node), _loaded(node)
    elif isinstance(node, (ast.If, ast.While)):  # `if f(2) != 4: failures += 1`
        inner = {n for part in node.body + node.orelse for n in _stored(part)}
        yield _loaded(node.test), inner
    elif isinstance(node, (ast.Expr, ast.comprehension, ast.Return)):
        yield _loaded(node), _loaded(node) - {"self"}
    elif isinstance(node, (ast.For, ast.AsyncFor)):
        both = _loaded(node.target) | _loaded(node.iter)
        yield both, both
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        bound = {n for i in node.items if i.optional_vars for n in _loaded(i.optional_vars)}
        yield _loaded(node), bound
    elif isinstance(node, ast.Try):
        tried = {n for part in node.body for n in _loaded(part)}
        yield tried, {h.name for h in node.handlers if h.name}
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield _loaded(node), {node.name}
        yield {node.name}, {a.arg for a in node.args.args} - {"self"}


def _is_vacuous(test: ast.expr) -> bool:
    """Is it true, or as good as, whatever the program gives?"""
    if isinstance(test, (ast.Tuple, ast.List, ast.Set)):
        return bool(test.elts)
    if isinstance(test, ast.BoolOp):
        told = [_is_vacuous(v) or (isinstance(v, ast.Constant) and v.value) for v in test.values]
        return any(told) if isinstance(test.op, ast.Or) else all(told)
    if isinstance(test, ast.Compare) and _is_identity(test):
        return any(isinstance(op, ast.IsNot) for op in test.ops)
    kinds = (ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp, ast.JoinedStr)
    return isinstance(test, (*kinds, ast.Dict))


def _equals_itself(test: ast.expr) -> bool:
    """`f(2) == f(2)`: it may show that a result stays, not what it is."""
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq):
        return False
    return ast.dump(test.left) == ast.dump(test.comparators[0])


class _Rewriter(ast.NodeTransformer):
    """Makes tests tell the ledger what they check, and marks what is no check."""

    def __init__(
        self, ledger: Ledger, concerned: set[str], stubs: set[str], entry: str | None
    ) -> None:
        self.ledger, self.concerned, self.stubs, self.entry = ledger, concerned, stubs, entry
        self.optional = 0
        self.count = 0

    def _check(self, node: ast.AST, what: ast.AST, must_run: bool = True) -> ast.expr:
        """A number for a check, as a constant."""
        self.count += 1
        if must_run and not self.optional:
            self.ledger.expected[self.count] = getattr(node, "lineno", 0)
        if _loaded(what) & self.concerned:
            self.ledger.concerned.add(self.count)
        return ast.Constant(self.count, kind=None)

    def _hook(self, name: str, *arguments: ast.expr) -> ast.Call:
        hook = ast.Attribute(ast.Name(_HOOK, ast.Load()), name, ast.Load())
        return ast.Call(hook, list(arguments), [])

    def _seen(self, node: ast.AST, value: ast.expr, wanted: bool = True, must: bool = True) -> Any:
        begin = self._hook("begin", self._check(node, value, must))
        told = self._hook("end", begin, value, ast.Constant(wanted, kind=None))
        return ast.copy_location(told, node)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        if isinstance(node.test, ast.Constant) or _equals_itself(node.test):
            return node
        where = " (line " + str(node.lineno) + ")."
        if _is_vacuous(node.test):
            self.ledger.doubt("An assert that cannot fail" + where)
        elif self._compares_itself(node.test):
            self.ledger.doubt("The program itself supplies the comparison" + where)
        self.generic_visit(node)
        node.test = self._seen(node, node.test)
        return node

    def _compares_itself(self, test: ast.expr) -> bool:
        """Does the program's own word decide over what another function of it gave?"""
        calls = [n for n in ast.walk(test) if isinstance(n, ast.Call)]
        named = [n for n in calls if isinstance(n.func, ast.Name) and n.func.id in self.stubs]
        own = [n.func.id for n in named if isinstance(n.func, ast.Name)]
        if any(hasattr(builtins, name) and own.count(name) > 1 for name in own):
            return True
        return any(self._decides(call, test) for call in named)

    def _decides(self, call: ast.Call, test: ast.expr) -> bool:
        name = getattr(call.func, "id", "")
        given = {n for a in call.args for n in _loaded(a)}
        others = (given & (self.stubs | self.concerned)) - {name}
        if not others or name in (self.entry, "candidate"):
            return False
        decides = test.operand if isinstance(test, ast.UnaryOp) else test
        known = {self.entry, "candidate"} & given
        return call is decides or name in _COMPARES or bool(known)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Compare):
            self.ledger.doubt("A comparison that nobody asserts.")
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`self.assertEqual(...)`: it raises, or it held."""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        self.generic_visit(node)
        if not name.startswith("assert"):
            return node
        if name == "assertIsNot":
            self.ledger.doubt("Identity does not cross.")
        if name == "assertTrue" and node.args and _is_vacuous(node.args[0]):
            self.ledger.doubt("An assertTrue that cannot fail.")
        begin = self._hook("begin", self._check(node, node))
        return ast.copy_location(self._hook("done", begin, node), node)

    def visit_With(self, node: ast.With) -> Any:
        """`with self.assertRaises(...):` has held where the block ends."""
        checks = [i for i in node.items if _is_assertion(i.context_expr)]
        if not checks:
            self.generic_visit(node)
            return node
        check = self._check(node, node)
        node.body = [part for old in node.body for part in _many(self.visit(old))]
        begin = ast.Expr(self._hook("begin", check))
        end = ast.Expr(self._hook("end", check))
        return [ast.copy_location(begin, node), node, ast.copy_location(end, node)]

    def visit_If(self, node: ast.If) -> ast.AST:
        if _is_main(node.test):
            if not {"unittest", "pytest", "main"} & (_loaded(node) | _attributes(node)):
                node.test = ast.copy_location(ast.Constant(True, kind=None), node.test)
            self.generic_visit(node)
            return node
        test = node.test
        ends = [any(map(_is_end, part)) for part in (node.body, node.orelse)]
        self.optional += not isinstance(test, ast.Constant)
        self.generic_visit(node)
        self.optional -= not isinstance(test, ast.Constant)
        if ends[0] != ends[1]:
            node.test = self._seen(node, node.test, wanted=ends[1], must=False)
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        must = any(_is_end(part) for part in [*node.body, *node.orelse])
        check = self._check(node, node, must_run=False) if must else None
        for name in ("body", "handlers", "orelse", "finalbody"):
            self.optional += name in ("handlers", "orelse")
            parts = [p for old in getattr(node, name) for p in _many(self.visit(old))]
            self.optional -= name in ("handlers", "orelse")
            setattr(node, name, parts)
        for handler in node.handlers:
            which = check or ast.UnaryOp(ast.USub(), ast.Constant(1, kind=None))
            told = ast.copy_location(ast.Expr(self._hook("caught", which)), handler)
            handler.body.insert(0, told)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A test that is there has to be run."""
        outer, self.optional = self.optional, 0
        self.generic_visit(node)
        if node.name.startswith("test") or node.name == "check":
            check = self._check(node, ast.Constant(0, kind=None))
            reached = ast.Expr(self._hook("reached", check))
            node.body.insert(0, ast.copy_location(reached, node))
        self.optional = outer
        return node

    visit_TryStar = visit_Try  # type: ignore[assignment]
    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]


def _many(parts: Any) -> list[Any]:
    return parts if isinstance(parts, list) else [parts]


def _is_assertion(node: ast.expr) -> bool:
    function = node.func if isinstance(node, ast.Call) else None
    return isinstance(function, ast.Attribute) and function.attr.startswith("assert")


def _is_end(node: ast.AST) -> bool:
    """`raise`, `assert False`, `self.fail()`: the tests fail where this is reached."""
    if isinstance(node, ast.Assert):
        return isinstance(node.test, ast.Constant) and not node.test.value
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        function = node.value.func
        return getattr(function, "attr", getattr(function, "id", "")) == "fail"
    return isinstance(node, ast.Raise)


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
        program.finish(*_failure(tests, program, error))
    if program.refused:
        program.finish("unchecked", program.refused)
    if not program.calls:
        program.finish("unchecked", "The tests never call the program.")
    doubts = tests.unclear() or tests.doubts()
    if doubts:
        program.finish("unchecked", doubts)
    program.finish("passed", "The tests hold, with " + str(program.calls) + " calls.")


def _failure(tests: Tests, program: Program, error: BaseException) -> tuple[str, str]:
    """What a failed test says about the program."""
    if program.refused:
        return "unchecked", program.refused
    missing = tests.is_missing(error)
    if missing:
        return "failed", "The program does not define " + missing + "."
    told_all = tests.explain(error)
    unclear = tests.unclear() or tests.at_fault(error)
    if not program.calls:
        return "unchecked", "The tests fail before any call. " + told_all
    lost = program.lost or program.lost_errors
    if lost:
        return "unchecked", "A " + lost[0] + " crosses as its base only. " + told_all
    if unclear:
        return "unchecked", unclear + " " + told_all
    if isinstance(error, _NOT_A_RESULT) and error is not program.raised:
        return "unchecked", "The tests end themselves. " + told_all
    return "failed", told_all


if __name__ == "__main__":
    main()
