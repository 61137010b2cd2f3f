"""Several samples of one question, and the one that is the answer.

Draws what the method plans, `parallel` at a time, asks the method after each whether it needs
another one, stops those in flight when it does not, and lets it choose. Whatever happens to a
sample, it stands in the result with its status and its bill:

    cancelled   the method needed no more (its tokens until then are paid)
    not_run     the method needed no more, the model was gone, or the cap had no room
    failed      the call failed; after a model that is gone no further sample is started
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from router.arms.checking import check_claims
from router.arms.claims import PROMPTS
from router.arms.drawing import Asking, Drawn, draw
from router.arms.methods import Clr, Sampled
from router.arms.voting import Candidate, Chosen
from router.errors import ContextOverflow, ModelAuthError, ModelDied, ModelUnavailable
from router.samples import AttemptStatus, Sample, Selection
from router.state import Verdict
from router.verify.clusters import AnswerClusters
from router.verify.verifiers import answer_is_closed

__all__ = ["Sampler", "Samples"]

Check = Callable[[Drawn], Awaitable[Verdict]]
LEAST_S = 1.0
"""Comparing an answer that came with the deadline may take so long."""

_READABLE = (AttemptStatus.OK, AttemptStatus.TRUNCATED)
_FINAL = (ModelUnavailable, ModelDied, ModelAuthError, ContextOverflow)
"""Errors that the next sample would meet too."""
_ABSTAINED = -1
"""Cluster of the samples that said that the passages do not hold the answer."""


class _Vote(NamedTuple):
    """The answer that was read, and its cluster. None: none was read, or it has no vote."""

    answer: str | None = None
    cluster: int | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """All samples in their order, the chosen one, and how it was chosen."""

    drawn: tuple[Drawn, ...]
    told: tuple[Sample, ...]
    selection: Selection


@dataclass(slots=True)
class Sampler:
    """One run of a method. `kind` is the verifier's; `check` asks it about one sample."""

    asking: Asking
    method: Sampled
    clusters: AnswerClusters
    kind: str
    check: Check
    _drawn: list[Drawn] = field(default_factory=list)
    _votes: dict[int, _Vote] = field(default_factory=dict)
    """By place, of the samples that ended by themselves, numbered in the order of ending."""
    _reasons: list[str] = field(default_factory=list)
    _stopped: bool = False

    async def run(self) -> Samples:
        """Draw, stop, choose. Cancelling it stops every sample."""
        try:
            async with asyncio.TaskGroup() as group:
                await self._draw_all(group)
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        places = sorted(self._votes)
        chosen = self.method.choose([self._candidate(place) for place in places])
        return self._samples(places, chosen)

    async def _draw_all(self, group: asyncio.TaskGroup) -> None:
        flying: dict[asyncio.Task[None], int] = {}
        while True:
            while self._may_start(len(flying)):
                place = len(self._drawn)
                self._drawn.append(self._new(place))
                flying[group.create_task(self._one(place))] = place
            if not flying:
                return
            done, _ = await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
            await self._count(sorted(flying.pop(task) for task in done))
            if not self._stopped and self._enough():
                for task in flying:
                    task.cancel()
                await asyncio.gather(*flying, return_exceptions=True)
                # Who ended by itself in the meantime has its vote.
                await self._count(sorted(p for t, p in flying.items() if not t.cancelled()))
                return

    def _may_start(self, flying: int) -> bool:
        started = len(self._drawn)
        return not self._stopped and started < self.method.k and flying < self.method.parallel

    def _new(self, place: int) -> Drawn:
        spectrum = self.method.spectrum
        return Drawn(spectrum[place % len(spectrum)] if spectrum else None)

    async def _one(self, place: int) -> None:
        drawn = self._drawn[place]
        await draw(self.asking, drawn)
        if self.method.verifies:
            drawn.verdict = await self.check(drawn)
        if isinstance(self.method, Clr) and self._answer(drawn) is not None:
            await check_claims(self.asking, self.method, drawn)

    async def _count(self, places: Sequence[int]) -> None:
        """Number the answers of samples that ended; those in flight may still end well."""
        for place in places:
            drawn = self._drawn[place]
            self._votes[place] = await self._vote(drawn)
            # No further one is started where it would only meet the same.
            self._stopped |= _is_last(drawn)

    async def _vote(self, drawn: Drawn) -> _Vote:
        if drawn.reading.status is AttemptStatus.ABSTAINED:
            return _Vote("(abstained)", _ABSTAINED)
        answer = self._answer(drawn)
        if answer is None:
            return _Vote()
        left_s = self.asking.spender.deadline - time.perf_counter()
        try:
            number = self.clusters.number(answer)
            return _Vote(answer, await asyncio.wait_for(number, max(LEAST_S, left_s)))
        except TimeoutError:
            self._reasons.append("an answer could not be compared in time: it has no vote")
            return _Vote(answer)

    def _answer(self, drawn: Drawn) -> str | None:
        """The closed answer; None where there is none."""
        text, status = drawn.reading.text, drawn.reading.status
        whole = status is AttemptStatus.OK
        cut = status is AttemptStatus.TRUNCATED and answer_is_closed(text, self.kind)
        return self.clusters.read(text) if whole or cut else None

    def _enough(self) -> bool:
        """Whether the method is content with what there is."""
        places = sorted(self._votes)
        if len(places) >= self.method.k:
            return False
        why = self.method.done([self._candidate(place) for place in places])
        if why is not None:
            self._reasons.append(why)
        return why is not None

    def _candidate(self, place: int) -> Candidate:
        drawn = self._drawn[place]
        stats, verdict = drawn.logprobs, drawn.verdict
        return Candidate(
            cluster=self._votes[place].cluster,
            completion_tokens=drawn.bill.completion_tokens,
            logprob=stats.mean if stats else None,
            answer_logprob=stats.answer if stats else None,
            certainty=stats.certainty if stats else None,
            passed=verdict.passed if verdict else None,
            confidence=verdict.confidence if verdict else None,
            reliability=drawn.reliability,
        )

    def _samples(self, places: Sequence[int], chosen: Chosen) -> Samples:
        weights = dict(zip(places, chosen.weights, strict=False))
        told = [
            _told(drawn, self._votes.get(place), weights.get(place))
            for place, drawn in enumerate(self._drawn)
        ]
        why = (self._reasons or ["no further sample was started after one could not be had"])[0]
        missing = self.method.k - len(told)
        told += [Sample(status=AttemptStatus.NOT_RUN, error=why)] * missing
        best = self._without_votes() if chosen.sample is None else places[chosen.sample]
        selection = Selection(
            method=self.method.name,
            planned=self.method.k,
            drawn=len(self._drawn),
            chosen=best,
            prompts=PROMPTS if isinstance(self.method, Clr) else None,
            share=chosen.share,
            reasons=(*dict.fromkeys(self._reasons), *chosen.reasons, *self._losses()),
        )
        return Samples(tuple(self._drawn), tuple(told), selection)

    def _without_votes(self) -> int | None:
        """Where nobody votes: the first sample with a text, else with a box in its thinking."""
        for wanted in (_READABLE, (AttemptStatus.PROVISIONAL,)):
            for place, drawn in enumerate(self._drawn):
                if drawn.reading.status in wanted:
                    return place
        return None

    def _losses(self) -> list[str]:
        failed = [d for d in self._drawn if d.reading.status is AttemptStatus.FAILED]
        if not failed:
            return []
        return [f"{len(failed)} of {self.method.k} samples failed: {failed[0].error}"]


def _is_last(drawn: Drawn) -> bool:
    """Whether a sample shows that no further one can be had: no model, no money, no time."""
    error = drawn.completion.error if drawn.completion else None
    return isinstance(error, _FINAL) or drawn.reading.status is AttemptStatus.NOT_RUN


def _told(drawn: Drawn, vote: _Vote | None, weight: float | None) -> Sample:
    verdict = drawn.verdict
    return Sample(
        status=drawn.reading.status,
        text=drawn.reading.text,
        answer=vote.answer if vote else None,
        cluster=vote.cluster if vote else None,
        weight=weight,
        variant=drawn.variant.name if drawn.variant else None,
        passed=verdict.passed if verdict else None,
        confidence=verdict.confidence if verdict else None,
        logprobs=drawn.logprobs,
        claims=drawn.claims,
        reliability=drawn.reliability,
        prompt_tokens=drawn.bill.prompt_tokens,
        completion_tokens=drawn.bill.completion_tokens,
        tokens_basis=drawn.bill.basis,
        cost_usd=drawn.bill.cost_usd,
        seconds=drawn.seconds,
        error=drawn.error,
    )
