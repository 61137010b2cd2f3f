"""One client of the gateway: asks, streamed or not, and judges what comes back."""

import asyncio
from typing import Any

import httpx

from eval.bench.replies import Told, judge_body, judge_stream, prompt_of
from eval.bench.servers import KEY

__all__ = ["ask", "client"]


def client(url: str, connections: int, deadline_s: float, key: str = KEY) -> httpx.AsyncClient:
    """An HTTP client of one gateway that waits `deadline_s` for anything."""
    return httpx.AsyncClient(
        base_url=url,
        headers={"authorization": f"Bearer {key}"},
        timeout=deadline_s,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )


async def ask(
    http: httpx.AsyncClient, number: int, deadline_s: float, *, stream: bool, prefix: str = "r-"
) -> Told:
    """One request, from its first byte to its last within `deadline_s`."""
    prompt = prompt_of(number, prefix)
    body = {
        "model": "ockham/auto",
        "stream": stream,
        "messages": [{"role": "user", "content": prompt}],
    }
    try:
        async with asyncio.timeout(deadline_s):
            return await (_streamed if stream else _whole)(http, prompt, body)
    except TimeoutError:
        return Told(f"BAD nothing within {deadline_s:g} s", None)
    except httpx.HTTPError as error:
        return Told(f"BAD transport: {type(error).__name__}", None)


async def _whole(http: httpx.AsyncClient, prompt: str, body: dict[str, Any]) -> Told:
    reply = await http.post("/v1/chat/completions", json=body)
    return Told(judge_body(prompt, reply.status_code, reply.content), _trace(reply))


async def _streamed(http: httpx.AsyncClient, prompt: str, body: dict[str, Any]) -> Told:
    async with http.stream("POST", "/v1/chat/completions", json=body) as reply:
        if reply.status_code != 200:
            data = await reply.aread()
            return Told(judge_body(prompt, reply.status_code, data), _trace(reply))
        lines = [line async for line in reply.aiter_lines()]
        return Told(judge_stream(prompt, lines), _trace(reply))


def _trace(reply: httpx.Response) -> str | None:
    found: str | None = reply.headers.get("x-ockham-trace-id")
    return found or reply.headers.get("x-request-id") or None
