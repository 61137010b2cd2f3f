"""Who answers a live run's questions: a bare arm or a policy, through the running router.

A bare arm is the router with a policy that takes only that arm and then stops (`OnlyArm`),
so both take the product's own path: the same prompts, caps, checks and prices.

A run's record is put together from the router's events and not from its `Answer`: a run
that ends without an answer has paid for its attempts too.
"""

import time
from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from eval.benchmarks.benchmark import Question
from policies import OnlyArm, Policy
from router.config import Settings, make_policy
from router.errors import ConfigError, InputError, NoAnswerError
from router.facade import Router
from router.state import Attempt, Decision, Event, Message, Query, Sampling, Verdict

__all__ = ["Answered", "RouterSubject", "Subject", "SubjectSpec", "Tried", "WorkerLost"]


class Tried(BaseModel):
    """One attempt of a run: what came back, what its check said, how it was chosen."""

    model_config = ConfigDict(frozen=True)

    attempt: Attempt
    verdict: Verdict | None
    probability: Mapping[str, float]
    """Of every arm, at the decision that led here."""


class Answered(BaseModel):
    """All that one run of one question left, in the order of its attempts."""

    model_config = ConfigDict(frozen=True)

    tried: tuple[Tried, ...]
    returned: int | None
    """Index of the attempt that the caller got; None where there was no answer."""
    error: str | None
    """Why there was none."""
    fingerprint: str | None
    """Of the featuriser."""
    created: str
    seconds: float

    @property
    def cost_usd(self) -> float:
        """All attempts together."""
        return sum(t.attempt.cost_usd for t in self.tried)


class WorkerLost(Exception):
    """Whoever was answering died in the middle: nobody knows how the try ended."""


class Subject(Protocol):
    """What the runner needs of whoever answers."""

    async def worst_case_usd(self, question: Question) -> float:
        """The most that one run of this question can cost."""
        ...

    async def answer(self, question: Question) -> Answered:
        """Run it once. Model errors are in the record; `WorkerLost` where there is none."""
        ...


class SubjectSpec(BaseModel):
    """A subject as plain data: it goes into the manifest, and to Ray's workers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arm: str | None = None
    policy: str | None = None
    """A registered name, or `module:Class`."""
    params: Mapping[str, Any] = {}

    @property
    def name(self) -> str:
        """What the run is called by."""
        return self.arm or (self.policy or "").rpartition(":")[2]

    def make(self, settings: Settings) -> Policy:
        """The policy to run. Raises `InputError` naming an unknown arm, `ConfigError` a policy."""
        if self.arm is None:
            return make_policy(self.policy or settings.policy.name, self.params)
        if self.arm not in settings.arms:
            raise InputError(f"--arm: no arm {self.arm!r}; there are: {', '.join(settings.arms)}")
        return OnlyArm(arm=self.arm)


class RouterSubject:
    """A router that is open in the running loop."""

    def __init__(self, router: Router, policy: Policy, max_tokens: int | None) -> None:
        self._router = router
        self._policy = policy
        self._max_tokens = max_tokens

    async def check(self, question: Question) -> None:
        """Raises `NoAnswerError` where the arm, or every arm of a policy, cannot be run now."""
        _, decision = await self._router.aroute(self._query(question), policy=self._policy)
        only = self._policy.arm if isinstance(self._policy, OnlyArm) else None
        asked = {n: a for n, a in decision.arms.items() if only in (None, n)}
        if not any(arm.available for arm in asked.values()):
            why = "\n".join(f"  {name}: {arm.why_not}" for name, arm in asked.items())
            raise NoAnswerError(f"nothing can be run:\n{why}")

    async def worst_case_usd(self, question: Question) -> float:
        """The router's own bounds: of the arm, or of as many attempts as a request may make."""
        try:
            _, decision = await self._router.aroute(self._query(question), policy=self._policy)
        except InputError:
            return 0.0  # a prompt that the router refuses is never sent
        limits = self._router.settings.limits
        if isinstance(self._policy, OnlyArm):
            return _worst(decision, self._policy.arm, limits.max_cost_usd)
        dearest = max(_worst(decision, name, limits.max_cost_usd) for name in decision.arms)
        # Each attempt's worst case is held under what is left of the request's cap.
        return min(limits.max_cost_usd, limits.max_steps * dearest)

    async def answer(self, question: Question) -> Answered:
        """One run of the router, put together from its events."""
        record, start = _Record(), time.perf_counter()
        created = datetime.now(UTC).isoformat(timespec="milliseconds")
        error: str | None = None
        try:
            query = self._query(question)
            events = self._router.astream(query, policy=self._policy)
            async with aclosing(events):
                async for event in events:
                    record.add(event)
        except ConfigError:
            raise  # the policy is broken: no question of this run would fare better
        except (NoAnswerError, InputError) as known:
            error = str(known)
        return Answered(
            tried=tuple(record.tried),
            returned=None if error is not None else record.returned,
            error=error,
            fingerprint=record.fingerprint,
            created=created,
            seconds=time.perf_counter() - start,
        )

    def _query(self, question: Question) -> Query:
        return Query(
            id=question.id,
            messages=(Message(role="user", content=question.prompt),),
            sampling=Sampling(max_tokens=self._max_tokens),
            passages=question.passages,
        )


class _Record:
    """Collects a run's events."""

    def __init__(self) -> None:
        self.tried: list[Tried] = []
        self.returned: int | None = None
        self.fingerprint: str | None = None
        self._probability: dict[str, float] = {}

    def add(self, event: Event) -> None:
        if event.kind == "signals":
            self.fingerprint = event.data.featuriser
        elif event.kind == "decision":
            decision: Decision = event.data
            self.returned = decision.attempt
            self._probability = {n: a.probability for n, a in decision.arms.items()}
        elif event.kind == "attempt_done":
            tried = Tried(attempt=event.data, verdict=None, probability=self._probability)
            self.tried.append(tried)
        elif event.kind == "verdict":
            self.tried[-1] = self.tried[-1].model_copy(update={"verdict": event.data})


def _worst(decision: Decision, arm: str, cap: float) -> float:
    """An arm that cannot be run, or has no price yet, is bounded by the request's cap only
    where it might run: one that is not configured costs nothing."""
    estimate = decision.arms[arm]
    if estimate.worst_cost_usd is None:
        return 0.0 if estimate.why_not else cap
    return min(estimate.worst_cost_usd, cap)
