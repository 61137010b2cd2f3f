"""End to end: a router that explores, a ledger, audits; then export, and what other policies would
have done. The fakes know the truth, and the intervals have to cover it."""

import asyncio

import pytest

from eval.offpolicy.run import Asked, run
from eval.offpolicy.value import Plan
from policies import AlwaysSmall, Explore
from router.ledger.export import export
from router.outcomes import write_outcomes

from .conftest import number_in, question, said

REQUESTS, AT_ONCE = 300, 15
WRONG = 3
"""Small is wrong for every so-manieth item."""


def sometimes(messages):
    n = number_in(messages)
    return said(n if n % WRONG == 0 else n * 3)


@pytest.mark.slow
async def test_values_of_other_policies_cover_what_the_fakes_know(served, tmp_path):
    policy = Explore(inner=AlwaysSmall(), epsilon=0.5)
    audits = {"share": 0.4, "max_usd_per_day": 50.0, "at_once": 8, "waiting": 500}
    usd = {}
    async with served(policy, small=sometimes, audits=audits) as s:
        for start in range(0, REQUESTS, AT_ONCE):
            asked = (s.ask(question(i)) for i in range(start, start + AT_ONCE))
            for answer in await asyncio.gather(*asked):
                usd.setdefault(answer.arm, answer.cost_usd)
        await s.labels._runs["audit"].drain(60)
        made = s.ledger.read(lambda c: export(c, s.router.settings))
        bound = (await s.labels.status())["bound"]
    place = write_outcomes(made.outcomes, tmp_path / "traffic")
    for name, frame in made.beside.items():
        frame.write_parquet(place / f"{name}.parquet")
    mix = "random"
    log, records, _ = run(Asked(str(place), ("always-small", mix), Plan(resamples=400)))
    assert len(log) == REQUESTS
    assert log.features is not None and log.features.known.all()  # the logged ones: no text is kept
    assert made.outcomes.queries["query"].is_null().all() and "axes" in log.features.blocks
    assert 20 < log.labelled.sum() < REQUESTS
    got = {(r.policy, r.metric): r for r in records}
    right = 1 - sum(i % WRONG == 0 for i in range(REQUESTS)) / REQUESTS
    truth = {
        ("always-small", "accuracy"): right,
        ("always-small", "usd-per-1000"): 1000 * usd["small"],
        (mix, "accuracy"): (right + 1) / 2,
        (mix, "usd-per-1000"): 500 * (usd["small"] + usd["large"]),
        ("all-large", "accuracy"): 1.0,
        ("all-large", "usd-per-1000"): 1000 * usd["large"],
    }
    for (name, metric), true in truth.items():
        assert got[name, "no-support"].value == 0
        for method in ("snips", "dr"):
            one = got[name, f"{metric}-{method}"]
            assert one.low - 1e-6 <= true <= one.high + 1e-6, (name, metric, method, one, true)
    assert got["always-small", "ess"].value == pytest.approx(0.75 * REQUESTS, rel=0.2)
    # The bound sees the same: a third of what small says is wrong, and 5 % were promised.
    assert bound["state"] == "broken" and bound["lower"] < 1 - right < bound["upper"]
