"""A request's money and row: reserved in both periods or none, settled once, closed once."""

import asyncio
import math
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from router.errors import LedgerError
from router.ledger.ledger import Ledger
from router.ledger.money import nano, now
from router.ledger.records import Closing, Principal
from router.ledger.tenants import Tenant, set_tenant
from router.purse import Bill, Lease

from .conftest import start

MakeTenant = Callable[..., Principal]
FAILED = Closing("failed", 503, error="no_answer")


async def day(ledger: Ledger, tenant: str = "acme") -> tuple[float, float]:
    """What is spent and reserved today."""
    today = (await ledger.usage(tenant))["day"]
    return today["spent_usd"], today["reserved_usd"]


async def test_a_reserve_is_held_then_settled_at_the_bill(ledger: Ledger, tenant: MakeTenant):
    booking = ledger.book(tenant(daily_usd=0.05), start())
    await booking.open()
    assert booking.left_usd == pytest.approx(0.05)
    lease = await booking.reserve("large", 0.04)
    assert lease is not None and lease.arm == "large"
    assert booking.left_usd == pytest.approx(0.01)
    assert await day(ledger) == (0.0, 0.04)
    await booking.settle(lease, Bill(0.01, "reported", 100, 20))
    await booking.close(FAILED)
    assert await day(ledger) == (0.01, 0.0)
    told = await ledger.trace("r1", "acme")
    assert told is not None and told["cost_usd"] == 0.01 and told["ending"] == "failed"
    assert [a["basis"] for a in told["attempts"]] == ["reported"]


async def test_both_periods_or_neither(ledger: Ledger, tenant: MakeTenant):
    booking = ledger.book(tenant(daily_usd=0.05, monthly_usd=0.02), start())
    assert await booking.reserve("large", 0.03) is None
    used = await ledger.usage("acme")
    assert used["day"]["reserved_usd"] == used["month"]["reserved_usd"] == 0.0
    assert booking.left_usd == pytest.approx(0.02)
    assert await booking.reserve("small", 0.02) is not None


async def test_the_whole_budget_can_be_reserved_and_no_nano_more(
    ledger: Ledger, tenant: MakeTenant
):
    booking = ledger.book(tenant(daily_usd=0.3), start())
    for _ in range(3):
        assert await booking.reserve("small", 0.1) is not None
    assert await booking.reserve("small", 1e-9) is None


async def test_without_a_budget_nothing_bounds_it_and_it_is_counted(
    ledger: Ledger, tenant: MakeTenant
):
    booking = ledger.book(tenant(), start())
    await booking.open()
    assert booking.left_usd == math.inf
    lease = await booking.reserve("large", 5.0)
    assert lease is not None and booking.left_usd == math.inf
    await booking.settle(lease, Bill(4.0, "reported"))
    await booking.close(FAILED)
    assert await day(ledger) == (4.0, 0.0)


async def test_a_second_settle_and_a_second_close_do_nothing(ledger: Ledger, tenant: MakeTenant):
    booking = ledger.book(tenant(daily_usd=1), start())
    lease = await booking.reserve("large", 0.5)
    assert lease is not None
    await booking.settle(lease, Bill(0.1, "reported"))
    await booking.settle(lease, Bill(0.4, "reported"))
    await booking.settle(Lease("another's", "large", 0.1), Bill(0.1, "reported"))
    await asyncio.gather(booking.close(FAILED), booking.close(Closing("answered", 200)))
    assert await day(ledger) == (0.1, 0.0)
    rows = await ledger.requests("acme")
    assert [row["ending"] for row in rows] == ["failed"]
    with pytest.raises(LedgerError, match="has ended"):
        await booking.reserve("large", 0.1)


async def test_what_is_unsettled_at_the_end_counts_as_spent_and_a_late_bill_puts_it_right(
    ledger: Ledger, tenant: MakeTenant
):
    booking = ledger.book(tenant(daily_usd=1), start())
    lease = await booking.reserve("large", 0.5)
    assert lease is not None
    await booking.close(FAILED)
    assert await day(ledger) == (0.5, 0.0)
    told = await ledger.trace("r1", "acme")
    assert told is not None and told["attempts"][0]["basis"] == "reserved"
    await booking.settle(lease, Bill(0.2, "estimated"))
    await ledger.sweep()  # behind the bill in the queue
    assert await day(ledger) == (0.2, 0.0)
    told = await ledger.trace("r1", "acme")
    assert told is not None and told["cost_usd"] == 0.2


async def test_a_cancelled_reserve_is_given_back(ledger: Ledger, tenant: MakeTenant):
    booking = ledger.book(tenant(daily_usd=1), start())
    asking = asyncio.ensure_future(booking.reserve("large", 0.5))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await booking.close(Closing("cancelled", 499))
    await asyncio.sleep(0.05)
    await ledger.sweep()
    assert await day(ledger) == (0.0, 0.0)


async def test_what_no_lease_paid_for_counts_on_the_day_on_which_the_request_ended(
    ledger: Ledger, tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch
):
    """Where it is written a day later: a database that was away, or midnight."""
    here = threading.main_thread()

    def clock() -> datetime:
        return now() if threading.current_thread() is here else now() + timedelta(days=1)

    booking = ledger.book(tenant(daily_usd=1), start())
    monkeypatch.setattr("router.ledger.booking.now", clock)
    monkeypatch.setattr(booking, "_unreserved", lambda _: nano(0.25))
    await booking.close(FAILED)
    assert await day(ledger) == (0.25, 0.0)
    told = await ledger.trace("r1", "acme")
    assert told is not None and told["cost_usd"] == 0.25


async def test_closing_goes_on_when_its_caller_is_cancelled(ledger: Ledger, tenant: MakeTenant):
    booking = ledger.book(tenant(), start())
    closing = asyncio.ensure_future(booking.close(Closing("cancelled", 499)))
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await ledger.sweep()
    rows = await ledger.requests("acme")
    assert [row["ending"] for row in rows] == ["cancelled"]


async def test_many_at_once_never_reserve_above_the_budget(ledger: Ledger, tenant: MakeTenant):
    who = tenant(daily_usd=0.5)
    bookings = [ledger.book(who, start(f"r{i}")) for i in range(100)]
    leases = await asyncio.gather(*(b.reserve("large", 0.01) for b in bookings))
    assert sum(lease is not None for lease in leases) == 50
    assert await day(ledger) == (0.0, 0.5)
    await asyncio.gather(*(b.close(FAILED) for b in bookings))
    assert len(await ledger.requests("acme", limit=1000)) == 100


async def test_a_lowered_budget_counts_at_once(ledger: Ledger, tenant: MakeTenant):
    booking = ledger.book(tenant(daily_usd=1), start())
    assert await booking.reserve("large", 0.4) is not None
    ledger.run(lambda c: set_tenant(c, Tenant("acme", daily_usd=0.5)))
    assert await booking.reserve("large", 0.2) is None


async def test_an_impossible_amount_is_refused_before_anything_is_written(
    ledger: Ledger, tenant: MakeTenant
):
    booking = ledger.book(tenant(), start())
    for amount in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="amount of money"):
            await booking.reserve("large", amount)
    assert await ledger.requests("acme") == []
