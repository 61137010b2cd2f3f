"""Judging a program by tests in three processes that share nothing: how HumanEval is scored.

No benchmark itself. A `check(candidate)` test needs the candidate in its own process, where an
object that equals everything, an early exit or a look at the caller's frame would win. So the
calls are taken apart, each step in a sandbox of its own, and only typed JSON crosses:

    1. record   test + reference solution   -> the arguments of every call, in order
    2. run      candidate, those calls      -> its results; here is no test and no expected value
    3. judge    test + a replay of results  -> did `check` return?

What is covered
- `__eq__` that is always true: results are plain data (exact builtin types) or they fail.
- `sys.exit`, `os._exit`, writing to the result channel, reading frames or memory: all that the
  candidate can reach is its own answers, and a call that is missing or answered twice fails.
- Tests that draw random arguments: steps 1 and 3 have the same seed.

What is not covered
- A test whose arguments depend on earlier results, or which looks at an argument after the
  call (HumanEval has neither): step 3 fails on the first call that step 1 did not record.
- Results that equal plain data but are none (`Fraction`, `dict.keys()`): they fail. Subclasses
  of builtins (`Counter`, named tuples, `IntEnum`) count as what they are made of.
- A program that knows the benchmark by heart and answers from a table: no judge can see it.
"""

import inspect
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from router.errors import SetupError
from router.verify import inside
from router.verify.code import nonce_records
from router.verify.sandbox import Limits, Sandbox, SandboxResult
from router.verify.typed import NotPlain, decode

__all__ = ["LIMITS", "Judge", "Problem"]

LIMITS = Limits(seconds=10.0, output_bytes=4 * 1024 * 1024)
"""Wall clock for all calls of one program: the reference's 3 s, and room for a busy machine."""

_FLAT = """
def _ockham_flat(value, depth=0):
    if depth > 50:
        raise RecursionError
    for base in (bool, int, float, str, bytes):
        if isinstance(value, base):
            return value if type(value) is base else base.__getnewargs__(value)[0]
    for base in (list, tuple, set, frozenset):
        if isinstance(value, base):
            return base(_ockham_flat(v, depth + 1) for v in base.__iter__(value))
    if isinstance(value, dict):
        flat = _ockham_flat
        return {flat(k, depth + 1): flat(v, depth + 1) for k, v in dict.items(value)}
    return value
"""
_TEST = """
import copy, random
_space = {{"__name__": "solution"}}
exec({reference!r}, _space)
_answers = {answers}
_calls = []

def _candidate(*args, **kwargs):
    call = copy.deepcopy((args, kwargs))
    if _answers is None:
        _calls.append(call)
        return _space[{entry!r}](*args, **kwargs)
    at, known, answer = next(_answers)
    if call != known:
        raise LookupError("call %d is none of those recorded" % at)
    return answer

def _run():
    space = {{"__name__": "tests"}}
    exec({tests!r}, space)
    space[{entry!r}] = _candidate
    random.seed(0)
    space["check"](_candidate)
    return _calls if _answers is None else next(_answers, None) is None
"""


class Problem(NamedTuple):
    """A test that defines `check(candidate)`; `prelude` is the code that the prompt gives."""

    entry: str
    prelude: str
    reference: str
    test: str


class Judge:
    """Runs programs on problems. The recorded calls are kept for the next sample."""

    def __init__(self, sandbox: Sandbox | None = None) -> None:
        self.sandbox = sandbox or Sandbox(limits=LIMITS)
        self._recorded: dict[Problem, list[Any]] = {}

    async def passes(self, problem: Problem, program: str) -> bool:
        """Does the program pass the problem's test?

        Raises:
            SetupError: no sandbox, or the reference solution itself does not pass in it.
        """
        calls = self._recorded.get(problem)
        if calls is None:
            calls = self._recorded[problem] = await self._record(problem)
        sources = [_call(problem.entry, args, kwargs) for args, kwargs in calls]
        try:
            answers = _values(await self._run(program, sources, _FLAT), len(calls))
            known = [(i, *pair) for i, pair in enumerate(zip(calls, answers, strict=True))]
            judge = _test_program(problem, f"iter({_literal(known)})")
        except (NotPlain, ValueError, RecursionError, MemoryError):
            return False
        records = await self._run(judge, ["_run()"], "")
        if not any("compiled" in record for record in records):
            raise SetupError(f"The judge of {problem.entry} gave no report: is memory short?")
        try:
            return _values(records, 1) == [True]
        except NotPlain:
            return False

    async def _record(self, problem: Problem) -> list[Any]:
        records = await self._run(_test_program(problem, "None"), ["_run()"], "")
        try:
            calls: list[Any] = _values(records, 1)[0]
        except NotPlain as error:
            told = f"The reference solution of {problem.entry} does not pass here: {error}"
            raise SetupError(told) from None
        if not calls:
            raise SetupError(f"The test of {problem.entry} never calls the candidate.")
        return calls

    async def _run(
        self, program: str, sources: Sequence[str], setup: str
    ) -> list[Mapping[str, Any]]:
        nonce = secrets.token_hex(16)
        calls = [{"setup": setup, "source": source} for source in sources]
        job = json.dumps({"nonce": nonce, "program": program, "calls": calls})
        result = await self.sandbox.run(inspect.getsource(inside), stdin=job.encode())
        return _records(result, nonce)


def _test_program(problem: Problem, answers: str) -> str:
    return _TEST.format(
        reference=f"{problem.prelude}{problem.reference}",
        tests=f"{problem.prelude}{problem.reference}\n\n{problem.test}",
        entry=problem.entry,
        answers=answers,
    )


def _call(entry: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    named = [f"{name}={_literal(value)}" for name, value in kwargs.items()]
    return f"_ockham_flat({entry}({', '.join([*map(_literal, args), *named])}))"


def _literal(value: Any) -> str:
    """Source text of a plain value; `repr` but for the floats that have none."""
    if isinstance(value, float | complex) and repr(value).strip("-()+.0123456789ej"):
        return f"{type(value).__name__}('{str(value).strip('()')}')"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(k)}: {_literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple | set | frozenset):
        inner = "".join(f"{_literal(v)}, " for v in value)
        kind = type(value).__name__
        return f"[{inner}]" if kind == "list" else f"({inner})" if kind == "tuple" else (
            f"{kind}([{inner}])"
        )  # fmt: skip
    return repr(value)


def _records(result: SandboxResult, nonce: str) -> list[Mapping[str, Any]]:
    """What the inner half wrote; lines without the nonce are anybody's."""
    if result.status != "exited":
        return [{"compiled": True}, {"loaded": False, "error": result.status}]
    return nonce_records(result.stdout, nonce)


def _values(records: Sequence[Mapping[str, Any]], count: int) -> list[Any]:
    """The value of every call, in order; NotPlain where one is missing, doubled or an error."""
    values: dict[int, Any] = {}
    for record in records:
        if error := record.get("error"):
            raise NotPlain(str(error)[:200])
        if type(at := record.get("call")) is int:
            if at in values:
                raise NotPlain("one call was answered twice")
            values[at] = decode(record.get("value"))
    if sorted(values) != list(range(count)):
        raise NotPlain("a call gave no result")
    return [values[at] for at in range(count)]
