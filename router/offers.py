"""What each arm offers a query: predicted and worst cost, and why it cannot be run.

Facts only: prices, caps, needs. Tokens are predicted by plain constants a domain until they are
fitted; the worst case is a bound, not a prediction: a token is at least one byte of prompt, and
the completion stops at its cap. It trusts the provider to honour that cap and to bill what its
usage says.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from router.arms.bounds import expected_tokens, instruction_bytes, worst_tokens
from router.arms.latency import Latency
from router.arms.methods import Single
from router.arms.plain import PlainSize, plain_bound, plain_size, plain_tokens
from router.arms.reader import passages_block, reader_response_format
from router.arms.run import asks_many, token_cap
from router.arms.spending import prompt_bound
from router.bounds import Left
from router.concrete import plainest
from router.config import Settings
from router.models.pool import Models
from router.needs import Ability, choices_asked, form_needs, hard_needs, is_plain
from router.settings import ArmSettings
from router.state import ArmEstimate, Domain, Lookup, Passage, Query, RunState

__all__ = ["Offer", "Offers", "refusal"]

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
class _Asked:
    """What all arms are asked: read once of a query that may be long."""

    needs: frozenset[Ability]
    """What its model must be able to do."""
    plain: PlainSize | None
    """Of one plain call, where that is what it comes to."""
    chars: int
    bound: int
    """Most tokens of the messages, without any arm's own words."""
    written: int
    """Tokens that an answer in its domain has."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One arm, as of now. Costs in USD; `why_not` is None where the arm can be run."""

    predicted: float
    worst: float
    why_not: str | None
    capable: bool
    seconds: float
    over_budget: bool = False
    over_cap: bool = False
    unable: bool = False
    too_long: bool = False
    away: bool = False

    def told(self) -> ArmEstimate:
        """What will stand in the trace."""
        return ArmEstimate(
            available=self.why_not is None,
            why_not=self.why_not,
            over_budget=self.over_budget,
            over_cap=self.over_cap,
            unable=self.unable,
            too_long=self.too_long,
            away=self.away,
            predicted_cost_usd=_known(self.predicted),
            worst_cost_usd=_known(self.worst),
            predicted_seconds=_known(self.seconds),
        )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


