"""A conversation over the real graph: up, held by the cache, down again when it is gone."""

import pytest

from router.config import make_policy
from router.conversations import Conversations
from router.models.completion import _cached
from router.state import Message, Price, Query

CONTEXT = "You are a clerk. " + "Rule: be polite to everyone who asks. " * 600
HARD, EASY = "What is the capital of Bhutan?", "What is 12 * 7?"
RIGHT = "12 * 7 = 84\n\nThe answer is \\boxed{84}."


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_it_forgets_what_a_provider_forgets_and_the_longest_unused():
    clock = Clock()
    held = Conversations(300, 2, clock)
    held.keep("a", "large", 5000)
    assert held.last("a").arm == "large"
    clock.now = 301
    assert held.last("a") is None and len(held) == 0
    for key in "abc":
        held.keep(key, "small", 1)
    assert held.last("a") is None and held.last("c") is not None
    clock.now = 500
    held.keep("d", "small", 1)
    clock.now = 700
    held.keep("e", "small", 1)
    assert len(held) == 2, "the rest was forgotten without being asked for"
    assert held.last("d") is not None and held.last("e") is not None
    clock.now = 801
    held.keep("e", "small", 1)
    assert len(held) == 1


def turn(text, key="t-1"):
    messages = (Message(role="system", content=CONTEXT), Message(role="user", content=text))
    return Query(id="q", messages=messages, conversation=key)


def priced(small, large):
    models = {}
    for name, fake, price, cached in (("small", small, 1.0, None), ("large", large, 2.0, 0.05)):
        models[name] = {
            "tier": name, "api_base": fake.api_base, "api_key": "k", "usd_per_hour": None,
            "input_usd_per_million": price, "output_usd_per_million": 2 * price,
            "cached_usd_per_million": cached, "max_tokens": 256,
        }  # fmt: skip
    return models


def test_a_conversation_goes_up_and_comes_down(make_router, fake_model, other_fake_model):
    fake_model.answer = other_fake_model.answer = lambda _: RIGHT
    policy = make_policy("sticky", {"inner": "verifiability"})
    router = make_router(
        fake_model, other_fake_model, policy=policy,
        models={n: m | {"context_tokens": 20000, "languages": None}
                for n, m in priced(fake_model, other_fake_model).items()},
    ).open()  # fmt: skip
    clock = Clock()
    conversations = router._assembly.engine.cases.conversations
    conversations._clock = clock

    assert router.ask(turn(EASY)).route == ("small",)
    assert router.ask(turn(HARD)).route == ("large",), "a hard turn goes up"
    # The fake server counts 11 prompt tokens; the provider of such a prompt counted thousands.
    conversations.keep("t-1", "large", 6000)
    kept = router.ask(turn(EASY))
    assert kept.route == ("large",), "the cache makes it the cheaper one"
    first = next(s.decision for s in kept.trace.steps if s.decision)
    assert any("its prompt is cached" in reason for reason in first.reasons)
    assert router.ask(turn(EASY, key="t-2")).route == ("small",), "another conversation"
    conversations.keep("t-1", "large", 6000)
    clock.now = 400
    assert router.ask(turn(EASY)).route == ("small",), "the cache is gone: down again"


def test_cached_tokens_cost_what_the_provider_says():
    price = Price(input_usd=2e-6, output_usd=4e-6, cached_usd=0.2e-6, basis="test")
    assert price.cost(1000, 10, 800) == pytest.approx(200 * 2e-6 + 800 * 0.2e-6 + 10 * 4e-6)

    class Usage:
        prompt_tokens = 100

        class prompt_tokens_details:
            cached_tokens = 400

    assert _cached(Usage) == 100, "never more than there are"
