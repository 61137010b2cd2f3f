"""The conformal gate: which arm, whose answer comes back, what it says, and its state."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from policies import STOP, ConformalGate, Outcome, PolicyError, create
from policies.policy import Policy
from policies.threshold import PromptLength, VerifiabilityThreshold

NAN = float("nan")
SMALL, LARGE = 0, 2
ANSWERED, FAILED = Outcome.ANSWERED, Outcome.FAILED


def before(tau=-0.5, **more):
    """Trust is minus P(not verifiable): axis 0, less 1."""
    facts = {"alpha": 0.2, "delta": 0.1, "calibrated": 500, "by": "need", **more}
    return ConformalGate(tau=tau, scorer=VerifiabilityThreshold(), **facts)


def after(tau=0.7, **more):
    return ConformalGate(alpha=0.2, delta=0.1, tau=tau, calibrated=500, by="confidence", **more)


def said(make_case, history, confidence, **more):
    """One row with that history and the confidence of each attempt."""
    batch = make_case(history=[history], **more)
    block = np.full(batch.attempts.arm.shape, NAN)
    block[0, : len(confidence)] = confidence
    return replace(batch, attempts=replace(batch.attempts, confidence=block))


def test_small_is_kept_at_tau_and_above(make_case):
    batch = make_case(axes=[(0.4, 0), (0.5, 0), (0.9, 0)])
    choice = before().choose(batch)
    choice.check(batch)
    assert choice.arm.tolist() == [LARGE, SMALL, SMALL]
    assert choice.explain(0) == ("trust is below -0.5, or unknown, so it goes to the large arm",)
    (why,) = choice.explain(1)
    assert "at most 0.2 are answered wrong, at confidence 0.9 over 500 calibration" in why
    assert "no promise about one query" in why


def test_nothing_certified_sends_everything_to_large_and_says_why(make_case):
    batch = make_case(axes=[(1.0, 0), (0.0, 0)])
    for gate in (before(math.inf), after(math.inf)):
        choice = gate.choose(batch)
        assert choice.arm.tolist() == [LARGE, LARGE]
        (why,) = choice.explain(0)
        assert "no threshold keeps the error within 0.2" in why and "nothing is kept" in why


def test_minus_infinity_keeps_all(make_case):
    assert before(-math.inf).choose(make_case(axes=[(0.0, 0)])).arm.tolist() == [SMALL]


@pytest.mark.parametrize("missing", ["large", "small"])
def test_one_arm_missing(make_case, missing):
    batch = make_case(axes=[(0.1, 0), (0.9, 0)], unavailable=[missing])
    choice = before().choose(batch)
    assert choice.arm.tolist() == ([SMALL] * 2 if missing == "large" else [LARGE] * 2)
    outside = ["bound does not hold" in " ".join(choice.explain(i)) for i in range(2)]
    assert outside == ([True, False] if missing == "large" else [False, False])
    # What was sent to the large arm for want of the small one is not said to be kept.
    kept = ["at most 0.2" in " ".join(choice.explain(i)) for i in range(2)]
    assert kept == [False, missing == "large"]


def test_a_case_without_a_small_arm_goes_to_large(make_case):
    arms = tuple(a for a in make_case().arms if a.tier == "large")
    batch = make_case(axes=[(0.9, 0)], arms=arms)
    assert before().choose(batch).arm.tolist() == [0]
    assert after().choose(batch).arm.tolist() == [0]


def test_no_arm_at_all_stops(make_case):
    batch = make_case(axes=[(0.9, 0)], unavailable=["small", "large"])
    for gate in (before(), after()):
        choice = gate.choose(batch)
        assert choice.arm.tolist() == [STOP] and choice.attempt.tolist() == [-1]
        assert "no arm is left that could be run" in choice.explain(0)


def test_a_dead_call_is_tried_elsewhere(make_case):
    dead = [("small", FAILED, NAN)]
    assert before().choose(make_case(axes=[(0.9, 0)], history=[dead])).arm[0] == LARGE
    assert after().choose(said(make_case, dead, [NAN])).arm[0] == LARGE
    dead = [("large", FAILED, NAN)]
    choice = before().choose(make_case(axes=[(0.1, 0)], history=[dead]))
    assert choice.arm[0] == SMALL
    assert any("bound does not hold" in why for why in choice.explain(0))


@pytest.mark.parametrize(
    ("confidence", "arm", "attempt"),
    [(0.7, STOP, 0), (0.69, LARGE, -1), (NAN, LARGE, -1)],
)
def test_an_answer_is_kept_by_its_confidence(make_case, confidence, arm, attempt):
    batch = said(make_case, [("small", ANSWERED, NAN)], [confidence])
    choice = after().choose(batch)
    choice.check(batch)
    assert (choice.arm[0], choice.attempt[0]) == (arm, attempt)


def test_small_answers_first_where_the_confidence_decides(make_case):
    choice = after().choose(make_case())
    assert choice.arm[0] == SMALL and "answers first" in choice.explain(0)[0]


def test_an_incomplete_answer_is_never_kept(make_case):
    batch = said(make_case, [("small", Outcome.INCOMPLETE, NAN)], [1.0])
    assert after(-math.inf).choose(batch).arm[0] == LARGE


def test_an_answer_that_was_not_kept_does_not_come_back_over_large(make_case):
    """Its check passed, so the usual order would prefer it; its confidence is below tau."""
    history = [("small", ANSWERED, 1.0), ("large", ANSWERED, NAN)]
    choice = after().choose(said(make_case, history, [0.3, 0.1]))
    assert (choice.arm[0], choice.attempt[0]) == (STOP, 1)


def test_it_comes_back_where_large_cannot_answer_and_the_bound_is_void(make_case):
    history = [("small", ANSWERED, 1.0), ("large", FAILED, NAN)]
    choice = after().choose(said(make_case, history, [0.3, NAN]))
    assert (choice.arm[0], choice.attempt[0]) == (STOP, 0)
    assert any("bound does not hold" in why for why in choice.explain(0))


@pytest.mark.parametrize("gate", [before(), before(math.inf), before(-math.inf), after()])
def test_the_state_is_plain_and_comes_back_with_the_scorer(gate):
    state = json.loads(json.dumps(gate.to_state()))
    assert Policy.from_state(state) == gate
    assert Policy.from_state(state).scorer == gate.scorer


def test_the_state_of_a_scorer_of_another_version_is_refused():
    state = before().to_state()
    state["params"]["scorer"]["version"] = "0"
    with pytest.raises(PolicyError, match="written by version 0"):
        Policy.from_state(state)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "alpha: Field required"),
        ({"by": "quality"}, "takes one"),
        ({"by": "confidence", "scorer": PromptLength().to_state()}, "no scorer"),
        ({"by": "confidence", "tau": NAN}, "NaN"),
        ({"by": "confidence", "alpha": 0}, "alpha"),
        ({"by": "confidence", "delta": 1}, "delta"),
        ({"by": "need", "scorer": {"name": "random", "version": "1", "params": {}}}, "scorer"),
        ({"by": "need", "scorer": {"name": "nope", "version": "1"}}, "unknown policy 'nope'"),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused(params, message):
    given = {"alpha": 0.2, "delta": 0.1, "tau": 0.5, "calibrated": 9, **params} if params else {}
    with pytest.raises(PolicyError, match=message):
        create("conformal-gate", given)


def test_it_needs_what_its_scorer_needs():
    assert before().needs == VerifiabilityThreshold.needs
    assert after().needs.attempts == {"outcome", "confidence"}


def test_the_blocks_of_another_featuriser_are_refused(make_case):
    scorer = VerifiabilityThreshold(fingerprint="other")
    gate = ConformalGate(alpha=0.2, delta=0.1, tau=-0.5, calibrated=9, by="need", scorer=scorer)
    with pytest.raises(PolicyError, match="set on features other, these are test"):
        gate.choose(make_case())


def test_a_scorer_without_an_estimate_keeps_nothing_by_quality(make_case):
    gate = ConformalGate(
        alpha=0.2, delta=0.1, tau=0.1, calibrated=9, by="quality", scorer=VerifiabilityThreshold()
    )
    assert gate.choose(make_case(axes=[(1.0, 0.0)])).arm.tolist() == [LARGE]


def test_a_row_is_the_same_alone_and_in_a_batch(make_case):
    rng = np.random.default_rng(3)
    axes = rng.random((40, 2)).tolist()
    history = [[("small", int(o), NAN)] for o in rng.integers(1, 5, 40)]
    confidence = rng.random((40, 1))
    for gate, rows in ((before(), None), (after(), history)):
        batch = make_case(axes=axes, history=rows)
        if rows:
            batch = replace(batch, attempts=replace(batch.attempts, confidence=confidence))
        whole = gate.choose(batch)
        for i, pair in enumerate(axes):
            alone = make_case(axes=[pair], history=[rows[i]] if rows else None)
            if rows:
                part = replace(alone.attempts, confidence=confidence[[i]])
                alone = replace(alone, attempts=part)
            one = gate.choose(alone)
            assert (one.arm[0], one.attempt[0]) == (whole.arm[i], whole.attempt[i])
            assert one.explain(0) == whole.explain(i)
