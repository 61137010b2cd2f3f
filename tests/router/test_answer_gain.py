"""answer-gain on the real graph: what the live check measured decides whether large is asked."""

import math

import pytest

from policies.answer_gain import AnswerGain
from policies.text_logistic import TextLogistic

MATH = "A pack holds 12 pens. Tom buys 7 packs. How many pens has he?"
RIGHT = "7 packs hold 12 * 7 = 84 pens.\n\nThe answer is \\boxed{84}."
WRONG = "7 packs hold 12 * 7 = 88 pens.\n\nThe answer is \\boxed{88}."


def policy(price):
    """Small is right with 0.9, and with 0.1 where a step does not recompute; large with 0.8."""
    odds = math.log(9)
    text = TextLogistic(
        fingerprint="fake", buckets=(3,), idf=(1.0,), length_mean=(0, 0, 0), length_scale=(0, 0, 0),
        small_weights=(0.0,) * 5, small_bias=odds,
        large_weights=(0.0,) * 5, large_bias=math.log(4),
    )  # fmt: skip
    return AnswerGain(
        price=price, text=text, columns=("wrong_steps",), centre=(0.0,), spread=(1.0,),
        small_weights=(1.0, 0.0, -2 * odds), small_bias=0.0,
        large_weights=(0.0, 1.0, 0.0), large_bias=0.0,
        shifts=((0.0, 0.0), (-2 * odds, 0.0)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "price", "route"),
    [
        (RIGHT, 0.0, ("small",)),
        (WRONG, 0.0, ("small", "large")),
        (WRONG, 1e9, ("small",)),
        (WRONG, math.inf, ("small",)),
    ],
)
def test_a_step_that_does_not_recompute_buys_the_large_answer(
    make_router, fake_model, other_fake_model, answer, price, route
):
    fake_model.answer, other_fake_model.answer = lambda _: answer, lambda _: RIGHT
    router = make_router(fake_model, other_fake_model, policy=policy(price))
    signals = router._assembly.engine.signals
    plain = signals.aclassify

    async def with_blocks(query):
        blocks, told = await plain(query)
        return {**blocks, "terms": [-1.0], "embedding": [0.0], "lengths": [0.0] * 3}, told

    signals.aclassify = with_blocks
    got = router.ask(MATH)
    assert got.route == route
    first = next(s for s in got.trace.steps if s.verdict)
    assert first.verdict.measured["wrong_steps"] == float(answer == WRONG)
    assert ("84" in got.answer) == (answer == RIGHT or len(route) == 2)