class Offers:
    """The arms of a configuration, looked at for one query after another."""

    def __init__(self, settings: Settings, models: Models, index_why_not: str | None) -> None:
        self._settings = settings
        self._models = models
        self._plainest = plainest(settings.arms)
        self._latency = Latency()
        self.index_why_not = index_why_not

    def all(self, state: RunState, left: Left) -> dict[str, Offer]:
        """Every arm as of now."""
        asked = _asked(state, self._needs(state["query"]))
        return {
            name: self._of(name, arm, state, left, asked)
            for name, arm in self._settings.arms.items()
        }

    def took(self, state: RunState, arm: str, seconds: float) -> None:
        """Learn from an attempt how long its arm takes."""
        expected = COMPLETION_TOKENS[state["signals"].domain]
        self._latency.observe(arm, self._written(self._settings.arms[arm], expected), seconds)

    def _of(self, name: str, arm: ArmSettings, state: RunState, left: Left, asked: _Asked) -> Offer:
        model = self._models.settings(arm.model)
        price = self._models.price(arm.model)
        plain = asked.plain is not None
        size = self._size(arm, state, asked)
        expected = self._written(arm, asked.written)
        seconds = self._latency.expect(name, expected)
        method = Single() if plain else arm.method
        language = state["signals"].language
        capable = model.languages is None or language in {*model.languages, "und"}
        missing = self._missing(arm, asked.needs)
        again = self._same_call(name, arm) if plain else None
        down = self._models.why_not(arm.model)
        too_long = self._too_long(arm, size.prompt)
        why_not = missing or again or down or too_long or self._no_passages(arm, state)
        flags = {
            "unable": missing is not None,
            "too_long": too_long is not None,
            "away": self._models.away(arm.model),
        }
        if price is None:
            return Offer(float("nan"), float("nan"), why_not, capable, seconds, **flags)
        one = price.cost(size.bound, size.cap * size.choices)
        # A method of several samples stops at what is left: `router.arms.spending`.
        every = worst_tokens(method, size.bound, size.cap * size.choices).times(1 + model.retries)
        worst = max(one, min(left.usd, price.cost(*every)))
        written = min(expected, size.cap) * size.choices
        predicted = min(worst, price.cost(*expected_tokens(method, size.prompt, written)))
        over_budget = over_cap = False
        if why_not is None:
            why_not, over_budget = _too_dear(one, left, state.get("refused", {}).get(name))
            over_cap = why_not is not None and not over_budget
        return Offer(
            predicted, worst, why_not, capable, seconds,
            over_budget=over_budget, over_cap=over_cap, **flags,
        )  # fmt: skip

    def reads_passages(self, query: Query) -> bool:
        """Whether an arm that reads passages can be run, its model and its index being there."""
        if query.passages is None and self.index_why_not is not None:
            return False
        reading = (a for a in self._settings.arms.values() if a.context == "index")
        return any(self._models.why_not(arm.model) is None for arm in reading)

    def _written(self, arm: ArmSettings, expected: int) -> int:
        """Tokens that one sample is predicted to write, where its domain expects so many."""
        return min(token_cap(arm, self._models.settings(arm.model)), expected)

    def _size(self, arm: ArmSettings, state: RunState, asked: _Asked) -> _Size:
        query = state["query"]
        if asked.plain is not None:
            return self._plain_size(arm, query, asked.plain)
        extra, extra_bytes = self._passages(arm, state)
        template = TEMPLATE_TOKENS + instruction_bytes(arm.method)
        prompt = int((asked.chars + extra) / CHARS_PER_TOKEN) + template
        cap = token_cap(arm, self._models.settings(arm.model))
        if arm.method.k == 1 and isinstance(arm.method, Single):
            cap = min(cap, query.sampling.max_tokens or cap)
        bound = asked.bound + extra_bytes + template  # which bounds the arm's own words
        context = self._models.context_tokens(arm.model)
        if context is not None:
            bound, cap = min(bound, context), min(cap, context)
        return _Size(prompt, bound, cap)

    def _plain_size(self, arm: ArmSettings, query: Query, whole: PlainSize) -> _Size:
        """Of one call with what the client sent, and nothing of ours."""
        model = self._models.settings(arm.model)
        cap = token_cap(arm, model)
        cap = min(cap, query.sampling.max_tokens or cap)
        bound = plain_bound(whole, model.image_tokens, self._models.most_input(arm.model))
        prompt = min(bound, plain_tokens(whole, CHARS_PER_TOKEN))
        return _Size(prompt, bound, cap, choices_asked(query))

    def _needs(self, query: Query) -> frozenset[Ability]:
        """What the model must be able to do; the stated form only where some arm's can do it."""
        form = form_needs(query)
        able = any(form <= self._models.can(arm.model) for arm in self._settings.arms.values())
        return hard_needs(query) | form if able else hard_needs(query)

    def _missing(self, arm: ArmSettings, needs: frozenset[Ability]) -> str | None:
        """What the request needs and the arm's model cannot do."""
        missing = sorted(needs - self._models.can(arm.model))
        if not missing:
            return None
        return (
            f"its model cannot do what the request needs: {', '.join(missing)} "
            f"(models.{arm.model}.can)"
        )

    def _same_call(self, name: str, arm: ArmSettings) -> str | None:
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

    def _no_passages(self, arm: ArmSettings, state: RunState) -> str | None:
        """Why an arm that reads passages has none to read, None where it has."""
        query = state["query"]
        if arm.context != "index" or query.passages is not None or is_plain(query):
            return None
        lookup = state.get("lookup")
        return self.index_why_not or (lookup.error if lookup is not None else None)

    def _too_long(self, arm: ArmSettings, prompt: int) -> str | None:
        """That the prompt does not fit the model's context, None where it does."""
        context = self._models.context_tokens(arm.model)
        if context is None or prompt < context:
            return None
        return f"the prompt (about {prompt} tokens) does not fit its context of {context}"


def _asked(state: RunState, needs: frozenset[Ability]) -> _Asked:
    query, expected = state["query"], COMPLETION_TOKENS[state["signals"].domain]
    if is_plain(query):  # sized by what the client sent (`_plain_size`)
        return _Asked(needs, plain_size(query), 0, 0, expected)
    bare = [{"content": m.content} for m in query.messages]
    bound = prompt_bound(bare, None, query.response_format)
    return _Asked(needs, None, sum(len(m.content) for m in query.messages), bound, expected)


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


def _known_passages(state: RunState) -> tuple[Passage, ...] | None:
    lookup: Lookup | None = state.get("lookup")
    return state["query"].passages if lookup is None else lookup.passages
