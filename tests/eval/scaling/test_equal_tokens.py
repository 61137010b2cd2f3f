"""Majority at the same price: interpolation by hand, and what is never said."""

import numpy as np
import pytest

from eval.scaling.equal_tokens import Mix, compared, mix, mixed
from eval.scaling.replay import Curve

SPENT = np.array([100.0, 200.0, 300.0])


@pytest.mark.parametrize(
    ("spend", "wanted"),
    [
        (100, ("at", 1, 0.0)),
        (125, ("at", 1, 0.25)),
        (200, ("at", 2, 0.0)),
        (290, ("at", 2, 0.9)),
        (300, ("at", 2, 1.0)),
        (301, ("beyond", 3, 0.0)),
        (99, ("below", 1, 0.0)),
    ],
)
def test_the_coin(spend, wanted):
    got = mix(SPENT, spend)
    assert (got.where, got.low) == wanted[:2] and got.share == pytest.approx(wanted[2])


def test_prices_that_do_not_rise_need_no_coin():
    assert mix(np.array([0.0, 0.0]), 0.0) == Mix("at", 1, 0.0)
    assert mix(np.array([5.0]), 5.0) == Mix("at", 1, 0.0)


def test_mixed_values():
    values = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.5]])
    assert mixed(values, Mix("at", 1, 0.25)).tolist() == [0.25, 0.75]
    assert mixed(values, Mix("at", 3, 0.0)).tolist() == [1.0, 0.5]


def curve(score, tokens, usd=None):
    score = np.asarray(score, dtype=float)
    spread = np.broadcast_to(np.asarray(tokens, dtype=float), score.shape)
    return Curve("m", score, spread, usd)


BASE = curve([[0.0, 0.5, 1.0]] * 20 + [[0.0, 0.0, 0.0]] * 20, [100, 200, 300])
CLUSTERS = [f"c{i}" for i in range(40)]


def test_a_method_beside_majority_and_a_single_sample():
    better = curve([[1.0]] * 20 + [[0.0]] * 20, [150])
    (point,) = compared(better, BASE, CLUSTERS)
    assert point.accuracy.value == 0.5 and point.over_single.value == 0.5
    assert point.majority == pytest.approx(0.125)  # halfway from 0 to 0.25
    assert point.over_majority.value == pytest.approx(0.375)
    assert 0 < point.over_majority.low < 0.375 < point.over_majority.high
    (worse,) = compared(curve([[0.0]] * 40, [150]), BASE, CLUSTERS)
    assert worse.over_majority.high < 0 and worse.over_single.value == 0


def test_majority_against_itself_is_nothing():
    points = compared(BASE, BASE, CLUSTERS)
    assert [p.over_majority[:3] for p in points] == [(0.0, 0.0, 0.0)] * 3


def test_beyond_and_below_there_is_no_comparison():
    for spend, where in ((301, "beyond"), (99, "below")):
        (point,) = compared(curve([[1.0]] * 40, [spend]), BASE, CLUSTERS)
        assert point.mix.where == where and point.majority is None and point.over_majority is None
        assert point.over_single.value == 1


def test_usd_is_another_axis_and_must_be_there():
    base = Curve("b", BASE.score, BASE.tokens, BASE.tokens / 1000)
    dear = curve([[1.0]] * 40, [150], np.full((40, 1), 0.3))
    (point,) = compared(dear, base, CLUSTERS, "usd")
    assert point.majority == pytest.approx(0.5) and point.usd == pytest.approx(0.3)
    with pytest.raises(ValueError, match="no cost"):
        compared(curve([[1.0]] * 40, [150]), base, CLUSTERS, "usd")


def test_whole_clusters_are_resampled():
    one = compared(curve([[1.0]] * 40, [150]), BASE, ["same"] * 40)[0]
    assert np.isnan(one.over_majority.low) and one.over_majority.clusters == 1
