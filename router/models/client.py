"""One model, called through LiteLLM; always streamed, always settled.

`complete` never loses what was spent: however the call ends, it returns a `Completion`
with the tokens, the time and, where it failed, the error. Cancelling the task closes the
upstream connection, which makes the server stop its work.

A stream that breaks off looks complete through LiteLLM (it fills in a finish reason and a
usage of its own, seen in 1.106); what the *server* said is `received_finish_reason`, and
without one the completion counts as cut off.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from router.errors import (
    BadResponse,
    ContextOverflow,
    ModelAuthError,
    ModelDied,
    ModelError,
    ModelStalled,
    ModelTimeout,
    ModelUnavailable,
    ModelUnreachable,
    RequestRejected,
)
from router.models.choices import Choices
from router.models.deployments import Deployments
from router.models.logprobs import TokenLogprob, overhear, read_logprobs
from router.models.wire import StreamError, raw_chunks

__all__ = [
    "Completion",
    "Endpoint",
    "Plain",
    "close_clients",
    "complete",
    "load_litellm",
    "model_error",
    "request",
]

ChatMessages = Sequence[Mapping[str, Any]]
TRANSPORT_TIMEOUT_S = 3600.0
"""Backstop of the connection alone."""
TURN_S = 0.002
"""Longest that one stream may keep the event loop to itself."""
MOST_CHARS_PER_TOKEN = 5
"""Of running text; words of code and numbers have fewer."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how a model is called. `model` is LiteLLM's name, provider prefix included."""

    name: str
    """The configuration's name of the model: error messages start with it."""
    model: str
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] | None = None
    stall_s: float = 60.0
    extra_body: Mapping[str, Any] | None = None
    """Fields of the server's own, beyond OpenAI's."""
    logprobs: int | None = None
    """Ask for the log-probability of each token, and of so many candidates in its place."""
    params: Mapping[str, Any] | None = None
    """Further parameters of OpenAI's, as the caller sent them."""
    retries: int = 0
    """Further tries of a call that ended before its first token (`router.arms.spending`)."""
    deployments: "Deployments | None" = field(default=None, repr=False, compare=False)
    deployment: str | None = None
    """Which of them is asked."""


@dataclass(frozen=True, slots=True)
class Completion:
    """How one call ended. Seconds are wall clock; `text` excludes separate reasoning."""

    model: str
    text: str
    finish: Literal["stop", "length", "error"]
    prompt_tokens: int
    completion_tokens: int
    tokens_basis: Literal["reported", "counted"]
    seconds: float
    first_token_seconds: float | None
    last_token_seconds: float | None
    error: ModelError | None = None
    reasoning: str = ""
    """What came in a field of its own (`reasoning_content`); never part of `text`."""
    pieces: int = 0
    """In how many chunks it came."""
    tokens: tuple[TokenLogprob, ...] = ()
    """Where log-probabilities were asked for and given."""
    choices: tuple[Mapping[str, Any], ...] = ()
    """As OpenAI's API has them, of a plain call."""
    deployment: str | None = None
    """Which of several answered, or failed."""
    cached_tokens: int = 0
    """Of the prompt's, what the provider read from its cache."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A call whose choices are wanted as they are."""

    call: Mapping[str, Any]
    """OpenAI's parameters beside the messages: tools, n, ..."""
    on_delta: Callable[[Mapping[str, Any]], None]
    """Gets every delta, with the index of its choice."""

    @property
    def whole(self) -> bool:
        """Asked for without streaming: LiteLLM's streams lose all choices but the first, and the
        log-probabilities of chunks without text."""
        return (self.call.get("n") or 1) > 1 or bool(self.call.get("logprobs"))


