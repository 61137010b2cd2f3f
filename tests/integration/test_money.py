"""One budget, two replicas on a real Postgres, one killed with -9: `ockham bench money`."""

import pytest

from eval.bench.money import run_money

from .postgres import postgres

__all__ = ["postgres"]
pytestmark = pytest.mark.timeout(180)


async def test_the_budget_holds_and_every_nano_usd_is_accounted_for(real_env, postgres):
    came = await run_money(postgres.database(), 200, 0.01)
    assert came.faults == []
    assert came.lost > 0, "nobody was cut off: the replica was killed too late"
    assert came.outcomes["answered"] > 60, "most of those that could run did"
    assert came.tries > 200, "the budget was not contested"
    assert 0 < came.books.upstream_nano <= came.books.ledger_nano <= came.budget_nano
