"""Who pays for a run: an arm's worst case is reserved before it starts and settled after.

A run without a purse is bounded by `limits.max_cost_usd` alone. The ledger's purse
(`router.ledger`) holds the tenant's budget, also where several replicas spend it at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["Basis", "Bill", "Bills", "Lease", "Purse"]

Basis = Literal["reported", "estimated", "reserved"]
"""`reported`: the server's own token counts; `estimated`: counted here, because the stream
ended without them; `reserved`: nobody knows, so the whole reserve counts."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A worst case that is set aside for one attempt."""

    id: str
    arm: str
    usd: float


@dataclass(frozen=True, slots=True)
class Bill:
    """What an attempt cost in the end."""

    usd: float
    basis: Basis
    prompt_tokens: int = 0
    completion_tokens: int = 0


Bills = Sequence[tuple[str, Bill]]
"""What arms (by name) were charged with."""


class Purse(Protocol):
    """The money of one run."""

    @property
    def left_usd(self) -> float:
        """What may still be reserved, as last seen; infinity where nothing bounds it."""
        ...

    async def reserve(self, arm: str, usd: float) -> Lease | None:
        """Set the worst case of an arm aside; None where the budget does not hold it."""
        ...

    async def settle(self, lease: Lease, bill: Bill) -> None:
        """Book what the attempt cost and give the rest back. Once a lease."""
        ...
