"""Quality less price: by hand, for three arms and for a pair."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from policies import STOP, Arm, Outcome, PolicyError
from policies.utility import FittedArm, UtilityPolicy, best_value

NAN = np.nan
THREE = (Arm("a", "small"), Arm("b", "large"), Arm("c", "large"))


class Known(UtilityPolicy):
    """Qualities that are given."""

    name: ClassVar[str] = "known-qualities"

    table: tuple[tuple[float, ...], ...]

    def predict(self, cases):
        return np.array(self.table, dtype=np.float64)


def known(*rows, arms=THREE, **more):
    fitted = tuple(FittedArm(name=a.name, tier=a.tier) for a in arms)
    return Known(arms=fitted, table=rows, **more)


@pytest.fixture
def cases(make_case):
    """`cases(n, usd)`: three arms at these prices."""

    def make(n, usd=(1.0, 2.0, 8.0), arms=THREE, seconds=None, **more):
        made = make_case(axes=[(0.5, 0.5)] * n, arms=arms, **more)
        made = replace(made, predicted_cost=np.tile(np.array(usd, dtype=float), (n, 1)))
        if seconds is None:
            return made
        return replace(made, predicted_seconds=np.tile(np.array(seconds, dtype=float), (n, 1)))

    return make


def test_the_price_of_a_dollar_decides(cases):
    quality = (0.5, 0.7, 0.9)
    case = cases(1)
    # a: .5 - p, b: .7 - 2 p, c: .9 - 8 p: c leads to p = 1/30, then b to p = .2, then a.
    for price, wanted in ((0, 2), (0.03, 2), (0.04, 1), (0.19, 1), (0.21, 0), (np.inf, 0)):
        choice = known(quality, price=price).choose(case)
        choice.check(case)
        assert choice.arm[0] == wanted, price
        assert choice.quality[0].tolist() == list(quality)
        assert choice.explain(0) == ("its estimated quality, less what it costs, is the highest",)


def test_of_equals_the_cheaper_answers(cases):
    assert known((0.5, 0.5, 0.5), price=0).choose(cases(1, (3, 1, 2))).arm[0] == 1
    assert known((0.5, 0.5, 0.5), price=np.inf).choose(cases(1, (3, 1, 1))).arm[0] == 1


def test_seconds_have_a_price_too(cases):
    quality = (0.8, 0.8, 0.8)
    policy = known(quality, price=0.1, usd_per_second=1.0)
    assert policy.choose(cases(1, seconds=(9, 1, 1))).arm[0] == 1
    # What was never measured is not charged: a at 1 + 0 USD, b at 2 + 9.
    assert policy.choose(cases(1, seconds=(NAN, 9, 1))).arm[0] == 0
    free = policy.model_copy(update={"usd_per_second": 0.0})
    assert free.choose(cases(1, seconds=(9, 1, 1))).arm[0] == 0


def test_arms_are_known_by_name_and_others_answer_only_alone(cases):
    arms = (Arm("new", "small"), Arm("c", "large"), Arm("b", "large"))
    policy = known((0.1, 0.2, 0.3), price=0)
    case = cases(1, arms=arms)
    choice = policy.choose(case)
    assert choice.quality[0, 1:].tolist() == [0.3, 0.2]
    assert np.isnan(choice.quality[0, 0]) and choice.arm[0] == 1
    alone = policy.choose(cases(1, arms=arms, unavailable=["b", "c"]))
    assert alone.arm[0] == 0
    assert "nothing is known" in alone.explain(0)[0]


def test_a_pair_is_known_by_its_tiers(cases):
    pair = (Arm("mixtral", "small"), Arm("gpt", "large"))
    mine = (Arm("large", "large"), Arm("small", "small"), Arm("large-2", "large"))
    policy = known((0.25, 0.75), arms=pair, threshold=0.5)
    case = cases(1, arms=mine)
    assert policy.score(case).tolist() == [0.5]
    estimate = policy.estimate(case)[0]
    assert estimate[:2].tolist() == [0.75, 0.25] and np.isnan(estimate[2])
    assert policy.choose(case).arm[0] == 0
    assert policy.model_copy(update={"threshold": 0.51}).choose(case).arm[0] == 1
    # The same as a price: .5 more for 1 USD more.
    for price, wanted in ((0.49, 0), (0.51, 1)):
        priced = policy.model_copy(update={"price": price})
        assert priced.choose(cases(1, (2, 1, 9), arms=mine)).arm[0] == wanted


def test_one_call_and_a_second_one_only_after_a_dead_one(cases):
    policy = known((0.1, 0.2, 0.3), (0.1, 0.2, 0.3), price=0)
    history = [[("c", Outcome.FAILED, NAN)], [("c", Outcome.ANSWERED, NAN)]]
    choice = policy.choose(cases(2, history=history))
    assert choice.arm.tolist() == [1, STOP]
    assert choice.attempt.tolist() == [-1, 0]


def test_nothing_left(cases):
    choice = known((0.1, 0.2, 0.3), price=0).choose(cases(1, unavailable=["a", "b", "c"]))
    assert choice.arm[0] == STOP
    assert choice.explain(0) == ("no arm is left that could be run",)


def test_an_arm_without_a_price_is_not_chosen_while_another_has_one(cases):
    policy = known((0.1, 0.2, 0.9), price=0.01)
    assert policy.choose(cases(1, (1, 1, NAN))).arm[0] == 1
    assert policy.choose(cases(1, (NAN, NAN, NAN))).arm[0] == 0


def test_what_is_not_made_for_the_query_comes_last(cases):
    policy = known((0.9, 0.2, 0.3), price=0)
    assert policy.choose(cases(1, not_capable=["a"])).arm[0] == 2
    only = cases(1, not_capable=["a"], unavailable=["b", "c"])
    assert policy.choose(only).arm[0] == 0


def test_the_blocks_of_another_featuriser_are_refused(cases):
    policy = known((0.1, 0.2, 0.3), price=0, fingerprint="other")
    with pytest.raises(PolicyError, match="was set on features other, these are test"):
        policy.choose(cases(1))


def test_best_value_by_hand():
    quality = np.array([[0.5, 0.6], [0.5, NAN], [NAN, NAN], [0.5, 0.6]])
    usd = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [NAN, 2.0]])
    usable = np.array([[True, True], [True, True], [True, True], [True, False]])
    assert best_value(quality, usd, 0.05, usable).tolist() == [1, 0, STOP, STOP]
    assert best_value(quality, usd, 0.2, usable).tolist() == [0, 0, STOP, STOP]


def test_at_price_0_an_arm_of_unknown_cost_is_not_left_out(cases):
    policy = known((0.1, 0.9, 0.5), price=0)
    choice = policy.choose(cases(1, (NAN, NAN, NAN)))
    assert choice.arm[0] == 1 and np.isnan(choice.cost).all()
    assert choice.explain(0) == ("its estimated quality, less what it costs, is the highest",)
    # Of equals the one whose cost is known; with a price, an unknown cost cannot be weighed.
    assert known((0.9, 0.9, 0.5), price=0).choose(cases(1, (NAN, 9.0, 1.0))).arm[0] == 1
    assert policy.model_copy(update={"price": 0.01}).choose(cases(1, (1, NAN, 1))).arm[0] == 2
