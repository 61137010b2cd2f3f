"""The cost cap: what it hides from the inner policy, when it stops, what its state holds."""

import json
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from policies import STOP, AlwaysLarge, CostCap, Outcome, PolicyError, Verifiability, create
from policies.policy import Policy, choose_from

SMALL, LARGE = 0, 2
ANSWERED = Outcome.ANSWERED
NAN = float("nan")


def priced(batch, worst, spent=()):
    """Each arm's worst case in USD, and what each attempt cost."""
    cost = batch.attempts.cost_usd.copy()
    cost[0, : len(spent)] = spent
    table = np.tile(np.array(worst, dtype=np.float64), (len(batch), 1))
    return replace(batch, worst_cost=table, attempts=replace(batch.attempts, cost_usd=cost))


def test_an_arm_that_just_fits_runs_and_a_dearer_one_does_not(make_case):
    batch = priced(make_case(), [1.0, 1.0, 4.0, 5.0])
    fits = CostCap(cap=4.0, inner=AlwaysLarge()).choose(batch)
    assert fits.arm.tolist() == [LARGE]
    assert "always takes the large arm" in fits.explain(0)[0]
    assert "may cost at most USD 4: an arm was left out" in fits.explain(0)[1]
    tight = CostCap(cap=3.999, inner=AlwaysLarge()).choose(batch)
    assert tight.arm.tolist() == [SMALL]


def test_what_was_spent_counts(make_case):
    history = [[("small", ANSWERED, 0.0)]]
    batch = priced(make_case(history=history), [4.0] * 4, spent=[1.5])
    went_on = CostCap(cap=5.5, inner=Verifiability()).choose(batch)
    assert went_on.arm.tolist() == [LARGE]
    stopped = CostCap(cap=5.4, inner=Verifiability()).choose(batch)
    assert stopped.arm.tolist() == [STOP]
    assert stopped.attempt.tolist() == [0]
    assert stopped.explain(0)[-1].endswith("USD 5.4: no further arm's worst case fits")


def test_nothing_fits_and_nothing_was_tried(make_case):
    batch = priced(make_case(), [1.0, 1.0, 4.0, 4.0])
    choice = CostCap(cap=0.5, inner=AlwaysLarge()).choose(batch)
    choice.check(batch)
    assert (choice.arm.tolist(), choice.attempt.tolist()) == ([STOP], [-1])
    assert choice.probability.sum() == 0


@pytest.mark.parametrize(
    ("worst", "spent"), [([1.0, 1.0, NAN, 1.0], ()), ([1.0] * 4, (NAN,))], ids=["price", "spent"]
)
def test_what_nobody_knows_is_not_affordable(make_case, worst, spent):
    history = [[("small", Outcome.FAILED, NAN)]] if spent else None
    batch = priced(make_case(history=history), worst, spent)
    choice = CostCap(cap=9.0, inner=AlwaysLarge()).choose(batch)
    assert choice.arm.tolist() == ([STOP] if spent else [SMALL])


def test_the_inner_policy_is_told_what_is_left(make_case):
    batch = priced(
        make_case(history=[[("small", ANSWERED, 0.0)]]), [1.0, 1.0, 2.0, 9.0], spent=[0.5]
    )
    told = []

    class Spy(AlwaysLarge):
        def choose(self, cases):
            told.append(cases)
            return super().choose(cases)

    CostCap(cap=3.0, inner=Spy()).choose(replace(batch, request_left=np.array([7.0])))
    assert told[0].available.tolist() == [[True, True, True, False]]
    assert told[0].request_left.tolist() == [2.5]
    CostCap(cap=3.0, inner=Spy()).choose(replace(batch, request_left=np.array([0.1])))
    assert told[1].request_left.tolist() == [0.1]


