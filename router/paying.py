"""Reserve before an arm runs, settle after it, whatever becomes of it.

A lease that was taken is settled exactly once: with what the attempt cost, or, where the run is
cancelled or breaks, with what its tab says was spent until then. Both calls to the purse are
carried to their end even while the run is being cancelled: a lease nobody settles would hold its
worst case back until it expires.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from router.arms.spending import Tab
from router.purse import Basis, Bill, Lease, Purse
from router.state import Attempt

__all__ = ["bill_of", "reserve", "settle", "settle_bill", "settle_broken"]

T = TypeVar("T")


async def reserve(purse: Purse, arm: str, usd: float) -> Lease | None:
    """Set an arm's worst case aside; None where the budget does not hold it."""
    taking = asyncio.ensure_future(purse.reserve(arm, usd))
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        await asyncio.wait({taking})
        lease = None if taking.cancelled() or taking.exception() else taking.result()
        if lease is not None:
            await _to_its_end(purse.settle(lease, Bill(0.0, "reported")))
        raise


async def settle(purse: Purse, lease: Lease, attempt: Attempt) -> None:
    """Book a finished attempt."""
    await settle_bill(purse, lease, bill_of(attempt))


async def settle_broken(purse: Purse, lease: Lease, tab: Tab | None) -> None:
    """Book an attempt that never ended: what its tab knows; without one, the whole reserve."""
    if tab is None:
        bill = Bill(lease.usd, "reserved")
    else:
        basis: Basis = "reported" if tab.known else "estimated"
        bill = Bill(tab.usd, basis, tab.prompt_tokens, tab.completion_tokens)
    await settle_bill(purse, lease, bill)


async def settle_bill(purse: Purse, lease: Lease, bill: Bill) -> None:
    """Book a bill, also while the run is being cancelled."""
    await _to_its_end(purse.settle(lease, bill))


def bill_of(attempt: Attempt) -> Bill:
    """What a budget is charged with for an attempt."""
    basis: Basis = "reported" if attempt.tokens_basis == "reported" else "estimated"
    return Bill(attempt.charged_usd, basis, attempt.prompt_tokens, attempt.completion_tokens)


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Await it; a cancellation is passed on only once it is done."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error from None
        raise
