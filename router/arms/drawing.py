"""One sample: asked, read, forced or checked as the arm's method says, and billed.

What: everything that concerns one sample alone. What not: how many there are, and which of them
is the answer (`router.arms.sampler`).
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from router.arms.forcing import asks_again, forced_call, joined
from router.arms.methods import BudgetForcing, Sampled, Single
from router.arms.prompts import is_foreign, messages_for
from router.arms.reader import reader_messages, reader_response_format
from router.arms.reading import Reading, read_completion
from router.arms.spectrum import Variant
from router.arms.spending import Bill, Refused, Spender
from router.arms.thinking import ThinkFilter
from router.arms.token_stats import token_stats
from router.models.completion import Completion, Endpoint
from router.needs import soft
from router.samples import AttemptStatus, ClaimCheck, TokenStats
from router.state import Passage, Query, Signals, Verdict
from router.verify.concluding import closed_answer

__all__ = [
    "LEAST_CHARS_PER_TOKEN",
    "ROOM",
    "Asking",
    "Drawn",
    "asked_sampling",
    "asked_softly",
    "draw",
    "room",
]

LEAST_CHARS_PER_TOKEN = 3
"""Dense text (numbers, code) has about three characters a token; prose has more."""
ROOM = 96
"""Tokens left for the chat template."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What all samples of one run have in common."""

    query: Query
    signals: Signals
    endpoint: Endpoint
    spender: Spender
    method: Sampled | Single
    passages: tuple[Passage, ...] | None
    """None for an arm that reads no index."""
    cap: int
    """Most tokens of a sample."""
    model_cap: int
    """Most tokens of any completion: what a caller lowers is the answer, not its checks."""
    context: int | None
    logprobs: int | None
    many: bool
    """Reads passages, and is asked for several statements, each with its passage."""
    opened: bool
    """The chat template opens the thinking itself."""


@dataclass(slots=True)
class Drawn:
    """One sample. It is filled as it is made, so that a cancelled one has its bill."""

    variant: Variant | None = None
    reading: Reading = field(default_factory=lambda: Reading("", AttemptStatus.CANCELLED))
    bill: Bill = field(default_factory=Bill)
    model: str = ""
    completion: Completion | None = None
    """The last one; of a forced answer both together."""
    own_tokens: tuple[int, int] = (0, 0)
    """Prompt of the first call, completion of all that wrote the answer."""
    logprobs: TokenStats | None = None
    verdict: Verdict | None = None
    claims: tuple[ClaimCheck, ...] = ()
    reliability: float | None = None
    error: str | None = None
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0


async def draw(
    asking: Asking,
    drawn: Drawn,
    on_text: Callable[[str], None] | None = None,
    on_reasoning: Callable[[str], None] | None = None,
) -> Drawn:
    """Fill one sample. Model errors end in its status."""
    messages = _messages(asking, drawn.variant)
    endpoint = _sampled(asking, drawn.variant)
    emit = ThinkFilter(on_text, opened=asking.opened) if on_text else None
    try:
        done = await asking.spender.call(
            drawn.bill, endpoint, messages,
            max_tokens=_first_cap(asking, messages),
            response_format=_form(asking), on_text=emit, on_reasoning=on_reasoning,
        )  # fmt: skip
        if isinstance(done, Refused):
            drawn.reading, drawn.error = Reading("", AttemptStatus.NOT_RUN), done.reason
            return drawn
        prompt = done.prompt_tokens
        if isinstance(asking.method, BudgetForcing) and asks_again(
            done, asking.signals.domain, opened=asking.opened, formed=_form(asking) is not None
        ):
            done, drawn.error = await _forced(
                asking, asking.method, drawn.bill, endpoint, messages, done
            )
    except asyncio.CancelledError:
        drawn.error = "stopped in the middle: it could change nothing any more"
        raise
    finally:
        drawn.seconds = time.perf_counter() - drawn.started
    drawn.completion, drawn.model = done, done.model
    drawn.own_tokens = (prompt, drawn.bill.completion_tokens)
    drawn.error = str(done.error) if done.error else drawn.error
    drawn.reading = read_completion(done, asking.passages, opened=asking.opened)
    closed = closed_answer(drawn.reading.text) if done.tokens else None
    drawn.logprobs = token_stats(done.tokens, closed.text if closed else None)
    return drawn


