"""Fits of many arms: leave-one-out against leaving out, gradients against differences, choices."""

from dataclasses import replace

import numpy as np
import pytest

from eval.contenders import mean_cost
from eval.fit.carrot import _lengths, fit_carrot
from eval.fit.fitted import FITTED
from eval.fit.knn import choose_k
from eval.fit.low_rank import _loss, fit_low_rank
from eval.fit.many_arms import LAMBDAS, fit_representation, fit_ridge
from eval.table import case_of
from policies.knn import unit_rows

from ..hand import features_by_hand, learnable  # noqa: TID252  tests are no package

NAMES = ("knn", "carrot", "irt", "matrix-factorisation")


def test_ridge_solves_the_normal_equations_at_the_strength_that_leaving_out_prefers():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(25, 4))
    y = x @ rng.normal(size=(4, 2)) + 3 * rng.normal(size=(25, 2))

    def solve(rows, strength):
        z, target = x[rows] - x[rows].mean(0), y[rows] - y[rows].mean(0)
        weights = np.linalg.solve(z.T @ z + strength * np.eye(4), z.T @ target)
        return weights, x[rows].mean(0), y[rows].mean(0)

    error = {}
    for strength in LAMBDAS:
        missed = []
        for i in range(25):
            weights, centre, bias = solve(np.arange(25) != i, strength)
            missed.append(((x[i] - centre) @ weights + bias - y[i]) ** 2)
        error[strength] = np.mean(missed)
    got = fit_ridge(x, y)
    assert got.strength == min(error, key=error.get)
    assert len({round(e, 6) for e in error.values()}) == len(LAMBDAS)
    assert np.allclose(got.weights, solve(np.arange(25) >= 0, got.strength)[0])
    assert np.allclose(got.bias, y.mean(0)) and np.allclose(got.centre, x.mean(0))


def test_a_constant_feature_gets_no_scale_and_rare_terms_no_column():
    features = features_by_hand(30)
    features.blocks["cues"][:, 0] = 0.1
    features.blocks["terms"][0, 0] = 777  # in one row only
    form = fit_representation(features)
    x = form.of(features.blocks)
    assert np.isfinite(x).all() and form.scale.array[5] == 0.0
    assert 777 not in form.buckets and len(form.buckets) == 12
    spread = x[:, 4:9].std(axis=0)  # the five lengths
    assert np.allclose(spread, 0.05, atol=1e-6)


def test_the_gradient_is_the_slope_of_the_loss():
    rng = np.random.default_rng(1)
    z = rng.normal(size=(12, 3)).astype(np.float32)
    y = rng.integers(0, 2, (12, 4)).astype(float)
    parts = [rng.normal(size=s) for s in ((3, 2), (4, 2), (3,), (4,))]
    _, slopes = _loss(z, y, parts, 0.7, common=True)
    for p, part in enumerate(parts):
        for place in np.ndindex(part.shape):
            there = []
            for step in (1e-2, -1e-2):
                moved = [q.copy() for q in parts]
                moved[p][place] += step
                there.append(_loss(z, y, moved, 0.7, common=True)[0])
            slope = (there[0] - there[1]) / 2e-2
            assert slopes[p][place] == pytest.approx(slope, rel=2e-2, abs=2e-2)


def test_low_rank_finds_two_kinds_of_arm():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(400, 3))
    p = 1 / (1 + np.exp(-np.stack([3 * z[:, 0], -3 * z[:, 0], 3 * z[:, 0]], 1)))
    y = (rng.random(p.shape) < p).astype(float)
    got = fit_low_rank(z, y, fit_ridge(z, y), 1, 0.1, common=False)
    made = 1 / (1 + np.exp(-(z @ got.heads @ got.arms.T + got.bias)))
    assert float(np.abs(made - p).mean()) < 0.05
    assert not got.common.any()


def test_k_is_what_predicts_held_out_rows():
    # Two tight bunches of unlike scores: few neighbours are right, 80 mix both.
    rng = np.random.default_rng(0)
    side = np.repeat([0, 1], 50)
    x = unit_rows(np.stack([side + 0.01 * rng.random(100), 1 - side], 1))
    score = np.stack([side, 1 - side], 1).astype(float)
    assert choose_k(x, score, np.arange(100)) <= 40
    # Pure noise: the more the better.
    noise = rng.integers(0, 2, (1000, 2)).astype(float)
    assert choose_k(unit_rows(rng.normal(size=(1000, 3))), noise, np.arange(1000)) >= 40
    assert choose_k(x[:1], score[:1], np.zeros(1, dtype=np.int64)) == 1


def test_predicted_costs_average_to_the_mean_and_follow_the_text():
    table = learnable(200)
    assert table.features is not None
    x = fit_representation(table.features).of(table.features.blocks)
    cost = np.stack([np.full(200, 2.0), np.exp(2 * x[:, 0])], 1)
    weights, scale = _lengths(x, cost)
    assert not weights[:, 0].any() and scale[0] == 1.0  # it never varies
    policy = fit_carrot(replace(table, cost=cost))
    usd = policy.usd(case_of(table, mean_cost(replace(table, cost=cost))))
    assert np.allclose(usd[:, 0], 2.0)
    assert usd[:, 1].mean() == pytest.approx(cost[:, 1].mean(), rel=0.02)
    assert np.corrcoef(usd[:, 1], cost[:, 1])[0, 1] > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_a_fit_learns_what_it_is_shown(name):
    made = learnable(400)
    train, held = made.take(np.arange(300)), made.take(np.arange(300, 400))
    policy = FITTED[name](train)
    got = policy.estimate(case_of(held, mean_cost(train)))
    flat = ((train.score.mean(0) - held.score) ** 2)[:, 0].mean()
    assert ((got - held.score) ** 2)[:, 0].mean() < 0.8 * flat
    assert policy.price is None and [a.name for a in policy.arms] == ["s", "l"]
    assert FITTED[name](train) == policy  # the same rows, the same policy


@pytest.mark.parametrize("name", NAMES)
def test_twenty_rows_and_an_arm_that_is_always_right_will_do(name):
    made = learnable(20)
    made = replace(made, score=np.stack([made.score[:, 0], np.ones(20)], 1))
    got = FITTED[name](made).estimate(case_of(made, mean_cost(made)))
    assert np.isfinite(got).all() and (got[:, 1] >= got[:, 0] - 0.35).all()


def test_the_costs_that_carrot_predicts_have_the_arms_means_also_where_they_are_cut():
    table = learnable(200)
    x = table.features.blocks["embedding"].astype(np.float64)
    far = 6.0 * (x[:, :1] - x[:, :1].mean())  # more than RANGE allows, on both sides
    cost = np.exp(far) * np.array([0.001, 0.01])
    policy = fit_carrot(replace(table, cost=cost))
    usd = policy.usd(case_of(table, cost.mean(axis=0)))
    assert usd.max() / usd.min() > 20
    assert usd.mean(axis=0) == pytest.approx(cost.mean(axis=0), rel=1e-3)
