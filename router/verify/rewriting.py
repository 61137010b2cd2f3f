"""The tests of the judge, rewritten so that they tell what they check.

What: `Rewriter` wraps asserts, comparisons and `unittest` assertions in calls of a `Ledger`;
the other functions read the syntax tree: names, attributes, what depends on a call of the
program. What not: it runs nothing, and it judges nothing. It is loaded inside the sandbox of
the tests, and keeps to Python 3.8.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Any

from router.verify.stubs import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "HOOK",
    "MODULES",
    "Rewriter",
    "asks_identity",
    "attributes",
    "concerned_by",
    "is_main",
]

HOOK = "__ockham__"
"""The name under which the rewritten tests find the ledger."""
MODULES = frozenset(
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


def is_main(test: ast.expr) -> bool:
    return "__name__" in _loaded(test) and isinstance(test, ast.Compare)


def _loaded(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _stored(node: ast.AST) -> set[str]:
    names = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return {n.id for n in names if isinstance(n.ctx, ast.Store)}


def attributes(tree: ast.AST) -> set[str]:
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


def asks_identity(tree: ast.AST, line: int) -> bool:
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


def concerned_by(tree: ast.AST, stubs: set[str]) -> set[str]:
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
    return found - stubs - set(dir(builtins)) - MODULES


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


class Rewriter(ast.NodeTransformer):
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
        hook = ast.Attribute(ast.Name(HOOK, ast.Load()), name, ast.Load())
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
        if is_main(node.test):
            if not {"unittest", "pytest", "main"} & (_loaded(node) | attributes(node)):
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
