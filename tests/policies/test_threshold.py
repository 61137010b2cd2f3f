"""Pair policies: one score, one threshold, one call; the same alone and in a batch."""

import math
from dataclasses import replace

import numpy as np
import pytest

from policies import STOP, Outcome, PolicyError, create
from policies.policy import Policy
from policies.threshold import PromptLength, ThresholdPolicy, VerifiabilityThreshold

NAN = float("nan")
LARGE = 2


def long(make_case, chars, **more):
    """A case of prompts of so many characters; column 1 is another number, not to be read."""
    batch = make_case(axes=[(0.5, 0.5)] * len(chars), **more)
    block = np.stack([np.log1p(np.array(chars, dtype=np.float32)), np.full(len(chars), 99.0)], 1)
    return replace(batch, features={"lengths": block})


def test_large_at_the_threshold_and_above(make_case):
    policy = PromptLength(threshold=float(np.log1p(np.float32(100))))
    choice = policy.choose(long(make_case, [99, 100, 101]))
    assert choice.arm.tolist() == [0, LARGE, LARGE]
    assert choice.explain(0) == ("the score is below the threshold, so the small arm will do",)
    assert "reaches the threshold" in choice.explain(1)[0]


def test_length_is_the_log_of_one_plus_the_characters(make_case):
    assert np.allclose(PromptLength().score(long(make_case, [0, 9])), [0.0, math.log(10)])


def test_what_cannot_be_checked_goes_to_the_large_arm(make_case):
    batch = make_case(axes=[(0.9, 0.8), (0.2, 0.8), (0.5, 0.0)])
    policy = VerifiabilityThreshold(threshold=0.5)
    assert np.allclose(policy.score(batch), [0.1, 0.8, 0.5])
    assert policy.choose(batch).arm.tolist() == [0, LARGE, LARGE]


@pytest.mark.parametrize(("threshold", "arm"), [(math.inf, 0), (-math.inf, LARGE)])
def test_the_ends_of_the_curve(make_case, threshold, arm):
    batch = make_case(axes=[(0.0, 0.0), (1.0, 0.0)])
    policy = VerifiabilityThreshold(threshold=threshold)
    assert policy.choose(batch).arm.tolist() == [arm, arm]


@pytest.mark.parametrize("threshold", [math.inf, -math.inf, 0.25])
def test_a_threshold_survives_its_state(threshold):
    policy = VerifiabilityThreshold(threshold=threshold)
    assert Policy.from_state(policy.to_state()) == policy


@pytest.mark.parametrize("axes", [(0.9, 0.1), (0.1, 0.1)])
def test_one_call_whatever_the_verdict(make_case, axes):
    for passed in (0.0, 1.0, NAN):
        batch = make_case(axes=[axes], history=[[("small", Outcome.ANSWERED, passed)]])
        choice = VerifiabilityThreshold(threshold=0.5).choose(batch)
        assert (choice.arm[0], choice.attempt[0]) == (STOP, 0)
        assert "one call was made" in choice.explain(0)[0]


def test_a_dead_call_is_tried_elsewhere_and_then_given_up(make_case):
    policy = VerifiabilityThreshold(threshold=0.5)
    dead = [("small", Outcome.FAILED, NAN)]
    choice = policy.choose(make_case(axes=[(0.9, 0.1)], history=[dead]))
    assert choice.arm[0] == LARGE
    assert any("cannot be run" in why for why in choice.explain(0))
    choice = policy.choose(
        make_case(axes=[(0.9, 0.1)], history=[[*dead, ("large", Outcome.FAILED, NAN)]])
    )
    assert choice.arm[0] == STOP
    assert choice.explain(0) == (
        "the score is below the threshold, so the small arm will do",
        "no arm is left that could be run",
    )


def test_an_unavailable_tier_is_replaced_and_said(make_case):
    batch = make_case(axes=[(0.1, 0.1)], unavailable=["large"])
    choice = VerifiabilityThreshold(threshold=0.5).choose(batch)
    assert choice.arm[0] == 0
    assert any("wanted tier cannot be run" in why for why in choice.explain(0))


def test_an_index_arm_is_never_chosen(make_case):
    batch = make_case(axes=[(0.1, 0.9)], unavailable=["small", "large"])
    assert VerifiabilityThreshold().choose(batch).arm[0] == STOP


def test_a_row_is_the_same_alone_and_in_a_batch(make_case):
    axes = np.random.default_rng(3).random((40, 2))
    policy = VerifiabilityThreshold(threshold=0.4)
    whole = policy.choose(make_case(axes=axes.tolist()))
    for i, pair in enumerate(axes.tolist()):
        one = policy.choose(make_case(axes=[pair]))
        assert one.arm[0] == whole.arm[i]
        assert one.probability[0].tolist() == whole.probability[i].tolist()
        assert one.explain(0) == whole.explain(i)


def test_quality_is_not_estimated_by_a_policy_that_has_no_model(make_case):
    assert np.isnan(VerifiabilityThreshold().choose(make_case()).quality).all()


def test_the_blocks_of_another_featuriser_are_refused_where_one_is_named(make_case):
    batch = make_case()
    assert VerifiabilityThreshold(fingerprint="test").choose(batch).arm[0] in (0, LARGE)
    with pytest.raises(PolicyError, match=r"features other.*these are test"):
        VerifiabilityThreshold(fingerprint="other").choose(batch)


def test_a_missing_block_is_named(make_case):
    with pytest.raises(PolicyError, match=r"'lengths' is not in this case \(have: axes, needs\)"):
        PromptLength().choose(make_case())


@pytest.mark.parametrize("name", ["prompt-length", "verifiability-threshold"])
def test_they_are_registered(name):
    made = create(name, {"threshold": 0.5})
    assert isinstance(made, ThresholdPolicy)
    with pytest.raises(PolicyError, match="tau"):
        create(name, {"tau": 0.5})
