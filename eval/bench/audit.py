"""The ledger held against the upstream's own count, request by request, in whole nano-USD."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from router.ledger.schema import leases, requests

__all__ = ["Audit", "audit"]


class Audit(NamedTuple):
    """What was found. Money in nano-USD."""

    rows: int
    running: int
    """Rows that are not closed."""
    missing: tuple[str, ...]
    """Acknowledged requests without a row."""
    upstream_nano: int
    ledger_nano: int
    unsure_nano: int
    """Of the leases that were not settled as `reported`."""
    wrong: tuple[str, ...]
    """Requests whose reported rows do not equal the upstream's count."""
    short: tuple[str, ...]
    """Requests of which the ledger holds less than the upstream charged."""

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words; none where the books are right."""
        out = []
        if self.missing:
            out.append(f"{len(self.missing)} acknowledged requests have no row")
        if self.running:
            out.append(f"{self.running} rows are not closed")
        if self.wrong:
            out.append(f"{len(self.wrong)} reported requests differ, e.g. {self.wrong[0]}")
        if self.short:
            out.append(f"{len(self.short)} requests are booked too low, e.g. {self.short[0]}")
        if self.ledger_nano < self.upstream_nano:
            out.append("the ledger's total is below the upstream's")
        if self.ledger_nano - self.upstream_nano > self.unsure_nano:
            out.append("the excess is more than the reserved and estimated rows")
        return out


def audit(url: str, traces: Mapping[str, str], charged_nano: Mapping[str, int]) -> Audit:
    """Read the ledger at an SQLAlchemy URL.

    Args:
        traces: request ids of the ledger, by the marker in the prompt; acknowledged requests.
        charged_nano: by marker, what the upstream charged.
    """
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            rows = {r.id: r for r in connection.execute(_requests())}
            paid: dict[str, list[tuple[str | None, int]]] = {}
            for row in connection.execute(_leases()):
                paid.setdefault(row.request, []).append((row.basis, row.cost_nano))
    finally:
        engine.dispose()
    wrong, short = [], []
    for marker, trace in traces.items():
        bills = paid.get(trace, [])
        booked, charged = sum(nano for _, nano in bills), charged_nano.get(marker, 0)
        said = f"{marker} ({trace}): booked {booked}, charged {charged}, {bills}"
        if all(basis == "reported" for basis, _ in bills) and booked != charged:
            wrong.append(said)
        elif booked < charged:
            short.append(said)
    return Audit(
        rows=len(rows),
        running=sum(r.ending is None for r in rows.values()),
        missing=tuple(t for t in traces.values() if t not in rows),
        upstream_nano=sum(nano for marker, nano in charged_nano.items() if marker != "-"),
        ledger_nano=sum(r.cost_nano for r in rows.values()),
        unsure_nano=sum(n for bills in paid.values() for b, n in bills if b != "reported"),
        wrong=tuple(wrong),
        short=tuple(short),
    )


def _requests() -> sa.Select[Any]:
    return sa.select(requests.c.id, requests.c.ending, requests.c.cost_nano)


def _leases() -> sa.Select[Any]:
    return sa.select(leases.c.request, leases.c.basis, leases.c.cost_nano)