def test_an_inner_policy_that_does_not_listen_is_stopped(make_case):
    class Deaf(Policy):
        name = "deaf"

        def choose(self, cases):
            return choose_from(cases, np.full(len(cases), LARGE), {}, {})

    batch = priced(make_case(history=[[("small", ANSWERED, NAN)]]), [1.0, 1.0, 4.0, 4.0])
    choice = CostCap(cap=2.0, inner=Deaf()).choose(batch)
    assert (choice.arm.tolist(), choice.attempt.tolist()) == ([STOP], [0])
    assert choice.probability.sum() == 0
    assert CostCap(cap=4.0, inner=Deaf()).choose(batch).arm.tolist() == [LARGE]


def test_nested_caps_both_hold_and_both_speak(make_case):
    batch = priced(make_case(), [1.0, 1.0, 4.0, 4.0])
    both = CostCap(cap=5.0, inner=CostCap(cap=2.0, inner=AlwaysLarge()))
    choice = both.choose(batch)
    assert choice.arm.tolist() == [SMALL]
    assert len([w for w in choice.explain(0) if "USD 2:" in w]) == 1
    tight = CostCap(cap=2.0, inner=CostCap(cap=3.0, inner=AlwaysLarge())).choose(batch)
    assert [w for w in tight.explain(0) if "USD" in w] == [
        "a request may cost at most USD 2: an arm was left out, its worst case is over that"
    ]


def test_the_state_holds_the_inner_policy(make_case):
    policy = CostCap(cap=0.25, inner=create("random", {"large_share": 0.3}))
    state = json.loads(json.dumps(policy.to_state()))
    assert state["params"]["inner"]["params"]["large_share"] == 0.3
    assert Policy.from_state(state) == policy


def test_a_configuration_gives_the_inner_policy_by_name():
    assert create("cost-cap", {"cap": 1, "inner": "always-large"}).inner == AlwaysLarge()
    named = {"name": "random", "params": {"seed": 7}}
    assert create("cost-cap", {"cap": 1, "inner": named}).inner.seed == 7


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"cap": 1}, "inner: Field required"),
        ({"cap": -1, "inner": "random"}, "cap: Input should be greater"),
        ({"cap": float("nan"), "inner": "random"}, "cap: Input should be a finite number"),
        ({"cap": 1, "inner": "rando"}, "inner: .*unknown policy 'rando'"),
        ({"cap": 1, "inner": {"name": "random", "parms": {}}}, "unknown key 'parms'"),
        ({"cap": 1, "inner": {"params": {}}}, "has no name"),
        ({"cap": 1, "inner": {"name": "random", "params": {"share": 1}}}, "share: Extra inputs"),
        ({"cap": 1, "inner": {"name": "random", "params": {}, "version": "0"}}, "version 0"),
        ({"cap": 1, "inner": 3}, "inner"),
    ],
)
def test_a_wrong_one_is_named(params, said):
    with pytest.raises(PolicyError, match=said):
        create("cost-cap", params)


def test_it_needs_what_the_inner_policy_needs():
    assert CostCap(cap=1, inner=Verifiability()).needs == Verifiability().needs


class Coin(Policy):
    """Draws between the first and the third arm, whether they can be run or not."""

    name: ClassVar[str] = "a-coin-of-this-test"

    def choose(self, cases):
        arm = np.where(np.arange(len(cases)) % 2 == 0, SMALL, LARGE)
        share = np.tile([0.5, 0.0, 0.5, 0.0], (len(cases), 1))
        return choose_from(cases, arm, {}, {}, share)


def test_the_recorded_probability_is_that_of_a_draw_under_the_cap(make_case):
    """What would be over the cap stops instead: each row says so, whichever arm it drew."""
    batch = priced(make_case(axes=[(0.5, 0.5)] * 2), [1.0, 1.0, 9.0, 9.0])
    choice = CostCap(cap=4.0, inner=Coin()).choose(batch)
    assert choice.arm.tolist() == [SMALL, STOP]
    assert choice.probability.tolist() == [[0.5, 0.0, 0.0, 0.0]] * 2
