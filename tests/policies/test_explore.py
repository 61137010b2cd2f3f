"""Exploration: how often, which arms, and the probabilities that are recorded."""

import json
from dataclasses import replace

import numpy as np
import pytest

from policies import (
    STOP,
    AlwaysLarge,
    AlwaysSmall,
    CostCap,
    Explore,
    Outcome,
    PolicyError,
    Random,
    create,
)
from policies.policy import Policy

N = 20_000
SMALL, INDEX, LARGE = 0, 1, 2


@pytest.fixture
def many(make_case):
    """Queries without a history; keys are spread as a hash spreads them."""
    keys = np.random.default_rng(0).integers(0, 2**63, N, dtype=np.uint64)

    def build(**more):
        return replace(make_case(axes=[(0.5, 0.5)] * N, **more), row_key=keys)

    return build


def test_the_recorded_probability_is_the_share_that_is_drawn(many):
    batch = many(unavailable=["large+index"])
    choice = Explore(inner=AlwaysSmall(), epsilon=0.3).choose(batch)
    choice.check(batch)
    assert choice.probability[0] == pytest.approx([0.7 + 0.1, 0.1, 0.1, 0.0])
    share = np.bincount(choice.arm, minlength=4) / N
    # Three standard errors of a share.
    tolerance = 3 * np.sqrt(choice.probability[0] * (1 - choice.probability[0]) / N)
    assert (np.abs(share - choice.probability[0]) <= tolerance).all()


def test_it_composes_with_a_random_policy_inside(many):
    """Joint frequencies: the draw of `explore` must not follow that of `random` inside."""
    batch = many(unavailable=["small+index", "large+index"])
    inner = Random(large_share=0.2, seed=0)
    choice = Explore(inner=inner, epsilon=0.5, seed=0).choose(batch)
    assert choice.probability[0] == pytest.approx([0.5 * 0.8 + 0.25, 0, 0.5 * 0.2 + 0.25, 0])
    for wanted, p in ((SMALL, 0.75), (LARGE, 0.75)):
        # Among rows where random wanted this arm it is taken with 1/2 + 1/4.
        rows = inner.choose(batch).arm == wanted
        share = (choice.arm[rows] == wanted).mean()
        assert abs(share - p) <= 3 * np.sqrt(p * (1 - p) / rows.sum())


def test_the_reason_stands_where_it_was_drawn(many):
    batch = many()
    choice = Explore(inner=AlwaysSmall(), epsilon=0.5).choose(batch)
    drawn = choice.reasons[:, list(choice.reason_codes).index("explore:drawn")]
    assert (drawn | (choice.arm == SMALL)).all()
    assert abs(drawn.mean() - 0.5) < 0.02
    assert "drawn at random (epsilon 0.5)" in choice.explain(int(np.argmax(drawn)))[-1]


def test_arms_not_made_for_the_query_are_drawn_only_where_no_other_can_run(make_case):
    sure = Explore(inner=AlwaysLarge(), epsilon=1.0)
    some = make_case(not_capable=["small", "small+index", "large+index"])
    assert sure.choose(some).probability.tolist() == [[0, 0, 1, 0]]
    none = make_case(not_capable=["small"], unavailable=["small+index", "large", "large+index"])
    assert sure.choose(none).probability.tolist() == [[1, 0, 0, 0]]


def test_only_the_first_call_unless_asked(make_case):
    batch = make_case(history=[[("small", Outcome.ANSWERED, 1.0)]])
    first = Explore(inner=AlwaysSmall(), epsilon=1.0).choose(batch)
    assert (first.arm.tolist(), first.attempt.tolist()) == ([STOP], [0])
    assert first.probability.sum() == 0
    later = Explore(inner=AlwaysSmall(), epsilon=1.0, first_call=False).choose(batch)
    assert later.arm[0] in (1, 2, 3) and later.attempt[0] == -1
    assert later.probability[0] == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])


