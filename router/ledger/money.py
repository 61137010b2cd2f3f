"""Money and time as the ledger keeps them: whole nano-USD and UTC.

A bill is rounded up to the next nano-USD (1e-9), so sums are exact and never below what
was billed; a token of the cheapest hosted model costs about 20 of them.
"""

import math
from datetime import UTC, datetime

__all__ = ["NANO", "Periods", "iso", "nano", "now", "periods_of", "usd"]

NANO = 1_000_000_000
_NOISE = 1e-6
"""Of a nano-USD: 0.1 USD is 100000000.00000001 of them in binary, and no more than that."""

Periods = tuple[str, str]
"""Day and month that a reserve counts against, such as `day:2026-11-23`, `month:2026-11`."""


def nano(usd: float) -> int:
    """USD as whole nano-USD, rounded up. `ValueError` where it is negative or not finite."""
    if not math.isfinite(usd) or usd < 0:
        raise ValueError(f"an amount of money is a number of at least 0, not {usd!r}")
    return math.ceil(usd * NANO - _NOISE)


def usd(nanos: int) -> float:
    """Nano-USD as USD."""
    return nanos / NANO


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """As it stands in the tables: UTC, microseconds, so that it sorts as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def periods_of(moment: datetime) -> Periods:
    """The UTC day and month of a moment, in the order in which their rows are locked."""
    return f"day:{moment:%Y-%m-%d}", f"month:{moment:%Y-%m}"
