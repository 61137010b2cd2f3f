"""Inputs that nobody gave: what a program does at the edges.

What: seeded arguments from a function's annotations and from the examples of its prompt
(empty, zero, negative, large, doubled, not ASCII), run in the sandbox; a crash or an endless
loop on them. What not: right or wrong. No expected value is known here, so a crash lowers
confidence and fails nothing; which programs agree there is `router.verify.votes`'s. Parameters
of other types than the plain ones get no input, and then the function gets none at all.
"""

import ast
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from router.verify.inner import inner, job, nonce_records
from router.verify.runner import Runner
from router.verify.sandbox import Limits
from router.verify.wire import encode

__all__ = ["Edges", "arguments_of", "at_the_edges", "behaviour", "edge_inputs"]

LIMITS = Limits(seconds=2.0, output_bytes=4 * 1024 * 1024)
MAX_INPUTS = 24
_REJECTS = frozenset(("ValueError", "TypeError", "AssertionError", "NotImplementedError"))
"""How a program says that it will not take an input; other errors are cases not thought of."""

Shape = tuple[Any, ...]
"""A type: a name, and the shapes of what it holds: ("list", ("int",))."""

_ATOMS: dict[str, tuple[Any, ...]] = {
    "int": (3, 0, 1, -1, 2, -7, 1000),
    "float": (1.5, 0.0, -1.5, 1e-9, 1e9),
    "str": ("abc", "", "a", " ", "aa", "Été 😀", "12", "Ab" * 50),
    "bool": (True, False),
    "bytes": (b"ab", b"", b"\x00\xff"),
    "NoneType": (None,),
}
_CONTAINERS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
_SPELLINGS = {
    "List": "list", "Sequence": "list", "Iterable": "list", "Collection": "list",
    "Tuple": "tuple", "Set": "set", "FrozenSet": "frozenset", "Dict": "dict", "Mapping": "dict",
}  # fmt: skip


class Edges(NamedTuple):
    """How many inputs were tried, and what went wrong on some of them, in words."""

    tried: int
    faults: tuple[str, ...]


async def at_the_edges(
    program: str, function: str, examples: Sequence[str], sandbox: Runner
) -> Edges:
    """Crashes and endless loops on edge inputs. `examples` are calls as source text."""
    inputs = edge_inputs(program, function, examples)
    told = await behaviour(program, function, inputs, sandbox)
    faults = tuple(
        f"{function}({', '.join(map(repr, args))[:80]}) {how}"
        for args, how in zip(inputs, told, strict=False)
        if how == "did not end" or (how.startswith("raised ") and how[7:] not in _REJECTS)
    )
    return Edges(len(inputs), faults)


def edge_inputs(
    program: str, function: str, examples: Sequence[str] = (), *, seed: int = 0
) -> list[tuple[Any, ...]]:
    """Argument lists for a function, the same for the same seed; none where a type is unknown."""
    shapes = _shapes(program, function, examples)
    if not shapes or None in shapes:
        return []
    chance = random.Random(seed)  # noqa: S311  no secret
    pools = [_pool(shape, chance) for shape in shapes if shape]
    usual = [pool[0] for pool in pools]
    found = [
        (*usual[:at], value, *usual[at + 1 :])
        for at, pool in enumerate(pools)
        for value in pool[1:]
    ]
    chance.shuffle(found)
    mixed = [tuple(chance.choice(pool) for pool in pools) for _ in range(MAX_INPUTS)]
    return list({repr(args): args for args in [*found, *mixed]}.values())[:MAX_INPUTS]


def _shapes(program: str, function: str, examples: Sequence[str]) -> list[Shape | None]:
    """What each parameter takes: by its annotation, else by the first example."""
    try:
        body = ast.parse(program).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = [n for n in body if isinstance(n, ast.FunctionDef) and n.name == function]
    if not found:
        return []
    parameters = [*found[-1].args.posonlyargs, *found[-1].args.args]
    needed = parameters[: len(parameters) - len(found[-1].args.defaults)]
    given = next(filter(None, (arguments_of(call, function) for call in examples)), [])
    by_example = [_shape_of(value) for value in given]
    by_example += [None] * (len(needed) - len(by_example))
    return [
        _annotated(parameter.annotation) or shape
        for parameter, shape in zip(needed, by_example, strict=False)
    ]


