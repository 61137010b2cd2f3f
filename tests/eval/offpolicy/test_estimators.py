"""Off-policy values against worlds whose truth is known: unbiased, covered, and robust."""

import numpy as np
import pytest

from eval.offpolicy.estimators import Weighted, clipped, effective, estimate, widened
from eval.offpolicy.reward import Modelled, cross_fitted
from eval.offpolicy.target import match
from eval.offpolicy.value import Plan, judge, weights_of
from policies import Explore, VerifiabilityThreshold

from .worlds import case_of, served, truth, world

LOGGED = Explore(inner=VerifiabilityThreshold(threshold=0.5), epsilon=0.4)
TARGET = VerifiabilityThreshold(threshold=0.3)
"""Another threshold on the same score: it sends more to large."""
WORLDS = 200
ROWS = 400


def values(log, policy, resamples=100):
    made = judge(log, [("target", policy)], Plan(resamples=resamples))
    return {r.metric: r for r in made}


@pytest.fixture(scope="module")
def over_worlds():
    """Records of `WORLDS` worlds, with the truth of the population that all are drawn from."""
    big = world(400_000, 999)
    right, usd = truth(big, TARGET)
    found = []
    for seed in range(WORLDS):
        log = served(world(ROWS, seed), LOGGED, seed, audits=0.3)
        found.append(values(log, TARGET))
    return right, usd, found


@pytest.mark.parametrize("method", ["ips", "snips", "dr"])
@pytest.mark.parametrize("metric", ["accuracy", "usd-per-1000"])
@pytest.mark.slow
def test_intervals_cover_the_truth_and_the_mean_is_the_truth(over_worlds, metric, method):
    right, usd, found = over_worlds
    true = right if metric == "accuracy" else usd
    rows = [f[f"{metric}-{method}"] for f in found]
    covered = np.mean([r.low <= true <= r.high for r in rows])
    assert 0.90 <= covered <= 0.99, covered
    got = np.array([r.value for r in rows])
    error = got.std(ddof=1) / np.sqrt(len(got))
    assert abs(got.mean() - true) < 3.5 * error, (got.mean(), true, error)


def test_dr_is_narrower_and_leaving_the_label_weights_out_is_biased(over_worlds):
    right, _, found = over_worlds
    for metric in ("accuracy", "usd-per-1000"):
        ips, dr = (np.std([f[f"{metric}-{m}"].value for f in found]) for m in ("ips", "dr"))
        assert dr < ips
    # A cost is nearly linear in what was logged: there the model takes most of the noise away.
    assert dr < 0.5 * ips
    log = served(world(60_000, 5), LOGGED, 5, audits=0.05)
    found = match(TARGET, log)
    blind = found.weight * log.labelled
    weighed = found.weight * weights_of(log)
    score = np.nan_to_num(log.score)
    assert abs(blind @ score / blind.sum() - right) > 0.01
    assert abs(weighed @ score / weighed.sum() - right) < 0.009


def test_dr_survives_a_reward_model_that_is_wrong_and_the_model_alone_does_not(over_worlds):
    right, _, _ = over_worlds
    doubly: list[float] = []
    direct: list[float] = []
    for seed in range(WORLDS):
        log = served(world(ROWS, seed), LOGGED, seed, audits=0.3)
        found, label = match(TARGET, log), weights_of(log)
        # It says the same of every request, and is sure that small is always right.
        wrong = Modelled(np.tile([1.0, 0.2], (len(log), 1)))
        rows = Weighted(
            found.weight * label, np.nan_to_num(log.score),
            wrong.expected(found.first), wrong.of(log.tried[:, 0]),
        )  # fmt: skip
        doubly.append(estimate(rows, log.cluster, 20)["dr"].value)
        direct.append(wrong.expected(found.first).mean())
    error = np.std(doubly, ddof=1) / np.sqrt(WORLDS)
    assert abs(np.mean(doubly) - right) < 3.5 * error
    assert abs(np.mean(direct) - right) > 0.1


def test_weights_of_a_policy_on_its_own_log_are_one():
    log = served(world(300, 1), LOGGED, 1)
    found = match(LOGGED, log)
    assert found.weight == pytest.approx(np.ones(300))
    assert found.lacking.max() == 0
    assert effective(found.weight) == pytest.approx(300)
    rows = values(log, LOGGED)
    assert rows["accuracy-ips"].value == pytest.approx(np.mean(log.score))
    assert rows["usd-per-1000-ips"].value == pytest.approx(1000 * log.cost.mean())


def test_without_support_nothing_is_estimated_and_it_says_how_much_is_lacking():
    log = served(world(400, 2), VerifiabilityThreshold(threshold=0.5), 2)
    assert log.certain == 1.0
    rows = values(log, TARGET)
    x = case_of(world(400, 2)).block("axes")[:, 0]
    missing = np.mean((1 - x >= 0.3) & (1 - x < 0.5))
    assert rows["no-support"].value == pytest.approx(missing)
    for metric in ("accuracy-ips", "accuracy-dr", "usd-per-1000-snips", "utility-dr"):
        assert rows[metric].value is None
        assert f"not identified: at {missing:.1%}" in rows[metric].note
        assert "large" in rows[metric].note
    own = values(log, VerifiabilityThreshold(threshold=0.5))
    assert own["no-support"].value == 0
    assert own["accuracy-ips"].value == pytest.approx(np.mean(log.score))


def test_clipping_is_stated_and_moves_the_value_towards_the_log():
    log = served(world(2000, 3), LOGGED, 3)
    free = values(log, TARGET)
    cut = {r.metric: r for r in judge(log, [("t", TARGET)], Plan(resamples=50, clip=1.0))}
    assert "clipped" not in free
    assert 0 < cut["clipped"].value < 1 and "biased" in cut["clipped"].note
    assert cut["accuracy-ips"].value < free["accuracy-ips"].value
    assert clipped(np.array([0.5, 3.0]), 2.0)[0].tolist() == [0.5, 2.0]


def test_the_model_reads_no_row_that_it_predicts():
    rng = np.random.default_rng(0)
    x, y = rng.random((200, 3)), rng.random(200)
    arm = np.zeros(200, dtype=np.int64)
    clusters = np.arange(200) // 2
    made = cross_fitted(x, arm, 1, y, np.ones(200), clusters, 0)
    changed = y.copy()
    changed[10:12] = 5.0
    again = cross_fitted(x, arm, 1, changed, np.ones(200), clusters, 0)
    assert again.by_arm[10:12] == pytest.approx(made.by_arm[10:12])
    assert not np.allclose(again.by_arm, made.by_arm)


def test_a_few_labels_that_agree_prove_little():
    weight, clusters = np.array([2.0, 2.0, 2.0, 0.0]), np.arange(4)
    none = np.zeros(4)
    for right, low, high in ((1.0, 0.025 ** (1 / 3), 1.0), (0.0, 0.0, 1 - 0.025 ** (1 / 3))):
        outcome = np.array([right, right, right, np.nan])
        made = estimate(Weighted(weight, outcome, none, none), clusters, 200)
        assert (made["snips"].low, made["snips"].high) == (right, right)  # by resampling alone
        wide = widened(made, weight, outcome)
        assert wide["snips"].value == right
        assert (wide["snips"].low, wide["snips"].high) == pytest.approx((low, high))
    mixed = np.array([1.0, 0.0, 1.0, np.nan])
    made = estimate(Weighted(weight, mixed, none, none), clusters, 200)
    assert widened(made, weight, mixed) == made
