"""Reserve before an arm runs, settle after it, whatever becomes of it.

A lease that was taken is settled exactly once: with what the attempt cost, or, where the run is
cancelled or breaks, with what its tab says was spent until then. Both calls to the purse are
carried to their end even while the run is being cancelled: a lease nobody settles would hold its
worst case back until it expires.
"""

import asyncio

from router.arms.spending import Tab
from router.purse import Basis, Bill, Lease, Purse
from router.state import Attempt
from router.tasks import ended, to_its_end

__all__ = ["bill_of", "reserve", "settle", "settle_bill", "settle_broken"]


async def reserve(purse: Purse, arm: str, usd: float) -> Lease | None:
    """Set an arm's worst case aside; None where the budget does not hold it."""
    taking = asyncio.ensure_future(purse.reserve(arm, usd))
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        await to_its_end(_give_back(purse, taking))
        raise


async def _give_back(purse: Purse, taking: "asyncio.Future[Lease | None]") -> None:
    """Settle a reserve that nobody waits for any more at nothing."""
    await ended(taking)
    lease = None if taking.cancelled() or taking.exception() else taking.result()
    if lease is not None:
        await purse.settle(lease, Bill(0.0, "reported"))


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
    await to_its_end(purse.settle(lease, bill))


def bill_of(attempt: Attempt) -> Bill:
    """What a budget is charged with for an attempt."""
    basis: Basis = "reported" if attempt.tokens_basis == "reported" else "estimated"
    return Bill(attempt.charged_usd, basis, attempt.prompt_tokens, attempt.completion_tokens)
