"""Shapes are checked at the edge, and a choice must fit its cases."""

from dataclasses import replace

import numpy as np
import pytest

from policies import STOP, Outcome, PolicyError, choose_from


def test_a_wrong_shape_is_named(make_case):
    good = make_case()
    with pytest.raises(PolicyError, match=r"worst_cost has shape \(2, 4\), expected \(1, 4\)"):
        replace(good, worst_cost=np.ones((2, 4)))
    with pytest.raises(PolicyError, match="'axes'"):
        replace(good, features={"axes": np.ones((3, 2))})
    with pytest.raises(PolicyError, match="at least one arm"):
        replace(good, arms=())


def test_a_missing_block_says_what_there_is(make_case):
    with pytest.raises(PolicyError, match=r"'embedding' is not in this case \(have: axes, needs\)"):
        make_case().block("embedding")


def test_tried_and_open(make_case):
    batch = make_case(
        axes=[(0.9, 0.1)] * 2,
        history=[[("small", Outcome.ANSWERED, 0.0)], []],
        unavailable=["large"],
    )
    assert batch.tried.tolist() == [[True, False, False, False], [False] * 4]
    assert batch.open.tolist() == [[False, True, False, True], [True, True, False, True]]


def test_columns_by_tier_and_context(make_case):
    batch = make_case()
    assert batch.columns("small") == (0, 1)
    assert batch.columns("large", "index") == (3,)


@pytest.mark.parametrize(
    ("arm", "attempt", "what"), [(7, -1, "column outside"), (STOP, 3, "not made")]
)
def test_a_choice_that_does_not_fit_is_refused(make_case, arm, attempt, what):
    batch = make_case()
    choice = choose_from(batch, np.array([STOP]), {"because": np.array([True])}, {})
    with pytest.raises(PolicyError, match=what):
        replace(choice, arm=np.array([arm]), attempt=np.array([attempt])).check(batch)


def test_explain_gives_the_sentences(make_case):
    flags = {"a": np.array([True]), "b": np.array([False]), "c": np.array([True])}
    choice = choose_from(make_case(), np.array([0]), flags, {"a": "because of a"})
    assert choice.explain(0) == ("because of a", "c")
