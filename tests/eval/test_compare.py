"""Intervals and tests: worked cases, coverage on simulated data, uniform p under the null."""

import itertools
import math

import numpy as np
import pytest

from eval.compare import (
    Interval,
    bootstrap,
    epoch_weight,
    holm,
    paired_difference,
    paired_permutation,
    seeds,
    share,
    two_way,
    wilson,
)
from eval.metrics import PairCurve


def mean_of(values):
    return lambda weight: float(weight @ values / weight.sum())


def test_the_value_is_of_the_data_and_the_interval_is_of_the_mean() -> None:
    values = np.random.default_rng(0).normal(3, 2, 400)
    got = bootstrap(mean_of(values), np.arange(400), resamples=4000)
    assert isinstance(got, Interval)
    assert (got.n, got.clusters, got.undefined) == (400, 400, 0)
    assert got.value == pytest.approx(values.mean())
    half = 1.96 * values.std() / 20
    assert (got.low, got.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.1 * half
    )


def test_the_draws_are_multinomial_over_clusters_and_rows_stay_together() -> None:
    clusters = np.array(["b", "a", "b", "c", "a", "b"])
    seen = []

    def watch(weight):
        seen.append(weight.copy())
        return 0.0

    bootstrap(watch, clusters, resamples=2000, seed=1)
    drawn = np.array(seen[1:])  # the first call is the data as they are
    assert np.array_equal(seen[0], np.ones(6))
    assert np.array_equal(drawn[:, 0], drawn[:, 2]) and np.array_equal(drawn[:, 0], drawn[:, 5])
    counts = drawn[:, [1, 0, 3]]  # a, b, c
    assert (counts.sum(axis=1) == 3).all()
    # Three draws of one of three: each count has mean 1 and variance 3 * 1/3 * 2/3 = 2/3.
    assert counts.mean(axis=0) == pytest.approx([1, 1, 1], abs=0.08)
    assert counts.var(axis=0) == pytest.approx([2 / 3] * 3, abs=0.08)
    assert np.cov(counts.T)[0, 1] == pytest.approx(-1 / 3, abs=0.08)


def test_it_repeats_itself_by_seed() -> None:
    values = np.random.default_rng(2).random(50)
    runs = [bootstrap(mean_of(values), np.arange(50), 100, seed=s) for s in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]


def test_a_vector_statistic_gives_an_interval_each_from_the_same_draws() -> None:
    values = np.random.default_rng(3).random(50)
    both = bootstrap(
        lambda w: np.array([w @ values / w.sum(), -(w @ values) / w.sum()]), np.arange(50), 300
    )
    one = bootstrap(mean_of(values), np.arange(50), 300)
    assert both[0] == one
    assert (both[1].low, both[1].high) == pytest.approx((-one.high, -one.low))


def test_undefined_resamples_are_counted_and_too_many_leave_no_interval() -> None:
    # A statistic that is nan where row 0 was not drawn: (1 - 1/n)^n, about 37 %.
    values = np.arange(20.0)
    often = bootstrap(lambda w: mean_of(values)(w) if w[0] else math.nan, np.arange(20), 500)
    assert 140 <= often.undefined <= 230
    assert math.isnan(often.low) and math.isnan(often.high)
    assert often.value == pytest.approx(9.5)
    # And where rows 0 to 3 were all left out, under 2 %: counted, and the rest is used.
    rare = bootstrap(lambda w: mean_of(values)(w) if w[:4].any() else math.nan, np.arange(20), 500)
    assert 0 < rare.undefined <= 25
    assert rare.low < 9.5 < rare.high


def test_one_cluster_has_no_interval() -> None:
    got = bootstrap(mean_of(np.arange(5.0)), np.zeros(5), 50)
    assert (got.value, got.n, got.clusters) == (2.0, 5, 1)
    assert math.isnan(got.low) and math.isnan(got.high)
    with pytest.raises(ValueError, match="no rows"):
        bootstrap(mean_of(np.empty(0)), np.empty(0))


def test_clusters_widen_the_interval_of_correlated_rows() -> None:
    rng = np.random.default_rng(4)
    clusters = np.repeat(np.arange(40), 25)
    values = rng.normal(size=40)[clusters] + 0.1 * rng.normal(size=1000)
    whole = bootstrap(mean_of(values), clusters, 500)
    rows = bootstrap(mean_of(values), np.arange(1000), 500)
    assert (whole.n, whole.clusters) == (1000, 40)
    assert whole.high - whole.low > 3 * (rows.high - rows.low)  # about sqrt(25)


def test_coverage_of_an_area() -> None:
    # Score, weak and strong are drawn so that the area of a huge sample is known.
    def draw(rng, n):
        x = rng.random(n)
        weak = (rng.random(n) < 0.7 - 0.4 * x).astype(float)
        return PairCurve(x + 0.3 * rng.normal(size=n), weak, (rng.random(n) < 0.85).astype(float))

    rng = np.random.default_rng(5)
    truth = draw(rng, 400_000).apgr()
    held = 0
    for i in range(200):
        curve = draw(rng, 300)
        got = bootstrap(curve.apgr, np.arange(300), 200, seed=i)
        held += got.low <= truth <= got.high
    assert 0.88 <= held / 200 <= 0.99


def test_a_paired_difference_shares_its_weights() -> None:
    rng = np.random.default_rng(6)
    a = rng.random(200)
    b = a - 0.01  # as good as the same: paired, the difference has no spread
    got = paired_difference(mean_of(a), mean_of(b), np.arange(200), 200)
    assert (got.value, got.low, got.high) == pytest.approx((0.01, 0.01, 0.01), abs=1e-12)


