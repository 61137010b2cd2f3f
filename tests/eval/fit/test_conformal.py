"""Calibration: the bound holds in simulation, a naive search does not; edges, ties, clusters."""

import numpy as np
import pytest
from scipy.stats import binom

from eval.fit.conformal import candidates, certify, hindsight, one_a_cluster, repeat, risk
from eval.metrics.bounds import upper_limit
from router.errors import InputError

ALPHA, DELTA = 0.2, 0.1
NAN = np.nan


def world(n, seed):
    """Trust uniform, P(wrong) = 1 - trust: risk(tau) = (1 - tau) / 2, 0.2 at tau = 0.6."""
    rng = np.random.default_rng(seed)
    trust = rng.random(n)
    return trust, rng.random(n) < 1 - trust


def noise(n, seed, rate):
    """Trust that says nothing: the risk is `rate` at every threshold."""
    rng = np.random.default_rng(seed)
    return rng.random(n), rng.random(n) < rate


def naive(trust, wrong):
    """The lowest threshold of all whose limit is within alpha, in any order."""
    order = np.argsort(-trust)
    limit = upper_limit(np.cumsum(wrong[order]), np.arange(1, len(trust) + 1), DELTA)
    right = np.flatnonzero(limit <= ALPHA)
    return trust[order][right[-1]] if len(right) else np.inf


def test_the_bound_holds_and_keeps_most_of_what_could_be_kept():
    """400 fresh draws of a world whose risk is known exactly."""
    taus = []
    for k in range(400):
        grid = candidates(*world(400, [k, 1]), 800, ALPHA, DELTA)
        taus.append(certify(*world(800, [k, 2]), grid, ALPHA, DELTA).tau)
    taus = np.array(taus)
    violations = int(((1 - taus) / 2 > ALPHA).sum())
    assert violations <= binom.ppf(0.99, 400, DELTA)
    kept = np.where(np.isinf(taus), 0, 1 - taus)
    assert kept.mean() / 0.4 >= 0.7


def test_a_naive_search_over_all_thresholds_breaks_the_bound():
    """No threshold is right (the risk is .21 everywhere): to keep anything is a violation."""
    ours = theirs = 0
    for k in range(300):
        grid = candidates(*noise(400, [k, 1], 0.21), 800, ALPHA, DELTA)
        trust, wrong = noise(800, [k, 2], 0.21)
        ours += np.isfinite(certify(trust, wrong, grid, ALPHA, DELTA).tau)
        theirs += np.isfinite(naive(trust, wrong))
    most = binom.ppf(0.99, 300, DELTA)
    assert ours <= most < 2 * most < theirs


def test_the_sequence_is_strictest_first_and_stops_at_the_first_that_fails():
    trust = np.repeat([3.0, 2.0, 1.0], 40)
    wrong = np.zeros(120, dtype=bool)
    wrong[40:80] = True  # the middle is all wrong; keeping all would be 40 of 120
    grid = np.array([3.0, 2.0, -np.inf])
    made = certify(trust, wrong, grid, 0.4, DELTA)
    assert (made.tau, made.kept, made.wrong, made.tested) == (3.0, 40, 0, 2)
    # The last threshold would have passed, had it been asked.
    assert upper_limit(40, 120, DELTA) <= 0.4


def test_the_sequence_starts_where_other_rows_give_power():
    """The most trusted tenth is all wrong: the strictest quantile would end the sequence."""
    rng = np.random.default_rng(0)
    trust = rng.random(4000)
    wrong = np.where(trust > 0.99, True, rng.random(4000) < 0.05)
    grid = candidates(trust[:2000], wrong[:2000], 2000, ALPHA, DELTA)
    assert grid[0] < 0.9 and grid[-1] == -np.inf and (np.diff(grid) < 0).all()
    assert certify(trust[2000:], wrong[2000:], grid, ALPHA, DELTA).tau == -np.inf


def test_all_right_keeps_all_and_all_wrong_keeps_nothing():
    trust, _ = world(200, 0)
    for wrong, tau, kept in ((False, -np.inf, 200), (True, np.inf, 0)):
        labels = np.full(200, wrong)
        made = certify(trust, labels, candidates(trust, labels, 200, ALPHA, DELTA), ALPHA, DELTA)
        assert (made.tau, made.kept, made.wrong) == (tau, kept, 0)


def test_ten_rows_cannot_bound_an_error_of_a_fifth():
    with pytest.raises(InputError, match="10 calibration questions: even without an error 11"):
        candidates(*world(50, 0), 10, ALPHA, DELTA)


