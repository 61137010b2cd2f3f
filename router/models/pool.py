"""All configured models, ready to be called: endpoints, prices, and who is down and why.

A model is *not configured* (nothing names it), *down* (its server does not answer; tried
again after a pause) or *ready*. Ready was proven by a real completion, which also
measured the tokens per second that price a model of your own.
"""

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx

from router.config import ModelSettings, Settings
from router.errors import ConfigError, ModelError, ModelUnavailable, OckhamError, SetupError
from router.models.client import Completion, Endpoint, complete, load_litellm
from router.models.launcher import EmbeddedServer, embedded_weights
from router.models.prices import Rates, local_price, stated_price
from router.paths import data_dir
from router.state import Price

__all__ = ["Models"]

RETRY_S = 10.0
"""Pause before a server that was down is tried again."""
PROBE_TOKENS = 32
PROBE_S = 60.0
# Card of VibeThinker-3B: temperature 1.0, top_p 0.95, both end tokens.
CARD: Mapping[str, Any] = {
    "temperature": 1.0,
    "top_p": 0.95,
    "stop": ("<|im_end|>", "<|endoftext|>"),
}
# The embedded 135M model wanders at any temperature; greedy is its best.
EMBEDDED: Mapping[str, Any] = {"temperature": 0.0, "top_p": None, "stop": None}


@dataclass(slots=True)
class _Model:
    """The changing side of one model."""

    settings: ModelSettings
    name: str
    litellm_name: str | None
    price: Price | None
    why_not: str | None = None
    endpoint: Endpoint | None = None
    server: EmbeddedServer | None = None
    retry_at: float = 0.0


class Models:
    """The models of a configuration. `start` before use, `aclose` after."""

    def __init__(self, settings: Settings, environ: Mapping[str, str] | None = None) -> None:
        env = os.environ if environ is None else environ
        self._models = {name: _declare(name, m, env) for name, m in settings.models.items()}
        self._used = {arm.model for arm in settings.arms.values()}
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Start and probe each model that an arm uses. One that fails is marked, not raised."""
        await asyncio.to_thread(load_litellm)
        await self.refresh()

    async def refresh(self) -> None:
        """Bring up what is down and due for another try. Cheap when all is well."""
        if not any(self._due(m) for m in self._models.values()):
            return
        async with self._lock:
            await asyncio.gather(
                *(self._bring_up(m) for m in self._models.values() if self._due(m))
            )

    def _due(self, model: _Model) -> bool:
        if model.name not in self._used or model.retry_at == float("inf"):
            return False
        dead = model.server is not None and not model.server.running
        return (model.endpoint is None or dead) and time.monotonic() >= model.retry_at

    async def _bring_up(self, model: _Model) -> None:
        model.endpoint = None
        try:
            endpoint = await _connect(model)
            if model.price is None or model.settings.serve or model.settings.api_base:
                model.price = await _probe(model, endpoint)
            model.endpoint, model.why_not = endpoint, None
        except OckhamError as error:
            model.why_not, model.retry_at = str(error), time.monotonic() + RETRY_S

    def report_down(self, name: str, error: ModelError) -> None:
        """A call found the server gone: no arm uses it until it has been tried again.

        A server of our own that has died is started again by the next request; one that
        somebody else runs is given a pause.
        """
        model = self._models[name]
        model.endpoint, model.why_not = None, str(error)
        dead = model.server is not None and not model.server.running
        model.retry_at = time.monotonic() + (0.0 if dead else RETRY_S)

    def why_not(self, name: str) -> str | None:
        """Why the model cannot be called now, None where it can."""
        return self._models[name].why_not

    def settings(self, name: str) -> ModelSettings:
        """The model's configuration."""
        return self._models[name].settings

    def price(self, name: str) -> Price | None:
        """USD per token; None for a model by the hour that was never measured."""
        return self._models[name].price

    def endpoint(self, name: str) -> Endpoint:
        """How to call it. Raises `ModelUnavailable` with the reason where it is down."""
        model = self._models[name]
        if model.endpoint is None:
            raise ModelUnavailable(model.why_not or f"models.{name}: is not started")
        return model.endpoint

    def server_pid(self, name: str) -> int | None:
        """Process id of an embedded server."""
        server = self._models[name].server
        return server.pid if server else None

    def stop(self) -> None:
        """Stop the embedded servers."""
        for model in self._models.values():
            if model.server is not None:
                model.server.stop()
            model.endpoint = None