class _Tally:
    """What has arrived so far: the one place that turns a stream into a `Completion`."""

    def __init__(
        self, endpoint: Endpoint, messages: ChatMessages, plain: Plain | None = None
    ) -> None:
        self.endpoint = endpoint
        self.plain = plain
        self.choices = Choices()
        self.start = time.perf_counter()
        self.parts: list[str] = []
        self.thoughts: list[str] = []
        self.tokens: list[TokenLogprob] = []
        self.overheard: list[TokenLogprob] = []
        self.pieces = 0
        self.first: float | None = None
        self.last: float | None = None
        self.model = endpoint.model
        self.usage: Any = None
        self.finish: str | None = None
        self.done: Completion | None = None
        self._prompt_chars = sum(len(_written(m.get("content"))) for m in messages)

    def add(self, chunk: Any) -> tuple[str, str]:
        """Take one chunk; returns its visible text and its reasoning."""
        self._count(getattr(chunk, "usage", None))
        if not chunk.choices:
            return "", ""
        self.finish = chunk.choices[0].finish_reason or self.finish
        delta = chunk.choices[0].delta
        text: str = delta.content or ""
        thought: str = getattr(delta, "reasoning_content", None) or ""
        self.thoughts.append(thought)
        self.tokens += read_logprobs(chunk.choices[0])
        came = bool(text or thought)
        if self.plain is not None:
            for piece in self.choices.add(chunk):
                came = True
                self.plain.on_delta(piece)
        if came:
            self._mark()
        self.parts.append(text)
        return text, thought

    def take(self, response: Any, plain: Plain) -> None:
        """Take a whole response in place of a stream."""
        self._count(getattr(response, "usage", None))
        self._mark()
        for piece in self.choices.take(response):
            plain.on_delta(piece)
        message = response.choices[0].message
        self.parts.append(message.content or "")
        self.thoughts.append(getattr(message, "reasoning_content", None) or "")

    def _mark(self) -> None:
        """Something came."""
        self.pieces += 1
        self.last = time.perf_counter() - self.start
        self.first = self.first if self.first is not None else self.last

    def _count(self, usage: Any) -> None:
        if usage is not None and _is_count(usage.prompt_tokens, usage.completion_tokens):
            self.usage = usage

    def overhear(self, chunk: Any) -> None:
        """Take the log-probabilities of a chunk that LiteLLM has not looked at yet."""
        for choice in getattr(chunk, "choices", None) or ():
            self.overheard += read_logprobs(choice)

    def close(
        self, finish: str | None, error: ModelError | None = None, *, read: bool = True
    ) -> Completion:
        """Settle: reported tokens where the server reported them, counted pieces otherwise.

        `read`: the server may have read the prompt, and so charge it.
        """
        reported = self.usage is not None and error is None
        prompt = self.usage.prompt_tokens if reported else max(1, self._prompt_chars // 4)
        tokens = max(self.tokens, self.overheard, key=len)
        # A chunk may hold several tokens.
        chars = sum(map(len, self.parts)) + sum(map(len, self.thoughts))
        counted = max(self.pieces, len(tokens), chars // MOST_CHARS_PER_TOKEN)
        completion = self.usage.completion_tokens if reported else counted
        self.done = Completion(
            model=self.model,
            text="".join(self.parts),
            finish="error" if error else ("length" if finish == "length" else "stop"),
            prompt_tokens=prompt if (reported or read or self.first is not None) else 0,
            completion_tokens=completion,
            tokens_basis="reported" if reported else "counted",
            seconds=time.perf_counter() - self.start,
            first_token_seconds=self.first,
            last_token_seconds=self.last,
            error=error,
            reasoning="".join(self.thoughts),
            pieces=self.pieces,
            tokens=tuple(tokens),
            choices=self.choices.told(finish) if self.plain is not None else (),
            deployment=self.endpoint.deployment,
            cached_tokens=_cached(self.usage) if reported else 0,
        )
        return self.done


def _written(content: Any) -> str:
    """The text of a turn, of which OpenAI's API knows several forms."""
    return content if isinstance(content, str) else "" if content is None else str(content)


def _cached(usage: Any) -> int:
    """Of the prompt tokens those that came from the provider's cache; never more than all."""
    details = getattr(usage, "prompt_tokens_details", None)
    cached = getattr(details, "cached_tokens", None) or 0
    return min(cached, usage.prompt_tokens) if _is_count(cached) else 0


def _is_count(*values: object) -> bool:
    """Whether a server's usage can be believed: a negative one would raise the cost cap."""
    return all(isinstance(value, int) and value >= 0 for value in values)


async def complete(
    endpoint: Endpoint,
    messages: ChatMessages,
    *,
    max_tokens: int,
    timeout_s: float,
    response_format: Mapping[str, Any] | None = None,
    on_text: Callable[[str], None] | None = None,
    on_cancel: Callable[[Completion], None] | None = None,
    on_reasoning: Callable[[str], None] | None = None,
    plain: Plain | None = None,
) -> Completion:
    """Call the model once. Model errors are returned in the `Completion`, not raised.

    Args:
        messages: OpenAI's role/content pairs.
        max_tokens: the cap that prices the worst case.
        timeout_s: wall clock for the whole call; each token also has `stall_s`.
        on_text: called with every piece of visible text as it arrives.
        on_cancel: where the task is cancelled, called with what had arrived: it was paid for.
        on_reasoning: called with every piece of reasoning that comes in a field of its own.
        plain: the call's own parameters, and who wants its choices as they are.
    """
    tally = _Tally(endpoint, messages, plain)
    deployments = endpoint.deployments
    if deployments is not None:
        try:
            endpoint = tally.endpoint = await deployments.pick(endpoint)
        except ModelUnavailable as error:
            return tally.close(None, error, read=False)
        tally.model = endpoint.model
    try:
        return await _complete(
            endpoint, messages, tally,
            max_tokens=max_tokens, timeout_s=timeout_s,
            response_format=response_format, on_text=on_text, on_reasoning=on_reasoning,
        )  # fmt: skip
    except asyncio.CancelledError:
        if on_cancel is not None:
            on_cancel(tally.done or tally.close(None))
        raise


async def _complete(
    endpoint: Endpoint,
    messages: ChatMessages,
    tally: _Tally,
    *,
    max_tokens: int,
    timeout_s: float,
    response_format: Mapping[str, Any] | None,
    on_text: Callable[[str], None] | None,
    on_reasoning: Callable[[str], None] | None,
) -> Completion:
    stream: Any = None
    plain = tally.plain
    try:
        async with asyncio.timeout(timeout_s) as whole:
            if plain is not None and plain.whole:
                response = await request(endpoint, messages, max_tokens=max_tokens, **plain.call)
                if not response.choices:
                    return tally.close(None, _cut_off(endpoint, tally))
                tally.take(response, plain)
                return tally.close(response.choices[0].finish_reason)
            async with asyncio.timeout(endpoint.stall_s):
                asked = _asked_logprobs(endpoint) if plain is None else dict(plain.call)
                if response_format:
                    asked["response_format"] = dict(response_format)
                stream = await request(
                    endpoint,
                    messages,
                    max_tokens=max_tokens,
                    stream=True,
                    stream_options={"include_usage": True},
                    **asked,
                )
            direct = raw_chunks(stream, _named_callbacks())
            if direct is None and endpoint.logprobs is not None:
                overhear(stream, tally.overhear)
            source = stream if direct is None else direct
            await _drain(source, tally, endpoint, on_text, on_reasoning)
        # LiteLLM's chunks hold finish reasons of its own making.
        finish = tally.finish if direct else getattr(stream, "received_finish_reason", None)
        if finish is None:
            broken = _cut_off(endpoint, tally)
            _tell(endpoint, broken)
            return tally.close(None, broken)
        return tally.close(finish)
    except TimeoutError:
        said = f"no token for {endpoint.stall_s:g} s"
        if whole.expired():
            said = f"not finished within the {timeout_s:.1f} s that were left"
        else:
            _tell(endpoint, load_litellm().Timeout(said, endpoint.model, endpoint.name))
            return tally.close(None, ModelStalled(f"models.{endpoint.name}: {said}"))
        return tally.close(None, ModelTimeout(f"models.{endpoint.name}: {said}"))
    except Exception as error:
        known = model_error(endpoint, error, started=tally.first is not None)
        if known is None:
            raise
        _tell(endpoint, error)
        return tally.close(None, known, read=not refused_unread(error))
    finally:
        if stream is not None:
            # Shielded: a cancelled task must still hang up, or the server writes on.
            await asyncio.shield(_hang_up(stream))


def _tell(endpoint: Endpoint, error: Exception) -> None:
    """A deployment that failed is left out for a while."""
    if endpoint.deployments is not None and endpoint.deployment is not None:
        if isinstance(error, ModelError):  # LiteLLM judges by its own errors' status
            said = str(error)
            error = load_litellm().InternalServerError(said, endpoint.name, endpoint.model)
        endpoint.deployments.failed(endpoint.deployment, error)


async def request(
    endpoint: Endpoint, messages: ChatMessages, *, max_tokens: int, **more: Any
) -> Any:
    """One call as LiteLLM answers it, with any further parameter of its; raises its errors.

    For what `complete` does not read (n, logprobs); everything else goes through `complete`.
    The caller watches the clock.
    """
    optional = {
        "temperature": endpoint.temperature,
        "top_p": endpoint.top_p,
        "stop": list(endpoint.stop) if endpoint.stop else None,
        "api_base": endpoint.api_base,
        "api_key": endpoint.api_key,
        "extra_body": dict(endpoint.extra_body) if endpoint.extra_body else None,
        **(endpoint.params or {}),
        **more,
    }
    return await load_litellm().acompletion(
        model=endpoint.model,
        messages=[dict(m) for m in messages],
        max_tokens=max_tokens,
        # LiteLLM keeps a client, with its connections, for each timeout it is given; ours differ
        # by what is left of the request, and are watched in `complete`.
        timeout=TRANSPORT_TIMEOUT_S,
        num_retries=0,
        max_retries=0,
        # A reasoning model that takes no temperature should answer, not fail.
        drop_params=True,
        # Its own handler of tools connects to servers that a tool names, and needs their package.
        _skip_mcp_handler=True,
        **{key: value for key, value in optional.items() if value is not None},
    )


def _asked_logprobs(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.logprobs is None:
        return {}
    return {"logprobs": True, "top_logprobs": endpoint.logprobs}


async def _drain(
    stream: Any,
    tally: _Tally,
    endpoint: Endpoint,
    on_text: Callable[[str], None] | None,
    on_reasoning: Callable[[str], None] | None,
) -> None:
    loop = asyncio.get_running_loop()
    turn = loop.time()
    async with asyncio.timeout(endpoint.stall_s) as stall:
        async for chunk in stream:
            now = loop.time()
            stall.reschedule(now + endpoint.stall_s)
            text, thought = tally.add(chunk)
            if thought and on_reasoning is not None:
                on_reasoning(thought)
            if text and on_text is not None:
                on_text(text)
            if now - turn > TURN_S:
                # A server that writes faster than this reads would never let the loop go on.
                await asyncio.sleep(0)
                turn = loop.time()


def _named_callbacks() -> list[str]:
    """Services (Langfuse, ...) that LiteLLM was told to show each call to."""
    litellm = load_litellm()
    return [c for c in (*litellm.callbacks, *litellm.success_callback) if isinstance(c, str)]


async def _hang_up(stream: Any) -> None:
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()


async def close_clients() -> None:
    """Hang up all that LiteLLM keeps open in this event loop; call it before the loop ends.

    Left to the garbage collector they would keep their sockets until it finds them.
    """
    if "litellm" not in sys.modules:
        return
    cache = load_litellm().in_memory_llm_clients_cache
    # LiteLLM's key of a client ends with the loop that it belongs to.
    own = f"-{id(asyncio.get_running_loop())}"
    for key in [key for key in cache.cache_dict if key.endswith(own)]:
        client = cache.cache_dict.pop(key)
        cache.ttl_dict.pop(key, None)
        with suppress(Exception):  # a broken connection is closed enough
            await client.close()


def load_litellm() -> Any:
    """LiteLLM, imported where the first call is made (seconds), quiet and offline."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    # It would cut a looping model off as if its server had died; our token cap ends loops.
    setattr(litellm, "REPEATED_STREAMING_CHUNK_LIMIT", sys.maxsize)  # noqa: B010
    return litellm


def _cut_off(endpoint: Endpoint, tally: _Tally) -> ModelError:
    if tally.first is None:
        return BadResponse(
            f"models.{endpoint.name}: the server answered no chat completion; "
            f"is models.{endpoint.name}.api_base an OpenAI-compatible /v1?"
        )
    return ModelDied(
        f"models.{endpoint.name}: the model server broke off in the middle of its answer "
        f"(after {tally.pieces} pieces)"
    )


def model_error(
    endpoint: Endpoint, error: Exception, *, started: bool = False
) -> ModelError | None:
    """LiteLLM's exceptions in our words; None for an error that is not a model's."""
    exceptions = load_litellm().exceptions
    where, said = f"models.{endpoint.name}", _first_line(endpoint, error)
    status = getattr(error, "status_code", None)
    if isinstance(error, exceptions.AuthenticationError | exceptions.PermissionDeniedError):
        return ModelAuthError(
            f"{where}: the key was rejected; check {where}.api_key or the provider's key "
            "in the environment"
        )
    if isinstance(error, exceptions.ContextWindowExceededError) or _is_overflow(status, said):
        return ContextOverflow(f"{where}: the prompt does not fit into the model's context")
    if isinstance(error, exceptions.Timeout):
        return ModelTimeout(f"{where}: the provider timed out")
    if isinstance(error, exceptions.RateLimitError):
        return ModelUnavailable(f"{where}: the provider's rate limit is reached")
    if started:
        return ModelDied(f"{where}: the model server broke off in the middle of its answer")
    if isinstance(error, exceptions.NotFoundError):
        return BadResponse(
            f"{where}: the server knows no model or path {endpoint.model!r}; "
            f"check {where}.model and {where}.api_base"
        )
    if isinstance(error, exceptions.BadRequestError):
        return RequestRejected(f"{where}: the server rejected the request: {said}")
    if any(isinstance(cause, _UNSENT) for cause in _causes(error)):
        return ModelUnreachable(f"{where}: nothing answers: {said}")
    if (isinstance(status, int) and status >= 500) or isinstance(error, OSError):
        return ModelUnavailable(
            f"{where}: the model server cannot be reached or refuses to serve: {said}"
        )
    if isinstance(error, StreamError):
        return BadResponse(f"{where}: the server's answer cannot be read: {said}")
    if type(error).__module__.split(".")[0] in {"litellm", "openai", "httpx", "aiohttp", "json"}:
        return BadResponse(f"{where}: the server's answer cannot be read: {said}")
    return None


_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, ConnectionRefusedError)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it: LiteLLM gives a status of its own making to all of them."""
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__


def refused_unread(error: Exception) -> bool:
    """Whether a call surely cost nothing: it was never sent, or the answer was an error status.

    No provider charges for those. A line that broke, or an answer that cannot be read, may have
    been charged.
    """
    e = load_litellm().exceptions
    refusals = (
        e.AuthenticationError, e.PermissionDeniedError, e.BadRequestError, e.NotFoundError,
        e.RateLimitError,
    )  # fmt: skip
    free = (httpx.HTTPStatusError, *_UNSENT)
    return isinstance(error, refusals) or any(isinstance(c, free) for c in _causes(error))


def _is_overflow(status: object, said: str) -> bool:
    """Servers word it differently, and LiteLLM does not know all of their words."""
    return status == 400 and "context" in said and ("length" in said or "size" in said)


def _first_line(endpoint: Endpoint, error: Exception) -> str:
    line = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return line.replace(endpoint.api_key, "***") if endpoint.api_key else line
