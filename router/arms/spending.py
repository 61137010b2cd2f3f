"""What a run of an arm may spend, and what it has spent: every call goes through here.

A call starts only if what was spent, the worst cases of the calls in flight and its own worst
case stay under what the request has left. Otherwise it waits for calls in flight to settle
(they mostly cost less than their worst case), and where there is none it is refused. So the
cap holds with any number of samples in flight, if the provider honours `max_tokens`.

Every call is charged to a `Bill`, also one that fails or is cancelled in the middle: then with
what had arrived, and the prompt as a sibling's usage counted it.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from router.errors import (
    BadResponse,
    ModelAuthError,
    ModelDied,
    ModelTimeout,
    ModelUnavailable,
    RequestRejected,
)
from router.models.client import complete
from router.models.completion import Completion, Endpoint, Plain
from router.state import Price

__all__ = ["Bill", "Refused", "Spender", "Tab", "prompt_bound"]

_TOO_DEAR = "its worst case is above what the request has left (limits.max_cost_usd)"
_TOO_LATE = "the request's time was over (limits.timeout_s)"
RETRY_PAUSE_S = 0.2
"""Mean pause before the first retry."""
BASE_TOKENS, MESSAGE_TOKENS = 32, 16
"""Chat template: of a call, and of each message, bounded from above."""

ChatMessages = Sequence[Mapping[str, Any]]


def prompt_bound(
    messages: ChatMessages,
    context: int | None = None,
    response_format: Mapping[str, Any] | None = None,
) -> int:
    """Most tokens that a prompt can be: a token is at least one byte. `context` bounds all."""
    texts = [m["content"] for m in messages]
    if response_format is not None:  # some providers write the schema into the prompt
        texts.append(json.dumps(response_format))
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    bound = size + BASE_TOKENS + MESSAGE_TOKENS * len(messages)
    return bound if context is None else min(bound, context)


@dataclass(slots=True)
class Bill:
    """Tokens and USD of the calls that made one sample, its claims and checks included."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    basis: Literal["reported", "counted"] = "reported"

    def add(self, prompt: int, completion: int, usd: float, *, counted: bool) -> None:
        """One more call."""
        self.prompt_tokens += prompt
        self.completion_tokens += completion
        self.cost_usd += usd
        if counted:
            self.basis = "counted"


@dataclass(slots=True)
class Tab:
    """What a run of an arm has spent so far, whatever becomes of it: kept by who pays for it.

    `usd` is a bound: a call that ended without the server's own count is in it with its worst
    case, because only the server knows what it wrote (hidden reasoning, a buffer that was never
    read). Calls to a machine that is paid by the hour are in it as they were counted here.
    """

    usd: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    known: bool = True
    """Every call was counted by its server."""

    def add(self, prompt: int, completion: int, usd: float, *, known: bool) -> None:
        """One more call, at most so dear."""
        self.prompt_tokens += prompt
        self.completion_tokens += completion
        self.usd += usd
        self.known &= known


class Refused(NamedTuple):
    """A call that was not made, and why."""

    reason: str


def _again(done: Completion, endpoint: Endpoint) -> bool:
    """Whether another try could end better, and nobody has seen anything of this one."""
    if done.first_token_seconds is not None:
        return False
    if isinstance(done.error, ModelAuthError):  # another deployment has another key
        return endpoint.deployments is not None
    if isinstance(done.error, RequestRejected):  # and might take other fields
        return endpoint.deployments is not None
    return isinstance(done.error, ModelUnavailable | ModelTimeout | ModelDied | BadResponse)


def _pause_s(tried: int) -> float:
    """Seconds before the next try, doubling; by lot, so that clients do not come back at once."""
    return float(min(2.0, RETRY_PAUSE_S * 2**tried) * random.uniform(0.5, 1.5))  # noqa: S311


