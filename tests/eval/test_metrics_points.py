"""AIQ, RouterArena's score and the readings of a cost-quality curve, worked by hand."""

import math

import numpy as np
import pytest

from eval.metrics import (
    accuracy_at_budget,
    aiq,
    cost_at_accuracy,
    hull,
    routerarena_score,
)

COST = [1.0, 2.0, 3.0, 5.0]
QUALITY = [0.4, 0.5, 0.8, 0.7]  # (2, .5) lies under the line; (5, .7) is dearer and worse


def test_the_hull_worked_by_hand() -> None:
    top = hull(COST, QUALITY)
    assert top.cost.tolist() == [1, 3]
    assert top.quality.tolist() == [0.4, 0.8]
    # Two at one cost: the better. On the line: not a vertex. Order does not matter.
    top = hull([3, 2, 1, 1], [0.6, 0.5, 0.2, 0.4])
    assert list(zip(*top, strict=True)) == [(1, 0.4), (3, 0.6)]
    assert hull([2], [0.5]).cost.tolist() == [2]


@pytest.mark.parametrize("seed", range(10))
def test_the_hull_is_the_best_coin_between_two_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cost, quality = rng.random(12), rng.random(12)
    top = hull(cost, quality)
    assert (np.diff(top.quality) > 0).all() and (np.diff(top.cost) > 0).all()
    assert (np.diff(np.diff(top.quality) / np.diff(top.cost)) < 0).all()
    for at in rng.uniform(cost.min(), 1, 20):
        best = quality[cost <= at].max()
        for i in np.flatnonzero(cost <= at):
            for j in np.flatnonzero(cost > at):
                part = (at - cost[i]) / (cost[j] - cost[i])
                best = max(best, quality[i] + part * (quality[j] - quality[i]))
        assert np.interp(at, top.cost, top.quality) == pytest.approx(best, abs=1e-12)
        assert accuracy_at_budget(cost, quality, at, mixed=True) == pytest.approx(best, abs=1e-12)


def test_aiq_worked_by_hand() -> None:
    # Over [1, 5]: 2 * (.4 + .8) / 2 + 2 * .8 = 2.8; / 4 = 0.7
    assert aiq(COST, QUALITY, 1, 5) == pytest.approx((0.7, 1, 5))
    # Over [0, 5], RouterBench's: nothing is bought below 1: 2.8 / 5
    assert aiq(COST, QUALITY, 0, 5).value == pytest.approx(0.56)
    # Over [2, 4]: 1 * (.6 + .8) / 2 + 1 * .8 = 1.5; / 2
    assert aiq(COST, QUALITY, 2, 4).value == pytest.approx(0.75)
    assert aiq(COST, QUALITY, 0.2, 0.9).value == 0.0
    with pytest.raises(ValueError, match="range"):
        aiq(COST, QUALITY, 2, 2)


def test_routerarena_worked_by_hand() -> None:
    # c = sqrt(200 * .0044) lies half way in logs: C = .5; 1.1 * .6 * .5 / (.06 + .5)
    middle = math.sqrt(200 * 0.0044)
    assert routerarena_score(0.6, middle) == pytest.approx(0.33 / 0.56)
    assert routerarena_score(0.6, 0.0044) == pytest.approx(1.1 * 0.6 / 1.06)
    assert routerarena_score(1.0, 0.0) == pytest.approx(1.0)  # free: clipped to C = 1
    assert routerarena_score(0.9, 1e6) == routerarena_score(0.0, 1e6) == 0.0
    for accuracy, cost in ((1.2, 1.0), (0.5, -1.0), (math.nan, 1.0), (0.5, math.nan)):
        with pytest.raises(ValueError, match="out of range"):
            routerarena_score(accuracy, cost)


def test_readings_of_a_curve() -> None:
    assert accuracy_at_budget(COST, QUALITY, 2.5) == 0.5
    assert accuracy_at_budget(COST, QUALITY, 2.5, mixed=True) == pytest.approx(0.7)
    assert accuracy_at_budget(COST, QUALITY, 9) == 0.8
    assert math.isnan(accuracy_at_budget(COST, QUALITY, 0.5))
    assert cost_at_accuracy(COST, QUALITY, 0.6) == 3
    assert cost_at_accuracy(COST, QUALITY, 0.6, mixed=True) == pytest.approx(2)
    assert cost_at_accuracy(COST, QUALITY, 0.1) == 1
    assert cost_at_accuracy(COST, QUALITY, 0.1, mixed=True) == 1
    assert math.isnan(cost_at_accuracy(COST, QUALITY, 0.9))
