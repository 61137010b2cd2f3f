"""From a run's state to the case a policy sees, and from its choice to an explained one.

Facts only: prices, caps, what can be run and what cannot, and why. Tokens are predicted
by plain constants a domain until they are fitted; the worst case is a bound, not a
prediction: a token is at least one byte of prompt, and the completion stops at its cap.
It trusts the provider to honour that cap and to bill what its usage says.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies import STOP, Arm, AttemptBlock, CaseBatch, ChoiceBatch, Outcome
from router.arms.run import token_cap
from router.config import ArmSettings, Settings
from router.models.pool import Models
from router.state import ArmEstimate, Attempt, AttemptStatus, Decision, Domain, RunState, Verdict

__all__ = ["CaseBuilder", "explain"]

CHARS_PER_TOKEN = 3.6
"""English prose through common BPE vocabularies; predictions only."""
COMPLETION_TOKENS: Mapping[Domain, int] = {
    "math": 180, "code": 220, "logic": 220, "knowledge": 60, "open": 120,
}  # fmt: skip
TEMPLATE_TOKENS = 200
"""Instruction or reader's task with its schema, bounded from above."""
MESSAGE_TOKENS = 16
"""Chat template of one message, bounded from above."""
PASSAGE_CHARS = 1200
"""Longest passage the index returns, with its title."""
OUTCOMES: Mapping[AttemptStatus, Outcome] = {
    AttemptStatus.OK: Outcome.ANSWERED,
    AttemptStatus.TRUNCATED: Outcome.INCOMPLETE,
    AttemptStatus.NO_ANSWER: Outcome.INCOMPLETE,
    AttemptStatus.PROVISIONAL: Outcome.INCOMPLETE,
    AttemptStatus.ABSTAINED: Outcome.ABSTAINED,
    AttemptStatus.FAILED: Outcome.FAILED,
}


@dataclass(frozen=True, slots=True)
class _Facts:
    """One arm, as of now. Costs in USD; `why_not` is None where the arm can be run."""

    predicted: float
    worst: float
    why_not: str | None
    capable: bool


class CaseBuilder:
    """Builds the live case: a batch of one."""

    def __init__(self, settings: Settings, models: Models, index_why_not: str | None) -> None:
        self._settings = settings
        self._models = models
        self._index_why_not = index_why_not
        self.arms = tuple(
            Arm(name, settings.models[a.model].tier, a.context, a.method)
            for name, a in settings.arms.items()
        )

    def build(self, state: RunState) -> tuple[CaseBatch, dict[str, ArmEstimate]]:
        """The case, and per arm what will stand in the trace."""
        left = self._settings.limits.max_cost_usd - sum(a.cost_usd for a in state["attempts"])
        facts = {name: self._facts(arm, state, left) for name, arm in self._settings.arms.items()}
        seen = list(facts.values())
        case = CaseBatch(
            arms=self.arms,
            features={k: np.asarray([v], dtype=np.float64) for k, v in state["features"].items()},
            fingerprint=state["signals"].featuriser,
            predicted_cost=np.array([[f.predicted for f in seen]]),
            worst_cost=np.array([[f.worst for f in seen]]),
            predicted_seconds=np.full((1, len(seen)), np.nan),
            available=np.array([[f.why_not is None for f in seen]]),
            capable=np.array([[f.capable for f in seen]]),
            request_left=np.array([left]),
            tenant_left=np.array([np.inf]),
            row_key=row_key(state["query"].text),
            attempts=_attempts(self.arms, state["attempts"], state["verdicts"]),
        )
        return case, {name: _estimate(f) for name, f in facts.items()}

    def _facts(self, arm: ArmSettings, state: RunState, left: float) -> _Facts:
        model = self._models.settings(arm.model)
        price = self._models.price(arm.model)
        chars = sum(len(m.content) for m in state["query"].messages)
        size = sum(len(m.content.encode()) for m in state["query"].messages)
        extra = self._settings.knowledge.passages * PASSAGE_CHARS if arm.context == "index" else 0
        cap = token_cap(arm, model)
        template = TEMPLATE_TOKENS + MESSAGE_TOKENS * len(state["query"].messages)
        prompt = int((chars + extra) / CHARS_PER_TOKEN) + template
        written = min(cap, COMPLETION_TOKENS[state["signals"].domain])
        worst_prompt = size + extra * 4 + template
        context = self._models.context_tokens(arm.model)
        if context is not None:
            worst_prompt, cap = min(worst_prompt, context), min(cap, context)
        predicted = price.cost(prompt, written) if price else float("nan")
        worst = price.cost(worst_prompt, cap) if price else float("nan")
        language = state["signals"].language
        capable = model.languages is None or language in {*model.languages, "und"}
        return _Facts(predicted, worst, self._why_not(arm, prompt, worst, left), capable)

    def _why_not(self, arm: ArmSettings, prompt: int, worst: float, left: float) -> str | None:
        """Why the arm cannot be run now, None where it can."""
        down = self._models.why_not(arm.model)
        if down is not None:
            return down
        if arm.context == "index" and self._index_why_not is not None:
            return self._index_why_not
        context = self._models.context_tokens(arm.model)
        if context is not None and prompt >= context:
            return f"the prompt (about {prompt} tokens) does not fit its context of {context}"
        if worst > left:
            return (
                f"its worst case, USD {worst:.4f}, is above the USD {max(left, 0):.4f} left "
                "under limits.max_cost_usd"
            )
        return None


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
                update={"probability": float(choice.probability[0, i])}
            )
            for i, arm in enumerate(arms)
        },
    )


def _estimate(facts: _Facts) -> ArmEstimate:
    return ArmEstimate(
        available=facts.why_not is None,
        why_not=facts.why_not,
        predicted_cost_usd=None if np.isnan(facts.predicted) else facts.predicted,
        worst_cost_usd=None if np.isnan(facts.worst) else facts.worst,
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
    nan = float("nan")
    return AttemptBlock(
        arm=np.array([[columns[a.arm] for a in attempts]], dtype=np.int64),
        outcome=np.array(
            [[_outcome(a, v) for a, v in zip(attempts, verdicts, strict=True)]], dtype=np.int64
        ),
        passed=np.array([[nan if v.passed is None else float(v.passed) for v in verdicts]]),
        confidence=np.array([[nan if v.confidence is None else v.confidence for v in verdicts]]),
        cost_usd=np.array([[a.cost_usd for a in attempts]], dtype=np.float64),
        completion_tokens=np.array([[a.completion_tokens for a in attempts]], dtype=np.int64),
    )
