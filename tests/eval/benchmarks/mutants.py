"""Programs with one fault each, made from right ones. Not a test file itself."""

import ast
import copy
import random
from collections.abc import Callable, Iterator

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult,
}  # fmt: skip


def mutant(source: str, entry: str, seed: int) -> str:
    """The source with one fault in the function: a comparison flipped, a constant one off, an
    operator swapped, `and` for `or`, or None returned."""
    tree = ast.parse(source)
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == entry)
    faults = list(_faults(function))
    random.Random(seed).choice(faults)()
    return ast.unparse(tree)


def _faults(function: ast.FunctionDef) -> Iterator[Callable[[], None]]:
    for statement in function.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARED:
                yield _put(node, "ops", [_COMPARED[type(node.ops[0])](), *node.ops[1:]])
            elif isinstance(node, ast.Constant) and type(node.value) is int:
                yield _put(node, "value", node.value + 1)
            elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATED:
                yield _put(node, "op", _OPERATED[type(node.op)]())
            elif isinstance(node, ast.BoolOp):
                yield _put(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
            elif isinstance(node, ast.Return):
                yield _put(node, "value", ast.Constant(None))


def _put(node: ast.AST, field: str, new: object) -> Callable[[], None]:
    return lambda: setattr(node, field, copy.copy(new))
