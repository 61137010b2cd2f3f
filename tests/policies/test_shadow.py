"""The shadow: it is written down, changes nothing, and may break."""

import json

import pytest

from policies import (
    AlwaysLarge,
    AlwaysSmall,
    CostCap,
    PacedBandit,
    PolicyError,
    PromptLength,
    Random,
    Shadow,
    Verifiability,
)
from policies.case import STOP
from policies.online import Feedback, OnlinePolicy
from policies.policy import Policy

SMALL, LARGE = 0, 2


def test_the_inner_policy_serves_and_the_shadow_is_written_down(make_case):
    batch = make_case(axes=[(0.9, 0.1), (0.1, 0.1)])
    choice = Shadow(inner=AlwaysSmall(), shadow=AlwaysLarge()).choose(batch)
    alone = AlwaysSmall().choose(batch)
    assert choice.arm.tolist() == alone.arm.tolist() == [SMALL, SMALL]
    assert (choice.probability == alone.probability).all()
    assert choice.explain(0) == alone.explain(0)
    (seen,) = choice.shadows
    assert seen.policy == "always-large" and seen.choice.arm.tolist() == [LARGE, LARGE]
    assert seen.choice.explain(1) == ("the policy always takes the large arm",)


def test_it_survives_a_wrapper_around_it_and_several_may_stand_there(make_case):
    batch = make_case()
    two = Shadow(inner=Shadow(inner=AlwaysSmall(), shadow=AlwaysLarge()), shadow=Verifiability())
    choice = CostCap(cap=9, inner=two).choose(batch)
    assert [s.policy for s in choice.shadows] == ["always-large", "verifiability"]
    nested = Shadow(inner=AlwaysSmall(), shadow=Shadow(inner=AlwaysLarge(), shadow=Random()))
    assert [s.policy for s in nested.choose(batch).shadows] == ["shadow", "random"]


def test_a_broken_shadow_is_said_and_the_request_is_served(make_case):
    choice = Shadow(inner=AlwaysSmall(), shadow=PromptLength()).choose(make_case())
    assert choice.arm.tolist() == [SMALL]
    (seen,) = choice.shadows
    assert seen.choice is None and "'lengths' is not in this case" in seen.error


def test_a_shadow_that_answers_nonsense_is_broken_too(make_case):
    class Wild(AlwaysLarge):
        def choose(self, cases):
            choice = super().choose(cases)
            return type(choice)(**{f: getattr(choice, f) for f in choice.__slots__} | {"arm": None})

    (seen,) = Shadow(inner=AlwaysSmall(), shadow=Wild()).choose(make_case()).shadows
    assert seen.choice is None and "choice.arm" in seen.error


def test_a_broken_inner_policy_is_an_error(make_case):
    with pytest.raises(PolicyError, match="lengths"):
        Shadow(inner=PromptLength(), shadow=AlwaysSmall()).choose(make_case())


def test_its_needs_are_those_of_who_serves():
    assert Shadow(inner=AlwaysSmall(), shadow=PromptLength()).needs == AlwaysSmall().needs


def test_the_state_holds_both():
    policy = Shadow(inner=Random(seed=3), shadow=Random(seed=4))
    assert Policy.from_state(json.loads(json.dumps(policy.to_state()))) == policy


def test_a_policy_that_learns_goes_on_learning_inside(make_case):
    import numpy as np

    batch = make_case()
    blocks = {**batch.features, "confidence": np.ones((1, 1)), "domains": np.ones((1, 5)),
              "lengths": np.ones((1, 3))}  # fmt: skip
    batch = type(batch)(**{f: getattr(batch, f) for f in batch.__slots__} | {"features": blocks})
    told = Feedback(batch, np.array([0]), np.array([0.5]), np.array([1.0]), np.array([np.nan]))
    bandit = PacedBandit(budget=1.0)
    wrapped = CostCap(cap=9, inner=Shadow(inner=bandit, shadow=Random()))
    assert isinstance(wrapped, OnlinePolicy)
    assert wrapped.observe(told).inner.inner == bandit.observe(told)
    plain = CostCap(cap=9, inner=Random())
    assert plain.observe(told) is plain
    nothing = Feedback(batch, np.array([STOP]), np.zeros(1), np.full(1, np.nan), np.zeros(1))
    assert wrapped.observe(nothing) == wrapped
