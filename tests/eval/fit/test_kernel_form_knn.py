"""Fits: an optimum against scikit-learn's, what can be learnt is learnt, neighbours come back."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from eval.fit.form_logistic import fit_form_logistic
from eval.fit.kernel_logistic import fit_kernel_logistic, logistic
from eval.fit.knn_gain import fit_knn_gain, neighbours
from eval.table import case_of
from policies import PolicyError
from router.errors import ConfigError
from router.neighbours import neighbours_path
from router.presets import read_preset, write_preset

from ..hand import learnable  # noqa: TID252  no package

COST = np.array([1.0, 2.0])


def test_the_logistic_optimum_is_scikit_learns():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(80, 5)), (rng.random(80) < 0.4).astype(float)
    weights, bias = logistic(csr_array(x[:, :2]), x[:, 2:], y, 0.7)
    theirs = LogisticRegression(C=0.7, tol=1e-10, max_iter=1000).fit(x, y)
    assert weights == pytest.approx(theirs.coef_[0], abs=2e-3)
    assert bias == pytest.approx(theirs.intercept_[0], abs=2e-3)


@pytest.mark.parametrize(("value", "rate"), [(1.0, 9 / 10), (0.0, 1 / 10)])
def test_all_right_or_all_wrong_is_a_constant_rate(value, rate):
    weights, bias = logistic(csr_array((8, 0)), np.ones((8, 2)), np.full(8, value), 1.0)
    assert weights.tolist() == [0, 0]
    assert 1 / (1 + np.exp(-bias)) == pytest.approx(rate)


@pytest.mark.parametrize("fit", [fit_kernel_logistic, fit_knn_gain])
def test_what_can_be_learnt_orders_unseen_rows(fit):
    table = learnable(300, seed=1)
    made = fit(table.take(np.arange(200)))
    test = table.take(np.arange(200, 300))
    p, right = made.predict(case_of(test, COST))[:, 0], test.score[:, 0] == 1
    assert (p[right][:, None] > p[~right][None, :]).mean() > 0.7
    again = fit(table.take(np.arange(200)))
    assert again.to_state() == made.to_state()


def test_form_reads_lengths_and_is_shrunk_alike_for_more_rows():
    table = learnable(200)
    table.score[:, 0] = table.features.blocks["lengths"][:, 0] < 0.5
    made = fit_form_logistic(table)
    assert made.weights[0][0] < 0 and abs(made.weights[0][0]) == max(map(abs, made.weights[0]))
    twice = fit_form_logistic(table.take(np.tile(np.arange(200), 2)))
    assert np.allclose(twice.weights, made.weights, atol=1e-4)


def test_samples_of_a_question_are_one_neighbour_with_their_mean():
    table = learnable(3).take(np.array([2, 0, 2]))
    table.score[:, 0] = [1.0, 0.0, 0.0]
    rows, score = neighbours(table)
    assert rows.tolist() == [0, 1]
    assert score[:, 0].tolist() == [0.5, 0.0]


def test_a_knn_preset_needs_its_neighbours_and_refuses_changed_ones(tmp_path):
    table = learnable(50)
    policy, path = fit_knn_gain(table), tmp_path / "knn.json"
    write_preset(path, policy, {})
    assert "vectors" not in path.read_text()
    case = case_of(table, COST)
    assert read_preset(path).score(case).tolist() == policy.score(case).tolist()
    stored = neighbours_path(policy)
    with np.load(stored) as found:
        arrays = dict(found)
    np.savez(stored, **{**arrays, "score": 1 - arrays["score"]})
    with pytest.raises(ConfigError, match="checksum.*ockham policy rebuild"):
        read_preset(path)
    stored.unlink()
    with pytest.raises(ConfigError, match="ockham policy rebuild"):
        read_preset(path)
    with pytest.raises(PolicyError, match="ockham policy rebuild"):
        read_preset(path, bare=True).choose(case)
