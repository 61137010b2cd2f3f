"""The ledger on a real Postgres: one budget of several processes, one of them killed."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from router.config import load_settings
from router.errors import LedgerError
from router.ledger import tenants
from router.ledger.ledger import Ledger
from router.ledger.records import Closing, Principal, RequestStart
from router.ledger.schema import leases, metadata, requests
from router.ledger.tenants import Tenant
from router.purse import Bill

from .postgres import Postgres

SPENDER = Path(__file__).with_name("ledger_spender.py")
Open = Callable[..., Ledger]


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.database()


@pytest.fixture
def open_ledger(url: str) -> Iterator[Open]:
    opened: list[Ledger] = []

    def make(**own: Any) -> Ledger:
        settings = load_settings(ledger={"url": url, "lease_grace_s": 0, **own})
        opened.append(Ledger.open(settings))
        return opened[-1]

    yield make
    for ledger in opened:
        ledger.close()


@pytest.fixture
def spenders(url: str) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """`spenders(100, "hang")`: a replica that waits for its start."""
    running: list[subprocess.Popen[str]] = []

    def start(count: int, *more: str) -> "subprocess.Popen[str]":
        command = [sys.executable, str(SPENDER), url, str(count), *more]
        one = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(one)
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
        return one

    yield start
    for one in running:
        one.kill()
        one.communicate()


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def day(ledger: Ledger) -> dict[str, Any]:
    found: dict[str, Any] = asyncio.run(ledger.usage("acme"))["day"]
    return found


def add_tenant(ledger: Ledger, **settings: Any) -> None:
    ledger.run(lambda c: tenants.add_tenant(c, Tenant("acme", **settings)))


def count(ledger: Ledger, table: sa.Table, **equal: Any) -> int:
    wanted = sa.select(sa.func.count()).select_from(table)
    for name, value in equal.items():
        wanted = wanted.where(table.c[name] == value)
    return ledger.read(lambda c: int(c.execute(wanted).scalar_one()))


def test_two_hundred_requests_of_two_processes_never_reserve_above_one_budget(
    open_ledger, spenders
):
    ledger = open_ledger()
    add_tenant(ledger, daily_usd=0.5, monthly_usd=0.7)
    first, second = spenders(100, "hang"), spenders(100, "hang")
    go(first), go(second)
    granted, most = 0, 0.0
    deadline = time.monotonic() + 120
    while count(ledger, requests) < 200 and time.monotonic() < deadline:
        most = max(most, day(ledger)["reserved_usd"])
        time.sleep(0.05)
    while count(ledger, requests, ending="refused") < 150 and time.monotonic() < deadline:
        time.sleep(0.05)
    granted = count(ledger, leases, state="open")
    assert granted == 50 and most <= 0.5
    assert day(ledger)["reserved_usd"] == pytest.approx(0.5) and day(ledger)["left_usd"] == 0
    assert count(ledger, requests, ending="refused") == 150


def test_a_replica_killed_in_the_middle_is_swept_at_its_reserve_and_its_requests_are_lost(
    open_ledger, spenders
):
    ledger = open_ledger()
    add_tenant(ledger, daily_usd=0.5)
    dying, living = spenders(100, "hang"), spenders(100)
    go(dying)
    assert dying.stdout is not None
    for _ in range(10):
        assert dying.stdout.readline() == "granted\n"
    go(living)
    dying.send_signal(signal.SIGKILL)
    dying.wait()
    assert living.wait(120) == 0
    held = count(ledger, leases, state="open")
    assert held >= 10 and day(ledger)["reserved_usd"] == pytest.approx(0.01 * held)
    deadline = time.monotonic() + 30
    while count(ledger, leases, state="open") and time.monotonic() < deadline:
        asyncio.run(asyncio.sleep(0.3))
        ledger.run(lambda c: None)
        _sweep(ledger)
    settled = count(ledger, leases, state="settled")
    assert count(ledger, leases, state="swept") == held
    assert count(ledger, requests, ending="lost") >= held  # refused ones it had not closed, too
    spent = day(ledger)
    assert spent["reserved_usd"] == 0 and spent["spent_usd"] <= 0.5
    assert spent["spent_usd"] == pytest.approx(0.01 * held + 0.006 * settled)
    rows = asyncio.run(ledger.requests("acme", limit=1000))
    assert sum(row["cost_usd"] for row in rows) == pytest.approx(spent["spent_usd"])
    assert {row["ending"] for row in rows} <= {"answered", "refused", "lost"}


def _sweep(ledger: Ledger) -> None:
    asyncio.run(_swept(ledger))


async def _swept(ledger: Ledger) -> None:
    await ledger.sweep()


def test_two_replicas_and_several_tenants_do_not_wait_for_each_other(open_ledger):
    one, other = open_ledger(), open_ledger()
    names = [f"t{i}" for i in range(6)]
    for name in names:
        one.run(lambda c, n=name: tenants.add_tenant(c, Tenant(n, daily_usd=1)))

    async def spend(ledger: Ledger, who: list[str]) -> None:
        async def request(i: int) -> None:
            start = RequestStart(f"{ledger.replica}-{i}", "chat", "m")
            booking = ledger.book(Principal(who[i % len(who)], None), start)
            lease = await booking.reserve("large", 0.001)
            assert lease is not None
            await booking.settle(lease, Bill(0.0005, "reported"))
            await booking.close(Closing("answered", 200))

        await asyncio.gather(*(request(i) for i in range(120)))

    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(asyncio.run, spend(ledger, who))
            for ledger, who in ((one, names), (other, names[::-1]))
        ]
        for running in both:
            running.result(timeout=120)
    assert count(one, requests, ending="answered") == 240
    used = [asyncio.run(one.usage(name))["day"] for name in names]
    assert [u["spent_usd"] for u in used] == [pytest.approx(0.02)] * 6
    assert all(u["reserved_usd"] == 0 for u in used)


def test_replicas_that_start_at_once_make_the_tables_once(url):
    settings = load_settings(ledger={"url": url})
    with ThreadPoolExecutor(4) as pool:
        for opened in list(pool.map(lambda _: Ledger.open(settings), range(4))):
            opened.close()


def test_without_auto_migrate_the_command_is_named_and_no_password_is_shown(url):
    hidden = url.replace("ockham@", "ockham:hunter2@")
    with pytest.raises(LedgerError, match="ockham ledger migrate") as error:
        Ledger.open(load_settings(ledger={"url": hidden, "auto_migrate": False}))
    assert "hunter2" not in str(error.value)
    gone = "postgresql://ockham:hunter2@127.0.0.1:1/nothing"
    with pytest.raises(LedgerError, match="cannot be opened") as error:
        Ledger.open(load_settings(ledger={"url": gone, "timeout_s": 2}))
    assert "hunter2" not in str(error.value)


def test_the_migrations_make_the_tables_of_the_schema(open_ledger):
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    ledger = open_ledger()
    found = ledger.read(lambda c: compare_metadata(MigrationContext.configure(c), metadata))
    assert found == []


async def test_a_server_that_goes_away_fails_requests_unpaid_and_late_rows_are_written(
    postgres: Postgres,
    open_ledger,
):
    ledger = open_ledger(timeout_s=2)
    ledger.run(lambda c: tenants.add_tenant(c, Tenant("acme", daily_usd=1)))
    booking = ledger.book(Principal("acme", None), RequestStart("r1", "chat", "m"))
    lease = await booking.reserve("large", 0.1)
    assert lease is not None
    postgres.stop()
    try:
        other = ledger.book(Principal("acme", None), RequestStart("r2", "chat", "m"))
        with pytest.raises(LedgerError):
            await other.open()
        with pytest.raises(LedgerError):
            await other.reserve("large", 0.1)
        await booking.settle(lease, Bill(0.05, "reported"))
        await booking.close(Closing("answered", 200))  # does not raise: the answer is paid for
        assert ledger.why_not is not None
    finally:
        postgres.start()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        told = await ledger.trace("r1", "acme")
        if told is not None and told["ending"] == "answered":
            break
        await asyncio.sleep(0.3)
    assert told is not None and told["ending"] == "answered" and told["cost_usd"] == 0.05
    assert (await ledger.usage("acme"))["day"]["reserved_usd"] == 0
    assert ledger.why_not is None