def _first_cap(asking: Asking, messages: Sequence[Mapping[str, str]]) -> int:
    """Most tokens of the first call: a forced answer needs room in the cap and the context."""
    cap, context = asking.cap, asking.context
    if isinstance(asking.method, BudgetForcing):
        answer = _answer_cap(asking, asking.method)
        cap = min(max(1, cap - answer), asking.method.budget_tokens)
        context = None if context is None else context - answer - ROOM
    return room(cap, messages, context)


def _answer_cap(asking: Asking, method: BudgetForcing) -> int:
    """Both calls together stay under the sample's cap, which a caller may have lowered."""
    return min(method.answer_tokens, max(1, asking.cap // 2))


async def _forced(
    asking: Asking,
    method: BudgetForcing,
    bill: Bill,
    endpoint: Endpoint,
    messages: Sequence[Mapping[str, str]],
    done: Completion,
) -> tuple[Completion, str | None]:
    """The answer asked for; the completion as it was, and why, where there is none."""
    domain, opened = asking.signals.domain, asking.opened
    again, asked = forced_call(
        method, endpoint, messages, done, domain,
        opened=opened, formed=_form(asking) is not None, foreign=is_foreign(asking.query, domain),
    )  # fmt: skip
    more = await asking.spender.call(
        bill, again, asked, max_tokens=_answer_cap(asking, method), response_format=_form(asking)
    )
    if isinstance(more, Refused):
        return done, f"no answer was forced: {more.reason}"
    if more.error is not None:
        return done, f"no answer was forced: {more.error}"
    if not (more.text or more.reasoning).strip():
        return done, "the forced answer was empty"
    return joined(method, asked[-1]["content"], done, more), None


def _messages(asking: Asking, variant: Variant | None) -> Sequence[Mapping[str, str]]:
    """The variant's instruction stands before the domain's; a reader's task takes none."""
    if asking.passages is not None:
        return reader_messages(asking.query, asking.passages, many=asking.many)
    return messages_for(
        asking.query, asking.signals.domain, variant.instruction if variant else None
    )


def _form(asking: Asking) -> Mapping[str, Any] | None:
    if asking.passages is not None:
        return reader_response_format(asking.passages, many=asking.many)
    return asking.query.response_format


def room(cap: int, messages: Sequence[Mapping[str, str]], context: int | None) -> int:
    """The cap, less where the context has no room for it beside the prompt."""
    if context is None:
        return cap
    prompt = sum(len(m["content"]) for m in messages) // LEAST_CHARS_PER_TOKEN
    return max(1, min(cap, context - prompt - ROOM))


def _sampled(asking: Asking, variant: Variant | None) -> Endpoint:
    """Temperature: the variant's, the method's, then the model's own.

    What a caller asks for stands for arms of one sample: several at its 0 would be one, paid
    several times.
    """
    wanted = asked_sampling(asking.query) if asking.method.k == 1 else {}
    own = asking.method.temperature if isinstance(asking.method, Sampled) else None
    if own is not None:
        wanted["temperature"] = own
    if variant is not None and variant.temperature is not None:
        wanted["temperature"] = variant.temperature
    if asking.method.k == 1 and asking.query.call:
        wanted |= asked_softly(asking.endpoint, asking.query)
    return replace(asking.endpoint, logprobs=asking.logprobs, **wanted)


def asked_sampling(query: Query) -> dict[str, Any]:
    """Fields of the endpoint for how the caller wants it sampled."""
    return query.sampling.model_dump(include={"temperature", "top_p"}, exclude_none=True)


def asked_softly(endpoint: Endpoint, query: Query) -> dict[str, Any]:
    """Fields of the endpoint for what any model is given (`router.needs.soft`)."""
    params = soft(query)
    stop = params.pop("stop", None)
    own = [stop] if isinstance(stop, str) else list(stop or ())
    return {"params": params, "stop": (*own, *(endpoint.stop or ())) or None}
