"""Which models can be called, and why not; health is a real completion."""

import time

import pytest

from router.config import load_settings
from router.errors import (
    ConfigError,
    ContextOverflow,
    ModelAuthError,
    ModelDied,
    ModelStalled,
    ModelTimeout,
    ModelUnavailable,
    ModelUnreachable,
    RequestRejected,
)
from router.models import breaker, pool, probe
from router.models.pool import Models

PRICE = {"usd_per_hour": None, "input_usd_per_million": 1, "output_usd_per_million": 2}


@pytest.fixture(autouse=True)
def _clean(clean_env):
    return clean_env


def models_at(fake, **small):
    settings = load_settings(models={"small": {"api_base": fake.api_base, **small}})
    return Models(settings, environ={})


async def test_the_served_name_is_asked_for_and_a_completion_is_made(fake_model):
    models = models_at(fake_model, **PRICE)
    await models.start()
    assert models.why_not("small") is None
    assert models.endpoint("small").model == "hosted_vllm/fake-large"
    assert len(fake_model.requests) == 1
    assert fake_model.requests[0]["max_tokens"] == probe.PROBE_TOKENS


async def test_a_model_by_the_hour_is_priced_by_its_measured_speed(fake_model):
    fake_model.mode = "slow"
    models = models_at(fake_model, usd_per_hour=3.6)
    await models.start()
    price = models.price("small")
    # The fake writes a word every 20 ms; a factor of 10 either way is another formula.
    assert 0.1 < price.output_usd / (0.001 * 0.02) < 10
    assert "USD 3.6/h" in price.basis
    again = models_at(fake_model, usd_per_hour=3.6)
    assert again.price("small").output_usd == pytest.approx(price.output_usd)


async def test_the_cards_sampling_is_used_unless_set(fake_model):
    models = models_at(fake_model, **PRICE, top_p=0.5)
    await models.start()
    endpoint = models.endpoint("small")
    assert (endpoint.temperature, endpoint.top_p) == (1.0, 0.5)
    assert endpoint.stop == ("<|im_end|>", "<|endoftext|>")


async def test_no_key_no_large_model():
    models = Models(load_settings(), environ={})
    assert "not configured: set models.large.model" in models.why_not("large")
    assert "OPENAI_API_KEY" in models.why_not("large")
    with pytest.raises(ModelUnavailable, match="not configured"):
        models.endpoint("large")


async def test_a_key_in_the_environment_finds_one():
    models = Models(load_settings(), environ={"ANTHROPIC_API_KEY": "k"})
    assert models.why_not("large") is None
    assert models.price("large").basis == "LiteLLM's price map: claude-sonnet-5"


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("auth", "key was rejected"),
        ("error", "cannot be reached or refuses"),
        ("garbage", "no chat"),
    ],
)
async def test_a_server_that_cannot_complete_is_down(fake_model, mode, says):
    fake_model.mode = mode
    models = models_at(fake_model, **PRICE)
    await models.start()
    assert says in models.why_not("small")


async def test_a_server_that_comes_back_is_found(fake_model, monkeypatch):
    fake_model.mode = "error"
    models = models_at(fake_model, **PRICE)
    await models.start()
    await models.start()  # the second pause is longer than anybody waits
    assert models.why_not("small") is not None
    fake_model.mode = "ok"
    await models.start()
    assert models.why_not("small") is not None, "not tried again before the pause is over"
    later = time.monotonic() + breaker.RETRY_S + 1
    monkeypatch.setattr(pool.time, "monotonic", lambda: later)
    await models.start()
    assert models.why_not("small") is None


async def test_where_no_model_is_up_the_first_pause_is_waited_for(fake_model, monkeypatch):
    fake_model.mode = "error"
    models = models_at(fake_model, **PRICE)
    await models.start()
    fake_model.mode = "ok"
    await models.start()
    assert models.why_not("small") is None


def fail(models, error, times=1, began=None):
    for _ in range(times):
        models.report("small", time.perf_counter() if began is None else began, error)


async def test_a_broken_call_now_and_then_leaves_nothing_out(fake_model):
    models = models_at(fake_model, **PRICE)
    await models.start()
    for _ in range(5):
        fail(models, ModelDied("broke off"), 2)
        fail(models, None, 3)
    assert models.why_not("small") is None


async def test_three_in_a_row_leave_it_out_until_it_completes_something(fake_model):
    models = models_at(fake_model, **PRICE)
    await models.start()
    asked = len(fake_model.requests)
    fail(models, ModelDied("broke off"), 3)
    assert models.why_not("small") == "broke off"
    await models.start()
    assert models.why_not("small") is None
    assert len(fake_model.requests) == asked + 1, "a real completion"


async def test_a_server_that_is_not_there_is_left_out_at_once(fake_model):
    models = models_at(fake_model, **PRICE)
    await models.start()
    fail(models, ModelUnreachable("nothing answers"))
    assert models.why_not("small") == "nothing answers"


@pytest.mark.parametrize(
    "error",
    [ModelAuthError("key"), ContextOverflow("long"), ModelTimeout("deadline"),
     RequestRejected("400")],
)  # fmt: skip
async def test_one_callers_bad_requests_take_the_model_from_nobody(fake_model, error):
    models = models_at(fake_model, **PRICE)
    await models.start()
    fail(models, error, 30)
    assert models.why_not("small") is None


async def test_a_model_without_a_probe_comes_back_by_itself():
    settings = load_settings(models={"small": {"serve": None, "model": "gpt-5.4", **PRICE}})
    models = Models(settings, environ={})
    await models.start()
    fail(models, ModelStalled("silent"), 3)
    assert models.why_not("small") == "silent"
    await models.start()
    assert models.why_not("small") is None
    fail(models, ModelStalled("still silent"))
    assert models.why_not("small") == "still silent", "the first call after the pause is a trial"


async def test_nothing_listens():
    settings = load_settings(models={"small": {"api_base": "http://127.0.0.1:9/v1", **PRICE}})
    models = Models(settings, environ={})
    await models.start()
    assert "models.small: nothing answers at api_base http://127.0.0.1:9/v1" in models.why_not(
        "small"
    )


def test_an_unpriced_model_is_refused_at_once():
    settings = load_settings(models={"large": {"model": "someone/new-model"}})
    with pytest.raises(ConfigError, match="models.large: no price is known"):
        Models(settings, environ={})


def test_a_missing_weight_file_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match=r"models.small.gguf: Path does not point to a file"):
        load_settings(models={"small": {"gguf": str(tmp_path / "gone.gguf")}})
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a gguf")
    settings = load_settings(models={"small": {"gguf": str(broken)}})
    assert "is not a GGUF weight file" in Models(settings, environ={}).why_not("small")