def test_a_second_call_draws_anew(many, make_case):
    """Else the same rows would explore at every step."""
    explore = Explore(inner=AlwaysSmall(), epsilon=0.5, first_call=False)
    before = explore.choose(many())
    history = [[("small", Outcome.FAILED, float("nan"))]] * N
    after = explore.choose(many(history=history))
    flag = list(before.reason_codes).index("explore:drawn")
    both = (before.reasons[:, flag] & after.reasons[:, flag]).mean()
    assert abs(both - 0.25) < 0.02


def test_nothing_can_be_run(make_case):
    batch = make_case(unavailable=["small", "small+index", "large", "large+index"])
    choice = Explore(inner=AlwaysSmall(), epsilon=1.0).choose(batch)
    assert choice.arm.tolist() == [STOP] and choice.probability.sum() == 0


def test_a_row_is_the_same_alone_and_in_a_batch(many):
    batch = many()
    explore = Explore(inner=Random(seed=1), epsilon=0.4, seed=3)
    whole = explore.choose(batch)
    for row in range(20):
        alone = replace(
            batch,
            **{
                name: getattr(batch, name)[row : row + 1]
                for name in (
                    "predicted_cost", "worst_cost", "predicted_seconds", "available", "capable",
                    "request_left", "tenant_left", "row_key",
                )
            },
            features={k: v[row : row + 1] for k, v in batch.features.items()},
            attempts=type(batch.attempts).empty(1),
        )  # fmt: skip
        one = explore.choose(alone)
        assert one.arm[0] == whole.arm[row]
        np.testing.assert_array_equal(one.probability[0], whole.probability[row])


def test_inside_a_cap_it_draws_only_what_fits(many):
    batch = many()
    worst = np.tile([1.0, 1.0, 9.0, 9.0], (N, 1))
    choice = CostCap(cap=2.0, inner=Explore(inner=AlwaysSmall(), epsilon=1.0)).choose(
        replace(batch, worst_cost=worst)
    )
    assert set(choice.arm.tolist()) == {SMALL, INDEX}
    assert choice.probability[0].tolist() == [0.5, 0.5, 0, 0]


def test_two_of_them_need_two_seeds():
    inner = Explore(inner=AlwaysSmall(), seed=1)
    with pytest.raises(PolicyError, match="seed 1 is that of an explore inside"):
        create("explore", {"inner": CostCap(cap=1, inner=inner), "seed": 1})
    assert create("explore", {"inner": inner, "seed": 2}).seed == 2


def test_epsilon_0_is_no_exploration():
    with pytest.raises(PolicyError, match="epsilon"):
        create("explore", {"inner": "random", "epsilon": 0})


def test_the_state_comes_back():
    policy = Explore(inner=CostCap(cap=1, inner=Random(seed=4)), epsilon=0.2, seed=5)
    assert Policy.from_state(json.loads(json.dumps(policy.to_state()))) == policy


@pytest.mark.parametrize("deep", [False, True])
def test_a_draw_never_leaves_the_cap_that_stands_inside(many, deep):
    """In either order of nesting the cap is hard; both small arms fit it, neither large one."""
    batch = replace(many(), worst_cost=np.tile([1.0, 2.0, 5.0, 6.0], (N, 1)))
    inner = CostCap(cap=4.0, inner=AlwaysLarge())
    inside = Explore(inner=inner, epsilon=0.2, seed=1) if deep else inner
    choice = Explore(inner=inside, epsilon=1.0).choose(batch)
    choice.check(batch)
    assert set(choice.arm.tolist()) == {0, 1}
    assert choice.probability[0] == pytest.approx([0.5, 0.5, 0.0, 0.0])


def test_under_a_cap_that_nothing_fits_nothing_is_drawn(many):
    batch = replace(many(), worst_cost=np.ones((N, 4)))
    choice = Explore(inner=CostCap(cap=0.5, inner=AlwaysLarge()), epsilon=1.0).choose(batch)
    assert (choice.arm == STOP).all()
    assert choice.probability.sum() == 0


def test_an_error_of_two_fields_together_reads_as_a_sentence():
    with pytest.raises(PolicyError, match=r"^policy 'explore': seed 3 is that of an explore"):
        create("explore", {"seed": 3, "inner": Explore(inner=AlwaysSmall(), seed=3)})
