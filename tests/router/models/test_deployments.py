"""Several places that serve a model: which one is asked, what a failing one costs."""

import pytest

from eval.bench.fake_model import FakeModel
from router import ConfigError, NoAnswerError
from tests.router.wallet import Wallet

HELLO = "Hello there!"


@pytest.fixture
def third():
    fake = FakeModel(lambda _: "Hello from the third.", keeps_alive=True)
    yield fake
    fake.close()


@pytest.fixture
def deployed(make_router, fake_model, other_fake_model, third):
    """The model `large` on two servers, the first one asked first."""

    def make(**more):
        places = [
            {"model": "hosted_vllm/x", "api_base": fake.api_base, "api_key": "k", "order": i + 1}
            for i, fake in enumerate((other_fake_model, third))
        ]
        large = {
            "tier": "large", "deployments": places, "input_usd_per_million": 10,
            "output_usd_per_million": 40, "max_tokens": 64, "stall_s": 5, "cooldown_s": 30, **more,
        }  # fmt: skip
        return make_router(fake_model, models={"large": large}, policy="always-large").open()

    return make


def attempts(answer):
    return [s.attempt for s in answer.trace.steps if s.attempt]


def test_the_attempt_names_the_deployment(deployed):
    answer = deployed().ask(HELLO)
    assert answer.route == ("large",)
    assert attempts(answer)[0].deployment == "large[0]"


@pytest.mark.parametrize("mode", ["error", "busy", "auth", "empty"])
def test_a_failing_deployment_is_passed_over_and_left_alone(
    deployed, other_fake_model, third, mode
):
    router = deployed(retries=1)
    other_fake_model.mode = mode
    answer = router.ask(HELLO)
    assert answer.route == ("large",) and answer.answer == "Hello from the third."
    assert attempts(answer)[0].deployment == "large[1]"
    seen = len(other_fake_model.requests)
    router.ask(HELLO)
    assert len(other_fake_model.requests) == seen, "it cools down"


async def test_every_try_is_reserved_and_paid(deployed, other_fake_model):
    router = deployed(retries=1)
    other_fake_model.mode = "stall"
    other_fake_model.replay = None
    other_fake_model.answer = lambda _: ""
    wallet = Wallet(1.0)
    answer = await router.aask(HELLO, purse=wallet)
    ((lease, bill),) = wallet.settled
    assert bill.usd <= lease.usd
    assert answer.cost_usd <= bill.usd


def test_no_try_follows_a_token(deployed, other_fake_model, third):
    router = deployed(retries=3)
    other_fake_model.mode = "cut"
    answer = router.ask(HELLO)
    assert answer.route == ("large", "small"), "the next arm's turn"
    assert not third.requests


def test_all_gone_the_small_model_carries_on(deployed, other_fake_model, third):
    router = deployed(retries=1)
    other_fake_model.mode = third.mode = "error"
    assert router.ask(HELLO).route == ("large", "small")
    again = router.ask(HELLO)
    assert again.route == ("large", "small")
    assert "cooling down" in attempts(again)[0].error
    with pytest.raises(NoAnswerError, match="cooling down"):
        router.ask(HELLO, policy=router.concrete("large"))


def test_a_single_model_is_tried_again_too(make_router, fake_model):
    models = {"small": {"retries": 2, "tier": "small", "api_base": fake_model.api_base,
                        "api_key": "k", "usd_per_hour": None, "input_usd_per_million": 1,
                        "output_usd_per_million": 4, "max_tokens": 64}}  # fmt: skip
    router = make_router(models=models, policy="always-small").open()
    asked = len(fake_model.requests)
    fake_model.mode_of = lambda n: "error" if n < asked + 2 else "ok"
    assert router.ask(HELLO).answer == "Hello from the fake model."
    assert len(fake_model.requests) == asked + 3


def test_prices_and_keys_are_asked_for(make_router, fake_model):
    with pytest.raises(ConfigError, match=r"models\.large: no price is known for 'hosted_vllm/x'"):
        make_router(fake_model, models={"large": {
            "tier": "large", "deployments": [{"model": "hosted_vllm/x"}]}})  # fmt: skip
    with pytest.raises(ConfigError, match=r"models\.large\.deployments\.0\.wieght: unknown key"):
        make_router(fake_model, models={"large": {
            "tier": "large", "deployments": [{"model": "gpt-5.4", "wieght": 2}]}})  # fmt: skip
