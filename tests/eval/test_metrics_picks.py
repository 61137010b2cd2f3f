"""Regret, optimal picks, cost against the oracle's, robustness, calibration: by hand."""

import math

import numpy as np
import pytest

from eval.metrics import (
    auroc,
    auroc_statistic,
    brier,
    ece,
    optimal_pick_share,
    oracle_cost_ratio,
    regret,
    robustness,
)

#                    cheap, middle, dear
QUALITY = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0.0]])
COST = np.array([[1, 2, 9], [1, 2, 9], [1, 2, 9], [1, 2, 9.0]])
# Optimal picks: cheap (1), middle (2), dear (9), cheap (1; all are wrong): 13 USD.


def test_optimal_picks_worked_by_hand() -> None:
    assert optimal_pick_share([0, 1, 2, 0], QUALITY, COST) == 1.0
    assert optimal_pick_share([0, 2, 0, 1], QUALITY, COST) == 0.25
    assert optimal_pick_share([0, 2, 0, 1], QUALITY, COST, [3, 1, 0, 0]) == 0.75
    # A wrong arm at the optimal arm's price is no hit; two right ones at one price are.
    same = np.ones((2, 2))
    assert optimal_pick_share([0, 0], [[0, 1], [1, 1]], same) == 0.5
    assert optimal_pick_share([1, 1], [[0, 1], [1, 1]], same) == 1.0
    assert math.isnan(optimal_pick_share([0, 0, 0, 0], QUALITY, COST, np.zeros(4)))


def test_cost_against_the_oracle_worked_by_hand() -> None:
    assert oracle_cost_ratio([1, 2, 9, 1], QUALITY, COST) == 1.0
    assert oracle_cost_ratio([9, 9, 9, 9], QUALITY, COST) == pytest.approx(13 / 36)
    # A cascade pays for all three: 1, 1 + 2, 12, 12: 28
    assert oracle_cost_ratio([1, 3, 12, 12], QUALITY, COST) == pytest.approx(13 / 28)
    assert oracle_cost_ratio([9, 9, 9, 9], QUALITY, COST, [1, 0, 0, 1]) == pytest.approx(2 / 18)
    assert math.isnan(oracle_cost_ratio(np.zeros(4), QUALITY, COST))


def test_regret_worked_by_hand() -> None:
    # Ours 2 / 4; the oracle 3 / 4; best single arm: the dear one, 3 / 4.
    got = regret([1, 1, 0, 0], QUALITY)
    assert got == pytest.approx((0.25, 0.25, 2))
    assert regret([1, 1, 0, 0], QUALITY, best_single=0) == pytest.approx((0.25, -0.25, 0))
    # On rows 0 and 1 alone: ours 1, the oracle 1; middle and dear 1: the first of them.
    assert regret([1, 1, 0, 0], QUALITY, [1, 1, 0, 0]) == pytest.approx((0, 0, 1))
    assert math.isnan(regret([1, 1, 0, 0], QUALITY, np.zeros(4)).to_oracle)


def test_weights_are_copies_of_rows() -> None:
    rng = np.random.default_rng(0)
    quality, cost = rng.integers(0, 2, (40, 3)).astype(float), rng.uniform(1, 9, (40, 3))
    choice, weight = rng.integers(0, 3, 40), rng.integers(0, 4, 40)
    rows, ours = np.repeat(np.arange(40), weight), quality[np.arange(40), choice]
    p, y = rng.integers(0, 9, 40) / 8, rng.integers(0, 2, 40)
    again = rng.integers(0, 3, 40)
    for got, want in (
        (
            optimal_pick_share(choice, quality, cost, weight),
            optimal_pick_share(choice[rows], quality[rows], cost[rows]),
        ),
        (
            oracle_cost_ratio(cost[:, 0], quality, cost, weight),
            oracle_cost_ratio(cost[rows, 0], quality[rows], cost[rows]),
        ),
        (regret(ours, quality, weight), regret(ours[rows], quality[rows])),
        (robustness(choice, again, weight=weight), robustness(choice[rows], again[rows])),
        (ece(p, y, 5, weight), ece(p[rows], y[rows], 5)),
        (brier(p, y, weight), brier(p[rows], y[rows])),
        (auroc(p, y, weight), auroc(p[rows], y[rows])),
    ):
        assert got == pytest.approx(want, abs=1e-12)


