"""The chunks of an OpenAI stream as the server sent them, past LiteLLM's own reading of them.

LiteLLM makes the request; its reader of the reply costs half a millisecond a token, puts in finish
reasons that no server sent, and drops chunks without text. Where a reply is in OpenAI's own form,
`raw_chunks` reads it here, for a twentieth of that. Replies in another provider's form, and streams
that a LiteLLM callback of the user's wants to see, stay with LiteLLM.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pydantic_core

__all__ = ["Part", "StreamError", "raw_chunks"]


END_S = 0.5


class StreamError(Exception):
    """The stream holds an error, or what is no JSON."""


class Part:
    """A JSON object by attributes; what is not there is None."""

    __slots__ = ("_held",)

    def __init__(self, held: dict[str, Any]) -> None:
        self._held = held

    def __getattr__(self, name: str) -> Any:
        return _wrapped(self._held.get(name))

    def model_dump(self, **_: Any) -> dict[str, Any]:
        """The plain data."""
        return self._held


def _wrapped(value: Any) -> Any:
    if type(value) is dict:
        return Part(value)
    if type(value) is list:
        return [_wrapped(one) for one in value]
    return value


def raw_chunks(stream: Any, callbacks: object = ()) -> "AsyncIterator[Part] | None":
    """The chunks of what `acompletion(stream=True)` returned; None where LiteLLM has to read them.

    Closing stays with LiteLLM's object: close that.
    Raises:
        StreamError: while iterating; so do the transport's own errors.
    """
    source = getattr(stream, "completion_stream", None)
    # By exact type: the subclasses of other providers rewrite what they read.
    kind = f"{type(source).__module__}.{type(source).__name__}"
    if callbacks or source is None:
        return None
    if kind in ("openai.AsyncStream", "openai._streaming.AsyncStream"):
        return _chunks(_lines(source.response))
    if kind == f"{_LITELLM}.OpenAIChatCompletionStreamingHandler":
        return _chunks(source.streaming_response)
    return None


_LITELLM = "litellm.llms.openai.chat.gpt_transformation"


async def _lines(response: Any) -> AsyncIterator[bytes]:
    """Lines of an httpx response, as they come."""
    rest = b""
    async for data in response.aiter_bytes():
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield line
    if rest:
        yield rest


async def _chunks(lines: AsyncIterator[bytes | str]) -> AsyncIterator[Part]:
    held: list[str] = []
    async for line in lines:
        text = (line.decode("utf-8", "replace") if isinstance(line, bytes) else line).rstrip("\r\n")
        if text.startswith("data:"):
            held.append(text[5:].strip())
        elif not text and held:
            if held[0] == "[DONE]":
                await _to_the_end(lines)
                break
            yield _parsed(held)
            held = []
    # Now, and not when the garbage collector comes by.
    close = getattr(lines, "aclose", None)
    if close is not None:
        await close()
    if held and held[0] != "[DONE]":
        yield _parsed(held)


async def _to_the_end(lines: AsyncIterator[bytes | str]) -> None:
    """Read what follows [DONE], nothing as a rule: only a body that was read to its end leaves
    the connection to the next call. A server that keeps it open is not waited for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(END_S):
            async for _ in lines:
                pass


def _parsed(lines: list[str]) -> Part:
    try:
        body = pydantic_core.from_json("\n".join(lines))
    except ValueError as error:
        raise StreamError(f"not JSON: {error}") from None
    if not isinstance(body, dict):
        raise StreamError("a chunk is no JSON object")
    if body.get("error"):
        told = body["error"]
        said = told.get("message") if isinstance(told, dict) else told
        raise StreamError(str(said)[:200])
    for choice in body.get("choices") or ():
        delta = choice.get("delta") or {}
        # vLLM and others name it so; LiteLLM's readers know only the longer name.
        if "reasoning" in delta and "reasoning_content" not in delta:
            delta["reasoning_content"] = delta["reasoning"]
        choice["delta"] = delta
    body.setdefault("choices", [])
    return Part(body)
