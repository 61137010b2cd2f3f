"""Statements whose SQL is made once: a request costs half a dozen of them, and most of that
would be SQLAlchemy's way from statement to driver.

Values go to the driver as they are: text, whole numbers, floats, bytes, booleans, None.
Errors are the driver's; `told` makes SQLAlchemy's of them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["Prepared", "insert_of", "told"]


def insert_of(dialect: str) -> Any:
    """The dialect's own INSERT, with its `on_conflict_...`."""
    return (postgresql if dialect == "postgresql" else sqlite).insert


class Prepared:
    """A Core statement, compiled once a database. Not for lists (`expanding`)."""

    def __init__(self, make: Callable[[Any], Any] | sa.ClauseElement) -> None:
        """The statement, or what makes it of the dialect's own INSERT (`on_conflict_...`)."""
        self._make = make
        self._compiled: dict[str, tuple[str, tuple[str, ...] | None, dict[str, Any]]] = {}

    def run(self, connection: sa.Connection, values: Mapping[str, Any]) -> Any:
        """The driver's cursor, after the statement; each value that it does not name is ignored."""
        sql, names, fixed = self._of(connection.dialect)
        cursor = connection.connection.cursor()
        if names is None:
            cursor.execute(sql, {**values, **fixed})
        else:
            cursor.execute(sql, [fixed[n] if n in fixed else values[n] for n in names])
        return cursor

    def _of(self, dialect: sa.Dialect) -> tuple[str, tuple[str, ...] | None, dict[str, Any]]:
        found = self._compiled.get(dialect.name)
        if found is None:
            given = self._make
            insert = insert_of(dialect.name)
            statement = given if isinstance(given, sa.ClauseElement) else given(insert)
            made: Any = statement.compile(dialect=dialect)
            names = tuple(made.positiontup) if made.positional else None
            fixed = {n: v for n, v in made.params.items() if not made.binds[n].required}
            found = self._compiled[dialect.name] = (str(made), names, fixed)
        return found


@contextmanager
def told(connection: sa.Connection) -> Iterator[None]:
    """The driver's errors as SQLAlchemy's; a connection that they broke is given up."""
    driver: Any = connection.dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        raw: Any = None if connection.invalidated else connection.connection
        gone = connection.dialect.is_disconnect(error, raw, None)
        if gone and not connection.invalidated:
            connection.invalidate(error)
        raise sa.exc.DBAPIError.instance(
            "(a statement of the ledger)", None, error, driver.Error,
            connection_invalidated=gone, dialect=connection.dialect,
        ) from None  # fmt: skip
