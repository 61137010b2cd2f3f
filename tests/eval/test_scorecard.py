"""Every metric of a card, by hand on four questions, at three price ratios."""

import math
from dataclasses import replace

import numpy as np
import pytest

from eval.contenders import Entry, enter, one_call
from eval.folds import folds_of
from eval.play import Played
from eval.scorecard import Scorecard, exchange_rate, scaled_cost

from .hand import learnable, table_by_hand

SMALL, LARGE = [1, 0, 0, 0], [1, 1, 1, 0]
SCORE = np.array([0.1, 0.9, 0.4, 0.2])  # best first: gains 1, 1, 0, 0
COLUMN = np.array([0, 1, 0, 0])
P_SMALL = [0.8, 0.4, 0.2, 0.6]
ONES = np.ones(4)


def card(table=None, **more):
    table = table or table_by_hand(SMALL, LARGE)
    quality = np.stack([P_SMALL, np.full(4, 0.5)], axis=1)
    entry = Entry("p", "untrained", 0, one_call(table, COLUMN), SCORE, quality)
    return Scorecard(table, replace(entry, **more))


def values(made, weight=ONES):
    return dict(zip(made.names, made.values(weight).tolist(), strict=True))


def arena(accuracy, usd):
    top = math.log2(200)
    cheap = (top - math.log2(usd)) / (top - math.log2(0.0044))
    return 1.1 * accuracy * cheap / (0.1 * accuracy + cheap)


