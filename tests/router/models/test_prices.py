"""What tokens cost: LiteLLM's map, USD per hour over measured speed, or the configuration."""

import subprocess
import sys

import pytest

from router.config import load_settings
from router.errors import ConfigError
from router.models.prices import Rates, hosted_price, local_price, reference_price, stated_price
from router.settings import ModelSettings

RATES = Rates(prompt_tps=1000, completion_tps=100, measured_at="2026-11-22T00:00:00+00:00")


def test_local_is_usd_per_second_over_tokens_per_second():
    price = local_price(0.36, RATES)
    assert price.output_usd == pytest.approx(0.0001 / 100)
    assert price.cost(1000, 100) == pytest.approx(0.0001 + 0.0001)
    assert "measured 2026-11-22" in price.basis


def test_hosted_comes_from_litellms_map_without_importing_it():
    price = hosted_price("gpt-4o")
    assert (price.input_usd, price.output_usd) == (2.5e-06, 1e-05)
    assert hosted_price("openai/gpt-4o") is not None
    assert hosted_price("nobody/knows-this") is None
    code = (
        "import sys; from router.models.prices import hosted_price; hosted_price('gpt-4o');"
        "print('litellm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_long_prompt_has_the_price_of_its_length():
    price = hosted_price("gemini/gemini-2.5-pro")
    assert [tier.above for tier in price.tiers] == [200_000]
    dear, base = price.at(200_001), price.at(200_000)
    assert dear.input_usd > base.input_usd == price.input_usd
    assert price.cost(200_000, 10) == pytest.approx(
        200_000 * price.input_usd + 10 * price.output_usd
    )
    assert price.cost(300_000, 10) == pytest.approx(300_000 * dear.input_usd + 10 * dear.output_usd)
    saved = price.cost(300_000, 0) - price.cost(300_000, 0, cached_tokens=300_000)
    assert saved == pytest.approx(price.saved(300_000))
    assert saved > 0


def test_ranges_of_prices_are_tiers_too():
    price = hosted_price("dashscope/qwen3-max")  # the map prices it by ranges alone
    costs = [price.cost(tokens, 0) / tokens for tokens in (1_000, 100_000, 200_000)]
    assert 0 < costs[0] < costs[1] < costs[2]
    assert hosted_price("exa_ai/search") is None  # by results, not by tokens
    assert hosted_price("gpt-4o").tiers == ()


def test_the_dearest_of_deployments_is_so_at_every_length():
    models = ["gpt-4o", "gemini/gemini-2.5-pro"]
    own = ModelSettings(tier="large", deployments=[{"model": m} for m in models])
    price = stated_price("large", own, None)
    for prompt in (1000, 200_000, 200_001, 900_000):
        each = max(hosted_price(m).cost(prompt, 50) for m in models)
        assert price.cost(prompt, 50) >= each


def test_stated_prices_win():
    settings = ModelSettings(
        tier="large", model="gpt-4o", input_usd_per_million=1, output_usd_per_million=2
    )
    price = stated_price("large", settings, "gpt-4o")
    assert price.cost(1_000_000, 1_000_000) == pytest.approx(3)


def test_a_model_without_any_price_is_an_error_that_names_it():
    with pytest.raises(
        ConfigError, match=r"models.mine: no price is known for 'x/y'; set usd_per_hour"
    ):
        stated_price("mine", ModelSettings(tier="large", model="x/y"), "x/y")


def test_the_reference_model_must_be_in_the_map(clean_env):
    assert reference_price(load_settings()).output_usd > 0
    with pytest.raises(ConfigError, match="prices.reference_model: 'gpt-0'"):
        reference_price(load_settings(prices={"reference_model": "gpt-0"}))
