"""From a run's state to the case a policy sees, and from its choice to an explained one.

Facts only. What each arm offers, and why it cannot be run, is `router.offers`'.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from policies import STOP, Arm, AttemptBlock, CaseBatch, ChoiceBatch, Outcome, Shadowed
from router.bounds import Left, left_of, too_slow
from router.config import Settings
from router.conversations import Conversations
from router.models.pool import Models
from router.offers import Offer, Offers
from router.samples import AttemptStatus
from router.state import (
    ArmEstimate,
    Attempt,
    Decision,
    Lookup,
    Query,
    RunState,
    ShadowChoice,
    Verdict,
)

__all__ = ["CaseBuilder", "explain", "row_key", "spent_usd"]

OUTCOMES: Mapping[AttemptStatus, Outcome] = {
    AttemptStatus.OK: Outcome.ANSWERED,
    AttemptStatus.TRUNCATED: Outcome.INCOMPLETE,
    AttemptStatus.NO_ANSWER: Outcome.INCOMPLETE,
    AttemptStatus.PROVISIONAL: Outcome.INCOMPLETE,
    AttemptStatus.ABSTAINED: Outcome.ABSTAINED,
    AttemptStatus.FAILED: Outcome.FAILED,
}


class CaseBuilder:
    """Builds the live case: a batch of one."""

    def __init__(self, settings: Settings, models: Models, index_why_not: str | None) -> None:
        self._settings = settings
        self._models = models
        self.offers = Offers(settings, models, index_why_not)
        self.conversations = Conversations(
            settings.conversations.lifetime_s, settings.conversations.most
        )
        self.arms = tuple(
            Arm(name, settings.models[a.model].tier, a.context, a.method.name)
            for name, a in settings.arms.items()
        )

    def build(
        self, state: RunState, tenant_usd: float = float("inf"), left_s: float | None = None
    ) -> tuple[CaseBatch, dict[str, ArmEstimate]]:
        """The case, and per arm what will stand in the trace.

        Args:
            tenant_usd: what the budget that pays has left.
            left_s: seconds until the end, where the caller bounds them.
        """
        left = self.left(state, tenant_usd)
        facts = self.offers.all(state, left)
        features = dict(state["features"])
        if (saved := self._cached(state, facts)) is not None:
            features["held"] = saved
        for name, why in _passed_over(facts, state, left_s).items():
            facts[name] = replace(facts[name], why_not=why)
        seen = list(facts.values())
        case = CaseBatch(
            arms=self.arms,
            features={k: np.asarray([v], dtype=np.float64) for k, v in features.items()},
            fingerprint=state["signals"].featuriser,
            predicted_cost=np.array([[f.predicted for f in seen]]),
            worst_cost=np.array([[f.worst for f in seen]]),
            predicted_seconds=np.array([[f.seconds for f in seen]]),
            available=np.array([[f.why_not is None for f in seen]]),
            capable=np.array([[f.capable for f in seen]]),
            request_left=np.array([left.request_usd]),
            tenant_left=np.array([left.tenant_usd]),
            row_key=row_key(state["query"].text),
            attempts=_attempts(self.arms, state["attempts"], state["verdicts"]),
        )
        return case, {name: offer.told() for name, offer in facts.items()}

    def _cached(self, state: RunState, facts: dict[str, Offer]) -> list[float] | None:
        """Take what the cache saves out of the predictions; the block `held`, where a turn is
        cached: USD saved in the column of the arm that served it, NaN elsewhere."""
        key = state["query"].conversation
        held = None if key is None else self.conversations.last(key)
        if held is None or held.arm not in facts:
            return None
        served = self._settings.arms[held.arm].model
        price = self._models.price(served)
        if price is None:
            return None
        saved = price.saved(held.tokens) if held.tokens >= price.cached_least else 0.0
        for name, arm in self._settings.arms.items():
            if arm.model == served:
                left = max(0.0, facts[name].predicted - saved)
                facts[name] = replace(facts[name], predicted=left)
        return [saved if name == held.arm else float("nan") for name in facts]

    def answered(self, query: Query, attempt: Attempt) -> None:
        """Remember where the conversation's prompt is now."""
        if query.conversation is not None:
            self.conversations.keep(query.conversation, attempt.arm, attempt.one_call[0])

    def left(self, state: RunState, tenant_usd: float = float("inf")) -> Left:
        """What the run may still spend."""
        bounds = state["query"].bounds
        return left_of(self._settings.limits, bounds, spent_usd(state), tenant_usd)

    def took(self, state: RunState, attempt: Attempt) -> None:
        """Learn from an attempt how long its arm takes."""
        if attempt.status not in (AttemptStatus.FAILED, AttemptStatus.NO_ANSWER):
            self.offers.took(state, attempt.arm, attempt.seconds)


