"""The ledger's database: SQLite in the data directory, or a Postgres that replicas share.

Two engines on it: the writer's single connection, whose transactions on SQLite take the
write lock when they begin, and a small pool that only reads. Passwords in the URL stand in
no message.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url

from router.errors import ConfigError, LedgerError
from router.paths import data_dir
from router.settings import LedgerSettings

__all__ = ["Database", "because", "open_database"]

READERS = 4
_BUSY_S = 10
_GONE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}


@dataclass(frozen=True)
class Database:
    """Where the ledger lies."""

    url: URL
    writer: sa.Engine
    readers: sa.Engine

    @property
    def name(self) -> str:
        """The URL without its password."""
        return self.url.render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file here, and not a server."""
        return self.url.get_backend_name() == "sqlite"

    def close(self) -> None:
        """Let go of all connections."""
        self.writer.dispose()
        self.readers.dispose()


def open_database(settings: LedgerSettings) -> Database:
    """Both engines; nothing is connected yet.

    Raises:
        ConfigError: ledger.url cannot be used.
        LedgerError: the folder of the SQLite file cannot be made.
    """
    url = _url(settings)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, settings)
    timeout = max(1, round(settings.timeout_s))
    options: dict[str, Any] = {
        "pool_pre_ping": True,
        "connect_args": {"connect_timeout": timeout, "application_name": "ockham", **_GONE},
    }
    writer = sa.create_engine(url, pool_size=1, max_overflow=0, **options)
    readers = sa.create_engine(url, pool_size=READERS, max_overflow=0, **options)
    for engine in (writer, readers):

        @event.listens_for(engine, "connect")
        def limit(connection: Any, _: object) -> None:
            # A server that hangs must not hang every request with it.
            connection.execute(f"SET statement_timeout = {1000 * timeout}")
            connection.commit()

    return Database(url, writer, readers)


def _url(settings: LedgerSettings) -> URL:
    if settings.url is None:
        return URL.create("sqlite", database=str(data_dir() / "ledger.sqlite"))
    try:
        url = make_url(settings.url.get_secret_value())
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigError("ledger.url: is no URL such as postgresql://HOST/DATABASE") from None
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ConfigError("ledger.url: names no file; a ledger in memory would be lost")
        return url
    if not url.database:
        raise ConfigError("ledger.url: names no database: postgresql://HOST/DATABASE")
    return url.set(drivername="postgresql+psycopg")


def _sqlite(url: URL, settings: LedgerSettings) -> Database:
    try:
        Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"the ledger's folder cannot be made: {error}") from None
    writer = sa.create_engine(url, poolclass=sa.QueuePool, pool_size=1, max_overflow=0)
    readers = sa.create_engine(url, poolclass=sa.QueuePool, pool_size=READERS, max_overflow=0)
    for engine, begin in ((writer, "BEGIN IMMEDIATE"), (readers, "BEGIN")):
        _prepare(engine, begin, settings.synchronous)
    return Database(url, writer, readers)


def _prepare(engine: sa.Engine, begin: str, synchronous: str) -> None:
    """Our own BEGIN: the driver's would take the write lock in the middle, and could not wait."""

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {1000 * _BUSY_S}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous.upper()}")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def start(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)


def because(error: BaseException) -> str:
    """Why the database failed, on one line: the driver's words, without SQL and parameters.

    Of an error that is not the database's only the type: its words may quote a text.
    """
    cause = getattr(error, "orig", None)
    if cause is None:
        return type(error).__name__
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return lines[0][:200]
