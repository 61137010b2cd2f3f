"""The cascades over a ladder: when they escalate, what comes back, and what they say of it."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from policies import STOP, Arm, CheckCascade, LogprobCascade, Outcome, PolicyError, SelfConsistency
from policies.calibrated import Calibrated
from policies.ladder import Rung
from policies.policy import Policy, create
from policies.utility import FittedArm

NAN = float("nan")
ANSWERED, CUT, FAILED = Outcome.ANSWERED, Outcome.INCOMPLETE, Outcome.FAILED
ARMS = (Arm("vote-2", "small"), Arm("vote-4", "small"), Arm("large", "large"))
COST = np.array([0.01, 0.02, 0.10])
LINE = Calibrated(at=(0.0, 1.0), value=(0.0, 1.0), blank=0.3)
"""P(right) is the share of votes itself; 0.3 where nothing is shown."""
SAME = Calibrated(at=(0.0, 1.0), value=(0.0, 1.0), blank=0.5)


def constant(p):
    return Calibrated(blank=p)


def rung(*kinds, vote_4=0.6, large=0.9):
    return Rung(kinds=kinds, ahead=(SAME, constant(vote_4), constant(large)))


STRAY = "this arm is no rung of the cascade, so nothing is known of its answers"
KINDS = (LINE, constant(0.1))


def ladder(kind=SelfConsistency, kinds=KINDS, **more):
    facts = {
        "arms": tuple(FittedArm(name=a.name, tier=a.tier) for a in ARMS),
        "quality": (0.4, 0.6, 0.9),
        "rungs": (rung(*kinds),) * 3,
        **more,
    }
    return kind(**facts)


def case(make_case, history, n=1, arms=ARMS, **shown):
    """Rows of the same history; `shown` sets fields of the attempts, a list an attempt."""
    batch = make_case(axes=[(0.5, 0.5)] * n, history=[history] * n, arms=arms)
    fields = {
        name: np.tile(np.array(values, dtype=np.float64), (n, 1)) for name, values in shown.items()
    }
    width = len(arms)
    return replace(
        batch,
        attempts=replace(batch.attempts, **fields),
        predicted_cost=np.tile(COST[:width], (n, 1)),
    )


def after_vote(make_case, share, **more):
    return case(make_case, [("vote-2", ANSWERED, NAN)], agreement=[share], **more)


@pytest.mark.parametrize("price", [0.0, 5.0, math.inf])
def test_the_cheapest_rung_begins_at_any_price(make_case, price):
    batch = case(make_case, [], n=2)
    choice = ladder(price=price).choose(batch)
    choice.check(batch)
    assert choice.arm.tolist() == [0, 0]
    assert choice.quality[0].tolist() == [0.4, 0.6, 0.9]


def test_it_escalates_exactly_where_the_gain_is_worth_the_price(make_case):
    # Votes agree by 0.7: large gains 0.9 - 0.7 = 0.2 for USD 0.10, so up to a price of 2; vote-4
    # would lose 0.1.
    batch = after_vote(make_case, 0.7)
    assert ladder(price=1.99).choose(batch).arm.tolist() == [2]
    assert ladder(price=2.01).choose(batch).arm.tolist() == [STOP]


def test_the_rung_of_the_best_value_is_next_and_rungs_may_be_skipped(make_case):
    # By 0.2: vote-4 is worth 0.6 - 0.02 p, large 0.9 - 0.10 p; they tie at p = 3.75.
    batch = after_vote(make_case, 0.2)
    assert ladder(price=3.7).choose(batch).arm.tolist() == [2]
    assert ladder(price=3.8).choose(batch).arm.tolist() == [1]
    assert ladder(price=19.9).choose(batch).arm.tolist() == [1]
    assert ladder(price=20.1).choose(batch).arm.tolist() == [STOP]


def test_price_zero_asks_for_any_gain_and_infinity_for_none(make_case):
    assert ladder(price=0.0).choose(after_vote(make_case, 0.89)).arm.tolist() == [2]
    assert ladder(price=0.0).choose(after_vote(make_case, 0.9)).arm.tolist() == [STOP]
    assert ladder(price=math.inf).choose(after_vote(make_case, 0.0)).arm.tolist() == [STOP]


def test_what_lies_ahead_follows_from_the_last_rung(make_case):
    # After vote-2 nobody knows better than large's 0.9; after vote-4 large is no better than it.
    rungs = (rung(LINE, constant(0.1)), rung(LINE, constant(0.1), large=0.5), rung(LINE, LINE))
    history = [("vote-2", ANSWERED, NAN), ("vote-4", ANSWERED, NAN)]
    batch = case(make_case, history, agreement=[0.2, 0.5])
    choice = ladder(rungs=rungs).choose(batch)
    assert choice.arm.tolist() == [STOP]
    assert choice.quality[0, 2] == 0.5


def test_the_answer_most_probably_right_comes_back_the_later_of_equals(make_case):
    history = [("vote-2", ANSWERED, NAN), ("vote-4", ANSWERED, NAN)]
    policy = ladder(price=math.inf)
    better = policy.choose(case(make_case, history, agreement=[0.8, 0.5]))
    equal = policy.choose(case(make_case, history, agreement=[0.5, 0.5]))
    assert better.attempt.tolist() == [0] and equal.attempt.tolist() == [1]


def test_the_published_threshold_keeps_at_tau_and_above(make_case):
    policy = ladder(tau=0.6)
    shares = [0.59, 0.6, NAN]
    arms = [policy.choose(after_vote(make_case, s)).arm[0] for s in shares]
    assert arms == [1, STOP, 1]  # the next rung, not the best value; no votes are no agreement


def test_an_attempt_without_evidence_is_what_such_attempts_were_and_says_so(make_case):
    batch = after_vote(make_case, NAN)
    low, high = ladder(price=5.9).choose(batch), ladder(price=16.0).choose(batch)
    assert low.arm.tolist() == [1] and high.arm.tolist() == [STOP]  # .6 - .3 for USD 0.02: 15
    assert low.explain(0)[0].startswith("the last answer does not show the share of votes")
    assert high.explain(0)[0].startswith("the last answer does not show the share of votes")
    assert high.attempt.tolist() == [0]


def test_a_cut_answer_is_judged_as_cut(make_case):
    batch = case(make_case, [("vote-2", CUT, NAN)], agreement=[0.9])
    policy = ladder(price=5.0)
    assert policy.judge(batch).tolist() == [[0.1]]
    assert policy.choose(batch).arm.tolist() == [1]


def test_a_dead_call_goes_to_the_next_rung_and_is_never_the_answer(make_case):
    dead = case(make_case, [("vote-2", FAILED, NAN)], agreement=[NAN])
    assert ladder(price=math.inf).choose(dead).arm.tolist() == [1]
    both = case(
        make_case, [("vote-2", ANSWERED, NAN), ("large", FAILED, NAN)], agreement=[0.2, NAN]
    )
    choice = ladder(price=0.0).choose(both)
    assert choice.arm.tolist() == [STOP] and choice.attempt.tolist() == [0]


def test_no_cheaper_rung_is_asked_after_a_dearer_one(make_case):
    batch = case(make_case, [("large", ANSWERED, NAN)], agreement=[NAN])
    choice = ladder(price=0.0).choose(batch)
    assert choice.arm.tolist() == [STOP] and choice.attempt.tolist() == [0]
    assert choice.explain(0) == ("no dearer arm can be run, so the best answer so far is returned",)


def test_an_unknown_cost_is_only_paid_where_cost_does_not_count(make_case):
    batch = after_vote(make_case, 0.2)
    cost = np.array([[0.01, NAN, NAN]])
    batch = replace(batch, predicted_cost=cost)
    assert ladder(price=0.0).choose(batch).arm.tolist() == [2]
    assert ladder(price=1e-6).choose(batch).arm.tolist() == [STOP]


def test_waiting_is_paid_for(make_case):
    batch = replace(after_vote(make_case, 0.2), predicted_seconds=np.array([[1.0, 1.0, 100.0]]))
    policy = ladder(price=1.0, usd_per_second=0.01)
    assert ladder(price=1.0).choose(batch).arm.tolist() == [2]
    assert policy.choose(batch).arm.tolist() == [1]  # large: .7 - .1 - 1; vote-4: .4 - .02 - .01


def test_at_price_infinity_the_cheapest_arm_answers_rung_or_not(make_case):
    arms = (Arm("one-sample", "small"), *ARMS)
    batch = make_case(arms=arms, history=[[]])
    batch = replace(batch, predicted_cost=np.array([[0.005, *COST]]))
    assert ladder(price=math.inf).choose(batch).arm.tolist() == [0]
    assert ladder(price=math.inf).choose(batch).explain(0) == (STRAY,)
    assert ladder(price=1e9).choose(batch).arm.tolist() == [1]
    unknown = replace(batch, predicted_cost=np.full((1, 4), NAN))
    assert ladder(price=math.inf).choose(unknown).arm.tolist() == [1]
    done = make_case(arms=arms, history=[[("one-sample", ANSWERED, NAN)]])
    choice = ladder(price=math.inf).choose(done)
    assert choice.arm.tolist() == [STOP] and choice.attempt.tolist() == [0]


def test_arms_that_were_not_fitted_answer_only_where_no_rung_can_be_run(make_case):
    arms = (Arm("other", "small"), *ARMS)
    batch = make_case(arms=arms, history=[[]])
    assert ladder().choose(batch).arm.tolist() == [1]
    alone = make_case(arms=arms, history=[[]], unavailable=["vote-2", "vote-4", "large"])
    assert ladder().choose(alone).arm.tolist() == [0]
    assert ladder().choose(alone).explain(0) == (STRAY,)
    # None of its rungs is configured here at all.
    foreign = ladder().choose(make_case(arms=(Arm("small", "small"), Arm("big", "large"))))
    assert foreign.arm.tolist() == [0] and foreign.explain(0) == (STRAY,)
    assert np.isnan(foreign.quality).all()
    nothing = make_case(arms=ARMS, unavailable=[a.name for a in ARMS])
    choice = ladder().choose(nothing)
    assert choice.arm.tolist() == [STOP] and choice.attempt.tolist() == [-1]


def test_a_row_is_the_same_alone_and_in_a_batch(make_case):
    shares = np.array([0.1, 0.4, 0.7, NAN, 0.95])
    batch = after_vote(make_case, 0.5, n=5)
    batch = replace(batch, attempts=replace(batch.attempts, agreement=shares[:, None]))
    policy = ladder(price=2.5)
    whole = policy.choose(batch)
    for i, share in enumerate(shares):
        one = policy.choose(after_vote(make_case, share))
        assert one.arm[0] == whole.arm[i] and one.attempt[0] == whole.attempt[i]
        assert one.explain(0) == whole.explain(i)


def test_log_probabilities_are_weighed_and_the_answers_own_may_be_unknown(make_case):
    policy = ladder(
        LogprobCascade,
        kinds=(Calibrated(at=(-2.0, 0.0), value=(0.0, 1.0), blank=0.3), constant(0.1)),
        weights=((0.5, 0.5, -1.0),) * 3,
    )
    history = [("vote-2", ANSWERED, NAN)]
    both = case(make_case, history, logprob=[-1.0], logprob_answer=[-0.2])
    mean_only = case(make_case, history, logprob=[-1.0], logprob_answer=[NAN])
    neither = case(make_case, history)
    assert policy.judge(both) == pytest.approx(1 - 0.6 / 2)  # f = -.5 - .1
    assert policy.judge(mean_only) == pytest.approx(1 - 1.5 / 2)  # f = -.5 - 1
    assert policy.judge(neither) == pytest.approx(0.3)
    assert "does not show the log-probability" in policy.choose(neither).explain(0)[0]


def checks(**more):
    kinds = (
        Calibrated(at=(0.5, 1.0), value=(0.7, 0.95), blank=0.9),
        constant(0.05),
        Calibrated(at=(0.0, 1.0), value=(0.2, 0.6), blank=0.4),
        constant(0.02),
    )
    return ladder(CheckCascade, kinds=kinds, **more)


@pytest.mark.parametrize(
    ("passed", "confidence", "p"),
    [(1, 1.0, 0.95), (1, NAN, 0.9), (0, 0.99, 0.05), (NAN, 0.5, 0.4), (NAN, NAN, 0.4)],
)
def test_the_verdict_comes_first_and_the_confidence_orders_within_it(
    make_case, passed, confidence, p
):
    batch = case(make_case, [("vote-2", ANSWERED, passed)], confidence=[confidence])
    assert checks().judge(batch) == pytest.approx(p)
    arm = checks(price=3.0).choose(batch).arm[0]
    # .9 - p for USD .10, or .6 - p for .02
    assert arm == (STOP if p >= 0.9 else 2 if 0.9 - 0.3 > 0.6 - 0.06 else 1)


def test_unknown_is_silent_only_where_there_is_no_confidence_either(make_case):
    def said(confidence):
        batch = case(make_case, [("vote-2", ANSWERED, NAN)], confidence=[confidence])
        return checks(price=3.0).choose(batch).explain(0)[0]

    assert said(NAN).startswith("the last answer does not show the verdict of the check")
    assert said(0.5).startswith("the verdict of the check leaves room")


def test_with_a_threshold_the_last_rung_answers_and_with_a_price_the_likeliest(make_case):
    history = [("vote-2", ANSWERED, NAN), ("vote-4", ANSWERED, NAN), ("large", ANSWERED, NAN)]
    batch = case(make_case, history, agreement=[0.8, 0.5, 0.3])
    assert ladder(tau=0.9).choose(batch).attempt.tolist() == [2]
    assert ladder(price=0.0).choose(batch).attempt.tolist() == [0]


def test_a_check_cascade_takes_no_tau():
    with pytest.raises(ValueError, match="tau: a verdict is no number"):
        checks(tau=0.5)


@pytest.mark.parametrize("policy", [ladder(price=math.inf), checks(price=2.0)])
def test_state_is_plain_data_and_comes_back(policy):
    state = json.loads(json.dumps(policy.to_state()))
    assert Policy.from_state(state) == policy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quality": (0.5,)}, "one entry for each of the 3 arms"),
        ({"price": -1.0}, "price"),
        ({"price": NAN}, "price"),
        ({"rungs": (rung(LINE),) * 3}, r"2 kinds \(answered, incomplete\) and 3 ahead"),
    ],
)
def test_parameters_that_do_not_fit_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        ladder(**change)
    params = {**ladder().model_dump(mode="json"), **change}
    with pytest.raises(PolicyError):
        create("self-consistency", params)


def test_a_calibrated_map_rises_and_stays_in_its_range():
    line = Calibrated(at=(0.2, 0.6), value=(0.1, 0.5), blank=0.7)
    assert line.of(np.array([0.0, 0.4, 2.0, NAN])).tolist() == pytest.approx([0.1, 0.3, 0.5, 0.7])
    for bad in (
        {"at": (0.0, 0.0), "value": (0.1, 0.2)},
        {"at": (0.0, 1.0), "value": (0.2, 0.1)},
        {"at": (0.0,), "value": (1.2,)},
        {"at": (0.0,), "value": ()},
    ):
        with pytest.raises(ValueError):
            Calibrated(**bad, blank=0.5)


def test_a_pair_is_known_by_its_names_before_its_tiers(make_case):
    pair = {
        "arms": (FittedArm(name="vote-4", tier="small"), FittedArm(name="large", tier="large")),
        "quality": (0.6, 0.9),
        "rungs": (Rung(kinds=KINDS, ahead=(SAME, constant(0.9))),) * 2,
    }
    policy = SelfConsistency(**pair, price=1.0)
    assert policy.choose(case(make_case, [])).arm.tolist() == [1]
    others = (Arm("a", "small"), Arm("b", "small"), Arm("c", "large"))
    assert policy.choose(case(make_case, [], arms=others)).arm.tolist() == [0]