def test_robustness_is_paired_by_query() -> None:
    assert robustness([0, 1, 2, 1], [0, 1, 0, 0]) == 0.5
    assert robustness(["a", "b"], ["a", "a"]) == 0.5
    # Query 0 has three versions (2 of 3 the same), query 2 one (the same), query 1 none:
    # (2/3 + 1) / 2
    got = robustness([0, 1, 2], [0, 0, 1, 2], origin=[0, 0, 0, 2])
    assert got == pytest.approx(5 / 6)
    assert robustness([0, 1, 2], [0, 0, 1, 2], [0, 0, 0, 2], [1, 9, 3]) == pytest.approx(11 / 12)
    assert math.isnan(robustness([0, 1], [], origin=[]))
    with pytest.raises(ValueError, match="origin"):
        robustness([0, 1], [0], origin=[5])
    with pytest.raises(ValueError, match="perturbed"):
        robustness([0, 1], [0])


def test_ece_worked_by_hand() -> None:
    # Two bins of two: means p .15, y 0 -> .15; p .8, y .5 -> .3; half each: .225
    assert ece([0.1, 0.2, 0.7, 0.9], [0, 0, 0, 1], bins=2) == pytest.approx(0.225)
    # Equal probabilities stay together, in whatever order: |.5 - 3/4|
    assert ece([0.5] * 4, [1, 1, 1, 0], bins=2) == pytest.approx(0.25)
    assert ece([0.5] * 4, [0, 1, 1, 1], bins=2) == pytest.approx(0.25)
    # A block lies where its middle falls: .1 in the first half, .9 (from 1/4 on) in the
    # second, so that the errors -.9 and 3 * .9 do not cancel: 3.6 / 4
    assert ece([0.1, 0.9, 0.9, 0.9], [1, 0, 0, 0], bins=2) == pytest.approx(0.9)
    assert math.isnan(ece([0.5], [1], weight=[0]))
    with pytest.raises(ValueError, match="probabilities"):
        ece([1.5], [1])


def test_ece_of_honest_probabilities_is_small() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(50_000) ** 3
    y = (rng.random(50_000) < p).astype(float)
    assert ece(p, y) < 0.01
    assert ece(np.sqrt(p), y) > 0.15


def test_brier_and_auroc_worked_by_hand() -> None:
    assert brier([0.5, 1.0], [1, 0]) == pytest.approx((0.25 + 1) / 2)
    # Pairs of a 1 above a 0: (.8 > .2), (.8 > .5), (.5 > .2), (.5 = .5): 3.5 of 4
    assert auroc([0.8, 0.5, 0.5, 0.2], [1, 1, 0, 0]) == pytest.approx(3.5 / 4)
    assert math.isnan(auroc([0.1, 0.2], [1, 1]))
    assert math.isnan(auroc([0.1, 0.2], [1, 0], [1, 0]))
    with pytest.raises(ValueError, match="0 or 1"):
        auroc([0.1, 0.2], [0.5, 1])


def test_the_auroc_of_a_bootstrap_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    score, truth = rng.integers(0, 20, 300), rng.integers(0, 2, 300)
    fast = auroc_statistic(score, truth)
    for _ in range(20):
        weight = rng.integers(0, 4, 300).astype(float)
        assert fast(weight) == pytest.approx(auroc(score, truth, weight), abs=1e-12)
    assert math.isnan(fast(truth.astype(float)))  # no 0 was drawn


def test_bad_tables_are_refused() -> None:
    with pytest.raises(ValueError, match="arm_quality"):
        regret([1.0], [[math.nan, 1]])
    with pytest.raises(ValueError, match="indices"):
        optimal_pick_share([0.0, 1.0, 2.0, 0.0], QUALITY, COST)
    with pytest.raises(ValueError, match=r"0\.\.2"):
        optimal_pick_share([0, -1, 2, 0], QUALITY, COST)
    with pytest.raises(ValueError, match="arm_cost"):
        oracle_cost_ratio([1, 1, 1, 1], QUALITY, COST[:, :2])
