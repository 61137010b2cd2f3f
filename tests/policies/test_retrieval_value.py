"""The four ways to know: worth per dollar, computed by hand, and what an attempt changes."""

import math
from dataclasses import replace

import numpy as np
import pytest

from policies import STOP, KnowingArm, Outcome, PolicyError, RetrievalValue, create

NAN = float("nan")
USD = {"small": 1e-5, "small+index": 2e-5, "large": 1e-3, "large+index": 1.1e-3}
ARMS = (
    # sigmoid(-2 + 2 * verifiability - 1 * knowledge)
    KnowingArm(name="s", tier="small", context="none", bias=-2.0, weights=(2.0, -1.0), refused=0.1),
    KnowingArm(name="si", tier="small", context="index", read=0.8, miss=0.05, refused=0.2),
    KnowingArm(name="l", tier="large", context="none", bias=0.5, weights=(1.0, 0.0)),
    KnowingArm(name="li", tier="large", context="index", read=0.95, miss=0.3),
)


def policy(**more):
    return RetrievalValue(arms=ARMS, fingerprint="test", **more)


@pytest.fixture
def facts(make_case):
    """A facts question: P(answerable), history."""

    def make(p, history=(), axes=(0.0, 1.0), **kwargs):
        batch = make_case(axes=[axes], history=[history], **kwargs)
        features = dict(batch.features)
        if p is not None:
            features["answerability"] = np.array([[p]])
        usd = np.array([[USD[a.name] for a in batch.arms]])
        return replace(batch, features=features, predicted_cost=usd)

    return make


def first(batch, made):
    choice = made.choose(batch)
    choice.check(batch)
    return "stop" if choice.arm[0] == STOP else batch.arms[choice.arm[0]].name


def test_quality_is_known_found_and_read(facts):
    choice = policy().choose(facts(0.9))
    small = 1 / (1 + math.exp(3))
    large = 1 / (1 + math.exp(-0.5))
    wanted = [small, 0.9 * 0.8 + 0.1 * 0.05, large, 0.9 * 0.95 + 0.1 * 0.3]
    assert choice.quality[0] == pytest.approx(wanted)
    assert choice.cost[0].tolist() == list(USD.values())


@pytest.mark.parametrize(
    ("p", "price", "arm", "told"),
    [
        # 0.725 - 0.002, large 0.622 - 0.1, large+index 0.885 - 0.11 at 100 a dollar
        (0.9, 100.0, "large+index", "the large model with the passages"),
        (0.9, 300.0, "small+index", "the small reader is worth more per dollar"),
        # small+index 0.125, large 0.622, large+index 0.365
        (0.1, 100.0, "large", "what the large model knows by itself"),
        (0.1, 1000.0, "small+index", "hardly hold the answer, and yet"),
        (0.0, 1e5, "small", "what the small model knows by itself"),  # 0.047 - 1; others less
        (0.9, 0.0, "large+index", "worth its price"),
        (0.9, math.inf, "small", "small model knows"),
    ],
)
def test_gain_per_dollar_picks_among_four(facts, p, price, arm, told):
    batch = facts(p)
    made = policy(price=price)
    assert first(batch, made) == arm
    assert told in " ".join(made.choose(batch).explain(0))


def test_price_traces_a_curve_from_the_cheapest_to_the_best(facts):
    batch = facts(0.9)
    seen = [first(batch, policy(price=p)) for p in (math.inf, 1e5, 300.0, 50.0, 0.0)]
    spent = [USD[name] for name in seen]
    assert spent == sorted(spent) and len(set(seen)) == 3


def test_a_passed_check_ends_the_run(facts):
    batch = facts(0.9, [("small+index", Outcome.ANSWERED, 1.0)])
    choice = policy(price=0.0).choose(batch)
    assert choice.arm[0] == STOP and choice.attempt[0] == 0
    assert choice.explain(0) == ("the answer passed its check",)


@pytest.mark.parametrize("how", [(Outcome.ABSTAINED, 0.0), (Outcome.ANSWERED, 0.0)])
def test_after_a_refusal_the_next_arm_runs_while_its_gain_pays(facts, how):
    batch = facts(0.9, [("small+index", *how)])
    # P falls to 0.9 * 0.2 / 0.275; in hand: 0.2.
    p = 0.9 * 0.2 / 0.275
    choice = policy(price=300.0).choose(batch)
    assert choice.quality[0, 3] == pytest.approx(p * 0.95 + (1 - p) * 0.3)
    assert first(batch, policy(price=300.0)) == "large+index"  # 0.725 - 0.33 > 0.622 - 0.3 > 0.2
    assert "gave no answer that holds" in " ".join(choice.explain(0))
    kept = policy(price=5000.0).choose(batch)
    assert kept.arm[0] == STOP and "no other arm is worth its price" in kept.explain(0)


def test_an_unchecked_answer_is_kept_at_the_price_that_chose_it(facts):
    for price in (0.0, 50.0, 300.0, 1e4):
        name = first(facts(0.4), policy(price=price))
        assert first(facts(0.4, [(name, Outcome.ANSWERED, NAN)]), policy(price=price)) == "stop"


def test_a_dead_call_is_no_answer(facts):
    batch = facts(0.9, [("small+index", Outcome.FAILED, NAN)])
    assert first(batch, policy(price=1e5)) == "small"


@pytest.mark.parametrize("p", [None, NAN])
def test_where_nobody_looked_readers_have_no_quality(facts, p):
    batch = facts(p)
    choice = policy(price=0.0).choose(batch)
    assert np.isnan(choice.quality[0]).tolist() == [False, True, False, True]
    assert batch.arms[choice.arm[0]].name == "large"
    assert any("nobody looked" in said for said in choice.explain(0))
    only = facts(p, unavailable=("small", "large"))
    assert first(only, policy(price=300.0)) == "small+index"
    assert any("nothing is known" in said for said in policy().choose(only).explain(0))


def test_rows_of_a_batch_are_independent(make_case):
    rng = np.random.default_rng(5)
    axes, p = rng.random((60, 2)), rng.random((60, 1))
    p[::7] = NAN
    history = [
        [],
        [("small+index", Outcome.ANSWERED, 0.0)],
        [("small", Outcome.ANSWERED, NAN)],
    ] * 20
    made = policy(price=200.0)

    def batch(rows):
        case = make_case(axes=axes[rows].tolist(), history=[history[i] for i in rows])
        usd = np.tile([USD[a.name] for a in case.arms], (len(rows), 1))
        features = {**case.features, "answerability": p[rows]}
        return replace(case, features=features, predicted_cost=usd)

    together = made.choose(batch(list(range(60))))
    for i in range(60):
        alone = made.choose(batch([i]))
        assert (alone.arm[0], alone.explain(0)) == (together.arm[i], together.explain(i))


def test_it_has_no_default_and_refuses_other_features(facts):
    with pytest.raises(PolicyError, match="arms: Field required"):
        create("retrieval-value")
    other = replace(facts(0.9), fingerprint="another")
    with pytest.raises(PolicyError, match="fitted on features test, these are another"):
        policy().choose(other)


def test_it_is_plain_data():
    made = policy(price=12.0, usd_per_second=1e-4)
    assert RetrievalValue.from_state(made.to_state()) == made
