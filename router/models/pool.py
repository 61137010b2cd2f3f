"""All configured models, ready to be called: endpoints, prices, and who is down and why.

A model is *not configured* (nothing names it), *down* (its server does not answer, or its calls
failed; tried again after a pause: `router.models.breaker`) or *ready*. Ready was proven by a real
completion, which also measured the tokens per second that price a model of your own.
"""

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from router.config import Settings
from router.errors import (
    BadResponse,
    ModelDied,
    ModelError,
    ModelStalled,
    ModelUnavailable,
    ModelUnreachable,
    OckhamError,
    RequestRejected,
    SetupError,
)
from router.masking import masked, pathless
from router.models.abilities import abilities, provider_takes
from router.models.breaker import FIRST_S, Breaker
from router.models.completion import Endpoint
from router.models.deployments import Deployments
from router.models.launcher import EmbeddedServer, ModelServer, embedded_weights, free_port
from router.models.loading import load_litellm
from router.models.machine import look
from router.models.plan import make_plan
from router.models.prices import Rates, local_price, price_entry, stated_price
from router.models.probe import PROBE, PROBE_TOKENS, ask, measure_rates
from router.models.serving import endpoint_of, server_for
from router.needs import Ability
from router.paths import data_dir
from router.settings import ModelSettings
from router.state import Price

__all__ = ["Models"]

_LOG = logging.getLogger(__name__)
_FAILURES = (ModelUnavailable, ModelDied, ModelStalled, BadResponse)
"""What speaks against a server. A request that it rejects, a key, a prompt that is too long or a
caller's own deadline speak against the request: one caller must not take a model from all."""
# Card of VibeThinker-3B: temperature 1.0, top_p 0.95, both end tokens.
CARD: Mapping[str, Any] = {
    "temperature": 1.0,
    "top_p": 0.95,
    "stop": ("<|im_end|>", "<|endoftext|>"),
}
# vLLM leaves special tokens out of the text, and so would never see one that is a stop string;
# and it takes a top_k from the model's files where a request names none.
VLLM_CARD: Mapping[str, Any] = {
    **CARD,
    "extra_body": {"skip_special_tokens": False, "top_k": -1},
}
# The embedded 135M model wanders at any temperature; greedy is its best.
EMBEDDED: Mapping[str, Any] = {"temperature": 0.0, "top_p": None, "stop": None}
BY_KIND: Mapping[str, Mapping[str, Any]] = {
    "vllm": VLLM_CARD,
    "llama.cpp": CARD,
    "embedded": EMBEDDED,
}


