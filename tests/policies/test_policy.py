"""The registry, plain-data state, and which attempt is returned."""

from typing import ClassVar

import numpy as np
import pytest

from policies import (
    Outcome,
    Policy,
    PolicyError,
    Verifiability,
    available_policies,
    best_attempt,
    create,
    first_open,
    register,
)


def test_the_first_policies_are_registered():
    assert {"verifiability", "always-small", "always-large", "random"} <= set(available_policies())


def test_an_unknown_name_lists_the_known():
    with pytest.raises(PolicyError, match=r"unknown policy 'best'; known: always-large"):
        create("best")


@pytest.mark.parametrize(
    ("params", "what"),
    [({"tau": 0.5}, "tau: Extra inputs"), ({"tau_knowledge": 2}, "tau_knowledge: .*less than")],
)
def test_a_bad_parameter_is_named(params, what):
    with pytest.raises(PolicyError, match=what):
        create("verifiability", params)


def test_a_second_policy_of_the_same_name_is_refused():
    class Impostor(Policy):
        name: ClassVar[str] = "verifiability"

    with pytest.raises(PolicyError, match="two policies are named 'verifiability'"):
        register(Impostor)


def test_state_is_plain_data_and_comes_back():
    policy = Verifiability(tau_verifiability=0.3)
    state = policy.to_state()
    assert state["params"]["tau_verifiability"] == 0.3
    assert Policy.from_state(state) == policy
    with pytest.raises(PolicyError, match="written by version 0"):
        Policy.from_state({**state, "version": "0"})


@pytest.mark.parametrize(
    ("history", "best"),
    [
        ([], -1),
        ([("small", Outcome.ANSWERED, 1.0), ("large", Outcome.ANSWERED, 0.0)], 0),
        ([("small", Outcome.ANSWERED, 0.0), ("large", Outcome.ANSWERED, np.nan)], 1),
        ([("small", Outcome.ANSWERED, 0.0), ("large", Outcome.ANSWERED, 0.0)], 1),
        ([("small", Outcome.ANSWERED, 0.0), ("large", Outcome.FAILED, 0.0)], 0),
        ([("small", Outcome.INCOMPLETE, 0.0), ("small+index", Outcome.ABSTAINED, 0.0)], 1),
        ([("large", Outcome.FAILED, 0.0), ("small", Outcome.INCOMPLETE, 0.0)], 1),
    ],
)
def test_best_attempt(make_case, history, best):
    assert best_attempt(make_case(history=[history])).tolist() == [best]


def test_first_open_keeps_the_order():
    flags = np.array([[True, True, False], [False, False, True], [False, False, False]])
    assert first_open(flags, [1, 0]).tolist() == [1, -1, -1]
    assert first_open(flags, [2, 1]).tolist() == [1, 2, -1]
    assert first_open(flags, []).tolist() == [-1, -1, -1]