def test_permutation_worked_by_hand() -> None:
    # Differences 1, 1, 1, 1: |sum| = 4 by 2 of 16 sign patterns, p -> 0.125
    p = paired_permutation([1, 1, 1, 1], [0, 0, 0, 0], np.arange(4), resamples=40_000)
    assert p == pytest.approx(2 / 16, abs=0.01)
    # The same rows as two clusters: sums 2, 2: 2 of 4 patterns.
    p = paired_permutation([1, 1, 1, 1], [0, 0, 0, 0], ["x", "x", "y", "y"], resamples=40_000)
    assert p == pytest.approx(0.5, abs=0.01)
    assert paired_permutation([1, 0], [1, 0], [0, 1]) == 1.0  # nothing differs
    # The +1 rule: never 0. Forty differences of one sign: (1 + 0) / (1 + 999)
    assert paired_permutation(np.ones(40), np.zeros(40), np.arange(40), 999) == 0.001
    with pytest.raises(ValueError, match="finite"):
        paired_permutation([math.nan], [0], [0])


def test_permutation_against_all_sign_patterns() -> None:
    rng = np.random.default_rng(7)
    for _ in range(5):
        gap = rng.normal(0.3, 1, 9)
        sums = [abs(np.dot(s, gap)) for s in itertools.product((-1, 1), repeat=9)]
        exact = np.mean(np.array(sums) >= abs(gap.sum()) - 1e-12)
        assert paired_permutation(gap, np.zeros(9), np.arange(9), 20_000) == pytest.approx(
            exact, abs=0.015
        )


def test_permutation_is_uniform_under_the_null() -> None:
    rng = np.random.default_rng(8)
    ps = np.array(
        [
            paired_permutation(rng.normal(size=30), rng.normal(size=30), np.arange(30), 199, i)
            for i in range(600)
        ]
    )
    for level in (0.05, 0.25, 0.5, 0.75):
        error = math.sqrt(level * (1 - level) / 600)
        assert np.mean(ps <= level) == pytest.approx(level, abs=4 * error)


def test_epochs_of_one_question_are_averaged_first() -> None:
    weight = epoch_weight(["q2", "q2", "q1", "q1", "q3"])
    assert weight == pytest.approx([0.5, 0.5, 0.5, 0.5, 1])
    # One question run 96 times counts once: +1 (96 epochs) against -1, -1, -1.
    questions = [0] * 96 + [1, 2, 3]
    a = [1.0] * 96 + [0, 0, 0]
    b = [0.0] * 96 + [1, 1, 1]
    kept = paired_permutation(a, b, questions, 20_000, questions=questions)
    # Sums +1, -1, -1, -1: |sum| >= 2 by 1 + 4 patterns a side of 16: 10 / 16
    assert kept == pytest.approx(10 / 16, abs=0.015)


def test_holm_worked_by_hand() -> None:
    # Sorted .01, .03, .04 times 3, 2, 1: .03, .06, then max(.06, .04) = .06
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert holm([]).shape == (0,)
    with pytest.raises(ValueError, match=r"0\.\.1"):
        holm([0.5, math.nan])


def test_wilson_worked_by_hand() -> None:
    # 8 of 10, z = 1.96: (.8 + z^2/20 -+ z sqrt(.16/10 + z^2/400)) / (1 + z^2/10)
    got = wilson(8, 10)
    z = 1.959963984540054
    middle, below = 0.8 + z**2 / 20, 1 + z**2 / 10
    half = z * math.sqrt(0.16 / 10 + z**2 / 400)
    assert (got.low, got.high) == pytest.approx(((middle - half) / below, (middle + half) / below))
    assert (got.value, got.n) == (0.8, 10)
    assert wilson(0, 20).low == pytest.approx(0, abs=1e-12)
    nothing = wilson(0, 0)
    assert math.isnan(nothing.value) and (nothing.low, nothing.high) == (0, 1)
    with pytest.raises(ValueError, match="successes"):
        wilson(3, 2)


def test_seeds() -> None:
    got = seeds([1.0, 2.0, 3.0])
    assert (got.mean, got.sd, got.n) == (2.0, 1.0, 3)
    assert math.isnan(seeds([1.0]).sd)
    assert math.isnan(seeds([1.0, math.nan]).mean)
    with pytest.raises(ValueError, match="no seed"):
        seeds([])


@pytest.mark.parametrize(
    ("mean", "n", "low", "high"),
    [
        (0.5, 10, 0.236593, 0.763407),  # Wilson's formula by hand
        (0.0, 10, 0.0, 0.277533),
        (1.0, 10, 0.722467, 1.0),
        (0.3, 0, 0.0, 1.0),
    ],
)
def test_wilsons_interval_from_a_mean(mean: float, n: int, low: float, high: float) -> None:
    assert share(mean, n)[1:3] == pytest.approx((low, high), abs=1e-6)


def test_two_way_covers_seeds_and_questions() -> None:
    clusters = np.arange(50)
    (seeds,) = two_way([lambda w, x=x: np.array([x]) for x in (0.0, 1.0)], clusters, 2000)
    # Two seeds drawn with replacement: the mean is 0, 1/2 or 1 with 1/4, 1/2, 1/4.
    assert (seeds.value, seeds.low, seeds.high) == (0.5, 0.0, 1.0)
    values = np.random.default_rng(0).random(50)
    (questions,) = two_way([lambda w: np.array([w @ values / 50])] * 3, clusters, 4000)
    spread = 1.96 * values.std() / np.sqrt(50)
    assert questions.value == pytest.approx(values.mean())
    assert questions.high - questions.low == pytest.approx(2 * spread, rel=0.1)