def _passed_over(
    facts: Mapping[str, Offer], state: RunState, left_s: float | None
) -> dict[str, str]:
    """Arms that can be run, and are too slow for what the caller asked for."""
    if left_s is None:
        return {}
    tried = {attempt.arm for attempt in state["attempts"]}
    open_ = {n: f.seconds for n, f in facts.items() if f.why_not is None and n not in tried}
    return too_slow(open_, left_s)


def spent_usd(state: RunState) -> float:
    """What the run has cost so far; the search before the first attempt, whose bill it joins."""
    lookup: Lookup | None = state.get("lookup")
    if not state["attempts"]:
        return 0.0 if lookup is None else lookup.cost_usd
    return sum(attempt.charged_usd for attempt in state["attempts"])


def row_key(text: str) -> NDArray[np.uint64]:
    """(1,) the first 8 bytes of the text's SHA-256: what a policy draws its randomness from."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return np.frombuffer(digest[:8], dtype=np.uint64).copy()


def explain(
    policy: str,
    choice: ChoiceBatch,
    arms: Sequence[Arm],
    estimates: Mapping[str, ArmEstimate],
) -> Decision:
    """The first row of a choice, as the trace tells it."""
    column = int(choice.arm[0])
    attempt = int(choice.attempt[0])
    return Decision(
        policy=policy,
        arm=None if column == STOP else arms[column].name,
        attempt=attempt if column == STOP and attempt >= 0 else None,
        reasons=choice.explain(0),
        arms={
            arm.name: estimates[arm.name].model_copy(
                update={
                    "probability": float(choice.probability[0, i]),
                    "quality": _known(choice.quality[0, i]),
                }
            )
            for i, arm in enumerate(arms)
        },
        shadow=tuple(_shadow(each, arms) for each in choice.shadows),
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _shadow(seen: Shadowed, arms: Sequence[Arm]) -> ShadowChoice:
    """The first row of a shadow's choice."""
    if seen.choice is None:
        return ShadowChoice(policy=seen.policy, error=seen.error)
    column = int(seen.choice.arm[0])
    return ShadowChoice(
        policy=seen.policy,
        arm=None if column == STOP else arms[column].name,
        reasons=seen.choice.explain(0),
    )


def _outcome(attempt: Attempt, verdict: Verdict) -> Outcome:
    """A provisional answer is one only where its check passed."""
    if attempt.status is AttemptStatus.PROVISIONAL and verdict.passed is True:
        return Outcome.ANSWERED
    return OUTCOMES[attempt.status]


def _attempts(
    arms: Sequence[Arm], attempts: Sequence[Attempt], verdicts: Sequence[Verdict]
) -> AttemptBlock:
    columns = {arm.name: i for i, arm in enumerate(arms)}
    return AttemptBlock(
        arm=np.array([[columns[a.arm] for a in attempts]], dtype=np.int64),
        outcome=np.array(
            [[_outcome(a, v) for a, v in zip(attempts, verdicts, strict=True)]], dtype=np.int64
        ),
        passed=_numbers(v.passed for v in verdicts),
        confidence=_numbers(v.confidence for v in verdicts),
        cost_usd=np.array([[a.cost_usd for a in attempts]], dtype=np.float64),
        completion_tokens=np.array([[a.completion_tokens for a in attempts]], dtype=np.int64),
        agreement=_numbers(a.selection.share if a.selection else None for a in attempts),
        logprob=_numbers(a.logprobs.mean if a.logprobs else None for a in attempts),
        logprob_answer=_numbers(a.logprobs.answer if a.logprobs else None for a in attempts),
        certainty=_numbers(a.logprobs.certainty if a.logprobs else None for a in attempts),
        measured={
            name: _numbers(v.measured.get(name) for v in verdicts)
            for name in dict.fromkeys(name for v in verdicts for name in v.measured)
        },
    )


def _numbers(values: Iterable[float | None]) -> NDArray[np.float64]:
    """(1, attempts), NaN for None."""
    return np.array([[np.nan if v is None else float(v) for v in values]], dtype=np.float64)