@dataclass(slots=True)
class _Model:
    """The changing side of one model."""

    settings: ModelSettings
    name: str
    litellm_name: str | None
    price: Price | None
    can: frozenset[Ability] = frozenset()
    measured: bool = False
    """The price is USD per hour over measured speed, so bringing the model up measures it."""
    context_tokens: int | None = None
    most_input: int | None = None
    """As LiteLLM's map says."""
    why_not: str | None = None
    endpoint: Endpoint | None = None
    deployments: Deployments | None = None
    """Kept as long as the model: it remembers which ones cool down."""
    server: ModelServer | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Sampling of the server of our own, where the settings name none."""
    retry_at: float = 0.0
    breaker: Breaker = field(init=False)

    def __post_init__(self) -> None:
        self.breaker = Breaker(self.settings.breaks_after)

    @property
    def dead(self) -> bool:
        """A server of our own was up and has ended by itself."""
        return self.server is not None and not self.server.running


class Models:
    """The models of a configuration. `start` before use, `stop` after."""

    def __init__(self, settings: Settings, environ: Mapping[str, str] | None = None) -> None:
        env = os.environ if environ is None else environ
        self._models = {name: _declare(name, m, env) for name, m in settings.models.items()}
        self._used = {arm.model for arm in settings.arms.values()}
        self._lock = asyncio.Lock()
        self._loaded = False
        self._background: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bring up each model that an arm uses; cheap when all are up.

        A model that fails is marked, not raised. Where another one can already answer, a
        model that was down is tried again in the background, so that a hanging server
        delays nobody. Where none can, this waits for one whose pause is about over.
        """
        if not self._loaded:
            await asyncio.to_thread(load_litellm)
            self._loaded = True
        await asyncio.sleep(self._pause_s())
        if self.up:
            return
        for model in self._models.values():
            if model.dead:
                model.endpoint, model.why_not = None, "its server died and is being restarted"
        if not any(m.endpoint for m in self._models.values()):
            await self._refresh()
        elif self._background is None or self._background.done():
            self._background = asyncio.create_task(self._refresh())

    @property
    def up(self) -> bool:
        """Whether there is nothing to bring up or to wait for, now."""
        due = any(self._due(m) for m in self._models.values())
        return self._loaded and not due and not self._pause_s()

    def _pause_s(self) -> float:
        """Until a model may be tried again, where none is up and that is worth waiting for."""
        used = [m for m in self._models.values() if m.name in self._used]
        if any(m.endpoint is not None or m.dead for m in used):
            return 0.0
        left = min((m.retry_at for m in used), default=0.0) - time.monotonic()
        return max(0.0, left) if left <= FIRST_S else 0.0

    async def _refresh(self) -> None:
        async with self._lock:
            await asyncio.gather(
                *(self._bring_up(m) for m in self._models.values() if self._due(m))
            )

    def _due(self, model: _Model) -> bool:
        if model.name not in self._used:
            return False
        return model.dead or (model.endpoint is None and time.monotonic() >= model.retry_at)

    async def _bring_up(self, model: _Model) -> None:
        model.endpoint = None
        try:
            endpoint = await _connect(model)
            own = model.settings.serve or model.settings.api_base
            probed = bool(model.measured if model.settings.deployments else own)
            if probed:
                await _probe(model, endpoint)
            model.can = provider_takes(load_litellm(), model.settings, endpoint.model, model.can)
            model.endpoint, model.why_not = endpoint, None
            model.breaker.close(probed=probed)
        except Exception as error:  # whatever it is, this model is down and the others are not
            known = isinstance(error, OckhamError)
            what = str(error) if known else f"models.{model.name}: {type(error).__name__}: {error}"
            _leave_out(model, what)
            if model.server is not None:
                model.server.stop()
                model.server = None

    def report(self, name: str, began: float, error: ModelError | None) -> None:
        """A call that began then (`time.perf_counter`) was answered, or ended with an error.

        Where too many failed no arm uses the model for a while (`router.models.breaker`). A
        server of our own is not stopped for it: others may be in the middle of their answers. One
        that cannot complete a probe is started anew.
        """
        model = self._models[name]
        if model.deployments is not None:
            return  # those that failed cool down; the others go on
        if error is None:
            model.breaker.succeeded(began)
            return
        if not isinstance(error, _FAILURES) or isinstance(error, RequestRejected):
            return
        gone = model.dead or isinstance(error, ModelUnreachable)
        if model.breaker.failed(began, gone=gone) and model.endpoint is not None:
            model.endpoint = None
            _leave_out(model, str(error))

    def why_not(self, name: str) -> str | None:
        """Why the model cannot be called now, None where it can."""
        return self._models[name].why_not

    def away(self, name: str) -> bool:
        """Whether it cannot be called now, and may be later: what is not configured never is."""
        model = self._models[name]
        return model.why_not is not None and model.retry_at != float("inf")

    def settings(self, name: str) -> ModelSettings:
        """The model's configuration."""
        return self._models[name].settings

    def context_tokens(self, name: str) -> int | None:
        """Tokens of prompt and completion together; None where nobody has said."""
        model = self._models[name]
        return model.settings.context_tokens or model.context_tokens

    def can(self, name: str) -> frozenset[Ability]:
        """What it can do beside text."""
        return self._models[name].can

    def most_input(self, name: str) -> int | None:
        """Most tokens that it reads; None where nobody has said."""
        own = self.context_tokens(name)
        stated = self._models[name].most_input
        return min(own, stated) if own and stated else own or stated

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
        """Process id of a server of our own."""
        server = self._models[name].server
        return server.pid if server else None

    def stop(self) -> None:
        """Stop the servers of our own."""
        if self._background is not None:
            self._background.cancel()
        for model in self._models.values():
            if model.server is not None:
                model.server.stop()
            if model.deployments is not None:
                model.deployments.close()
            model.endpoint = model.deployments = None


def _declare(name: str, settings: ModelSettings, env: Mapping[str, str]) -> _Model:
    """What the configuration alone says. No network, no process."""
    chosen = settings.deployments[0].model if settings.deployments else settings.model
    if chosen is None and settings.api_base is None and settings.serve is None:
        chosen = next((m for key, m in settings.found_by_key.items() if env.get(key)), None)
    if chosen is None and settings.api_base is None and settings.serve is None:
        keys = ", ".join(settings.found_by_key) or "none are listed"
        why = f"not configured: set models.{name}.model, or a provider's key ({keys})"
        return _Model(settings, name, None, None, why_not=why, retry_at=float("inf"))
    if settings.serve == "embedded" and settings.api_base is None and not settings.deployments:
        try:
            embedded_weights(name, settings)
        except SetupError as error:
            why = _logged(str(error))
            return _Model(settings, name, None, None, why_not=why, retry_at=float("inf"))
    price = stated_price(name, settings, chosen)
    measured = price is None
    if price is None:
        price = _remembered_price(name, settings)
    entry = price_entry(chosen) if chosen else None
    return _Model(
        settings, name, chosen, price,
        can=abilities(settings, chosen),
        measured=measured,
        most_input=(entry or {}).get("max_input_tokens"),
    )  # fmt: skip


def _leave_out(model: _Model, what: str) -> None:
    """It is down, for so long as its breaker says."""
    told = masked(pathless(what))
    model.why_not = told if told == model.why_not else _logged(what)
    model.retry_at = time.monotonic() + model.breaker.open()


