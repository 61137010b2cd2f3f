"""How many tokens a second a server writes, by streams at once: any OpenAI-compatible one.

A level of s streams is s requests, started together, each with a prompt of its own (a shared
one would measure the prefix cache) and the same number of tokens to write (`ignore_eos`, which
vLLM and llama.cpp take; a server that ends earlier is told by its own count). The rate is what
the server says it wrote, over the wall clock from the first request to the last answer: reading
the prompts and the slow end are in it. A level is measured several times; the median counts.

Answers are read whole: a stream of each token would measure this one process from some thousand
tokens a second on. `streamed` reads streams all the same, and adds the time to the first token.

Not covered: a steady arrival rate, a queue in front of the server, quality, hosted models
(they would bill it, and the rate of a shared machine is no figure of it).
"""

import asyncio
import json
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from router.errors import InputError, ModelUnavailable

__all__ = ["Answer", "Level", "Load", "Report", "bench_serving", "usd_per_million"]

WORDS = ("time", "house", "water", "river", "stone", "light", "paper", "music", "green", "seven")
CALL_S = 600.0
TRIAL_WORDS = 200
"""Of the first prompt, which tells how many tokens a word is."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of the server."""

    api_base: str
    model: str
    api_key: str | None = None
    prompt_tokens: int = 512
    """About so many: prompts are made of words."""
    tokens: int = 1024
    """To write, of each request."""
    runs: int = 3
    streamed: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One request. Seconds from its start."""

    prompt_tokens: int
    tokens: int
    seconds: float
    first_s: float | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """What so many streams at once gave; tokens/s of all of them together, one a run."""

    streams: int
    tokens_per_s: tuple[float, ...]
    prompt_tokens: float
    """Mean of a request."""
    tokens: float
    """Written, mean of a request."""
    p50_s: float
    p95_s: float
    first_p50_s: float | None
    first_p95_s: float | None

    @property
    def median(self) -> float:
        """Of the runs."""
        return statistics.median(self.tokens_per_s)


@dataclass(frozen=True, slots=True)
class Report:
    """A whole bench; `tokens_per_s` and `measured_at` are what the break-even reads."""

    model: str
    api_base: str
    measured_at: str
    runs: int
    streamed: bool
    tokens_per_s: Mapping[int, float]
    levels: tuple[Level, ...]
    stopped: str | None
    """Why levels are missing, None where none is."""
    measured_by: str = "ockham bench serving"


def usd_per_million(usd_per_hour: float, tokens_per_s: float) -> float:
    """USD of a million written tokens on a machine that does nothing else, always busy."""
    return usd_per_hour / 3600 / tokens_per_s * 1e6


async def bench_serving(
    load: Load, streams: Iterable[int], said: Callable[[Level], None] = lambda _: None
) -> Report:
    """Measure every level, in order; `said` hears each as it is done.

    A server that fails later on ends the bench, which keeps the levels that were done.

    Raises:
        InputError: the server refuses the request, its key or the model's name.
        ModelUnavailable: nothing was measured: it does not answer, or not as OpenAI does.
    """
    headers = {"authorization": f"Bearer {load.api_key}"} if load.api_key else {}
    # A connection each: servers close idle ones (vLLM after 5 s), maybe as one is used again.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    levels: list[Level] = []
    stopped: str | None = None
    async with httpx.AsyncClient(
        base_url=load.api_base.rstrip("/") + "/", headers=headers, timeout=CALL_S, limits=limits
    ) as client:
        words = await _words_for(client, load)
        await _run(client, load, words, 1)  # warms up: kernels are compiled at their first use
        for number in streams:
            try:
                level = await _level(client, load, words, number)
            except ModelUnavailable as error:
                if not levels:
                    raise
                stopped = f"{number} at once: {error}"
                break
            levels.append(level)
            said(level)
    return Report(
        model=load.model,
        api_base=load.api_base,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        runs=load.runs,
        streamed=load.streamed,
        tokens_per_s={level.streams: level.median for level in levels},
        levels=tuple(levels),
        stopped=stopped,
    )


async def _words_for(client: httpx.AsyncClient, load: Load) -> int:
    """Words of a prompt of about the tokens asked for."""
    trial = await _ask(client, load, _prompt(TRIAL_WORDS), tokens=1)
    return max(1, round(TRIAL_WORDS * load.prompt_tokens / max(1, trial.prompt_tokens)))


def _prompt(words: int) -> str:
    """Random from its first word on, so that no two share a beginning."""
    return " ".join(random.choices(WORDS, k=words))  # noqa: S311


async def _level(client: httpx.AsyncClient, load: Load, words: int, streams: int) -> Level:
    runs = [await _run(client, load, words, streams) for _ in range(load.runs)]
    answers = [answer for _, got in runs for answer in got]
    firsts = [a.first_s for a in answers if a.first_s is not None]
    seconds = [a.seconds for a in answers]
    return Level(
        streams=streams,
        tokens_per_s=tuple(sum(a.tokens for a in got) / wall for wall, got in runs),
        prompt_tokens=statistics.fmean(a.prompt_tokens for a in answers),
        tokens=statistics.fmean(a.tokens for a in answers),
        p50_s=_quantile(seconds, 0.5),
        p95_s=_quantile(seconds, 0.95),
        first_p50_s=_quantile(firsts, 0.5) if firsts else None,
        first_p95_s=_quantile(firsts, 0.95) if firsts else None,
    )


def _quantile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


async def _run(
    client: httpx.AsyncClient, load: Load, words: int, streams: int
) -> tuple[float, list[Answer]]:
    """Wall seconds, and the answers."""
    start = time.perf_counter()
    async with _group() as group:
        tasks = [
            group.create_task(_ask(client, load, _prompt(words), tokens=load.tokens))
            for _ in range(streams)
        ]
    return time.perf_counter() - start, [task.result() for task in tasks]


@asynccontextmanager
async def _group() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that ends its other requests at the first error, and raises that alone."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _ask(client: httpx.AsyncClient, load: Load, prompt: str, *, tokens: int) -> Answer:
    body: dict[str, Any] = {
        "model": load.model,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": tokens,
        "temperature": 1.0,
        "ignore_eos": True,
    }
    start = time.perf_counter()
    first: float | None = None
    try:
        if load.streamed:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
            first, usage = await _streamed(client, body)
        else:
            answer = await client.post("chat/completions", json=body)
            _refused(answer)
            usage = answer.json()["usage"]
        prompt_tokens, written = int(usage["prompt_tokens"]), int(usage["completion_tokens"])
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        raise ModelUnavailable(f"--api-base: {load.api_base} does not answer: {why}") from None
    except (KeyError, TypeError, ValueError):
        raise ModelUnavailable(f"--api-base: {load.api_base} sends no OpenAI usage") from None
    seconds = time.perf_counter() - start
    return Answer(prompt_tokens, written, seconds, None if first is None else first - start)


async def _streamed(
    client: httpx.AsyncClient, body: Mapping[str, Any]
) -> tuple[float | None, dict[str, Any]]:
    """When the first token came, and the usage of the last chunk; the rest is only counted off."""
    first: float | None = None
    usage: dict[str, Any] = {}
    async with client.stream("POST", "chat/completions", json=body) as answer:
        if answer.is_error:
            await answer.aread()
        _refused(answer)
        async for line in answer.aiter_lines():
            if not line.startswith("data: {"):
                continue
            if first is None and _has_token(json.loads(line[6:])):
                first = time.perf_counter()
            elif '"usage":{' in line.replace(" ", ""):
                usage = json.loads(line[6:])["usage"]
    return first, usage


def _has_token(chunk: Mapping[str, Any]) -> bool:
    """Whether a chunk has text; the first one may only name the role."""
    deltas = [choice.get("delta") or {} for choice in chunk.get("choices") or []]
    return any(d.get("content") or d.get("reasoning_content") or d.get("reasoning") for d in deltas)


def _refused(answer: httpx.Response) -> None:
    """Raises what is the caller's to put right as such; a 5xx is the server's."""
    if answer.status_code in (401, 403):
        raise InputError("--api-key-env: the server refuses the key")
    if answer.is_client_error:
        raise InputError(f"the server refuses the request: {answer.text[:300]}")
    answer.raise_for_status()
