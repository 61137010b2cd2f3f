"""A full disk, a locked file, a bad operation: nothing is spent that was not written first."""

import asyncio
import logging
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from router.errors import ConfigError, LedgerError
from router.ledger.leases import sweep
from router.ledger.ledger import Ledger
from router.ledger.money import now
from router.ledger.records import Closing
from router.ledger.writer import Operation
from router.purse import Bill

from .conftest import start

ANSWERED = Closing("answered", 200)


def fill(ledger: Ledger) -> None:
    """No page more may be written: SQLite says SQLITE_FULL, as on a full disk."""

    def limit(connection: sa.Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS filler (x BLOB)")

    def fill_up(connection: sa.Connection) -> None:
        connection.exec_driver_sql("INSERT INTO filler VALUES (randomblob(300))")

    with pytest.raises(LedgerError, match="full"):
        ledger.run(limit)
        for _ in range(1000):
            ledger.run(fill_up)


def empty(ledger: Ledger) -> None:
    """Room again."""
    ledger.run(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1000000"))


async def test_on_a_full_disk_a_request_fails_before_anything_is_spent(ledger, tenant):
    who = tenant(daily_usd=1)
    await asyncio.to_thread(fill, ledger)
    with pytest.raises(LedgerError, match="cannot be written: .*full"):
        for i in range(50):  # what is left of the last pages may still hold some
            await ledger.book(who, start(f"r{i}")).reserve("large", 0.001)
    assert "full" in (ledger.why_not or "")
    empty(ledger)
    assert await ledger.book(who, start("later")).reserve("large", 0.001) is not None
    assert ledger.why_not is None


async def test_a_row_that_cannot_be_written_is_logged_without_texts_and_written_later(
    ledger, tenant, caplog
):
    booking = ledger.book(tenant(daily_usd=1), start("paid", conversation="secret-conversation"))
    lease = await booking.reserve("large", 0.5)
    await asyncio.to_thread(fill, ledger)
    with caplog.at_level(logging.ERROR):
        await booking.settle(lease, Bill(0.2, "reported", 7, 8))
        for i in range(50):
            await ledger.book(booking.principal, start(f"x{i}")).close(ANSWERED)
        await booking.close(Closing("answered", 200, error="x" * 400))
    assert "request paid, tenant acme: answered, HTTP 200, USD 0.200000000" in caplog.text
    assert "secret-conversation" not in caplog.text
    empty(ledger)
    for _ in range(100):
        told = await ledger.trace("paid", "acme")
        if told["ending"] == "answered":
            break
        await asyncio.sleep(0.1)
    assert told["ending"] == "answered" and told["cost_usd"] == 0.2
    assert (await ledger.usage("acme"))["day"]["spent_usd"] == 0.2
    assert len(await ledger.requests("acme", limit=100)) == 51


async def test_one_bad_operation_undoes_no_other_of_its_batch(ledger, tenant):
    who = tenant(daily_usd=1)

    def broken(connection: sa.Connection) -> None:
        connection.exec_driver_sql("INSERT INTO tenants (name) VALUES ('half')")

    bad = [ledger._writer.ask(Operation(broken, "a bad one")) for _ in range(3)]
    good = [ledger.book(who, start(f"r{i}")).reserve("large", 0.1) for i in range(5)]
    worse = ledger._writer.ask(Operation(lambda c: 1 / 0, "a worse one"))
    leases = await asyncio.gather(*good)
    assert all(lease is not None for lease in leases)
    for one in (*bad, worse):
        with pytest.raises(LedgerError):
            await one
    assert (await ledger.usage("acme"))["day"]["reserved_usd"] == 0.5


async def test_a_locked_file_is_waited_for_only_so_long_and_the_reserve_is_given_back(
    open_ledger, tmp_path: Path
):
    ledger = open_ledger(timeout_s=0.3)
    who = await ledger.anonymous()
    other = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    booking = ledger.book(who, start())
    with pytest.raises(LedgerError, match="nothing was reserved"):
        await booking.reserve("large", 0.1)
    other.execute("ROLLBACK")
    other.close()
    for _ in range(100):
        if (await ledger.stats())["requests"]:
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.2)
    await ledger.sweep()
    assert (await ledger.usage("default"))["day"]["reserved_usd"] == 0


async def test_what_is_queued_is_written_when_the_ledger_closes(open_ledger, tenant):
    ledger = open_ledger()
    who = await ledger.anonymous()
    closing = [asyncio.ensure_future(ledger.book(who, start(f"r{i}")).close(ANSWERED))
               for i in range(20)]  # fmt: skip
    await asyncio.sleep(0)
    ledger.close()
    await asyncio.gather(*closing)
    again = open_ledger()
    assert len(await again.requests("default")) == 20
    with pytest.raises(LedgerError, match="closed"):
        await ledger.book(who, start("late")).reserve("large", 0.1)


async def test_a_dead_replicas_reserves_are_swept_when_the_next_opens(open_ledger, tenant):
    dying = open_ledger(limits={"timeout_s": 0.05}, lease_grace_s=0)
    booking = dying.book(await dying.anonymous(), start())
    assert await booking.reserve("large", 0.25) is not None
    await asyncio.sleep(0.1)
    living = open_ledger()
    await living.sweep()  # behind the one of its opening
    told = await living.trace("r1", None)
    assert told["ending"] == "lost" and told["cost_usd"] == 0.25
    assert told["attempts"][0]["basis"] == "reserved"
    today = (await living.usage("default"))["day"]
    assert (today["spent_usd"], today["reserved_usd"]) == (0.25, 0.0)
    await booking.close(ANSWERED)  # it lives after all: its row tells how it ended
    told = await living.trace("r1", None)
    assert told["ending"] == "answered" and told["cost_usd"] == 0.25


async def test_a_request_that_reserved_nothing_and_was_told_leaves_a_row(open_ledger, tenant):
    crashed = open_ledger(lease_grace_s=0, limits={"timeout_s": 0.2})
    booking = crashed.book(tenant(), start())
    await booking.begin()
    await booking.begin()  # once is enough
    told = await crashed.trace("r1", "acme")
    assert told is not None and told["ending"] is None
    await asyncio.sleep(0.3)
    swept = await open_ledger().sweep()
    assert swept.leases == 0 and swept.requests <= 1  # it may have been found on opening
    told = await crashed.trace("r1", "acme")
    assert (told["ending"], told["cost_usd"]) == ("lost", 0)
    await booking.close(Closing("refused", 429, error="insufficient_quota"))  # it lives after all
    told = await crashed.trace("r1", "acme")
    assert (told["ending"], told["http_status"]) == ("refused", 429)


async def test_a_running_request_is_not_swept(ledger, tenant):
    booking = ledger.book(tenant(daily_usd=1), start())
    await booking.reserve("large", 0.25)
    swept = ledger.run(lambda c: sweep(c, now()))
    assert (swept.leases, swept.requests) == (0, 0)


def test_the_wrong_place_is_told(open_ledger, tmp_path: Path):
    (tmp_path / "file").write_text("x" * 5000)
    for url, error, said in (
        ("sqlite://", ConfigError, "must start with"),
        ("sqlite:///:memory:", ConfigError, "would be lost"),
        ("mysql://host/x", ConfigError, "must start with"),
        (f"sqlite:///{tmp_path}/file/x.sqlite", LedgerError, "folder cannot be made"),
        (f"sqlite:///{tmp_path}/file", LedgerError, "cannot be opened"),
        ("postgresql://host", ConfigError, "names no database"),
    ):
        with pytest.raises(error, match=said):
            open_ledger(url=url)
    newer = open_ledger()
    newer.run(lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerError, match="newer one made them"):
        open_ledger()
