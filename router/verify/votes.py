"""Votes of programs: which of them behave alike, one after the other as they come.

What: a number for each program, equal for equal behaviour on inputs that nobody gave: those of
the prompt's examples, and made-up ones (`router.verify.edges`). Numbers are never taken back, so
votes counted early stay true. What not: right or wrong. Agreement is confidence, and no
verification: programs can share a fault.

Inputs come from the signature in the prompt; without one, programs are tried on inputs made for
their own number of parameters, so that a wrong signature spoils nobody else's. No vote has a
program that does not load, or shows nothing: that raises or hangs on every input, or gives only
None and changes nothing, or values that cannot be compared (a generator, an object of its own).
Where no inputs can be made, programs that load are compared by what is written.
"""

import ast
import json
import re
from collections.abc import Sequence
from typing import Any

from router.verify.edges import MAX_INPUTS, arguments_of, behaviour, edge_inputs
from router.verify.inner import inner, job, nonce_records
from router.verify.runner import Runner

__all__ = ["ProgramVotes"]

Inputs = list[tuple[Any, ...]]

_NOTHING = f"gave {json.dumps(['plain', None])}"


class ProgramVotes:
    """Numbers programs for one function ("": the last that each defines).

    `given` is the prompt's own code, which stands in front of each.
    """

    def __init__(
        self,
        function: str,
        sandbox: Runner,
        *,
        prompt: str = "",
        given: str = "",
        examples: Sequence[str] = (),
    ) -> None:
        self._function, self._sandbox, self._given = function, sandbox, given
        self._examples = examples
        self._asked = _signature(prompt, function)
        self._inputs: dict[int, Inputs] = {}
        self._known: dict[str, int | None] = {}
        self._seen: dict[tuple[Any, ...], int] = {}

    async def numbers(self, programs: Sequence[str]) -> list[int | None]:
        """One for each, in their order."""
        return [await self.number(program) for program in programs]

    async def number(self, program: str) -> int | None:
        """The program's number, None where it has no vote. A program is run once."""
        if program not in self._known:
            key = await self._key(f"{self._given}\n{program}" if self._given else program)
            number = None if key is None else self._seen.setdefault(key, len(self._seen))
            self._known[program] = number
        return self._known[program]

    async def _key(self, program: str) -> tuple[Any, ...] | None:
        function = self._function or _last_function(program)
        arity, inputs = self._inputs_for(program, function)
        if not inputs:
            return await self._written(program, function)
        told = await behaviour(program, function, inputs, self._sandbox)
        if len(told) < len(inputs) and "did not end" not in told:
            told += ["ended the process"] * bool(told)
        return (arity, *told) if any(map(_shows, told)) else None

    def _inputs_for(self, program: str, function: str) -> tuple[int, Inputs]:
        """Inputs made once for each number of parameters; the prompt's signature is everybody's."""
        arity = _parameters(self._asked or program, function)
        if arity not in self._inputs:
            made = edge_inputs(self._asked or program, function, self._examples)
            shown = [tuple(arguments_of(call, function)) for call in self._examples]
            usual = [args for args in shown if args and (not made or len(args) == len(made[0]))]
            every = {repr(args): args for args in [*usual, *made]}
            if not every:  # another program may say what its parameters are
                return arity, []
            self._inputs[arity] = [*every.values()][:MAX_INPUTS]
        return arity, self._inputs[arity]

    async def _written(self, program: str, function: str) -> tuple[Any, ...] | None:
        try:
            shape = ast.dump(ast.parse(program))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        nonce, stdin = job(program, [{"names": [function]}])
        result = await self._sandbox.run(inner("inside"), stdin=stdin)
        defined = [r for r in nonce_records(result.stdout, nonce) if r.get("names")]
        return (shape,) if defined else None


def _shows(told: str) -> bool:
    return told.startswith("gave ") and told != _NOTHING and '["other", ' not in told


def _signature(prompt: str, function: str) -> str:
    """`def f(...) -> ...: pass` for the prompt's own open definition; "" where there is none."""
    found = re.search(rf"^[ \t]*def {re.escape(function)}\b[^\n]*:", prompt, re.MULTILINE)
    if not function or found is None:
        return ""
    stub = f"{found.group().strip()} pass"
    try:
        ast.parse(stub)
    except (SyntaxError, ValueError):
        return ""
    return stub


def _parameters(program: str, function: str) -> int:
    """How many arguments a call has to give; -1 where that cannot be read."""
    found = [n for n in _functions(program) if n.name == function]
    if not found:
        return -1
    taken = found[-1].args
    return len(taken.posonlyargs) + len(taken.args) - len(taken.defaults)


def _last_function(program: str) -> str:
    """Where the prompt names none: helpers stand before what was asked for."""
    return next((n.name for n in reversed(_functions(program))), "")


def _functions(program: str) -> list[ast.FunctionDef]:
    try:
        body = ast.parse(program).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [n for n in body if isinstance(n, ast.FunctionDef)]
