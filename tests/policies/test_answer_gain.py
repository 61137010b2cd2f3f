"""Look, then buy: every decision by hand, at prices just below and above where it turns."""

import math
from dataclasses import replace

import numpy as np
import pytest

from policies import STOP, Arm, AttemptBlock, Outcome, PolicyError
from policies.answer_gain import AnswerGain
from policies.policy import Policy
from policies.text_logistic import TextLogistic

ARMS = (Arm("s", "small"), Arm("l", "large"))
NAN = math.nan
USD = (0.1, 2.0)


def logit(p):
    return math.log(p / (1 - p))


def text(small=0.5, large=0.8):
    """P(right) that do not look at the query."""
    nothing = (0.0,) * 5
    return TextLogistic(
        fingerprint="test", buckets=(3,), idf=(1.0,), length_mean=(0, 0, 0), length_scale=(0, 0, 0),
        small_weights=nothing, small_bias=logit(small),
        large_weights=nothing, large_bias=logit(large),
    )  # fmt: skip


def policy(**more):
    """Small's log odds move by what `steps` says in units of 2; large's stay the text's."""
    facts = {
        "text": text(),
        "columns": ("steps",),
        "centre": (1.0,),
        "spread": (2.0,),
        "small_weights": (1.0, 0.0, 1.0),
        "small_bias": 0.0,
        "large_weights": (0.0, 1.0, 0.0),
        "large_bias": 0.0,
        "shifts": ((logit(0.8), 0.0), (-logit(0.8), 0.0)),
        **more,
    }
    return AnswerGain(**facts)


def cases(make_case, history, steps=None, **more):
    """`steps` is (rows, attempts) of what was measured."""
    batch = make_case(axes=[(0.5, 0.5)] * len(history), history=history, arms=ARMS, **more)
    n = len(history)
    blocks = {
        "terms": np.full((n, 1), -1.0),
        "embedding": np.zeros((n, 1)),
        "lengths": np.zeros((n, 3)),
    }
    measured = {} if steps is None else {"steps": np.array(steps, dtype=np.float64)}
    attempts = replace(batch.attempts, measured=measured)
    usd = np.tile(USD, (n, 1))
    return replace(batch, features=blocks, attempts=attempts, predicted_cost=usd)


SEEN = [("s", Outcome.ANSWERED, 1.0)]


def test_after_the_answer_large_is_bought_iff_its_gain_reaches_its_price(make_case):
    # steps 3: (3 - 1) / 2 = 1 on top of log odds 0: P(small) = 1 / (1 + e^-1); P(large) = 0.8.
    gain = 0.8 - 1 / (1 + math.exp(-1))
    batch = cases(make_case, [SEEN], [[3.0]])
    below = policy(price=gain / USD[1] - 1e-9).choose(batch)
    above = policy(price=gain / USD[1] + 1e-9).choose(batch)
    assert (below.arm[0], above.arm[0], above.attempt[0]) == (1, STOP, 0)
    assert below.quality[0] == pytest.approx([0.8 - gain, 0.8])
    assert "worth its price" in below.explain(0)[0] and "not worth" in above.explain(0)[0]


def test_waiting_for_large_is_part_of_its_price(make_case):
    gain = 0.8 - 1 / (1 + math.exp(-1))
    batch = replace(
        cases(make_case, [SEEN], [[3.0]]), predicted_seconds=np.array([[1.0, 4.0]])
    )  # USD 2 and 4 seconds at USD 0.5: as dear as USD 4
    for nudge, arm in ((-1e-9, 1), (1e-9, STOP)):
        made = policy(price=gain / 4 + nudge, usd_per_second=0.5).choose(batch)
        assert made.arm[0] == arm


def test_large_is_asked_at_once_where_looking_saves_less_than_it_costs(make_case):
    # Seen, small is right with 0.8 or 0.2, large with 0.8: gains of 0 and 0.6. At a price p
    # looking saves (2p - 0) / 2 = p while 2p < 0.6, and costs 0.1 p: always worth it here.
    batch = cases(make_case, [()])
    assert policy(price=0.2).choose(batch).arm.tolist() == [0]
    # Where seeing moves nothing the gain stays 0.3: below 2p = 0.3 nothing can be saved.
    blind = policy(price=0.149, shifts=((0.0, 0.0),)).choose(batch)
    assert blind.arm.tolist() == [1] and blind.explain(0)[0].startswith("the small arm's answer wo")
    # Above it the saving is 2p - 0.3, the toll 0.1 p: they meet at p = 0.3 / 1.9.
    turn = 0.3 / 1.9
    arms = [
        policy(price=turn + step, shifts=((0.0, 0.0),)).choose(batch).arm[0]
        for step in (-1e-6, 1e-6)
    ]
    assert arms == [1, 0]


