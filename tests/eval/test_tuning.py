"""Tuning and promotion on tables whose answers are known."""

from dataclasses import replace

import numpy as np
import pytest

from eval.bench.replay import made_up
from eval.features import Features
from eval.table import Table
from eval.tuning import promote, split_of, tune
from policies import VerifiabilityThreshold
from router.errors import InputError

N = 3000


def table(signal: float, seed: int = 0, n: int = N) -> Table:
    """Two arms; the large one gains where axis 0 is low, the more so with `signal`."""
    rng = np.random.default_rng(seed)
    axes = rng.random((n, 2)).astype(np.float32)
    need = 1 - axes[:, 0]
    small = (rng.random(n) < 0.7 - 0.6 * signal * (need - 0.5)).astype(float)
    large = (rng.random(n) < 0.85).astype(float)
    lengths = rng.random((n, 5)).astype(np.float32)
    blocks = {"axes": axes, "lengths": lengths}
    return replace(
        made_up(n),
        score=np.stack([small, large], axis=1),
        cost=np.tile([1e-4, 4e-3], (n, 1)),
        features=Features(blocks, np.ones(n, dtype=bool), "made"),
        benchmarks=("made",) * n,
        query_id=tuple(str(i) for i in range(n)),
    )


def test_the_three_parts_share_no_cluster() -> None:
    made = replace(table(1), cluster=np.arange(N) // 3)
    split = split_of(made, None, 0)
    parts = [set(made.cluster[rows]) for rows in (split.fit, split.choose, split.score)]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    assert sum(map(len, parts)) == N // 3
    assert len(split.fit) == pytest.approx(0.4 * N, abs=5)


def test_labels_cut_the_fitting_part_only() -> None:
    made = table(1)
    assert len(split_of(made, 100, 0).fit) == 100
    assert len(split_of(made, 100, 0).score) == len(split_of(made, None, 0).score)
    with pytest.raises(InputError, match="--labels 2000"):
        split_of(made, 2000, 0)


def test_a_budget_is_kept_on_the_choosing_rows_and_near_it_on_the_others() -> None:
    made = tune(table(1), "verifiability-threshold", budget=2.0)
    assert made.reached
    assert isinstance(made.policy, VerifiabilityThreshold)
    assert made.usd_per_1000.low <= 2.0 <= made.usd_per_1000.high * 1.1
    share = (2.0 - 0.1) / 3.9
    assert made.large_share.value == pytest.approx(share, abs=0.05)
    assert made.policy.fingerprint == "made"


def test_ends_of_the_budget() -> None:
    nothing = tune(table(1), "verifiability-threshold", budget=0.05)
    assert not nothing.reached and nothing.large_share.value == 0
    everything = tune(table(1), "verifiability-threshold", budget=100)
    assert everything.reached and everything.large_share.value == 1


def test_an_error_rate_that_is_out_of_reach_is_said() -> None:
    assert not tune(table(1), "verifiability-threshold", max_error=0.001).reached
    within = tune(table(1), "verifiability-threshold", max_error=0.25)
    assert within.reached
    assert 1 - within.accuracy.high <= 0.25 <= 1 - within.accuracy.low + 0.05


def test_exactly_one_aim() -> None:
    for aims in ({}, {"budget": 1.0, "max_error": 0.1}):
        with pytest.raises(InputError, match="one of the two"):
            tune(table(1), "verifiability-threshold", **aims)


def test_a_policy_that_knows_is_promoted() -> None:
    made = promote(table(1, n=8000), "verifiability-threshold")
    assert made.passed and not made.failures
    assert set(made.margins) == {"best-single", "random", "prompt-length"}
    assert all(m.low > 0 for m in made.margins.values())
    # The tie: a correct answer is worth the extra cost over the extra accuracy.
    assert made.usd_per_correct == pytest.approx(0.0039 / 0.15, rel=0.25)


@pytest.mark.parametrize("seed", range(3))
def test_a_policy_without_signal_is_not(seed: int) -> None:
    made = promote(table(0, seed), "verifiability-threshold", seed=seed)
    assert not made.passed and made.failures


def test_a_dear_answer_makes_all_large_hard_to_beat() -> None:
    made = promote(table(0.5), "verifiability-threshold", usd_per_correct=100)
    assert made.best_single == "large" and not made.passed


def test_no_price_of_an_answer_follows_where_large_is_no_dearer() -> None:
    even = replace(table(1), cost=np.full((N, 2), 1e-3))
    with pytest.raises(InputError, match="--usd-per-correct"):
        promote(even, "verifiability-threshold")
    assert promote(even, "verifiability-threshold", usd_per_correct=0.01).best_single == "large"


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("random", "no threshold to choose"),
        ("text-logistic", "terms"),
        ("verifiability", "no threshold to choose"),
    ],
)
def test_policies_that_cannot_be_tuned(policy: str, message: str) -> None:
    with pytest.raises((InputError, KeyError), match=message):
        tune(table(1), policy, budget=1.0)


def test_too_few_questions() -> None:
    with pytest.raises(InputError, match="at least 30"):
        split_of(table(1).take(np.arange(20)), None, 0)
