"""`models check` on a loopback fake: a capability that is not there is a finding, no error."""

import time

import pytest

from router.config import load_settings
from router.errors import ModelUnavailable
from router.models.check import CHECKS, check_model


@pytest.fixture(autouse=True)
def _clean(clean_env, hang_up):
    return clean_env


def settings_at(fake):
    small = {"api_base": fake.api_base, "api_key": "fake-key", "usd_per_hour": None,
             "input_usd_per_million": 1, "output_usd_per_million": 2, "stall_s": 30}  # fmt: skip
    return load_settings(models={"small": small})


async def test_what_a_plain_server_cannot_do_is_said(fake_model):
    """The fake streams always, knows no logprobs, no n, no stop and no context."""
    fake_model.streams_only = True
    report = await check_model(settings_at(fake_model), "small")
    states = {fact.name: fact.state for fact in report.facts}
    assert list(states) == ["completion", "context", *list(CHECKS)[1:], "price"]
    assert report.model == "hosted_vllm/fake-large"
    assert [states[n] for n in ("completion", "one stream", "8 streams", "streaming", "price")] == [
        "ok"
    ] * 5
    assert states["context"] == "failed"
    assert states["stop"] == "not supported"
    for name in ("logprobs", "n", "continue_final_message", "usage in a stream"):
        assert states[name] in ("not supported", "failed"), name
    assert set(report.tokens_per_s) == {1, 8} and min(report.tokens_per_s.values()) > 0
    assert all(fact.said for fact in report.facts)
    assert "fake-key" not in repr(report)


async def test_what_the_first_batch_takes_longer_is_not_in_its_speed(fake_model):
    """As where a server compiles a kernel when eight requests come at once for the first time."""

    def answer(messages):
        if "crows" in messages[0]["content"]:
            time.sleep(1.5)
        return "one two three four five six seven eight"

    fake_model.answer = answer
    start = time.monotonic()
    report = await check_model(settings_at(fake_model), "small")
    assert time.monotonic() - start > 1.5  # the batch that does not count was made
    assert report.tokens_per_s[8] > 8 * 8 / 1.5


async def test_a_server_that_dies_later_fails_each_check_and_raises_nothing(fake_model):
    asked = []

    def answer(messages):
        asked.append(1)
        if len(asked) > 1:
            fake_model.mode = "error"
        return "one two three"

    fake_model.answer = answer
    report = await check_model(settings_at(fake_model), "small")
    failed = [fact for fact in report.facts if fact.name in CHECKS and fact.name != "completion"]
    assert {fact.state for fact in failed} == {"failed"}
    assert all("cannot be reached or refuses to serve" in fact.said for fact in failed)


async def test_a_model_that_cannot_complete_is_down(fake_model):
    fake_model.mode = "auth"
    with pytest.raises(ModelUnavailable, match="key was rejected"):
        await check_model(settings_at(fake_model), "small")


async def test_a_model_that_is_not_configured_is_named():
    with pytest.raises(ModelUnavailable, match=r"not configured: set models\.large\.model"):
        await check_model(load_settings(), "large")
