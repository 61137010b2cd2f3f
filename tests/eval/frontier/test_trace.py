"""Curves by hand: grids, single arms, sweeps, and the quick way against the played one."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from eval.contenders import NotReplayable, mean_cost
from eval.fit.fitted import FITTED
from eval.folds import Folds, folds_of
from eval.frontier import trace as module
from eval.frontier.trace import price_grid, trace
from eval.play import play
from policies import Arm, Outcome, PromptLength
from policies.case import PolicyError
from policies.knn import Knn

from ..hand import features_by_hand, table_by_hand  # noqa: TID252  tests are no package


def three_arms(n=60, seed=0):
    """Arms at 1, 2 and 4 USD: the middle one knows where column 0 is small, the dear one more."""
    features = features_by_hand(n, seed)
    x, rng = features.blocks["embedding"][:, 0], np.random.default_rng(seed)
    score = np.stack([rng.random(n) < 0.3, x < 0.5, (x > 0.4) | (rng.random(n) < 0.3)], 1)
    wide = {
        name: np.full((n, 3), np.nan)
        for name in (
            "passed", "confidence", "agreement", "logprob", "logprob_answer", "certainty"
        )
    }  # fmt: skip
    cost = np.array([1.0, 2.0, 4.0]) * (0.5 + rng.random((n, 3)))
    return (
        table_by_hand(
            [0.0] * n,
            [0.0] * n,
            features=features,
            arms=(Arm("a", "small"), Arm("b", "large"), Arm("c", "large")),
            outcome=np.full((n, 3), int(Outcome.ANSWERED)),
            tokens=np.full((n, 3), 10),
            **wide,
        ),
        score.astype(float),
        cost,
    )


def table(n=60, seed=0):
    made, score, cost = three_arms(n, seed)
    return replace(made, score=score, cost=cost)


def test_the_grid_runs_from_inf_to_0_by_costs_alone():
    grid = price_grid(table_by_hand([0, 1], [1, 1], cost=(0.5, 2.5)), 5)
    # The cheapest arm's 0.5 worth all quality: 2; the extra 2 worth a thousandth: 0.0005.
    assert grid[0] == np.inf and grid[-1] == 0
    assert np.allclose(grid[1:4], [2.0, np.sqrt(2.0 * 0.0005), 0.0005])
    same = table_by_hand([0, 1], [1, 1], cost=(1.0, 1.0))
    assert price_grid(same, 5).tolist() == [np.inf, 0.0]


def test_best_single_is_chosen_on_the_other_folds():
    # Rows 0-2 favour the small arm, 3-5 the large one: each half is chosen by the other.
    made = table_by_hand([1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1])
    folds = Folds(np.array([0, 0, 0, 1, 1, 1]), 2, None, 0)
    got = trace("best-single", made, folds)
    assert got.score.tolist() == [[0.0] * 6] and got.labels == 3
    assert np.allclose(got.usd, [[0.01] * 3 + [0.001] * 3])


def test_the_oracle_buys_what_is_worth_its_price():
    made = table_by_hand([0, 1, 0], [1, 1, 0])
    got = trace("oracle", made, folds_of(made, 3, None, 0), points=3)
    # inf: cheapest everywhere. 0: the large arm where only it is right, the cheap one of equals.
    assert got.score[0].tolist() == [0, 1, 0] and got.score[-1].tolist() == [1, 1, 0]
    assert got.usd[0].tolist() == [0.001] * 3
    assert got.usd[-1].tolist() == [0.01, 0.001, 0.001]


def test_the_random_mix_is_the_single_arms():
    made = table()
    got = trace("random-mix", made, folds_of(made, 3, None, 0))
    assert np.array_equal(got.score, made.score.T) and np.array_equal(got.usd, made.cost.T)


@pytest.mark.parametrize("name", ["knn", "carrot", "irt", "matrix-factorisation"])
def test_the_quick_way_makes_the_choices_that_are_played(name):
    made = table()
    folds = folds_of(made, 3, None, 1)
    got = trace(name, made, folds, points=9)
    seen = set()
    for k in range(3):
        rows, held = folds.train(made, k), folds.of == k
        policy, part = FITTED[name](made.take(rows)), made.take(held)
        for g, price in enumerate(got.at):
            own = policy.model_copy(update={"price": price})
            played = play(own, part, mean_cost(made.take(rows)))
            assert np.array_equal(got.score[g, held], played.score)
            assert np.array_equal(got.usd[g, held], played.cost)
            seen |= set(played.returned.tolist())
    assert seen == {0, 1, 2}  # else the arms were never told apart


def test_a_failed_call_is_made_again_and_paid():
    made = table()
    outcome = made.outcome.copy()
    outcome[:, 0] = Outcome.FAILED  # the cheapest arm never answers
    score = made.score.copy()
    score[:, 0] = 0
    broken = replace(made, outcome=outcome, score=score)
    got = trace("knn", broken, folds_of(broken, 3, None, 1), points=3)
    # At price inf: the cheapest, then the next cheapest.
    assert np.allclose(got.usd[0], broken.cost[:, 0] + broken.cost[:, 1])
    assert np.array_equal(got.score[0], broken.score[:, 1])


def test_a_rule_with_its_own_choose_is_played():
    class Own(Knn):
        name: ClassVar[str] = "own-choose"

        def choose(self, cases):
            return super().choose(cases)

    made = table()
    assert module._one_call(FITTED["knn"](made), made)
    own = Own.model_validate(FITTED["knn"](made).model_dump())
    assert not module._one_call(own, made)


def test_a_threshold_is_a_quantile_of_the_other_folds_scores():
    # Scores are lengths. Median of fold 0: 1.5, of fold 1: 3.5, of all: 2.5.
    features = features_by_hand(8)
    features.blocks["lengths"][:, 0] = [0, 1, 2, 3, 2, 3, 4, 13]
    made = table_by_hand([0] * 8, [1] * 8, features=features)
    folds = Folds(np.repeat([0, 1], 4), 2, None, 0)
    got = trace("prompt-length", made, folds, points=3)
    assert got.knob == "threshold" and got.at == (0.0, 0.5, 1.0)
    # By the other fold's median all of fold 0 is short, all of fold 1 long; not by that of all.
    assert got.score.tolist() == [[0] * 8, [0] * 4 + [1] * 4, [1] * 8]


def test_a_fixed_policy_is_a_point():
    made = table_by_hand([0, 1], [1, 1])
    got = trace("all-large", made, folds_of(made, 2, None, 0))
    assert got.knob == "nothing" and got.score.tolist() == [[1, 1]]


def test_a_table_without_texts_is_refused():
    made = table()
    with pytest.raises(NotReplayable, match="no features"):
        trace("knn", replace(made, features=None), folds_of(made, 3, None, 0))


def test_nothing_to_learn_is_said():
    made = table()
    flat = replace(made, score=np.ones_like(made.score))
    with pytest.raises(NotReplayable, match="no gain to learn"):
        trace("carrot", flat, folds_of(flat, 3, None, 0))
    with pytest.raises(PolicyError, match="1 questions to learn from"):
        FITTED["knn"](made.take(np.array([0])))


def test_a_pair_policy_calls_again_where_a_call_died():
    """As it is played: a threshold's curve pays for the dead call and gets the next answer."""
    made = table(30)
    arms = (Arm("a", "small"), Arm("b", "small"), Arm("c", "large"))
    rng = np.random.default_rng(4)
    dead = rng.random((30, 3)) < 0.4
    made = replace(
        made,
        arms=arms,
        outcome=np.where(dead, int(Outcome.FAILED), int(Outcome.ANSWERED)),
        score=np.where(dead, 0.0, made.score),
    )
    got = trace("prompt-length", made, folds_of(made, 3, None, 1), points=3)
    for row, threshold in ((0, np.inf), (2, -np.inf)):
        played = play(PromptLength(threshold=threshold), made, mean_cost(made))
        assert got.score[row].tolist() == played.score.tolist()
        assert got.usd[row] == pytest.approx(played.cost)
