"""Random routing: the right share, and the same draw live and in replay."""

from dataclasses import replace

import numpy as np
import pytest

from policies import STOP, Outcome, Random
from policies.random import uniform


def keyed(make_case, n, **kwargs):
    rng = np.random.default_rng(0)
    batch = make_case(axes=[(0.5, 0.5)] * n, **kwargs)
    return replace(batch, row_key=rng.integers(0, 2**63, n, dtype=np.uint64))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_of_large_calls(make_case, share):
    batch = keyed(make_case, 20_000)
    choice = Random(large_share=share).choose(batch)
    got = np.mean(choice.arm == 2)
    assert abs(got - share) < 0.015  # 4 standard errors at n = 20,000
    assert np.allclose(choice.probability[:, 2], share)
    assert np.allclose(choice.probability.sum(axis=1), 1)


def test_a_row_draws_the_same_alone_and_in_a_batch(make_case):
    batch = keyed(make_case, 50)
    together = Random(seed=7).choose(batch).arm
    for i in range(50):
        alone = keyed(make_case, 1)
        alone = replace(alone, row_key=batch.row_key[i : i + 1])
        assert Random(seed=7).choose(alone).arm[0] == together[i]


def test_seeds_differ_and_draws_are_uniform():
    keys = np.arange(50_000, dtype=np.uint64)
    a, b = uniform(keys, 0), uniform(keys, 1)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.02
    assert a.min() >= 0 and a.max() < 1
    counts, _ = np.histogram(a, bins=10, range=(0, 1))
    assert np.all(np.abs(counts - 5000) < 300)  # 4.5 standard deviations


def test_the_other_tier_answers_where_the_drawn_one_cannot(make_case):
    batch = keyed(make_case, 100, unavailable=["large", "large+index"])
    choice = Random(large_share=1.0).choose(batch)
    assert set(choice.arm.tolist()) == {0}
    assert np.allclose(choice.probability[:, 0], 1)
    assert any("cannot be run" in reason for reason in choice.explain(0))


def test_it_stops_after_one_call(make_case):
    batch = make_case(history=[[("small", Outcome.ANSWERED, 0.0)]])
    assert Random().choose(batch).arm[0] == STOP