RATE = 0.5 / 0.009
BY_HAND = {
    "accuracy": 0.5,
    "large-share": 0.25,
    "regret-oracle": 0.25,
    "regret-best-single": 0.25,
    # Trapezoids under PGR (0, .5, 1, 1, 1) at shares 0, .25, .5, .75, 1.
    "apgr": 0.0625 + 0.1875 + 0.25 + 0.25,
    "cpt50": 0.25,
    "cpt80": 0.25 + 0.25 * 0.6,
    "usd-per-1000": 3.25,
    "routerarena": arena(0.5, 3.25),
    # Row 2 should have gone large; row 3 is beyond both, the cheap one is optimal.
    "optimal-pick": 0.75,
    "cost-over-oracle": 13 / 22,
    "utility": 0.5 - RATE * 0.00325,
    "cost-apgr": 0.75,
    # Up the hull from .25 to .75 in half of the cost range, flat in the other.
    "aiq": 0.5 * 0.5 + 0.5 * 0.75,
    "accuracy-at-budget": 0.75,
    "usd-per-1000@2": 5.75,
    "routerarena@2": arena(0.5, 5.75),
    "optimal-pick@2": 0.75,
    "cost-over-oracle@2": 23 / 42,
    "utility@2": 0.5 - 0.5 / 0.019 * 0.00575,
    "cost-apgr@2": 0.75,
    "aiq@2": 0.625,
    "accuracy-at-budget@2": 0.75,
    "usd-per-1000@0.5": 2.0,
    "routerarena@0.5": arena(0.5, 2.0),
    "optimal-pick@0.5": 0.75,
    "cost-over-oracle@0.5": 8 / 12,
    "utility@0.5": 0.5 - 0.5 / 0.004 * 0.002,
    "cost-apgr@0.5": 0.75,
    "aiq@0.5": 0.625,
    "accuracy-at-budget@0.5": 0.75,
    "auroc-small": 1.0,
    "brier-small": (0.2**2 + 0.4**2 + 0.2**2 + 0.6**2) / 4,
    "ece-small": (0.2 + 0.4 + 0.2 + 0.6) / 4,
}
# The curve is read at 101 shares: within one of them of the exact cost.
ON_GRID = {
    "cost-at-accuracy": (1 + 9 * 0.475, 9 / 100),
    "cost-at-accuracy@2": (1 + 19 * 0.475, 19 / 100),
    "cost-at-accuracy@0.5": (1 + 4 * 0.475, 4 / 100),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_metric_by_hand(name):
    # Half the budget is a vertex of the curve; rounding may read it one share of 101 below.
    tolerance = 0.021 if "at-budget" in name else 1e-9
    assert values(card())[name] == pytest.approx(BY_HAND[name], abs=tolerance)


@pytest.mark.parametrize("name", ON_GRID)
def test_a_metric_read_off_the_curve(name):
    exact, step = ON_GRID[name]
    assert exact - 1e-9 <= values(card())[name] <= exact + step + 1e-9


def test_no_metric_is_without_a_hand_computed_value():
    assert set(card().names) == set(BY_HAND) | set(ON_GRID)
    assert len(set(card().names)) == len(card().names)


WEIGHT = np.array([2.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accuracy", 2 / 4),  # row 0 twice, right; rows 2 and 3 wrong
        ("large-share", 0.0),
        ("regret-oracle", 0.75 - 0.5),
        ("apgr", 1 - 1 / 8),  # all gain in the first block, of share 1/4
        ("usd-per-1000", 1.0),
        ("cost-over-oracle", 4 / 13),
        ("utility", 0.5 - RATE * 0.001),  # the price of an answer is not resampled
        ("brier-small", (2 * 0.04 + 0.04 + 0.36) / 4),
    ],
)
def test_a_weight_is_so_many_copies(name, value):
    assert values(card(), WEIGHT)[name] == pytest.approx(value, abs=1e-12)


def test_a_weight_gives_what_copied_rows_give():
    table = learnable(30)
    entry = enter("text-logistic", table, folds_of(table, 3, None, 0), 0.5)
    rng = np.random.default_rng(0)
    times = rng.integers(0, 4, 30)
    index = np.repeat(np.arange(30), times)
    played = Played(
        *(getattr(entry.played, n)[index] for n in ("tried", "returned", "score", "cost"))
    )
    copied = Entry("p", "", 0, played, entry.score[index], entry.quality[index])
    weighed = values(Scorecard(table, entry), times.astype(float))
    plain = values(Scorecard(table.take(index), copied), np.ones(len(index)))
    # These take a scale or a price from the table as it stands, fixed before the bootstrap.
    fixed = ("utility", "aiq", "at-budget", "at-accuracy")
    for name, value in weighed.items():
        if not any(part in name for part in fixed):
            assert value == pytest.approx(plain[name], abs=1e-12, nan_ok=True), name


def test_utility_ties_the_two_constants_and_every_mixture():
    table = table_by_hand(SMALL, LARGE)
    folds = folds_of(table, 2, None, 0)
    small, large = (
        values(Scorecard(table, enter(n, table, folds, 0.5))) for n in ("all-small", "all-large")
    )
    for name in ("utility", "utility@2", "utility@0.5"):
        assert small[name] == pytest.approx(large[name], abs=1e-12)
    mine = card()
    assert mine.utility().mean() == pytest.approx(values(mine)["utility"], abs=1e-12)


def test_all_small_all_large_and_the_oracle_by_hand():
    table = table_by_hand(SMALL, LARGE)
    folds = folds_of(table, 2, None, 0)
    small = values(Scorecard(table, enter("all-small", table, folds, 0.5)))
    large = values(Scorecard(table, enter("all-large", table, folds, 0.5)))
    oracle = values(Scorecard(table, enter("oracle", table, folds, 0.5)))
    assert (small["accuracy"], large["accuracy"], oracle["accuracy"]) == (0.25, 0.75, 0.75)
    assert (small["large-share"], large["large-share"], oracle["large-share"]) == (0, 1, 0.5)
    assert (small["optimal-pick"], large["optimal-pick"]) == (0.5, 0.5)
    assert oracle["optimal-pick"] == oracle["cost-over-oracle"] == 1
    assert large["cost-over-oracle"] == pytest.approx(40 / 22)
    assert oracle["regret-oracle"] == 0
    assert "apgr" not in small
    # Gains first, in one block of half the calls, then nothing more.
    assert oracle["apgr"] == pytest.approx(0.75)


def test_the_random_mix_is_the_straight_line():
    table = table_by_hand(SMALL, LARGE)
    got = values(Scorecard(table, enter("random", table, folds_of(table, 2, None, 0), 0.5)))
    assert got["apgr"] == got["cost-apgr"] == pytest.approx(0.5)
    assert (got["cpt50"], got["cpt80"]) == pytest.approx((0.5, 0.8))
    assert got["aiq"] == pytest.approx(0.5)
    assert got["accuracy-at-budget"] == pytest.approx(0.5, abs=0.006)


def test_a_cascade_pays_for_both_at_every_ratio():
    table = table_by_hand(SMALL, LARGE)
    played = Played(
        np.array([[0, -1], [0, 1], [1, -1], [0, -1]]),
        np.array([0, 1, 1, 0]),
        np.array([1.0, 1, 1, 0]),
        np.array([0.001, 0.011, 0.01, 0.001]),
    )
    made = card(table, played=played, score=None, quality=None)
    got = values(made)
    assert got["large-share"] == 0.5
    assert got["usd-per-1000"] == pytest.approx(1000 * 0.023 / 4)
    assert got["usd-per-1000@2"] == pytest.approx(1000 * 0.043 / 4)
    assert got["usd-per-1000@0.5"] == pytest.approx(1000 * 0.013 / 4)
    assert not {"apgr", "aiq", "ece-small"} & set(got)


# Tables on which some of it has no meaning


def test_prices_never_fall_below_the_cheapest():
    table = table_by_hand(SMALL, LARGE, cost=(0.001, 0.0015))
    assert np.allclose(scaled_cost(table, 0.5), 0.001)
    assert np.allclose(scaled_cost(table, 2.0), [[0.001, 0.003]] * 4)
    got = values(card(table))
    assert math.isnan(got["utility@0.5"]) and math.isnan(got["cost-apgr@0.5"])
    assert got["utility"] == pytest.approx(0.5 - 0.5 / 0.0005 * 0.004500 / 4)


def test_the_ratio_scales_each_row_of_a_dearer_arm():
    table = table_by_hand(SMALL, LARGE)
    table.cost[:, 1] = [0.02, 0.04, 0.002, 0.018]
    assert np.allclose(scaled_cost(table, 2.0)[:, 1], [0.04, 0.08, 0.004, 0.036])
    assert np.allclose(scaled_cost(table, 2.0)[:, 0], 0.001)


@pytest.mark.parametrize(
    ("small", "large", "cost", "nan"),
    [
        ([1, 1, 1, 0], [1, 0, 0, 0], (1, 10), ["apgr", "cpt50", "cost-apgr", "utility"]),
        ([1, 0, 1, 0], [1, 0, 0, 1], (1, 10), ["apgr", "cpt80", "cost-apgr"]),
        (SMALL, LARGE, (10, 10), ["cost-apgr", "utility", "aiq"]),
        (SMALL, LARGE, (10, 1), ["cost-apgr", "utility"]),
        ([1, 1, 1, 1], [1, 1, 1, 1], (1, 10), ["apgr", "auroc-small"]),
        ([0, 0, 0, 0], [0, 0, 0, 0], (0, 0), ["apgr", "cost-over-oracle", "aiq"]),
    ],
    ids=["worse", "equal", "as dear", "cheaper", "all right", "all wrong and free"],
)
def test_a_metric_without_a_meaning_is_nan(small, large, cost, nan):
    made = card(table_by_hand(small, large, cost=cost))
    for weight in (ONES, WEIGHT, np.array([4.0, 0, 0, 0])):
        got = values(made, weight)
        assert all(math.isnan(got[name]) for name in nan), got
        assert math.isfinite(got["accuracy"])


def test_where_large_is_worse_paying_more_is_never_rewarded():
    assert math.isnan(exchange_rate(table_by_hand([1, 1], [1, 0])))
    assert exchange_rate(table_by_hand([1, 0], [0, 1])) == 0
    assert exchange_rate(table_by_hand([0, 0], [1, 0])) == pytest.approx(0.5 / 0.009)


def test_a_free_oracle_has_no_multiple():
    table = table_by_hand([1, 1, 0, 1], [1, 1, 0, 1], cost=(0, 1))
    got = values(card(table))
    assert math.isnan(got["cost-over-oracle"])
    assert got["usd-per-1000"] == 250


def test_unpriced_tables_show_what_needs_no_price():
    table = table_by_hand(SMALL, LARGE)
    table.cost[1, 0] = np.nan
    got = values(card(table))
    assert got["apgr"] == pytest.approx(0.75)
    assert not [n for n in got if "usd" in n or "cost" in n or "utility" in n]
    assert np.isnan(card(table).utility()).any()


def test_the_curve_for_pictures():
    made = card().curve()
    assert made.share.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert made.quality.tolist() == [0.25, 0.5, 0.75, 0.75, 0.75]
    assert np.allclose(made.cost, [0.001, 0.00325, 0.0055, 0.00775, 0.01])
    assert np.allclose(card().curve(2.0).cost, [0.001, 0.00575, 0.0105, 0.01525, 0.02])
    assert card(score=None).curve() is None
