"""Bringing the tables up to date: Alembic's migrations, one process at a time.

SQLite is guarded by a lock file beside it, Postgres by an advisory lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from filelock import FileLock

from router.errors import LedgerError
from router.ledger.database import Database, because

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["is_current", "migrate"]

SCRIPTS = Path(__file__).with_name("migrations")
_LOCK = 0x0C1A40
"""Of Postgres' advisory locks, ours."""


def is_current(database: Database) -> bool:
    """Whether the tables are this version's. `LedgerError`: made by a newer one, or unreadable."""
    try:
        with database.readers.connect() as connection:
            return _revision(connection) == _head()
    except sa.exc.SQLAlchemyError as error:
        raise _cannot(database, error) from None


def migrate(database: Database) -> None:
    """Make or change the tables, whole or not at all; nothing where they are current.

    Raises:
        LedgerError: the database cannot be reached or written, or a newer version made it.
    """
    from alembic import command

    if is_current(database):
        return
    try:
        with _alone(database), database.writer.begin() as connection:
            if not database.is_sqlite:
                # Held until the commit, so a second replica finds the work done.
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            if _revision(connection) == _head():
                return
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except sa.exc.SQLAlchemyError as error:
        raise _cannot(database, error) from None


def _cannot(database: Database, error: Exception) -> LedgerError:
    return LedgerError(f"the ledger {database.name} cannot be opened: {because(error)}")


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def _head() -> str:
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory(str(SCRIPTS)).get_current_head())


def _revision(connection: sa.Connection) -> str | None:
    """The tables' version, None for an empty database."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    found = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()}
    if found is not None and found not in known:
        raise LedgerError(
            f"the ledger's tables have version {found}, which this Ockham does not know: a newer "
            "one made them; upgrade Ockham"
        )
    return found


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    if not database.is_sqlite:
        yield
        return
    with FileLock(f"{database.url.database}.lock", timeout=60):
        yield