def _declare(name: str, settings: ModelSettings, env: Mapping[str, str]) -> _Model:
    """What the configuration alone says. No network, no process."""
    chosen = settings.model
    if chosen is None and settings.api_base is None and settings.serve is None:
        chosen = next((m for key, m in settings.found_by_key.items() if env.get(key)), None)
    if chosen is None and settings.api_base is None and settings.serve is None:
        keys = ", ".join(settings.found_by_key) or "none are listed"
        why = f"not configured: set models.{name}.model, or a provider's key ({keys})"
        return _Model(settings, name, None, None, why, retry_at=float("inf"))
    if settings.serve == "embedded" and settings.api_base is None:
        try:
            embedded_weights(name, settings)
        except SetupError as error:
            return _Model(settings, name, None, None, str(error), retry_at=float("inf"))
    price = stated_price(name, settings, chosen)
    if price is None:
        price = _remembered_price(name, settings)
    return _Model(settings, name, chosen, price)


async def _connect(model: _Model) -> Endpoint:
    """The endpoint of a model, its server started or asked for its name where need be."""
    s = model.settings
    key = s.api_key.get_secret_value() if s.api_key else None
    sampling = {"temperature": s.temperature, "top_p": s.top_p, "stop": s.stop}
    if s.api_base is None and s.serve == "embedded":
        if model.server is not None:
            model.server.stop()
        model.server = EmbeddedServer(model.name, s)
        await model.server.start()
        endpoint = Endpoint(
            model.name,
            f"hosted_vllm/{model.server.alias}",
            model.server.api_base,
            model.server.api_key,
            stall_s=s.stall_s,
        )
        return replace(endpoint, **_merge(sampling, EMBEDDED))
    if s.api_base is None:
        return Endpoint(
            model.name, model.litellm_name or "", None, key, stall_s=s.stall_s, **_merge(sampling)
        )
    served = model.litellm_name or f"hosted_vllm/{await _served_name(model.name, s.api_base, key)}"
    endpoint = Endpoint(model.name, served, s.api_base, key or "none", stall_s=s.stall_s)
    return replace(endpoint, **_merge(sampling, CARD if s.tier == "small" else {}))


def _merge(chosen: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> dict[str, Any]:
    merged = dict(defaults or {})
    merged.update({key: value for key, value in chosen.items() if value is not None})
    return merged


async def _served_name(name: str, api_base: str, key: str | None) -> str:
    """Ask an OpenAI-compatible server which model it serves (`GET /models`)."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(f"{api_base}/models", headers=headers)
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        raise ModelUnavailable(
            f"models.{name}: nothing answers at api_base {api_base}: {why}"
        ) from None
    if answer.status_code in (401, 403):
        raise ModelUnavailable(
            f"models.{name}: {api_base} rejected the key; set models.{name}.api_key"
        )
    try:
        return str(answer.json()["data"][0]["id"])
    except (ValueError, KeyError, IndexError, TypeError):
        raise ModelUnavailable(
            f"models.{name}: {api_base}/models names no model (status {answer.status_code}); "
            f"is it an OpenAI-compatible /v1? Or set models.{name}.model"
        ) from None


async def _probe(model: _Model, endpoint: Endpoint) -> Price:
    """Two real completions: the health check, and the speed that makes the price.

    Raises `ModelError` where the server cannot complete.
    """
    short = await _ask(endpoint, "Count from one to one hundred in words.", PROBE_TOKENS)
    if model.settings.usd_per_hour is None:
        if model.price is None:
            raise ConfigError(f"models.{model.name}: no price is known")
        return model.price
    # A fresh salt: a cached prefix would measure the cache.
    salt = datetime.now(UTC).isoformat()
    long = await _ask(endpoint, f"{salt} " + "The quick brown fox jumps. " * 40, 1)
    rates = Rates(
        prompt_tps=long.prompt_tokens / (long.first_token_seconds or long.seconds),
        completion_tps=_completion_rate(short),
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    _remember(model.name, endpoint.model, rates)
    return local_price(model.settings.usd_per_hour, rates)


async def _ask(endpoint: Endpoint, text: str, max_tokens: int) -> Completion:
    done = await complete(
        endpoint, [{"role": "user", "content": text}], max_tokens=max_tokens, timeout_s=PROBE_S
    )
    if done.error is not None:
        raise done.error
    return done


def _completion_rate(done: Completion) -> float:
    """Tokens per second after the first; the whole call's rate where there was only one."""
    if done.first_token_seconds is not None and done.last_token_seconds is not None:
        writing = done.last_token_seconds - done.first_token_seconds
        if done.completion_tokens > 1 and writing > 0:
            return (done.completion_tokens - 1) / writing
    return max(1, done.completion_tokens) / done.seconds


def _remember(name: str, model: str, rates: Rates) -> None:
    """Keep the measurement, so that a dry run (`ockham route`) can price without a server."""
    path = data_dir() / "rates" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    partial.write_text(json.dumps({"model": model, **rates.model_dump()}), encoding="utf-8")
    partial.replace(path)


def _remembered_price(name: str, settings: ModelSettings) -> Price | None:
    path = data_dir() / "rates" / f"{name}.json"
    try:
        rates = Rates.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return local_price(settings.usd_per_hour or 0.0, rates)