class Spender:
    """Makes the calls of one run of one arm.

    Args:
        left_usd: what the request has left; the sum of all calls stays under it.
        deadline: on `time.perf_counter`'s clock; no call is started after it.
        context: tokens of prompt and completion together; None where nobody knows.
        parallel: calls in flight at once.
        tab: gets every call, also where the run is cancelled.
    """

    def __init__(
        self,
        price: Price,
        left_usd: float,
        deadline: float,
        context: int | None = None,
        parallel: int = 1,
        tab: Tab | None = None,
    ) -> None:
        self.price, self.left_usd = price, left_usd
        self.tab = Tab() if tab is None else tab
        self.deadline, self._context = deadline, context
        self._reserved = 0.0
        self._in_flight = 0
        self._settled = asyncio.Condition()
        self._room = asyncio.Semaphore(parallel)
        self._prompts: dict[int, int] = {}

    async def call(
        self,
        bill: Bill,
        endpoint: Endpoint,
        messages: ChatMessages,
        *,
        max_tokens: int,
        response_format: Mapping[str, Any] | None = None,
        on_text: Callable[[str], None] | None = None,
        on_reasoning: Callable[[str], None] | None = None,
        plain: "tuple[Plain, int] | None" = None,
    ) -> "Completion | Refused":
        """One call, charged to the bill; refused where there is no money or no time for it.

        Args:
            plain: the parameters of a plain call, and the most tokens that its prompt can be.

        A call that ended before its first token is tried again up to `endpoint.retries` times,
        each one afforded and charged like the first; where it cannot be, the first one stands.
        """
        args = (bill, endpoint, messages, max_tokens, response_format, on_text, on_reasoning, plain)
        told = await self._once(*args)
        for tried in range(endpoint.retries):
            if isinstance(told, Refused) or not _again(told, endpoint):
                return told
            # Another deployment need not wait.
            pause = _pause_s(tried) if endpoint.deployments is None else 0.0
            if time.perf_counter() + pause >= self.deadline:
                return told
            await asyncio.sleep(pause)
            again = await self._once(*args)
            if isinstance(again, Refused):
                return told
            told = again
        return told

    async def _once(
        self,
        bill: Bill,
        endpoint: Endpoint,
        messages: ChatMessages,
        max_tokens: int,
        response_format: Mapping[str, Any] | None,
        on_text: Callable[[str], None] | None,
        on_reasoning: Callable[[str], None] | None,
        plain: "tuple[Plain, int] | None",
    ) -> "Completion | Refused":
        if plain is None:
            bound, most = prompt_bound(messages, self._context, response_format), max_tokens
        else:
            bound, most = plain[1], max_tokens * (plain[0].call.get("n") or 1)
        worst = self.price.cost(bound, most)
        if not await self._afford(worst):
            return Refused(_TOO_DEAR)
        done: list[Completion] = []
        try:
            async with self._room:
                left_s = self.deadline - time.perf_counter()
                if left_s <= 0:
                    return Refused(_TOO_LATE)
                completion = await complete(
                    endpoint,
                    messages,
                    max_tokens=max_tokens,
                    timeout_s=left_s,
                    response_format=response_format,
                    on_text=on_text,
                    on_cancel=done.append,
                    on_reasoning=on_reasoning,
                    plain=None if plain is None else plain[0],
                )
            done.append(completion)
            return completion
        finally:
            for one in done:
                self._charge(bill, one, messages, worst)
            await asyncio.shield(self._release(worst))

    async def _afford(self, worst: float) -> bool:
        async with self._settled:
            while self.tab.usd + self._reserved + worst > self.left_usd:
                if self._in_flight == 0:
                    return False
                await self._settled.wait()
            self._reserved += worst
            self._in_flight += 1
            return True

    async def _release(self, worst: float) -> None:
        async with self._settled:
            self._reserved -= worst
            self._in_flight -= 1
            self._settled.notify_all()

    def _charge(self, bill: Bill, done: Completion, messages: ChatMessages, worst: float) -> None:
        key = hash(tuple(str(m.get("content")) for m in messages))
        prompt = done.prompt_tokens
        if done.tokens_basis == "reported":
            self._prompts[key] = prompt
        elif prompt:
            prompt = self._prompts.get(key, prompt)
        usd = self.price.cost(prompt, done.completion_tokens, done.cached_tokens)
        # A call that surely cost nothing needs no server to say so.
        unknown = done.tokens_basis == "counted" and bool(prompt or done.completion_tokens)
        bill.add(prompt, done.completion_tokens, usd, counted=unknown)
        most = worst if unknown and self.price.metered else usd
        self.tab.add(prompt, done.completion_tokens, most, known=not unknown)