def arguments_of(call: str, function: str) -> list[Any]:
    """The literal arguments of a call in source text; none where it is another call, or not
    literal."""
    try:
        tree = ast.parse(call, mode="eval").body
        is_call = isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name)
        if is_call and isinstance(tree, ast.Call) and ast.unparse(tree.func) == function:
            return [ast.literal_eval(node) for node in tree.args]
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        pass
    return []


def _shape_of(value: Any) -> Shape | None:
    kind = type(value).__name__
    if kind in _ATOMS:
        return (kind,)
    if isinstance(value, dict):
        key, item = next(iter(value.items()), ("a", 1))
        parts = [_shape_of(key), _shape_of(item)]
    elif kind in _CONTAINERS:
        parts = [_shape_of(next(iter(value), 1))]
    else:
        return None
    return None if None in parts else (kind, *parts)


def _annotated(node: ast.expr | None) -> Shape | None:
    if isinstance(node, ast.BinOp):  # int | None
        return _annotated(node.left)
    if isinstance(node, ast.Name | ast.Attribute):
        name = _name(node)
        return (name,) if name in _ATOMS else None
    if not isinstance(node, ast.Subscript):
        return None
    name = _name(node.value)
    nodes = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Optional":
        return _annotated(nodes[0])
    parts = [_annotated(n) for n in nodes[: 2 if name == "dict" else 1]]
    return None if name not in {*_CONTAINERS, "dict"} or None in parts else (name, *parts)


def _name(node: ast.expr) -> str:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return _SPELLINGS.get(name, name)


def _pool(shape: Shape, chance: random.Random) -> list[Any]:
    """Values of a shape, a usual one first."""
    kind = shape[0]
    if kind in _ATOMS:
        return list(_ATOMS[kind])
    pools = [_pool(part, chance) for part in shape[1:]]
    if kind == "dict":
        pairs = list(zip(*(chance.sample(p, len(p)) for p in pools), strict=False))
        return [dict(_hashable(pairs[:2])), {}, dict(_hashable(pairs[:1])), dict(_hashable(pairs))]
    items = pools[0]
    many = [chance.choice(items) for _ in range(40)]
    made = [items[:3], [], items[:1], items[:1] * 3, items[::-1], many]
    build = _CONTAINERS[kind]
    return [build(_hashable_items(one) if build in (set, frozenset) else one) for one in made]


def _hashable(pairs: Sequence[tuple[Any, ...]]) -> list[tuple[Any, Any]]:
    return [(key, value) for key, value in pairs if not isinstance(key, list | dict | set)]


def _hashable_items(items: Sequence[Any]) -> list[Any]:
    return [item for item in items if not isinstance(item, list | dict | set)]


async def behaviour(
    program: str, function: str, inputs: Sequence[tuple[Any, ...]], sandbox: Runner
) -> list[str]:
    """What each input gives, in words that two programs can be compared by.

    "gave VALUE", with what became of the arguments where the call changed them; "raised ERROR";
    "did not end". Nothing at all where the program does not load.
    """
    if not inputs:
        return []
    calls = [{"name": function, "arguments": encode([args, {}])} for args in inputs]
    nonce, stdin = job(program, calls)
    result = await sandbox.run(inner("inside"), stdin=stdin, limits=LIMITS)
    answers = nonce_records(result.stdout, nonce)
    records = {r["call"]: r for r in answers if type(r.get("call")) is int}
    told = [_told(records[i]) for i in range(len(inputs)) if i in records]
    if result.status == "timeout" and len(told) < len(inputs):
        told.append("did not end")
    return told


def _told(record: Mapping[str, Any]) -> str:
    try:
        if "raised" in record:
            return f"raised {record['raised'][0]}"
        changed = f" and left {json.dumps(_ordered(record['after']))}" if "after" in record else ""
        return f"gave {json.dumps(_ordered(record['value']))}{changed}"
    except (TypeError, LookupError, RecursionError):
        return "gave no record of ours"


def _ordered(record: Any) -> Any:
    """A record whose sets and dictionaries stand in one order, whatever the process's hashes."""
    if not isinstance(record, list) or len(record) != 2 or not isinstance(record[1], list):
        return record
    kind, items = record
    items = [[*map(_ordered, i)] if kind == "dict" else _ordered(i) for i in items]
    return [kind, sorted(items, key=json.dumps) if kind in ("set", "frozenset", "dict") else items]
