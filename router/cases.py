"""From a run's state to the case a policy sees, and from its choice to an explained one.

Facts only: prices, caps, what can be run and what cannot, and why. Tokens are predicted
by plain constants a domain until they are fitted; the worst case is a bound, not a
prediction: a token is at least one byte of prompt, and the completion stops at its cap.
It trusts the provider to honour that cap and to bill what its usage says.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from policies import STOP, Arm, AttemptBlock, CaseBatch, ChoiceBatch, Outcome, Shadowed
from router.arms.bounds import expected_tokens, instruction_bytes, worst_tokens
from router.arms.latency import Latency
from router.arms.methods import Single
from router.arms.plain import plain_bound, plain_tokens
from router.arms.reader import passages_block, reader_response_format
from router.arms.run import asks_many, token_cap
from router.arms.spending import prompt_bound
from router.bounds import Left, left_of, too_slow
from router.concrete import plainest
from router.config import Settings
from router.conversations import Conversations
from router.models.pool import Models
from router.needs import choices_asked, hard_needs, is_plain
from router.samples import AttemptStatus
from router.settings import ArmSettings
from router.state import (
    ArmEstimate,
    Attempt,
    Decision,
    Domain,
    Lookup,
    Passage,
    Query,
    RunState,
    ShadowChoice,
    Verdict,
)

__all__ = ["CaseBuilder", "explain", "refusal", "spent_usd"]

CHARS_PER_TOKEN = 3.6
"""English prose through common BPE vocabularies; predictions only."""
COMPLETION_TOKENS: Mapping[Domain, int] = {
    "math": 180, "code": 220, "logic": 220, "knowledge": 60, "open": 120,
}  # fmt: skip
TEMPLATE_TOKENS = 200
"""Instruction or reader's task with its schema, bounded from above."""
PASSAGE_CHARS = 1200
"""Longest passage the index returns, with its title: what stands for one not yet found."""
ESCAPED_BYTES = 12
"""Of one character in the reader's form, at most: what may be quoted stands there a second time."""
OUTCOMES: Mapping[AttemptStatus, Outcome] = {
    AttemptStatus.OK: Outcome.ANSWERED,
    AttemptStatus.TRUNCATED: Outcome.INCOMPLETE,
    AttemptStatus.NO_ANSWER: Outcome.INCOMPLETE,
    AttemptStatus.PROVISIONAL: Outcome.INCOMPLETE,
    AttemptStatus.ABSTAINED: Outcome.ABSTAINED,
    AttemptStatus.FAILED: Outcome.FAILED,
}


@dataclass(frozen=True, slots=True)
class _Size:
    """Tokens of one call."""

    prompt: int
    """Predicted."""
    bound: int
    """Most that the prompt can have."""
    cap: int
    """Most of a choice."""
    choices: int = 1


@dataclass(frozen=True, slots=True)
class _Facts:
    """One arm, as of now. Costs in USD; `why_not` is None where the arm can be run."""

    predicted: float
    worst: float
    why_not: str | None
    capable: bool
    seconds: float = float("nan")
    over_budget: bool = False
    over_cap: bool = False


