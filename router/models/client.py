"""One model, called through LiteLLM; always streamed, always settled.

`complete` never loses what was spent: however the call ends, it returns a `Completion`
with the tokens, the time and, where it failed, the error. Cancelling the task closes the
upstream connection, which makes the server stop its work.

A stream that breaks off looks complete through LiteLLM (it fills in a finish reason and a
usage of its own, seen in 1.106); what the *server* said is `received_finish_reason`, and
without one the completion counts as cut off.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from router.errors import ModelError, ModelStalled, ModelTimeout, ModelUnavailable
from router.models.completion import ChatMessages, Completion, Endpoint, Plain, Tally
from router.models.failures import cut_off, model_error, refused_unread
from router.models.loading import load_litellm
from router.models.logprobs import overhear
from router.models.wire import raw_chunks

__all__ = ["TRANSPORT_TIMEOUT_S", "complete", "request"]

TRANSPORT_TIMEOUT_S = 3600.0
"""Backstop of the connection alone."""
_SERVERS = ("openai/", "hosted_vllm/")
"""Providers that are a server of somebody's own, where an address is given."""
TURN_S = 0.002
"""Longest that one stream may keep the event loop to itself."""


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
    tally = Tally(endpoint, messages, plain)
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
    tally: Tally,
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
                    return tally.close(None, cut_off(endpoint, tally))
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
            broken = cut_off(endpoint, tally)
            _tell(endpoint, broken)
            return tally.close(None, broken)
        return tally.close(finish)
    except TimeoutError:
        if whole.expired():
            said = f"not finished within the {timeout_s:.1f} s that were left"
            return tally.close(None, ModelTimeout(f"models.{endpoint.name}: {said}"))
        said = f"no token for {endpoint.stall_s:g} s"
        _tell(endpoint, load_litellm().Timeout(said, endpoint.model, endpoint.name))
        return tally.close(None, ModelStalled(f"models.{endpoint.name}: {said}"))
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
    if "user" in optional and endpoint.api_base and endpoint.model.startswith(_SERVERS):
        # LiteLLM takes it to be unknown to every model that it has no name for, and drops it.
        optional["allowed_openai_params"] = ["user"]
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
    tally: Tally,
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
