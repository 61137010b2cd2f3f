"""The tests' Postgres.

    def test_x(postgres: Postgres): url = postgres.database()

One server a test session, one empty database a call. Where Postgres is not installed the
tests are skipped, and say what is missing.
"""

from collections.abc import Iterator

import pytest

from eval.bench.postgres import Postgres, missing

__all__ = ["Postgres", "missing", "postgres"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The session's server."""
    why_not = missing()
    if why_not is not None:
        pytest.skip(why_not)
    server = Postgres()
    yield server
    server.close()
