"""Figures: statistics by hand, and the interval that fits each."""

import math

import numpy as np
import pytest
from sklearn.metrics import f1_score

from eval.compare import wilson
from eval.fit.measures import (
    Figure,
    binary_statistics,
    figures,
    macro_f1_statistic,
    quantile_statistic,
    ratio,
    sigmoid,
)


def one(statistics, clusters, **more) -> Figure:
    (figure,) = figures("c", "part", "axis", statistics, clusters, seed=0, **more)
    return figure


def test_binary_statistics_by_hand() -> None:
    p, y = [0.9, 0.6, 0.4, 0.2], [1, 0, 1, 0]
    made = {k: s(np.ones(4)) for k, s in binary_statistics(p, y).items()}
    assert made["auroc"] == 0.75
    assert made["accuracy"] == 0.5
    assert made["macro-f1"] == 0.5
    assert made["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.04) / 4)
    assert made["ece"] == pytest.approx((0.1 + 0.6 + 0.6 + 0.2) / 4)


def test_half_is_a_yes() -> None:
    assert binary_statistics([0.5], [1])["accuracy"](np.ones(1)) == 1


def test_macro_f1_is_scikit_learns_under_weights() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        chosen, truth = rng.random(30) < 0.4, rng.random(30) < 0.5
        weight = rng.integers(0, 3, 30).astype(float)
        theirs = f1_score(truth, chosen, sample_weight=weight, average="macro")
        assert macro_f1_statistic(chosen, truth)(weight) == pytest.approx(theirs)


def test_macro_f1_and_auroc_of_one_class_are_undefined() -> None:
    made = binary_statistics([0.9, 0.2], [1, 1])
    assert math.isnan(made["macro-f1"](np.ones(2))) and math.isnan(made["auroc"](np.ones(2)))
    undefined = one({"auroc": made["auroc"]}, ["a", "b"])
    assert undefined.value is None and undefined.low is None and undefined.n == 2


def test_a_quantile_is_the_smallest_that_covers_the_level() -> None:
    quantile = quantile_statistic(np.arange(100, 0, -1), 0.95)
    assert quantile(np.ones(100)) == 95
    only = np.zeros(100)
    only[3] = 2
    assert quantile(only) == 97
    assert math.isnan(quantile(np.zeros(100)))


def test_shares_of_single_rows_take_wilsons_interval() -> None:
    figure = one({"a": ratio([1, 1, 1, 0])}, np.arange(4))
    assert (figure.value, figure.low, figure.high) == wilson(3, 4)[:3]
    precision = ratio([1, 0, 0, 0], [1, 0, 0, 1])
    figure = one({"a": precision}, np.arange(4))
    assert (figure.value, figure.low, figure.high) == wilson(1, 2)[:3]


def test_a_share_without_spread_counts_its_clusters() -> None:
    figure = one({"a": ratio([0] * 6)}, list("aabbcc"))
    assert (figure.value, figure.low, figure.high) == wilson(0, 3)[:3]
    assert (figure.n, figure.clusters) == (6, 3)
    figure = one({"a": ratio([1] * 6)}, list("aabbcc"))
    assert (figure.low, figure.high) == wilson(3, 3)[1:3]


def test_other_shares_resample_clusters() -> None:
    values = [0.0] * 10 + [1.0] * 10
    whole = one({"a": ratio(values)}, values)
    assert (whole.low, whole.high) == (0, 1)
    apart = one({"a": ratio(values)}, np.arange(20) // 2)
    assert 0.1 < apart.low < 0.5 < apart.high < 0.9
    mean = one({"a": ratio([0.2, 0.4])}, [0, 1])
    assert (mean.low, mean.high) == pytest.approx((0.2, 0.4))


def test_nothing_gives_no_figure_and_nothing_to_divide_by_is_undefined() -> None:
    assert figures("c", "p", "", {"a": ratio([])}, [], seed=0) == []
    assert figures("c", "p", "", {}, ["a"], seed=0) == []
    assert one({"a": ratio([0, 0], [0, 0])}, [0, 1]).value is None


def test_seeds_repeat() -> None:
    noise = np.random.default_rng(0).random(50)
    a, b, c = (
        figures("c", "p", "", {"a": ratio(noise)}, np.arange(50) // 5, seed=s)[0] for s in (1, 1, 2)
    )
    assert a == b and a != c


def test_sigmoid_is_bounded() -> None:
    assert sigmoid([0.0])[0] == 0.5
    assert np.isfinite(sigmoid([-1e9, 1e9])).all()
