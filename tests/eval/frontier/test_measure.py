"""Readings of a curve by hand; areas against the pair curve; gains paired and averaged."""

import math

import numpy as np
import pytest

from eval.frontier.measure import curve_of, measure, path_area, reading
from eval.frontier.trace import Trace
from eval.metrics import PairCurve
from router.errors import InputError

from ..hand import table_by_hand  # noqa: TID252  tests are no package


def made(policy, score, usd, at=None):
    score, usd = np.asarray(score, float), np.asarray(usd, float)
    at = tuple(float(i) for i in range(len(score))) if at is None else at
    return Trace(policy, "untrained", 0, "price", at, score, usd)


def test_a_reading_by_hand():
    # Points (1, .4), (3, .8), (2, .5: under the line), (5, .7: dearer and worse).
    cost, quality = np.array([1.0, 3, 2, 5]), np.array([0.4, 0.8, 0.5, 0.7])
    got = reading(cost, quality, 1.0, 5.0)
    # Hull (1, .4)-(3, .8), flat to 5: (2 * .6 + 2 * .8) / 4 = .7
    assert np.allclose(got, [0.7, 0.6, 0.8, 0.8, 0.8, 3.0, 0.7, 5.0])


def test_left_of_the_cheapest_point_there_is_nothing():
    got = reading(np.array([4.0]), np.array([0.5]), 0.0, 8.0)
    assert got[0] == pytest.approx(0.25)
    assert math.isnan(got[1]) and got[2] == 0.5
    # The same mean summed in another order is the same cost.
    assert reading(np.array([4.0 + 1e-14]), np.array([0.5]), 0.0, 8.0)[2] == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_the_area_of_a_full_sweep_is_the_pair_curves(seed):
    rng = np.random.default_rng(seed)
    n = 40
    score = rng.integers(0, 12, n).astype(float)
    weak, strong = rng.integers(0, 2, n), rng.integers(0, 2, n)
    strong[:20] = 1
    low, high = rng.random(n), 2 + rng.random(n)
    points = [(low.mean(), weak.mean())]
    for cut in sorted(set(score), reverse=True):
        large = score >= cut
        points.append((np.where(large, high, low).mean(), np.where(large, strong, weak).mean()))
    cost, quality = np.array(points).T
    ends = np.array(points[0]), np.array(points[-1])
    expected = PairCurve(score, weak, strong, low, high).cost_apgr()
    assert path_area(cost, quality, *ends) == pytest.approx(expected)


def test_a_cascade_is_cut_at_the_large_arms_cost():
    small, large = np.array([1.0, 0.0]), np.array([3.0, 1.0])
    # (1, 0) -> (2, 1) -> (4, 1): half of the range climbs, half is full; then cut, and back.
    got = path_area(np.array([1.0, 2, 4, 5]), np.array([0.0, 1, 1, 0.5]), small, large)
    assert got == pytest.approx(0.25 + 0.5)
    # A first point at 2 is reached by a coin from all-small, all-large by one from the last.
    assert path_area(np.array([2.0]), np.array([0.5]), small, large) == pytest.approx(0.5)
    assert math.isnan(path_area(np.array([2.0]), np.array([0.5]), large, small))


def test_seeds_are_averaged_by_row_and_rows_summed_by_cluster():
    table = table_by_hand([0, 0, 1], [1, 1, 1], cluster=np.array([4, 4, 9]))
    one = made("p", [[1, 0, 1]], [[2, 2, 2]])
    two = made("p", [[0, 0, 1]], [[4, 4, 4]])
    got = curve_of([one, two], table)
    assert got.score.tolist() == [[0.5, 1.0]] and got.usd.tolist() == [[6.0, 3.0]]
    cost, quality = got.points(np.array([1.0, 1.0]), np.array([2.0, 1.0]))
    assert cost.tolist() == [3.0] and quality.tolist() == [0.5]
    # The first cluster drawn twice, the second never: only its two rows count.
    assert got.points(np.array([2.0, 0.0]), np.array([2.0, 1.0]))[1].tolist() == [0.25]
    with pytest.raises(ValueError, match="different settings"):
        curve_of([one, made("p", [[0, 0, 1]], [[4, 4, 4]], at=(7.0,))], table)


def test_gains_are_paired():
    rng = np.random.default_rng(0)
    n = 200
    small = (rng.random(n) < 0.4).astype(float)
    table = table_by_hand(small.tolist(), [1.0] * n, cost=(1.0, 3.0))
    base = made("base", [small, np.ones(n)], [np.full(n, 1.0), np.full(n, 3.0)])
    # The same accuracy at half of the extra cost, on every row: the gain has hardly a spread.
    cheap = made("cheap", [small, np.ones(n)], [np.full(n, 1.0), np.full(n, 2.0)])
    figures, arms = measure({"base": [base], "cheap": [cheap]}, table, (1.0, 3.0), ["base"], 200)
    gain = figures[1].gains["base"]
    gap = 1 - small.mean()
    # Base: mean of small and 1. Cheap: 1 from the middle of the range on.
    assert gain["aiq"].value == pytest.approx(gap / 4)
    assert gain["cost-apgr"].value == pytest.approx(0.25)
    assert gain["cost-apgr"].low == pytest.approx(0.25) == gain["cost-apgr"].high
    assert gain["equal-cost"].value == pytest.approx(0.0)
    assert gain["aiq"].high - gain["aiq"].low < figures[1].values["best"].high
    assert gain["aiq"].low < gap / 4 < gain["aiq"].high
    assert figures[0].gains == {}
    assert [a.value for a in arms] == pytest.approx([small.mean(), 1.0])
    assert arms[0].low < small.mean() < arms[0].high and arms[1].low == 1.0
    assert figures[1].seed_aiq == (figures[1].values["aiq"].value,)


def test_an_unknown_rival_or_range_is_named():
    table = table_by_hand([0, 1], [1, 1])
    one = {"p": [made("p", [[1, 1]], [[1, 1]])]}
    with pytest.raises(InputError, match="--against q"):
        measure(one, table, (0.0, 1.0), ["q"], 10)
    with pytest.raises(InputError, match="no length"):
        measure(one, table, (1.0, 1.0), [], 10)