class CaseBuilder:
    """Builds the live case: a batch of one."""

    def __init__(self, settings: Settings, models: Models, index_why_not: str | None) -> None:
        self._settings = settings
        self._models = models
        self.index_why_not = index_why_not
        self._latency = Latency()
        self._plainest = plainest(settings.arms)
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
        facts = {
            name: replace(
                self._facts(name, arm, state, left),
                seconds=self._latency.expect(name, self._written(arm, state)),
            )
            for name, arm in self._settings.arms.items()
        }
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
        return case, {name: _estimate(f) for name, f in facts.items()}

    def _cached(self, state: RunState, facts: dict[str, _Facts]) -> list[float] | None:
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

    def reads_passages(self, query: Query) -> bool:
        """Whether an arm that reads passages can be run, its model and its index being there."""
        if query.passages is None and self.index_why_not is not None:
            return False
        reading = (a for a in self._settings.arms.values() if a.context == "index")
        return any(self._models.why_not(arm.model) is None for arm in reading)

    def took(self, state: RunState, attempt: Attempt) -> None:
        """Learn from an attempt how long its arm takes."""
        if attempt.status not in (AttemptStatus.FAILED, AttemptStatus.NO_ANSWER):
            tokens = self._written(self._settings.arms[attempt.arm], state)
            self._latency.observe(attempt.arm, tokens, attempt.seconds)

    def _written(self, arm: ArmSettings, state: RunState) -> int:
        """Tokens that one sample is predicted to write."""
        cap = token_cap(arm, self._models.settings(arm.model))
        return min(cap, COMPLETION_TOKENS[state["signals"].domain])

    def _facts(self, name: str, arm: ArmSettings, state: RunState, left: Left) -> _Facts:
        model = self._models.settings(arm.model)
        price = self._models.price(arm.model)
        plain = is_plain(state["query"])
        size = self._plain_size(arm, state) if plain else self._size(arm, state)
        method = Single() if plain else arm.method
        language = state["signals"].language
        capable = model.languages is None or language in {*model.languages, "und"}
        cannot = self._cannot(name, arm, state["query"]) if plain else None
        why_not = cannot or self._why_not(arm, state, size.prompt)
        if price is None:
            return _Facts(float("nan"), float("nan"), why_not, capable)
        one = price.cost(size.bound, size.cap * size.choices)
        # A method of several samples stops at what is left: `router.arms.spending`.
        every = worst_tokens(method, size.bound, size.cap * size.choices).times(1 + model.retries)
        worst = max(one, min(left.usd, price.cost(*every)))
        written = min(self._written(arm, state), size.cap) * size.choices
        predicted = min(worst, price.cost(*expected_tokens(method, size.prompt, written)))
        over_budget = over_cap = False
        if why_not is None:
            why_not, over_budget = _too_dear(one, left, state.get("refused", {}).get(name))
            over_cap = why_not is not None and not over_budget
        return _Facts(
            predicted, worst, why_not, capable, over_budget=over_budget, over_cap=over_cap
        )

    def _size(self, arm: ArmSettings, state: RunState) -> _Size:
        query = state["query"]
        chars = sum(len(m.content) for m in query.messages)
        extra, extra_bytes = self._passages(arm, state)
        template = TEMPLATE_TOKENS + instruction_bytes(arm.method)
        prompt = int((chars + extra) / CHARS_PER_TOKEN) + template
        cap = token_cap(arm, self._models.settings(arm.model))
        if arm.method.k == 1 and isinstance(arm.method, Single):
            cap = min(cap, query.sampling.max_tokens or cap)
        # The messages without the arm's own words, which `template` bounds.
        bare = [{"content": m.content} for m in query.messages]
        bound = prompt_bound(bare, None, query.response_format) + extra_bytes + template
        context = self._models.context_tokens(arm.model)
        if context is not None:
            bound, cap = min(bound, context), min(cap, context)
        return _Size(prompt, bound, cap)

    def _plain_size(self, arm: ArmSettings, state: RunState) -> _Size:
        """Of one call with what the client sent, and nothing of ours."""
        query, model = state["query"], self._models.settings(arm.model)
        cap = token_cap(arm, model)
        cap = min(cap, query.sampling.max_tokens or cap)
        bound = plain_bound(query, model.image_tokens, self._models.most_input(arm.model))
        prompt = min(bound, plain_tokens(query, CHARS_PER_TOKEN))
        return _Size(prompt, bound, cap, choices_asked(query))

    def _cannot(self, name: str, arm: ArmSettings, query: Query) -> str | None:
        """Why the arm cannot serve a request for more than a text, None where it can."""
        missing = sorted(hard_needs(query) - self._models.can(arm.model))
        if missing:
            return (
                f"its model cannot do what the request needs: {', '.join(missing)} "
                f"(models.{arm.model}.can)"
            )
        first = self._plainest[arm.model]
        return None if name == first else f"for such a request it makes the same call as {first}"

    def _passages(self, arm: ArmSettings, state: RunState) -> tuple[int, int]:
        """Characters and bytes that passages add to the arm's prompt: of the real ones, once
        they are known, else a bound."""
        if arm.context == "none":
            return 0, 0
        known, many = _known_passages(state), asks_many(arm, self._models.settings(arm.model))
        if known is None:
            most = self._settings.knowledge.passages
            chars = min(most, arm.passages or most) * PASSAGE_CHARS
            return chars, chars * (4 if many else 4 + ESCAPED_BYTES)
        read = known[: arm.passages]
        shown = passages_block(read)
        # Some providers write the form, which holds what may be quoted, into the prompt.
        form = len(json.dumps(reader_response_format(read, many=many)))
        return len(shown), len(shown.encode("utf-8", "replace")) + form

    def _why_not(self, arm: ArmSettings, state: RunState, prompt: int) -> str | None:
        """Why the arm cannot be run now whatever it costs, None where it can."""
        down = self._models.why_not(arm.model)
        if down is not None:
            return down
        query = state["query"]
        if arm.context == "index" and query.passages is None and not is_plain(query):
            lookup = state.get("lookup")
            broken = lookup.error if lookup is not None else None
            if self.index_why_not or broken:
                return self.index_why_not or broken
        context = self._models.context_tokens(arm.model)
        if context is not None and prompt >= context:
            return f"the prompt (about {prompt} tokens) does not fit its context of {context}"
        return None


def _too_dear(one: float, left: Left, refused: str | None) -> tuple[str | None, bool]:
    """Why there is no money for one sample, whose worst case is `one`; whether it is for the
    budget. `refused`: what the budget has said of the arm in this run."""
    if one > left.request_usd:
        rest = f"{max(left.request_usd, 0):.4f} left under {left.cap}"
        return f"its worst case, USD {one:.4f}, is above the USD {rest}", False
    if refused is not None:
        return refused, True
    if one > left.tenant_usd:
        return refusal(one, left.tenant_usd), True
    return None, False


def refusal(usd: float, left_usd: float) -> str:
    """What is said of an arm whose worst case the budget does not hold."""
    return (
        f"its worst case, USD {usd:.4f}, is above what the budget has left "
        f"(USD {max(left_usd, 0):.4f})"
    )


def _passed_over(
    facts: Mapping[str, _Facts], state: RunState, left_s: float | None
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


def _known_passages(state: RunState) -> tuple[Passage, ...] | None:
    lookup: Lookup | None = state.get("lookup")
    return state["query"].passages if lookup is None else lookup.passages


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


def _estimate(facts: _Facts) -> ArmEstimate:
    return ArmEstimate(
        available=facts.why_not is None,
        why_not=facts.why_not,
        over_budget=facts.over_budget,
        over_cap=facts.over_cap,
        predicted_cost_usd=None if np.isnan(facts.predicted) else facts.predicted,
        worst_cost_usd=None if np.isnan(facts.worst) else facts.worst,
        predicted_seconds=None if np.isnan(facts.seconds) else facts.seconds,
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
