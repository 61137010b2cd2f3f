"""The fit of answer-gain: what it may see, what it learns, what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from eval.fit.answer_gain import fit_answer_gain
from eval.play import play, revealed
from eval.table import Table, case_of
from policies.case import PolicyError

from ..hand import features_by_hand, learnable  # noqa: TID252  tests are no package

N = 200
COST = np.array([0.001, 0.01])


def told(seed: int = 0, noise: float = 0.1) -> Table:
    """`steps` of the small arm's answers is high where it is right; `flat` says nothing."""
    table = learnable(N, seed)
    rng = np.random.default_rng(seed + 7)
    steps = table.score + noise * rng.normal(size=(N, 2))
    return replace(table, measured={"flat": np.ones((N, 2)), "steps": steps})


def test_the_answer_decides_where_it_tells_and_constant_columns_are_left_out() -> None:
    table = told()
    made = fit_answer_gain(table)
    assert made.columns == ("steps",)
    assert made.centre[0] == pytest.approx(table.measured["steps"][:, 0].mean())
    seen = made.model_copy(update={"price": 40.0})
    run = play(seen, table, COST)
    wrong = table.score[:, 0] == 0
    bought = run.used((1,))
    # At a price of 40 a large call costs 0.4 of quality: right answers are kept, wrong ones not.
    assert bought[wrong].mean() > 0.95 and bought[~wrong].mean() < 0.05
    # Both are paid for, but where large was asked at once.
    assert 0 < (run.tried[:, 0] == 1).sum() < bought.sum()
    both = np.where(bought, 0.011, 0.001)
    assert run.cost == pytest.approx(np.where(run.tried[:, 0] == 1, 0.01, both))


def test_what_stands_in_the_large_arms_answer_changes_nothing() -> None:
    table = told()
    steps = table.measured["steps"].copy()
    steps[:, 1] = 99.0
    assert fit_answer_gain(replace(table, measured={"steps": steps})) == fit_answer_gain(
        replace(table, measured={"steps": table.measured["steps"]})
    )


def test_shifts_are_out_of_fold_changes_of_log_odds_in_the_order_of_the_gain() -> None:
    made = fit_answer_gain(told())
    moved = np.array(made.shifts)
    assert moved.shape == (64, 2)
    assert (np.diff(moved[:, 1] - moved[:, 0]) >= 0).all()
    # Small's log odds move up for right answers and down for wrong ones.
    assert moved[:, 0].max() > 0.5 and moved[:, 0].min() < -0.5
    # A text that says nothing: the moves are what the steps tell, right and wrong far apart.
    blind = replace(told(noise=0.0), features=features_by_hand(N, 99))
    own = np.array(fit_answer_gain(blind).shifts)[:, 0]
    assert (own > 0.7).mean() == pytest.approx(blind.score[:, 0].mean(), abs=0.1)
    assert (np.abs(own) > 0.7).mean() > 0.9


def test_votes_and_log_probabilities_are_columns_where_the_table_has_them() -> None:
    table = told()
    agreement = np.where(table.score == 1, 0.9, 0.3)
    made = fit_answer_gain(replace(table, agreement=agreement, confidence=table.score))
    assert made.columns == ("steps", "agreement")  # never the check's confidence
    before = np.zeros((2, 2))
    p = made.seen(before, np.array([[0.5, 0.9], [0.5, 0.3]]))
    assert p[0, 0] > p[1, 0]


def test_a_fraction_is_weighed_and_a_constant_arm_gets_its_rate() -> None:
    table = told()
    half = replace(table, score=np.stack([table.score[:, 0] * 0.5, np.ones(N)], axis=1))
    made = fit_answer_gain(half)
    assert made.large_bias == pytest.approx(np.log((N + 1) / 1)) and not any(made.large_weights)
    cases = case_of(half, COST, revealed(half, np.zeros((N, 1), dtype=np.int64)))
    p = made.choose(cases).quality[:, 0]
    right = table.score[:, 0] == 1
    assert p[right].mean() == pytest.approx(0.5, abs=0.1) and p[~right].mean() < 0.1


def test_nothing_measured_and_too_few_questions_are_errors() -> None:
    table = told()
    for measured in ({}, {"flat": np.ones((N, 2))}, {"steps": np.full((N, 2), np.nan)}):
        with pytest.raises(PolicyError, match="ockham outcomes verify"):
            fit_answer_gain(replace(table, measured=measured))
    with pytest.raises(PolicyError, match="4 questions; at least 5"):
        fit_answer_gain(replace(table, cluster=np.arange(N) % 4))
    with pytest.raises(PolicyError, match="no features"):
        fit_answer_gain(replace(table, features=None))


def test_of_many_arms_it_learns_those_that_it_serves() -> None:
    """The first small arm and the first large one, wherever they stand."""
    table = told()
    order = [0, 0, 1]
    many = replace(
        table.pick(order),
        arms=(table.arms[0], replace(table.arms[0], name="between"), table.arms[1]),
    )
    score = many.score.copy()
    score[:, 1] = 1.0 - score[:, 1]  # an arm between them that is right where small is wrong
    assert fit_answer_gain(replace(many, score=score)) == fit_answer_gain(table)
    swapped = table.pick([1, 0])
    assert fit_answer_gain(swapped) == fit_answer_gain(table)
