"""Clopper-Pearson by hand, the least n, Hoeffding-Bentkus beside it, and the stream watched."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from eval.metrics.bounds import least_rows, upper_limit, watch


def test_clopper_pearson_by_hand():
    # No error in n: (1 - U)^n = delta.
    assert upper_limit(0, 10, 0.1) == pytest.approx(1 - 0.1**0.1)
    # All wrong, or nothing seen: no limit below 1.
    assert upper_limit([10, 0], [10, 0], 0.1).tolist() == [1.0, 1.0]
    # All but one wrong of n: 1 - U^n = delta.
    assert upper_limit(9, 10, 0.05) == pytest.approx(0.95**0.1)
    # A table's value: 2 of 20, one-sided 95 %: 0.2826.
    assert upper_limit(2, 20, 0.05) == pytest.approx(0.2826, abs=1e-4)


def test_the_limit_is_the_exact_binomial_test():
    n = 57
    for k in range(n):
        for alpha in (0.05, 0.2, 0.5):
            rejected = binom.cdf(k, n, alpha) <= 0.1
            assert (upper_limit(k, n, 0.1) <= alpha) == rejected


def test_counts_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="0 <= wrong <= n"):
        upper_limit(3, 2, 0.1)
    with pytest.raises(ValueError, match="delta"):
        upper_limit(1, 2, 0.0)


@pytest.mark.parametrize(("alpha", "delta", "n"), [(0.2, 0.1, 11), (0.05, 0.1, 45), (0.5, 0.5, 1)])
def test_the_least_n_is_the_first_that_can_pass(alpha, delta, n):
    assert least_rows(alpha, delta) == n
    assert upper_limit(0, n, delta) <= alpha + 1e-12
    assert n == 1 or upper_limit(0, n - 1, delta) > alpha


def test_hoeffding_bentkus_is_never_smaller():
    for n in (20, 200):
        for k in range(n):
            for alpha in (0.05, 0.2):
                tail = binom.cdf(k, n, alpha)
                rate = min(k / n, alpha)
                kl = (rate * math.log(rate / alpha) if rate else 0.0) + (1 - rate) * math.log(
                    (1 - rate) / (1 - alpha)
                )
                assert tail <= min(math.exp(-n * kl), math.e * tail) + 1e-12


def test_a_stream_within_the_bound_rarely_alarms_however_often_it_is_looked_at():
    rng = np.random.default_rng(0)
    alarms = sum(not watch(rng.random(2000) < 0.2, 0.2, 0.1).holds for _ in range(300))
    assert alarms <= binom.ppf(0.999, 300, 0.1)
    # A test at level .1 after every outcome, uncorrected, alarms far more often.
    x = rng.random((300, 2000)) < 0.2
    n = np.arange(1, 2001)
    naive = (binom.sf(np.cumsum(x, axis=1) - 1, n, 0.2) <= 0.1).any(axis=1).sum()
    assert naive > 2 * binom.ppf(0.999, 300, 0.1)


def test_a_broken_bound_is_found_and_stays_found():
    rng = np.random.default_rng(1)
    drifted = np.r_[rng.random(300) < 0.15, rng.random(600) < 0.45].astype(int)
    made = watch(drifted, 0.2)
    assert not made.holds and 300 < made.alarm_at < 600
    assert watch(drifted[: made.alarm_at], 0.2).alarm_at == made.alarm_at
    assert watch(drifted[: made.alarm_at - 1], 0.2).holds
    assert watch(np.r_[drifted, np.zeros(5000)], 0.2).alarm_at == made.alarm_at


def test_one_step_by_hand():
    # E after one error: the mean of p / alpha over the grid is (1 + alpha) / 2 / alpha.
    assert watch([1], 0.2).evidence == pytest.approx(3.0)
    assert watch([0], 0.2).evidence == pytest.approx(1.0)  # it began at 1
    none = watch([], 0.2)
    assert (none.n, none.wrong, none.holds) == (0, 0, True)
    assert math.isfinite(watch(np.ones(5000), 0.01).evidence)


@pytest.mark.parametrize(("x", "alpha"), [([0.5], 0.2), ([[0, 1]], 0.2), ([1], 0), ([1], 1)])
def test_what_cannot_be_watched_is_refused(x, alpha):
    with pytest.raises(ValueError, match="must"):
        watch(x, alpha)
