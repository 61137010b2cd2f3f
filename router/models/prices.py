"""What tokens cost, in one place.

Hosted models: LiteLLM's own price map, read from its JSON file without importing
LiteLLM. Local models: USD per hour over *measured* tokens per second, prompt and
completion apart (reading a prompt is many times faster than writing). The rates are
those of one stream; several streams share the machine, so under load this overstates.

Not here: prices of batches and of a provider's faster or slower lanes.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from router.config import Settings
from router.errors import ConfigError, SetupError
from router.settings import ModelSettings
from router.state import Price, PriceTier

__all__ = [
    "Rates",
    "check_prices",
    "hosted_price",
    "local_price",
    "price_entry",
    "reference_price",
    "stated_price",
]

CACHED_LEAST = 1024
"""Tokens from which on a prompt is cached, where the map does not say: OpenAI's number."""
_ABOVE = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")
_FILE = "model_prices_and_context_window_backup.json"


class Rates(BaseModel):
    """Measured speed of a served model, tokens per second, one stream."""

    model_config = ConfigDict(frozen=True)

    prompt_tps: float = Field(gt=0)
    completion_tps: float = Field(gt=0)
    measured_at: str
    """UTC, ISO 8601."""


@cache
def price_map() -> dict[str, dict[str, Any]]:
    """LiteLLM's price map. Raises `SetupError` where the package is not installed."""
    spec = find_spec("litellm")
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise SetupError("the package litellm is not installed: run `make setup`")
    data: dict[str, dict[str, Any]] = json.loads(
        (Path(places[0]) / _FILE).read_text(encoding="utf-8")
    )
    return data


def price_entry(model: str) -> dict[str, Any] | None:
    """What LiteLLM's map says of a model name; None where it does not know it."""
    return price_map().get(model) or price_map().get(model.split("/", 1)[-1])


@cache
def hosted_price(model: str) -> Price | None:
    """The price of a LiteLLM model name, None where the map does not know it. Kept: every answer
    is held against the reference model's."""
    entry = price_entry(model)
    if entry is not None:
        entry = {**_first_range(entry), **entry}
    if entry is None or "input_cost_per_token" not in entry:
        return None
    return Price(
        input_usd=entry["input_cost_per_token"] or 0.0,
        output_usd=entry.get("output_cost_per_token") or 0.0,
        cached_usd=entry.get("cache_read_input_token_cost") if _caches(entry) else None,
        cached_least=entry.get("prompt_cache_min_tokens") or CACHED_LEAST,
        basis=f"LiteLLM's price map: {model}",
        tiers=tuple(sorted(_tiers(entry), key=lambda tier: tier.above)),
    )


def _first_range(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The prices of short prompts, where the map gives all of them by range."""
    ranges = entry.get("tiered_pricing") or ()
    priced = (r for r in ranges if "input_cost_per_token" in r)
    return next((r for r in priced if r["range"][0] == 0), {})


def _tiers(entry: Mapping[str, Any]) -> Iterator[PriceTier]:
    """What the map says of long prompts, in either of its two ways."""
    for name, price in entry.items():
        if (found := _ABOVE.fullmatch(name)) is not None and price is not None:
            end = f"_above_{found[1]}k_tokens"
            yield _tier(entry, 1000 * int(found[1]), end)
    for tier in entry.get("tiered_pricing") or ():
        if "input_cost_per_token" in tier and tier["range"][0] > 0:
            yield _tier(tier, int(tier["range"][0]), "")


def _tier(rates: Mapping[str, Any], above: int, end: str) -> PriceTier:
    def rate(name: str) -> float | None:
        said: float | None = rates.get(name + end, rates.get(name))
        return said

    return PriceTier(
        above=above,
        input_usd=rate("input_cost_per_token") or 0.0,
        output_usd=rate("output_cost_per_token") or 0.0,
        cached_usd=rate("cache_read_input_token_cost") if _caches(rates) else None,
    )


def _caches(entry: Mapping[str, Any]) -> bool:
    """Whether a prompt is cached without being marked for it: Anthropic's has to be."""
    provider = str(entry.get("litellm_provider"))
    return not any(name in provider for name in ("anthropic", "bedrock"))


def local_price(usd_per_hour: float, rates: Rates) -> Price:
    """USD per second over tokens per second."""
    per_second = usd_per_hour / 3600
    return Price(
        input_usd=per_second / rates.prompt_tps,
        output_usd=per_second / rates.completion_tps,
        basis=(
            f"USD {usd_per_hour:g}/h over {rates.prompt_tps:.0f} prompt and "
            f"{rates.completion_tps:.0f} completion tokens/s, measured {rates.measured_at}"
        ),
        metered=False,
    )


def stated_price(name: str, settings: ModelSettings, model: str | None) -> Price | None:
    """The price that needs no measurement, None where the model is priced by the hour.

    Raises `ConfigError` where nothing at all says what the model costs: an unpriced
    call could not be held under a cap.
    """
    if settings.input_usd_per_million is not None and settings.output_usd_per_million is not None:
        return Price(
            input_usd=settings.input_usd_per_million / 1e6,
            output_usd=settings.output_usd_per_million / 1e6,
            cached_usd=_per_token(settings.cached_usd_per_million),
            cached_least=CACHED_LEAST,
            basis=f"configuration: models.{name}",
        )
    if settings.usd_per_hour is not None:
        return None
    if settings.deployments:
        return _dearest(name, [one.model for one in settings.deployments])
    price = hosted_price(model) if model else None
    if price is None and (model or settings.api_base):
        raise ConfigError(
            f"models.{name}: no price is known for {model or settings.api_base!r}; set "
            "usd_per_hour, or input_usd_per_million and output_usd_per_million"
        )
    return price


def _dearest(name: str, models: list[str]) -> Price:
    """What bounds each of them: whichever is asked, it costs no more."""
    known = {model: hosted_price(model) for model in models}
    missing = [model for model, price in known.items() if price is None]
    if missing:
        raise ConfigError(
            f"models.{name}: no price is known for {missing[0]!r}; set input_usd_per_million and "
            "output_usd_per_million"
        )
    prices = [price for price in known.values() if price is not None]
    lengths = sorted({tier.above for price in prices for tier in price.tiers})
    return Price(
        input_usd=max(p.input_usd for p in prices),
        output_usd=max(p.output_usd for p in prices),
        basis=f"LiteLLM's price map, the dearest of {', '.join(dict.fromkeys(models))}",
        tiers=tuple(_dearest_above(length, prices) for length in lengths),
    )


def _dearest_above(length: int, prices: Sequence[Price]) -> PriceTier:
    rates = [price.at(length + 1) for price in prices]
    return PriceTier(
        above=length,
        input_usd=max(r.input_usd for r in rates),
        output_usd=max(r.output_usd for r in rates),
    )


def _per_token(usd_per_million: float | None) -> float | None:
    return None if usd_per_million is None else usd_per_million / 1e6


def check_prices(settings: Settings) -> None:
    """Raise `ConfigError` for a model, or a reference model, without a price."""
    reference_price(settings)
    for name, model in settings.models.items():
        if model.model or model.api_base or model.deployments:
            stated_price(name, model, model.model)


def reference_price(settings: Settings) -> Price:
    """The price of `prices.reference_model`. Raises `ConfigError` where the map lacks it."""
    price = hosted_price(settings.prices.reference_model)
    if price is None:
        raise ConfigError(
            f"prices.reference_model: {settings.prices.reference_model!r} is not in "
            "LiteLLM's price map"
        )
    return price
