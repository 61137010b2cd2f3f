"""Work that must be finished is finished, however often whoever waits for it is cancelled."""

import asyncio

import pytest

from router.paying import reserve
from router.tasks import to_its_end

from .wallet import Wallet


async def cancelled(task, times):
    """Cancel it again and again while it tidies up."""
    for _ in range(times):
        await asyncio.sleep(0.02)
        task.cancel()
    await asyncio.wait({task})
    return task.cancelled()


async def test_cancelled_twice_the_work_still_ends_and_the_cancellation_is_passed_on():
    done = []

    async def work():
        await asyncio.sleep(0.2)
        done.append(True)

    assert await cancelled(asyncio.ensure_future(to_its_end(work())), 3)
    assert done


async def test_an_error_is_the_cause_of_the_cancellation_that_it_ends_with():
    async def work():
        await asyncio.sleep(0.1)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await to_its_end(work())
    task = asyncio.ensure_future(to_its_end(work()))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert "broken" in str(caught.value.__cause__)


async def test_a_reserve_is_given_back_also_where_its_run_is_cancelled_twice():
    wallet = Wallet(1.0, slow_s=0.2)
    assert await cancelled(asyncio.ensure_future(reserve(wallet, "small", 0.5)), 2)
    assert not wallet.open and wallet.left_usd == 1.0