def _logged(what: str) -> str:
    """What callers may be told of it; the whole of it is in the log."""
    _LOG.warning("%s", masked(what))
    return masked(pathless(what))


async def _connect(model: _Model) -> Endpoint:
    """The endpoint of a model, its server started or asked for its name where need be."""
    s = model.settings
    key = s.api_key.get_secret_value() if s.api_key else None
    sampling = {"temperature": s.temperature, "top_p": s.top_p, "stop": s.stop}
    sampling["retries"] = s.retries
    if s.deployments:
        if model.deployments is None:
            model.deployments = Deployments(model.name, s, load_litellm())
        endpoint = Endpoint(model.name, model.litellm_name or "", stall_s=s.stall_s)
        return replace(endpoint, deployments=model.deployments, **_merge(sampling))
    if s.api_base is None and s.serve is not None:
        server, defaults = await _start_own(model)
        endpoint = endpoint_of(server, s.stall_s)
        return replace(endpoint, **_merge(sampling, defaults))
    if s.api_base is None:
        return Endpoint(
            model.name, model.litellm_name or "", None, key, stall_s=s.stall_s, **_merge(sampling)
        )
    if model.litellm_name is not None:
        endpoint = Endpoint(model.name, model.litellm_name, s.api_base, key, stall_s=s.stall_s)
        return replace(endpoint, **_merge(sampling))
    served, model.context_tokens = await _served(model.name, s.api_base, key)
    endpoint = Endpoint(
        model.name, f"hosted_vllm/{served}", s.api_base, key or "none", stall_s=s.stall_s
    )
    if s.tier != "small":
        return replace(endpoint, **_merge(sampling))
    # Only vLLM and SGLang, which know these fields, say how long their context is.
    card = VLLM_CARD if model.context_tokens else CARD
    return replace(endpoint, **_merge(sampling, card))


async def _start_own(model: _Model) -> tuple[ModelServer, Mapping[str, Any]]:
    """Start the server that the configuration asks for here; with it, its sampling defaults."""
    if model.server is not None and model.server.running:
        return model.server, model.defaults  # the probe says whether it still answers
    if model.server is not None:
        model.server.stop()
    s = model.settings
    if s.serve == "embedded":
        model.server, defaults = EmbeddedServer(model.name, s), EMBEDDED
    else:
        port = free_port()
        plan = make_plan(await asyncio.to_thread(look, s), model.name, s, port)
        model.server = await asyncio.to_thread(server_for, plan, model.name, s, port=port)
        model.context_tokens, defaults = plan.context_tokens, BY_KIND[plan.kind]
    model.defaults = defaults
    await model.server.start()
    return model.server, defaults


def _merge(chosen: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> dict[str, Any]:
    merged = dict(defaults or {})
    merged.update({key: value for key, value in chosen.items() if value is not None})
    return merged


async def _served(name: str, api_base: str, key: str | None) -> tuple[str, int | None]:
    """Ask an OpenAI-compatible server for its model and context length (`GET /models`)."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(f"{api_base}/models", headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = str(error) or type(error).__name__
        raise ModelUnavailable(
            f"models.{name}: nothing answers at api_base {api_base}: {why}"
        ) from None
    if answer.status_code in (401, 403):
        raise ModelUnavailable(
            f"models.{name}: {api_base} rejected the key; set models.{name}.api_key"
        )
    try:
        entry = answer.json()["data"][0]
        length = entry.get("max_model_len")
        return str(entry["id"]), length if isinstance(length, int) and length > 0 else None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise ModelUnavailable(
            f"models.{name}: {api_base}/models names no model (status {answer.status_code}); "
            f"is it an OpenAI-compatible /v1? Or set models.{name}.model"
        ) from None


async def _probe(model: _Model, endpoint: Endpoint) -> None:
    """A real completion as the health check; the speed too, where it makes the price.

    Raises `ModelError` where the server cannot complete.
    """
    if not model.measured:
        await ask(endpoint, PROBE, PROBE_TOKENS)
        return
    rates = await measure_rates(endpoint)
    _remember(model.name, model.settings, rates)
    model.price = local_price(model.settings.usd_per_hour or 0.0, rates)


def _rates_file(name: str, settings: ModelSettings) -> Path:
    """One file a place that a model is served from: another server has another speed."""
    place = f"{settings.api_base} {settings.model} {settings.gguf} {settings.threads}"
    return data_dir() / "rates" / f"{name}-{sha256(place.encode()).hexdigest()[:12]}.json"


def _remember(name: str, settings: ModelSettings, rates: Rates) -> None:
    """Keep the measurement, so that a dry run (`ockham route`) can price without a server."""
    path = _rates_file(name, settings)
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    # A cache: a full or read-only disk costs the dry run its price, and nothing else.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(rates.model_dump_json(), encoding="utf-8")
        partial.replace(path)


def _remembered_price(name: str, settings: ModelSettings) -> Price | None:
    path = _rates_file(name, settings)
    try:
        rates = Rates.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return local_price(settings.usd_per_hour or 0.0, rates)
