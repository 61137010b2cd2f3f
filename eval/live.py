"""The live runner: questions, a subject that answers them, and a journal that forgets nothing.

It keeps several samples in flight, holds a rate and a ceiling, and writes every try into
the journal before it starts and when it ends. Questions are asked in the benchmark's order,
all repeats of one question together. It knows nothing of engines, models or files.

The ceiling: a sample starts only if what was spent, the worst cases of what is in flight and
its own worst case stay under it. What is in flight is waited for (it mostly costs less than
its worst case); when nothing is, the run ends.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from eval.benchmarks.benchmark import Benchmark, Question
from eval.runs.journal import Journal
from eval.runs.rate import RateLimit
from eval.runs.rows import rows_of
from eval.runs.subject import Subject, SubjectSpec, WorkerLost
from eval.runs.tally import Tally, returned_score, tally_of
from policies.outcome import Status
from policies.policy import Policy
from router.errors import OckhamError

__all__ = ["Ended", "Limits", "Plan", "run_plan"]

MAX_LOSSES = 3
"""How often a sample whose worker died is given to another one within a sitting."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of whom."""

    benchmark: Benchmark
    questions: Sequence[Question]
    samples: int
    spec: SubjectSpec
    policy: Policy

    @property
    def jobs(self) -> list[tuple[Question, int]]:
        """Every sample, in the order of asking."""
        return [(q, s) for q in self.questions for s in range(self.samples)]


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast, how dear, and how long in vain."""

    concurrency: int = 4
    rate: float | None = None
    """Requests a second."""
    max_cost_usd: float | None = None
    failures_in_a_row: int = 20
    """So many failed samples after each other end the run: the rest would fail too."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Why the runner came back."""

    reason: Literal["complete", "ceiling", "failing"]
    tally: Tally
    message: str = ""


@dataclass(slots=True)
class _Run:
    plan: Plan
    subject: Subject
    journal: Journal
    limits: Limits
    show: Callable[[Tally], None]
    tally: Tally
    jobs: deque[tuple[Question, int]]
    rate: RateLimit
    settled: asyncio.Condition = field(default_factory=asyncio.Condition)
    reserved: float = 0.0
    in_flight: int = 0
    failures: int = 0
    losses: dict[tuple[str, int], int] = field(default_factory=dict)
    stop: Ended | None = None

    async def work(self) -> None:
        """One of the concurrent workers."""
        while self.jobs and self.stop is None:
            question, sample = self.jobs.popleft()
            worst = await self.subject.worst_case_usd(question)
            if not await self._afford(worst):
                return
            try:
                await self.rate.wait()
                if self.stop is None:
                    await self._ask(question, sample, worst)
            finally:
                await self._release(worst)

    async def _afford(self, worst: float) -> bool:
        """Reserve a worst case under the ceiling, or end the run."""
        async with self.settled:
            while self._over(worst):
                if self.stop is not None:
                    return False
                if self.in_flight == 0:
                    self.stop = Ended("ceiling", self.tally, self._ceiling(worst))
                    return False
                await self.settled.wait()
            self.reserved += worst
            self.in_flight += 1
            return True

    def _over(self, worst: float) -> bool:
        ceiling = self.limits.max_cost_usd
        return ceiling is not None and self.tally.spent_usd + self.reserved + worst > ceiling

    def _ceiling(self, worst: float) -> str:
        return (
            f"stopped before --max-cost {self.limits.max_cost_usd:g}: USD "
            f"{self.tally.spent_usd:.6f} are spent, and the next sample may cost USD {worst:.6f}; "
            "run the same command with a higher --max-cost to go on"
        )

    async def _release(self, worst: float) -> None:
        async with self.settled:
            self.reserved -= worst
            self.in_flight -= 1
            self.settled.notify_all()

    async def _ask(self, question: Question, sample: int, worst: float) -> None:
        """One try of one sample, from its intent to its result."""
        plan = self.plan
        id_ = self.journal.start(question.id, sample, worst)
        try:
            answered = await self.subject.answer(question)
            rows = await rows_of(plan.benchmark, question, answered, plan.spec, plan.policy)
        except WorkerLost as lost:
            self._lost(id_, question, sample, worst, str(lost))
            return
        except BaseException as error:
            self.journal.interrupt(id_, str(error).split("\n")[0] or "the run was stopped")
            raise
        failed = next(r for r in rows if r["returned"])["status"] == Status.FAILED
        result = {"rows": rows, "seconds": answered.seconds}
        self.journal.finish(id_, result, answered.cost_usd, failed=failed)
        self.rate.charge(len(answered.tried) - 1)
        self._count(rows, answered.cost_usd, failed)
        self._watch(failed, answered.error)

    def _lost(self, id_: int, question: Question, sample: int, worst: float, why: str) -> None:
        self.journal.interrupt(id_, why)
        tally = self.tally
        self.tally = replace(
            tally,
            interrupted=tally.interrupted + 1,
            spent_usd=tally.spent_usd + worst,
            interrupted_usd=tally.interrupted_usd + worst,
        )
        key = (question.id, sample)
        self.losses[key] = self.losses.get(key, 0) + 1
        if self.losses[key] > MAX_LOSSES:
            raise OckhamError(f"{question.id}: its worker died {MAX_LOSSES + 1} times: {why}")
        self.jobs.appendleft((question, sample))
        self.show(self.tally)

    def _count(self, rows: Sequence[dict[str, Any]], cost: float, failed: bool) -> None:
        tally = self.tally
        self.tally = replace(
            tally,
            done=tally.done + (not failed),
            failed=tally.failed + failed,
            spent_usd=tally.spent_usd + cost,
            score=tally.score + returned_score(rows),
        )
        self.show(self.tally)

    def _watch(self, failed: bool, error: str | None) -> None:
        """A dead key or server fails every sample: better to stop than to use them all up."""
        self.failures = self.failures + 1 if failed else 0
        if self.failures >= self.limits.failures_in_a_row:
            self.stop = Ended(
                "failing",
                self.tally,
                f"stopped: the last {self.failures} samples failed, the last one with: {error}\n"
                "mend it, then run the same command with --retry-failed",
            )


async def run_plan(
    plan: Plan, subject: Subject, journal: Journal, limits: Limits, show: Callable[[Tally], None]
) -> Ended:
    """Ask what the journal does not hold yet. Cancelling it leaves the journal whole.

    Raises:
        ConfigError: the policy itself breaks.
        SetupError: the journal cannot be written, or a scorer's tool is missing.
    """
    tally, finished = tally_of(len(plan.jobs), journal.tries())
    jobs = deque((q, s) for q, s in plan.jobs if (q.id, s) not in finished)
    run = _Run(plan, subject, journal, limits, show, tally, jobs, RateLimit(limits.rate))
    show(tally)
    workers = min(limits.concurrency, len(jobs))
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(run.work())
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    if run.stop is not None:
        return replace(run.stop, tally=run.tally)
    return Ended("complete", run.tally)
