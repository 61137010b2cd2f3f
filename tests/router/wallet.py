"""A purse in memory: what the ledger's booking does, without its database."""

import asyncio

from router.purse import Bill, Lease

__all__ = ["Wallet"]


class Wallet:
    """Holds `usd`; keeps what was asked of it, in order."""

    def __init__(self, usd: float, *, slow_s: float = 0.0) -> None:
        self.left_usd = usd
        self.slow_s = slow_s
        self.open: dict[str, Lease] = {}
        self.settled: list[tuple[Lease, Bill]] = []
        self.refused: list[str] = []

    async def reserve(self, arm: str, usd: float) -> Lease | None:
        await asyncio.sleep(self.slow_s)
        if usd > self.left_usd:
            self.refused.append(arm)
            return None
        lease = Lease(f"{len(self.open) + len(self.settled)}", arm, usd)
        self.open[lease.id] = lease
        self.left_usd -= usd
        return lease

    async def settle(self, lease: Lease, bill: Bill) -> None:
        await asyncio.sleep(self.slow_s)
        assert self.open.pop(lease.id) is lease, "settled twice"
        assert bill.usd <= lease.usd + 1e-12, "an attempt cost more than was reserved for it"
        self.left_usd += lease.usd - bill.usd
        self.settled.append((lease, bill))

    @property
    def spent(self) -> float:
        return sum(bill.usd for _, bill in self.settled)
