"""`ockham bench serving`."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import httpx
import typer

from router.errors import InputError, ModelUnavailable

if TYPE_CHECKING:
    from eval.bench.serving import Level

__all__ = ["serving"]

LISTED_S = 30.0


def serving(
    api_base: Annotated[str, typer.Option(help="The server, such as http://127.0.0.1:8000/v1.")],
    model: Annotated[
        str | None, typer.Option(help="Its name there; the first it lists by default.")
    ] = None,
    api_key_env: Annotated[
        str, typer.Option(help="The environment variable that holds the server's key.")
    ] = "OCKHAM_MODELS__SMALL__API_KEY",
    streams: Annotated[
        str, typer.Option(help="Requests at once, comma-separated: one level each.")
    ] = "1,8,32,64,128",
    prompt_tokens: Annotated[int, typer.Option(min=16, help="Of a prompt, about.")] = 512,
    tokens: Annotated[int, typer.Option(min=2, help="To write, of each request.")] = 1024,
    runs: Annotated[int, typer.Option(min=1, help="Of each level; the median is reported.")] = 3,
    stream: Annotated[
        bool, typer.Option(help="Read streams: adds the time to the first token.")
    ] = False,
    usd_per_hour: Annotated[
        list[float] | None, typer.Option(min=0, help="Price of the machine; repeat it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tokens a second of your own model server, by requests at once; USD per million tokens."""
    from eval.bench.serving import Load, bench_serving

    levels = _levels(streams)
    key = os.environ.get(api_key_env)
    load = Load(
        api_base=api_base, model=model or _first_model(api_base, key), api_key=key,
        prompt_tokens=prompt_tokens, tokens=tokens, runs=runs, streamed=stream,
    )  # fmt: skip
    report = asyncio.run(bench_serving(load, levels, _tell))
    prices = usd_per_hour or []
    if as_json:
        body = {**asdict(report), "usd_per_million_tokens": _costs(report.tokens_per_s, prices)}
        sys.stdout.write(json.dumps(body) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(load.model, report.levels, prices)) + "\n")
    if report.stopped is not None:
        raise ModelUnavailable(report.stopped)


def _levels(text: str) -> list[int]:
    try:
        levels = [int(word) for word in text.split(",")]
    except ValueError:
        levels = []
    if not levels or min(levels) < 1:
        raise InputError(f"--streams: {text!r} is not a list of whole numbers such as 1,8,32")
    return levels


def _first_model(api_base: str, key: str | None) -> str:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        answer = httpx.get(f"{api_base.rstrip('/')}/models", headers=headers, timeout=LISTED_S)
        if answer.status_code in (401, 403):
            raise InputError("--api-key-env: the server refuses the key")
        return str(answer.raise_for_status().json()["data"][0]["id"])
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = str(error) or type(error).__name__
        raise ModelUnavailable(f"--api-base: {api_base} does not answer: {why}") from None
    except (LookupError, TypeError, ValueError):
        raise InputError(f"--model: {api_base} lists no models; name one") from None


def _tell(level: "Level") -> None:
    """Progress: a whole bench takes minutes."""
    sys.stderr.write(f"{level.streams} at once: {level.median:,.0f} tokens/s\n")


def _costs(rates: Mapping[int, float], prices: list[float]) -> dict[str, dict[int, float]]:
    from eval.bench.serving import usd_per_million

    return {
        f"{price:g}": {streams: usd_per_million(price, rate) for streams, rate in rates.items()}
        for price in prices
    }


def _lines(model: str, levels: "tuple[Level, ...]", prices: list[float]) -> list[str]:
    from eval.bench.serving import usd_per_million

    out = [f"{model}: median of {len(levels[0].tokens_per_s)} runs; all streams together"]
    for level in levels:
        slow, fast = min(level.tokens_per_s), max(level.tokens_per_s)
        line = (
            f"{level.streams:>5} at once {level.median:>9,.0f} tokens/s "
            f"({slow:,.0f} to {fast:,.0f}), {level.prompt_tokens:.0f} + {level.tokens:.0f} tokens "
            f"each, p50 {level.p50_s:.2f} s, p95 {level.p95_s:.2f} s"
        )
        if level.first_p50_s is not None and level.first_p95_s is not None:
            line += f"; first token p50 {level.first_p50_s:.3f} s, p95 {level.first_p95_s:.3f} s"
        dear = [f"{usd_per_million(p, level.median):.3f} at USD {p:g}/h" for p in prices]
        out.append(line + (f"; USD per million: {', '.join(dear)}" if dear else ""))
    return out
