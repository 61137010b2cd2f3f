"""What a configured model can do, found out by real completions; `ockham models check`.

Each capability ends as `ok`, `not supported` (the server refuses it, or takes it and does
something else) or `failed` with the reason. None of them raises; only a model that cannot
be reached at all does. A hosted model charges for it: about thirty short completions.

How a few are told
- one stream: tokens after the first over the time after the first; eight streams: all
  tokens over the wall clock of eight completions started together, the second time: a server
  may compile what a batch needs when the first one comes (vLLM on an H100: six times slower).
- stop: three strings that no text avoids for long; none may stand in the answer.
- continue_final_message: one more word in an unfinished assistant turn may lengthen the
  prompt by that word only; a server that closes the turn and opens another adds five tokens.
- usage in a stream: its prompt tokens are those of the same call without a stream. LiteLLM
  fills in a count of its own where a server sends none, and that one differs.

Not covered: quality, tool calls, images, and whether logprobs are right.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from router.config import Settings
from router.errors import BadResponse, ModelError
from router.models.client import complete, request
from router.models.completion import Completion, Endpoint
from router.models.failures import model_error
from router.models.pool import Models
from router.models.probe import completion_rate
from router.settings import ArmSettings

__all__ = ["Fact", "Report", "check_model"]

TOKENS = 96
"""Of a completion whose speed is told."""
STREAMS = 8
CALL_S = 120.0
STOPS = ("e", "a", " ")
SPEEDS: Mapping[str, int] = {"one stream": 1, f"{STREAMS} streams": STREAMS}
SAMPLES = 4
TOP = 5
END_TOKENS = ("<|im_end|>", "<|endoftext|>")
ONE_WORD_TOKENS = 3
"""Most tokens that one short word takes."""

Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a model can or cannot do. `value` is its figure, where it has one."""

    name: str
    state: Literal["ok", "not supported", "failed"]
    said: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was found; `facts` in the order in which they are shown."""

    name: str
    model: str
    api_base: str | None
    measured_at: str
    tokens_per_s: Mapping[int, float]
    """By streams at once, all of them together; without those that failed."""
    facts: tuple[Fact, ...]


class _Found(NamedTuple):
    ok: bool
    said: str
    value: float | None = None


_UNPRICED = Fact("price", "failed", "nothing says what it costs")


async def check_model(settings: Settings, name: str) -> Report:
    """Check one model, its server started and stopped where the configuration says so.

    Raises:
        ModelUnavailable: it is not configured, or cannot complete at all.
    """
    arms = {name: ArmSettings(model=name)}
    alone = {name: settings.models[name]}
    models = Models(settings.model_copy(update={"models": alone, "arms": arms}))
    try:
        await models.start()
        endpoint = models.endpoint(name)
        facts = [await _fact(title, check, endpoint) for title, check in CHECKS.items()]
        facts.insert(1, _context(models.context_tokens(name)))
        price = models.price(name)
        priced = Fact("price", "ok", price.basis) if price else _UNPRICED
        return Report(
            name=name,
            model=endpoint.model,
            api_base=endpoint.api_base,
            measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
            tokens_per_s={
                streams: fact.value
                for fact in facts
                if (streams := SPEEDS.get(fact.name)) and fact.value is not None
            },
            facts=(*facts, priced),
        )
    finally:
        models.stop()


def _context(tokens: int | None) -> Fact:
    if tokens is None:
        return Fact("context", "failed", "neither the server nor context_tokens says it")
    return Fact("context", "ok", f"{tokens:,} tokens", tokens)


async def _fact(
    title: str, check: Callable[[Endpoint], Awaitable[_Found]], endpoint: Endpoint
) -> Fact:
    """Whatever goes wrong inside a check is its result."""
    try:
        found = await asyncio.wait_for(check(endpoint), CALL_S)
    except Exception as error:
        known = error if isinstance(error, ModelError) else model_error(endpoint, error)
        # A request that is refused as such is a capability that is not there.
        state: Literal["not supported", "failed"] = (
            "not supported" if isinstance(known, BadResponse) else "failed"
        )
        return Fact(title, state, str(known or error) or type(error).__name__)
    return Fact(title, "ok" if found.ok else "not supported", found.said, found.value)


def _user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


STORY = _user("Write a long story about a fox and a crow.")


async def _streamed(endpoint: Endpoint, messages: Messages = STORY) -> Completion:
    done = await complete(endpoint, messages, max_tokens=TOKENS, timeout_s=CALL_S)
    if done.error is not None:
        raise done.error
    return done


async def _whole(
    endpoint: Endpoint, messages: Messages = STORY, tokens: int = 8, **more: Any
) -> Any:
    async with asyncio.timeout(CALL_S):
        return await request(endpoint, messages, max_tokens=tokens, **more)


async def _completion(endpoint: Endpoint) -> _Found:
    done = await _streamed(endpoint)
    leaked = [token for token in END_TOKENS if token in done.text]
    if leaked:
        return _Found(False, f"end tokens stand in the text: {' '.join(leaked)}")
    return _Found(True, f"{done.completion_tokens} tokens, finish {done.finish}")


async def _one_stream(endpoint: Endpoint) -> _Found:
    rate = completion_rate(await _streamed(endpoint))
    return _Found(True, f"{rate:.1f} tokens/s", rate)


async def _many_streams(endpoint: Endpoint) -> _Found:
    await _together(endpoint, "crows")
    start = asyncio.get_running_loop().time()
    done = await _together(endpoint, "foxes")
    seconds = asyncio.get_running_loop().time() - start
    rate = sum(one.completion_tokens for one in done) / seconds
    return _Found(True, f"{rate:.1f} tokens/s in total", rate)


async def _together(endpoint: Endpoint, animal: str) -> list[Completion]:
    asked = [_user(f"Write a long story about {i} {animal}.") for i in range(1, STREAMS + 1)]
    # `complete` returns its error: one that raised would leave the others running behind it.
    calls = (complete(endpoint, m, max_tokens=TOKENS, timeout_s=CALL_S) for m in asked)
    done = await asyncio.gather(*calls)
    for one in done:
        if one.error is not None:
            raise one.error
    return done


async def _streaming(endpoint: Endpoint) -> _Found:
    done = await _streamed(endpoint)
    first = done.first_token_seconds or 0.0
    return _Found(done.pieces > 1, f"{done.pieces} pieces, the first after {first:.2f} s")


async def _usage(endpoint: Endpoint) -> _Found:
    streamed = await _streamed(endpoint)
    whole = (await _whole(endpoint)).usage.prompt_tokens
    if streamed.tokens_basis != "reported" or streamed.prompt_tokens != whole:
        return _Found(False, f"{streamed.prompt_tokens} prompt tokens streamed, {whole} otherwise")
    return _Found(True, f"{whole} prompt tokens, streamed or not")


async def _logprobs(endpoint: Endpoint) -> _Found:
    answer = await _whole(endpoint, logprobs=True, top_logprobs=TOP)
    content = getattr(getattr(answer.choices[0], "logprobs", None), "content", None) or []
    if not content:
        return _Found(False, "none came back")
    return _Found(True, f"{len(content)} tokens, {len(content[0].top_logprobs)} alternatives each")


async def _samples(endpoint: Endpoint) -> _Found:
    answer = await _whole(replace(endpoint, temperature=1.0), n=SAMPLES)
    got = len(answer.choices)
    return _Found(got == SAMPLES, f"{got} of {SAMPLES} samples in one request")


async def _stop(endpoint: Endpoint) -> _Found:
    done = await _streamed(replace(endpoint, stop=STOPS))
    seen = [mark for mark in STOPS if mark in done.text]
    if seen or done.finish != "stop":
        return _Found(False, f"the text went on past {seen or STOPS!r}")
    return _Found(True, "honoured")


async def _continue(endpoint: Endpoint) -> _Found:
    begun = [*STORY, {"role": "assistant", "content": "Once"}]
    flags = {"continue_final_message": True, "add_generation_prompt": False}
    alone = (await _whole(endpoint, tokens=1)).usage.prompt_tokens
    longer = (await _whole(endpoint, begun, 1, extra_body=flags)).usage.prompt_tokens - alone
    return _Found(0 < longer <= ONE_WORD_TOKENS, f"one word begun: {longer} more prompt tokens")


CHECKS: Mapping[str, Callable[[Endpoint], Awaitable[_Found]]] = {
    "completion": _completion,
    "one stream": _one_stream,
    f"{STREAMS} streams": _many_streams,
    "streaming": _streaming,
    "usage in a stream": _usage,
    "logprobs": _logprobs,
    "n": _samples,
    "stop": _stop,
    "continue_final_message": _continue,
}
