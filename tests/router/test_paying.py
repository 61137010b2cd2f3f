"""A run that somebody pays for: reserved before, settled after, whatever becomes of it."""

import asyncio
from contextlib import aclosing

import pytest

from router import NoAnswerError
from router.errors import BudgetError

from .wallet import Wallet

MATH = "What is 12 * 7?"
RIGHT = "12 * 7 = 84\n\nThe answer is \\boxed{84}."
WRONG = "12 * 7 = 88\n\nThe answer is \\boxed{88}."
VOTE = {"vote": {"model": "small", "method": {"name": "majority", "k": 4, "temperature": 0.7}}}


async def test_each_arm_is_reserved_and_settled_at_what_the_server_counted(
    make_router, fake_model, other_fake_model
):
    fake_model.answer, other_fake_model.answer = lambda _: WRONG, lambda _: RIGHT
    wallet = Wallet(1.0)
    answer = await make_router(fake_model, other_fake_model).aask(MATH, purse=wallet)
    assert [lease.arm for lease, _ in wallet.settled] == ["small", "large"]
    assert all(bill.basis == "reported" for _, bill in wallet.settled)
    assert wallet.spent == pytest.approx(answer.cost_usd)
    assert not wallet.open
    decided = [s.decision for s in answer.trace.steps if s.decision]
    for (lease, _), decision in zip(wallet.settled, decided, strict=False):
        assert lease.usd == decision.arms[lease.arm].worst_cost_usd


async def test_a_small_budget_buys_the_cheaper_arm(make_router, fake_model, other_fake_model):
    router = make_router(fake_model, other_fake_model, policy="always-large")
    answer = await router.aask("Hello there!", purse=Wallet(0.01))
    assert answer.route == ("small",)
    first = next(s.decision for s in answer.trace.steps if s.decision)
    assert first.arms["large"].over_budget and "budget" in first.arms["large"].why_not


class Stale(Wallet):
    """Another replica has spent the rest: nobody here has seen it yet."""

    left_usd = 1.0

    async def reserve(self, arm, usd):
        return None if arm == "large" else await super().reserve(arm, usd)


async def test_a_refused_arm_is_unavailable_and_the_policy_is_asked_again(
    make_router, fake_model, other_fake_model
):
    router = make_router(fake_model, other_fake_model, policy="always-large")
    answer = await router.aask("Hello there!", purse=Stale(1.0))
    assert answer.route == ("small",)
    assert any("large: its worst case" in (s.refused or "") for s in answer.trace.steps)
    assert len(other_fake_model.requests) == 1  # the health check


async def test_nothing_can_be_reserved(make_router, fake_model, other_fake_model):
    wallet = Wallet(0.000001)
    with pytest.raises(BudgetError, match=r"small: .*budget has left") as caught:
        await make_router(fake_model, other_fake_model).aask(MATH, purse=wallet)
    assert caught.value.left_usd == wallet.left_usd
    assert len(fake_model.requests) == len(other_fake_model.requests) == 1


async def test_out_of_budget_after_an_answer_returns_it(make_router, fake_model, other_fake_model):
    fake_model.answer = lambda _: WRONG
    answer = await make_router(fake_model, other_fake_model).aask(MATH, purse=Wallet(0.002))
    assert answer.route == ("small",) and not answer.verified
    assert "large" in answer.note


@pytest.mark.parametrize("slow_s", [0.0, 0.2])
async def test_a_run_that_is_left_is_settled_at_no_less_than_was_written(
    make_router, fake_model, slow_s
):
    wallet = Wallet(1.0, slow_s=slow_s)
    async with make_router(fake_model) as router:
        fake_model.mode = "endless"
        async with aclosing(router.astream("Tell me a story.", purse=wallet)) as events:
            async for event in events:
                if event.kind == "delta":
                    break
    assert not wallet.open
    ((lease, bill),) = wallet.settled
    assert bill.basis == "estimated"
    assert 0 < bill.usd <= lease.usd
    # What the server wrote and nobody read is its worst case: its own count is lost.
    assert bill.usd > 384 * 4e-6


async def test_leaving_while_reserving_gives_the_money_back(make_router, fake_model):
    wallet = Wallet(1.0, slow_s=0.5)
    async with make_router(fake_model) as router:
        asked = asyncio.ensure_future(router.aask("Tell me a story.", purse=wallet))
        await asyncio.sleep(0.3)
        asked.cancel()
        await asyncio.wait({asked})
    assert not wallet.open
    assert wallet.left_usd == 1.0


async def test_a_stream_that_breaks_off_is_charged_up_to_its_worst_case(make_router, fake_model):
    wallet = Wallet(1.0)
    router = make_router(fake_model).open()
    fake_model.mode = "cut"
    with pytest.raises(NoAnswerError):
        await router.aask("Tell me a story.", purse=wallet)
    ((_, bill),) = wallet.settled
    assert bill.basis == "estimated"
    assert bill.usd > 384 * 4e-6


async def test_a_refused_call_costs_nothing(make_router, fake_model):
    wallet = Wallet(1.0)
    router = make_router(fake_model).open()
    fake_model.mode = "busy"
    with pytest.raises(NoAnswerError):
        await router.aask("Tell me a story.", purse=wallet)
    assert wallet.spent == 0


@pytest.mark.parametrize("usd", [0.0021, 0.004, 1.0])
async def test_samples_stay_under_what_was_reserved_for_all_of_them(make_router, fake_model, usd):
    fake_model.answer = lambda _: "word " * 300
    fake_model.honours_cap = True
    wallet = Wallet(usd)
    router = make_router(fake_model, arms=VOTE, policy="always-small")
    answer = await router.aask("Tell me a story.", purse=wallet)
    ((lease, bill),) = wallet.settled
    assert bill.usd <= lease.usd <= usd
    assert bill.usd == pytest.approx(answer.cost_usd)
