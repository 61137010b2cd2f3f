"""A real ledger on SQLite, in a temporary folder."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from router.config import load_settings
from router.ledger import tenants
from router.ledger.ledger import Ledger
from router.ledger.records import Principal, RequestStart
from router.ledger.tenants import Tenant

OpenLedger = Callable[..., Ledger]


@pytest.fixture
def open_ledger(clean_env: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[OpenLedger]:
    """`open_ledger(lease_grace_s=0, limits={...})`: one more ledger on the same file."""
    opened: list[Ledger] = []

    def make(limits: Any = None, api_keys: Any = (), **own: Any) -> Ledger:
        settings = load_settings(
            ledger={"url": f"sqlite:///{tmp_path}/ledger.sqlite", **own},
            limits=limits or {},
            gateway={"api_keys": list(api_keys)},
        )
        opened.append(Ledger.open(settings))
        return opened[-1]

    yield make
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: OpenLedger) -> Ledger:
    """An open, empty ledger."""
    return open_ledger()


@pytest.fixture
def tenant(ledger: Ledger) -> Callable[..., Principal]:
    """`tenant(daily_usd=1)`: a new tenant, and who comes from it."""

    def make(name: str = "acme", **settings: Any) -> Principal:
        made = ledger.run(lambda c: tenants.add_tenant(c, Tenant(name, **settings)))
        return Principal(name, "k", made.stores_prompts)

    return make


def start(ident: str = "r1", **more: Any) -> RequestStart:
    """A request that begins."""
    return RequestStart(ident, "chat", "ockham/auto", **more)


def bytes_of(folder: Path) -> bytes:
    """Everything that SQLite has written for the ledger."""
    return b"".join(p.read_bytes() for p in sorted(folder.glob("ledger.sqlite*")))