def test_the_ends_of_the_price(make_case):
    batch = cases(make_case, [(), SEEN, SEEN], [[NAN], [9.0], [-9.0]])
    # inf buys nothing; 0 buys any gain: P(small) is sigmoid(4) and sigmoid(-5).
    assert policy(price=math.inf).choose(batch).arm.tolist() == [0, STOP, STOP]
    assert policy(price=0.0).choose(batch).arm.tolist() == [0, STOP, 1]


def test_an_answer_of_which_nothing_was_measured_is_judged_by_the_text(make_case):
    for steps in (None, [[NAN]]):
        choice = policy(price=0.3 / 2 - 1e-9).choose(cases(make_case, [SEEN], steps))
        assert choice.arm.tolist() == [1] and choice.quality[0] == pytest.approx([0.5, 0.8])
        assert any("nothing was measured" in told for told in choice.explain(0))


def test_no_complete_answer_is_never_right_and_a_dead_call_is_always_replaced(make_case):
    cut, dead = [("s", Outcome.INCOMPLETE, NAN)], [("s", Outcome.FAILED, NAN)]
    batch = cases(make_case, [cut, cut, dead], [[9.0], [9.0], [NAN]])
    # Gain 0.8 (the text's P of large, small counts 0): bought below 0.4 a USD.
    assert policy(price=0.399).choose(batch).arm.tolist() == [1, 1, 1]
    assert policy(price=0.401).choose(batch).arm.tolist() == [STOP, STOP, 1]
    assert policy(price=math.inf).choose(batch).arm.tolist() == [STOP, STOP, 1]


def test_the_bought_answer_is_returned_though_small_passed_its_check(make_case):
    history = [[*SEEN, ("l", Outcome.ANSWERED, NAN)], [*SEEN, ("l", Outcome.FAILED, NAN)]]
    choice = policy(price=0.0).choose(cases(make_case, history, [[0.0, NAN]] * 2))
    assert choice.arm.tolist() == [STOP, STOP]
    assert choice.attempt.tolist() == [1, 0]  # a dead large call leaves small's answer


def test_what_cannot_be_run_or_paid_is_said(make_case):
    closed = cases(make_case, [(), SEEN], [[NAN], [-9.0]], unavailable=["l"])
    choice = policy(price=0.0).choose(closed)
    assert choice.arm.tolist() == [0, STOP] and choice.attempt.tolist() == [-1, 0]
    assert "no arm is left that could be run" in choice.explain(1)
    free = replace(closed, available=np.ones((2, 2), bool), predicted_cost=np.full((2, 2), NAN))
    unpriced = policy(price=0.1).choose(free)
    assert unpriced.arm.tolist() == [0, STOP]
    assert all(any("not known" in told for told in unpriced.explain(i)) for i in range(2))
    assert policy(price=0.0).choose(free).arm.tolist() == [0, 1]


def test_a_row_is_decided_the_same_alone_and_in_a_batch(make_case):
    rng = np.random.default_rng(5)
    steps = rng.normal(1, 3, (40, 1))
    batch = cases(make_case, [SEEN] * 40, steps)
    own = policy(price=0.1)
    whole = own.choose(batch)
    assert 0 < (whole.arm == 1).sum() < 40
    for i in range(40):
        one = own.choose(cases(make_case, [SEEN], steps[[i]]))
        assert one.arm[0] == whole.arm[i] and one.explain(0) == whole.explain(i)
        assert one.quality[0].tolist() == whole.quality[i].tolist()


def test_state_is_plain_and_comes_back(make_case):
    own = policy(price=math.inf)
    assert Policy.from_state(own.to_state()) == own
    with pytest.raises(PolicyError, match="other"):
        own.choose(replace(cases(make_case, [()]), fingerprint="other"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"columns": ("a", "b")}, "one number a column"),
        ({"small_weights": (1.0,)}, "2 more than the columns"),
        ({"spread": (0.0,)}, "spread positive"),
        ({"price": -1.0}, "price"),
        ({"shifts": ()}, "shifts"),
    ],
)
def test_parameters_that_do_not_fit_are_named(given, told):
    with pytest.raises(ValueError, match=told):
        policy(**given)


def test_what_was_measured_has_the_shape_of_the_attempts(make_case):
    batch = make_case(history=[SEEN], arms=ARMS)
    wrong = replace(batch.attempts, measured={"steps": np.zeros((1, 2))})
    with pytest.raises(PolicyError, match=r"attempts\.measured\['steps'\] has shape \(1, 2\)"):
        replace(batch, attempts=wrong)
    right = replace(batch.attempts, measured={"steps": np.zeros((1, 1))})
    with pytest.raises(ValueError, match="read-only"):
        replace(batch, attempts=right).attempts.measured["steps"][0, 0] = 1
    assert AttemptBlock.empty(2).measured == {}
