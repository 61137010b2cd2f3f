"""The cap, the deadline and the bill of an arm that draws several samples."""

import itertools

import pytest

from policies import OnlyArm
from router.errors import BudgetError, NoAnswerError
from router.samples import AttemptStatus as Status
from tests.router.wallet import Wallet

from .sampling import PROMPT, WORD, arm, cost_of, replies, statuses


@pytest.mark.parametrize("k", [32, 64])
def test_the_cap_holds_with_32_samples_in_flight(vote, fake_model, k):
    """One worst case is about USD 0.0017 (384 tokens and the prompt): 0.01 has room for five.

    They cost less, so more than five are run: each waits until its worst case fits.
    """
    fake_model.honours_cap = True
    fake_model.answer = itertools.cycle(["word " * 200 + "\\boxed{1}", "word " * 150]).__next__
    fake_model.answer = (lambda each: lambda _: each())(fake_model.answer)
    attempt = vote(
        k=k, parallel=32, early_stop=False, limits={"max_cost_usd": 0.01, "max_steps": 1}
    )
    ran = [s for s in attempt.samples if s.status is not Status.NOT_RUN]
    assert 5 < len(ran) < k
    assert attempt.cost_usd <= 0.01
    assert attempt.cost_usd == pytest.approx(
        PROMPT * 11 * len(ran) + WORD * attempt.completion_tokens
    )
    refused = [s for s in attempt.samples if s.status is Status.NOT_RUN]
    assert "limits.max_cost_usd" in refused[0].error


def test_no_room_for_a_single_sample(make_router, fake_model):
    router = make_router(
        small=fake_model, arms=arm(k=4), policy=OnlyArm(arm="vote"), limits={"max_cost_usd": 0.0001}
    )
    with pytest.raises(NoAnswerError, match=r"worst case, USD 0\.00"):
        router.ask("What is 17 + 25?")


def test_no_call_is_made_after_the_deadline(vote, fake_model):
    fake_model.mode_of = lambda n: "hang"
    attempt_of = {"limits": {"timeout_s": 2}, "k": 12, "parallel": 2}
    with pytest.raises(NoAnswerError):
        vote("It is 42.", **attempt_of)
    assert len(fake_model.requests) <= 4


def test_a_call_that_timed_out_has_paid_for_its_prompt(make_router, fake_model):
    router = make_router(
        small=fake_model, arms=arm(k=2, parallel=2), policy=OnlyArm(arm="vote"),
        limits={"timeout_s": 2},
    ).open()  # fmt: skip
    modes = iter(["ok", "hang"])
    fake_model.answer = replies("It is 42.")
    fake_model.mode_of = lambda n: next(modes, "hang")
    answer = router.ask("What is 17 + 25?")
    (attempt,) = [s.attempt for s in answer.trace.steps if s.attempt]
    assert sorted(statuses(attempt)) == ["failed", "ok"]
    failed = next(s for s in attempt.samples if s.status is Status.FAILED)
    assert failed.prompt_tokens == 11  # as its sibling's usage counted them
    assert attempt.cost_usd == pytest.approx(cost_of(attempt))


async def one_call(make_router, fake_model, modes, usd, **more):
    """The bill of a metered arm of one sample, whose calls meet these modes in turn."""
    router = make_router(
        small=fake_model, policy=OnlyArm(arm="small"), limits={"max_steps": 1}, **more
    ).open()
    left = iter(modes)
    fake_model.mode_of = lambda n: next(left, "ok")
    wallet = Wallet(usd)
    try:
        answer = await router.aask("Hello there!", purse=wallet)
    except (NoAnswerError, BudgetError):
        answer = None
    ((_, bill),) = wallet.settled
    return answer, bill


async def test_a_failure_that_cost_nothing_is_tried_again_within_one_worst_case(
    make_router, fake_model
):
    answer, bill = await one_call(make_router, fake_model, ["error"], 0.002)
    assert answer is not None and bill.basis == "reported"
    assert len(fake_model.requests) == 1 + 2, "the probe, and two tries"


async def test_what_may_have_been_charged_is_and_the_retry_needs_money_of_its_own(
    make_router, fake_model
):
    answer, bill = await one_call(make_router, fake_model, ["empty"], 0.002)
    assert answer is None, "no money was left for another try"
    assert bill.basis == "estimated" and bill.usd > 0.0015
    answer, bill = await one_call(make_router, fake_model, ["empty"], 1.0)
    assert answer is not None
    assert bill.basis == "estimated" and bill.usd > 0.0015


def test_the_all_large_estimate_is_of_one_call(make_router, fake_model):
    asked = "What is 17 + 25?"
    found = []
    for name, more in (("majority", {"k": 8, "early_stop": False}), ("single", {})):
        router = make_router(small=fake_model, arms=arm(name, **more), policy=OnlyArm(arm="vote"))
        router.open()
        fake_model.answer = replies("It is 42.")
        found.append(router.ask(asked).all_large_usd_estimate)
    assert found[0] == pytest.approx(found[1])
