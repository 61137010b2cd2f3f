"""Ockham's gateway while its upstreams are killed and lie: `ockham bench chaos`, small."""

import pytest

from eval.bench.chaos import bench_chaos

pytestmark = pytest.mark.timeout(180)


def test_every_request_ends_well_and_the_books_are_right(real_env):
    came = bench_chaos(300, concurrency=12)
    assert came.faults == []
    assert came.kills > 0 and sum(came.outcomes.values()) == 300
    assert came.books.rows == 300
    assert 0 < came.books.upstream_nano <= came.books.ledger_nano