def test_a_constant_score_keeps_all_or_nothing():
    trust = np.full(300, 0.5)
    for rate, tau in ((0.05, -np.inf), (0.5, np.inf)):
        wrong = np.random.default_rng(1).random(300) < rate
        grid = candidates(trust, wrong, 300, ALPHA, DELTA)
        assert set(grid) <= {0.5, -np.inf}
        made = certify(trust, wrong, grid, ALPHA, DELTA)
        assert made.tau == tau and made.kept in (0, 300)


def test_ties_stand_or_fall_together():
    trust = np.repeat([0.9, 0.1], 100)
    wrong = np.r_[np.zeros(100, bool), np.ones(100, bool)]
    made = certify(trust, wrong, np.array([0.9, 0.5, -np.inf]), ALPHA, DELTA)
    assert (made.tau, made.kept) == (0.5, 100)
    best = hindsight(trust, wrong, np.ones(200), ALPHA)
    assert (best.tau, best.share) == (0.9, 0.5)


def test_a_row_without_trust_is_never_kept():
    trust = np.r_[np.full(100, NAN), np.full(100, 0.5)]
    wrong = np.r_[np.ones(100, bool), np.zeros(100, bool)]
    grid = candidates(trust, wrong, 200, ALPHA, DELTA)
    made = certify(trust, wrong, grid, ALPHA, DELTA)
    assert (made.tau, made.kept, made.wrong) == (-np.inf, 100, 0)
    assert risk(trust, wrong, np.ones(200), made.tau) == (0.0, 0.5)
    assert hindsight(trust, wrong, np.ones(200), ALPHA).share == 0.5
    with pytest.raises(InputError, match="has a trust score"):
        candidates(np.full(9, NAN), np.zeros(9, bool), 200, ALPHA, DELTA)


def test_hindsight_by_hand():
    trust = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    wrong = np.array([False, True, False, False, True])
    # Errors from the top: 0, 1/2, 1/3, 1/4, 2/5.
    assert hindsight(trust, wrong, np.ones(5), 0.25).share == pytest.approx(0.8)
    assert hindsight(trust, wrong, np.ones(5), 0.1).share == pytest.approx(0.2)
    assert hindsight(trust, ~wrong, np.ones(5), 0.1).share == 0
    assert risk(trust, wrong, np.ones(5), 0.6) == (0.25, 0.8)
    assert np.isnan(risk(trust, wrong, np.ones(5), np.inf)[0])


def test_one_row_of_each_cluster():
    cluster = np.array([4, 4, 4, 7, 9, 9])
    seen = {tuple(one_a_cluster(cluster, np.random.default_rng(k))) for k in range(50)}
    assert {tuple(cluster[list(rows)]) for rows in seen} == {(4, 7, 9)}
    assert len(seen) == 6


def test_rows_of_one_question_would_fool_a_calibration_that_counts_them_all():
    """Ten equal rows a question: counted as 1,000 they are surer than 100 questions are."""
    trust, wrong = noise(100, 3, 0.15)
    many = (np.repeat(trust, 10), np.repeat(wrong, 10))
    grid = np.array([-np.inf])
    assert (
        certify(*many, grid, ALPHA, DELTA).limit < certify(trust, wrong, grid, ALPHA, DELTA).limit
    )
    rows = one_a_cluster(np.repeat(np.arange(100), 10), np.random.default_rng(0))
    once = certify(many[0][rows], many[1][rows], grid, ALPHA, DELTA)
    assert once == certify(trust, wrong, grid, ALPHA, DELTA)


def test_repeated_splits_count_both_bars():
    trust, wrong = world(4000, 5)
    made = repeat(
        trust, wrong, np.arange(4000), world(500, 6), ALPHA, DELTA, calibrate=800, splits=60, seed=0
    )
    assert (made.splits, made.calibrated, made.tested) == (60, 800, 3200)
    most = binom.ppf(0.99, 60, DELTA)
    assert made.violations <= most and made.population_violations <= most
    assert np.nanmean(made.ratio) >= 0.7
    assert (made.ratio <= 1).all()
    assert made.best.mean() == pytest.approx(0.4, abs=0.05)
    again = repeat(
        trust, wrong, np.arange(4000), world(500, 6), ALPHA, DELTA, calibrate=800, splits=60, seed=0
    )
    assert again.kept.tolist() == made.kept.tolist()


def test_repeated_splits_without_a_right_threshold():
    trust, _ = world(600, 1)
    every = np.ones(600, dtype=bool)
    made = repeat(
        trust, every, np.arange(600), (trust, every), ALPHA, DELTA, calibrate=200, splits=3, seed=0
    )
    assert (made.violations, made.population_violations, made.empty) == (0, 0, 3)
    assert np.isnan(made.ratio).all()
    with pytest.raises(InputError, match="--calibrate 600"):
        repeat(
            trust, every, np.arange(600), (trust, every), ALPHA, DELTA, calibrate=600, splits=1,
            seed=0,
        )  # fmt: skip
