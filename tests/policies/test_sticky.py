"""A conversation goes up where a turn needs it, stays while that pays, and comes down again."""

import numpy as np
import pytest

from policies import STOP, Arm, AttemptBlock, CaseBatch, Policy, Sticky, choose_from

SMALL, LARGE = 0, 1


class Takes(Policy):
    """One column, with or without estimates."""

    name = "test-takes"
    column: int
    quality: tuple[float, float] | None = None

    def choose(self, cases):
        from dataclasses import replace

        choice = choose_from(cases, np.full(len(cases), self.column), {}, {})
        if self.quality is None:
            return choice
        return replace(choice, quality=np.tile(self.quality, (len(cases), 1)))


def case(held, cost=(1e-3, 10e-3), available=(True, True), capable=(True, True)):
    """One query. `held`: USD saved by column, or None."""
    features = {} if held is None else {"held": np.array([held], dtype=float)}
    return CaseBatch(
        arms=(Arm("small", "small"), Arm("large", "large")),
        features=features,
        fingerprint="f",
        predicted_cost=np.array([cost]),
        worst_cost=np.array([cost]),
        predicted_seconds=np.full((1, 2), np.nan),
        available=np.array([available]),
        capable=np.array([capable]),
        request_left=np.array([1.0]),
        tenant_left=np.array([np.inf]),
        row_key=np.array([1], dtype=np.uint64),
        attempts=AttemptBlock.empty(1),
    )


def taken(policy, cases):
    choice = policy.choose(cases)
    choice.check(cases)
    return int(choice.arm[0]), choice.explain(0)


AT_SMALL, AT_LARGE = (0.0, np.nan), (np.nan, 8e-3)


def test_without_a_conversation_it_is_the_inner_policy():
    assert taken(Sticky(inner=Takes(column=LARGE)), case(None))[0] == LARGE
    assert taken(Sticky(inner=Takes(column=LARGE)), case((np.nan, np.nan)))[0] == LARGE


def test_a_hard_turn_goes_up():
    arm, why = taken(Sticky(inner=Takes(column=LARGE)), case(AT_SMALL))
    assert arm == LARGE and "needs more" in why[-1]


def test_an_easy_turn_stays_while_the_cache_makes_the_large_arm_the_cheaper_one():
    cached = case(AT_LARGE, cost=(1e-3, 0.8e-3))
    arm, why = taken(Sticky(inner=Takes(column=SMALL)), cached)
    assert arm == LARGE and "its prompt is cached" in why[-1]
    choice = Sticky(inner=Takes(column=SMALL)).choose(cached)
    assert choice.probability[0].tolist() == [0.0, 1.0]


def test_an_easy_turn_steps_down_where_the_saving_is_more_than_the_cache():
    arm, why = taken(Sticky(inner=Takes(column=SMALL)), case(AT_LARGE, cost=(1e-3, 3e-3)))
    assert arm == SMALL and "saves more" in why[-1]


@pytest.mark.parametrize(("worth", "arm"), [(0.01, SMALL), (1.0, LARGE)])
def test_a_gain_has_to_be_worth_the_difference(worth, arm):
    """Of 0.05 in P(right), at a price of 2 thousandths: worth it from USD 0.04 an answer on."""
    inner = Takes(column=LARGE, quality=(0.85, 0.9))
    told = case(AT_SMALL, cost=(1e-3, 3e-3))
    assert taken(Sticky(inner=inner, worth=worth), told)[0] == arm


@pytest.mark.parametrize(
    "gone", [{"available": (True, False)}, {"capable": (True, False)}], ids=["down", "language"]
)
def test_an_arm_that_cannot_serve_the_turn_holds_nobody(gone):
    cached = case(AT_LARGE, cost=(1e-3, 0.8e-3), **gone)
    assert taken(Sticky(inner=Takes(column=SMALL)), cached)[0] == SMALL


def test_a_stop_is_a_stop():
    assert taken(Sticky(inner=Takes(column=STOP)), case(AT_LARGE))[0] == STOP
