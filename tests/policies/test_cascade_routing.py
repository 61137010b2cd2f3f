"""Cascade routing: which set, which arm first, when to skip and when to stop."""

import json
import math
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from policies import STOP, Arm, CascadeRouting, Outcome, PolicyError
from policies.cascade_routing import Head
from policies.evidence import EVIDENCE, evidence_of, expected_best, logit
from policies.policy import Policy
from policies.threshold import PromptLength
from policies.utility import FittedArm

NAN = float("nan")
ANSWERED, CUT, FAILED = Outcome.ANSWERED, Outcome.INCOMPLETE, Outcome.FAILED
ARMS = (Arm("small", "small"), Arm("large", "large"))
COST = np.array([0.01, 0.10])
VOTES = EVIDENCE.index("agreement")


def head(p=None, weights=()):
    """A constant, or weights on log-odds with a bias of 0."""
    return Head(bias=float(logit(np.array(p))) if p is not None else 0.0, weights=weights)


def after(agreement=0.0):
    """P(right | seen) = P(before) moved by the votes: log-odds before + agreement * weight."""
    weights = np.zeros(1 + len(EVIDENCE))
    weights[0], weights[1 + VOTES] = 1.0, agreement
    return Head(bias=0.0, weights=tuple(weights.tolist()))


def keep():
    """An arm that is not tried stays what it was."""
    return Head(bias=0.0, weights=(1.0, 0.0))


def routing(small=0.5, large=0.8, moves=(-0.3, 0.3), **more):
    facts = {
        "arms": tuple(FittedArm(name=a.name, tier=a.tier) for a in ARMS),
        "before": (head(small), head(large)),
        "after": (after(4.0), after()),
        "link": ((keep(), keep()), (keep(), keep())),
        "spread": (moves, (0.0,)),
        **more,
    }
    return CascadeRouting(**facts)


def case(make_case, history=(), n=1, arms=ARMS, **shown):
    batch = make_case(axes=[(0.5, 0.5)] * n, history=[list(history)] * n, arms=arms)
    fields = {k: np.tile(np.array(v, dtype=np.float64), (n, 1)) for k, v in shown.items()}
    cost = np.tile(COST, (n, 1))
    return replace(batch, attempts=replace(batch.attempts, **fields), predicted_cost=cost)


def by_enumeration(best, values, members):
    """E[max] over all combinations of the values."""
    every = list(product(*(values[m] for m in members)))
    return sum(max(best, *one) for one in every) / len(every)


def test_expected_best_is_the_mean_over_all_combinations():
    rng = np.random.default_rng(3)
    values = [rng.random((4, q)) for q in (1, 2, 3)]
    values[1][0] = values[2][0, 0]  # ties between arms
    best = np.array([0.0, 0.3, 0.99, 0.5])
    sets = [s for k in (1, 2, 3) for s in combinations(range(3), k)]
    for members, made in zip(sets, expected_best(best, values, sets), strict=True):
        for row in range(4):
            wanted = by_enumeration(best[row], [v[row] for v in values], members)
            assert made[row] == pytest.approx(wanted)


def test_evidence_says_what_is_not_known(make_case):
    batch = case(make_case, [("small", ANSWERED, 1.0), ("large", CUT, NAN)], agreement=[0.7, NAN])
    first, second = evidence_of(batch.attempts)[0]
    told = dict(zip(EVIDENCE, zip(first.tolist(), second.tolist(), strict=True), strict=True))
    assert told["agreement"] == (0.7, 0.0) and told["has_agreement"] == (1.0, 0.0)
    assert told["passed"] == (1.0, 0.0) and told["failed"] == (0.0, 0.0)
    assert told["incomplete"] == (0.0, 1.0) and told["has_logprob"] == (0.0, 0.0)


@pytest.mark.parametrize(
    ("price", "arm"),
    # {small} .5 - .01 p; {large} .8 - .1 p; both E[max] = (.8 + .8) / 2 = .8 with spread .3: the
    # look is worth nothing, so it skips small until large is too dear: .3 / .09 = 3.33.
    [(0.0, 1), (3.3, 1), (3.4, 0), (math.inf, 0)],
)
def test_it_skips_the_cheap_call_where_looking_is_worth_nothing(make_case, price, arm):
    choice = routing(price=price).choose(case(make_case))
    assert choice.arm.tolist() == [arm]


def test_it_looks_first_where_the_look_is_worth_its_price(make_case):
    # small ends at .05 or .95: E[max of both] = (.8 + .95) / 2 = .875, so the pair is worth
    # .875 - .11 p; large alone .8 - .10 p: the pair wins below 7.5. small alone is .5 - .01 p:
    # it wins above 3.75.
    policy = routing(moves=(-0.45, 0.45))
    chosen = [
        policy.model_copy(update={"price": p}).choose(case(make_case)).arm[0]
        for p in (0.0, 3.7, 3.8)
    ]
    assert chosen == [0, 0, 0]
    dear = np.array([[0.09, 0.10]])  # looking costs .09 more: worth it below .075 / .09 = .83
    batch = replace(case(make_case), predicted_cost=dear)
    for price, arm in ((0.8, 0), (0.9, 1)):
        assert policy.model_copy(update={"price": price}).choose(batch).arm.tolist() == [arm]


def test_after_the_answer_it_escalates_by_what_was_seen(make_case):
    # Votes of .5 move log-odds by 2: P(right) = sigmoid(2) = .881 > .8; of 0 they leave .5.
    policy = routing(price=2.9)
    sure = case(make_case, [("small", ANSWERED, NAN)], agreement=[0.5])
    unsure = case(make_case, [("small", ANSWERED, NAN)], agreement=[0.0])
    assert policy.judge(sure)[0, 0] == pytest.approx(1 / (1 + math.exp(-2)))
    assert policy.choose(sure).arm.tolist() == [STOP]
    assert policy.choose(unsure).arm.tolist() == [1]  # .3 gained for .1 * 2.9
    assert routing(price=3.1).choose(unsure).arm.tolist() == [STOP]


def test_what_one_arm_showed_moves_the_others(make_case):
    # large's log-odds follow small's: where small was right, large is no better.
    link = ((keep(), Head(bias=0.0, weights=(0.0, 1.0))), (keep(), keep()))
    unsure = case(make_case, [("small", ANSWERED, NAN)], agreement=[0.0])
    choice = routing(link=link).choose(unsure)
    assert choice.arm.tolist() == [STOP]
    assert choice.quality[0].tolist() == pytest.approx([0.5, 0.5])


def test_the_best_answer_comes_back_and_a_dead_call_is_none(make_case):
    both = [("small", ANSWERED, NAN), ("large", ANSWERED, NAN)]
    sure = case(make_case, both, agreement=[1.0, NAN])
    unsure = case(make_case, both, agreement=[0.0, NAN])
    assert routing().choose(sure).attempt.tolist() == [0]
    assert routing().choose(unsure).attempt.tolist() == [1]
    dead = case(make_case, [("large", FAILED, NAN)], agreement=[NAN])
    assert routing().choose(dead).arm.tolist() == [0]


def test_the_cheapest_of_the_set_is_first_by_cost_not_by_place(make_case):
    policy = routing(moves=(-0.45, 0.45), price=0.1)
    batch = replace(case(make_case), predicted_cost=np.array([[0.2, 0.1]]))
    assert policy.choose(batch).arm.tolist() == [1]


def test_unknown_arms_answer_only_where_no_other_can(make_case):
    arms = (Arm("x", "small"), Arm("y", "small"), Arm("z", "large"))
    batch = make_case(arms=arms, history=[[]])
    three = routing(
        arms=tuple(FittedArm(name=n, tier="large") for n in "abc"),
        before=(head(0.5),) * 3,
        after=(after(),) * 3,
        link=((keep(),) * 3,) * 3,
        spread=((0.0,),) * 3,
    )
    choice = three.choose(batch)
    assert choice.arm.tolist() == [0]
    assert choice.explain(0) == ("nothing is known of the arms that can be run",)


def test_many_arms_are_tried_in_sets_of_two_at_most(make_case):
    names = [f"a{i}" for i in range(7)]
    arms = tuple(Arm(n, "large") for n in names)
    policy = routing(
        arms=tuple(FittedArm(name=n, tier="large") for n in names),
        before=tuple(head(0.3 + 0.05 * i) for i in range(7)),
        after=(after(),) * 7,
        link=((keep(),) * 7,) * 7,
        spread=((0.0,),) * 7,
    )
    batch = make_case(arms=arms, history=[[]])
    assert policy.choose(batch).arm.tolist() == [6]
    assert policy.model_copy(update={"price": math.inf}).choose(batch).arm.tolist() == [0]


def test_rows_alone_and_together(make_case):
    shares = np.array([0.0, 0.1, 0.2, 0.4, NAN, 1.0])
    policy = routing(price=2.0)
    batch = case(make_case, [("small", ANSWERED, NAN)], n=6, agreement=[0.0])
    batch = replace(batch, attempts=replace(batch.attempts, agreement=shares[:, None]))
    whole = policy.choose(batch)
    assert len(set(whole.arm.tolist())) == 2
    for i, share in enumerate(shares):
        one = policy.choose(case(make_case, [("small", ANSWERED, NAN)], agreement=[share]))
        assert one.arm[0] == whole.arm[i] and one.quality[0].tolist() == whole.quality[i].tolist()


def test_needs_are_what_it_was_fitted_on_and_what_the_scorer_reads():
    policy = routing(reads=("agreement", "logprob"))
    assert policy.needs.attempts == {"outcome", "agreement", "logprob"}
    assert policy.needs.features == frozenset()
    scored = routing(
        scorer=PromptLength(), heads=(0,), before=(head(0.5, (0.0,)), head(0.8, (0.0,)))
    )
    assert scored.needs.features == {"lengths"}


def test_state_comes_back_with_its_scorer():
    policy = routing(
        scorer=PromptLength(threshold=2.0), heads=(0,), before=(head(0.5, (1.0,)),) * 2, price=3.0
    )
    assert Policy.from_state(json.loads(json.dumps(policy.to_state()))) == policy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"before": ()}, "before must have one entry for each of the 2 arms"),
        ({"link": ((keep(),),) * 2}, "link must be square"),
        ({"spread": ((), (0.0,))}, "no spread empty"),
        ({"heads": (0,)}, "give both or neither"),
    ],
)
def test_parameters_that_do_not_fit_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        routing(**change)


def many(k, rng, **more):
    return routing(
        arms=tuple(FittedArm(name=f"a{i}", tier="large") for i in range(k)),
        before=tuple(head(p) for p in rng.uniform(0.2, 0.7, k)),
        after=(after(),) * k,
        link=((keep(),) * k,) * k,
        spread=tuple((-m, m) for m in rng.uniform(0.1, 0.3, k)),
        **more,
    )


def test_arms_that_only_other_rows_can_run_change_nothing(make_case):
    """Of 6 arms one row can run 5, whose sets are all tried; the row beside can run all."""
    arms = tuple(Arm(f"a{i}", "large") for i in range(6))
    open_ = np.ones((2, 6), dtype=bool)
    open_[0, 5] = False
    for seed in range(60):
        rng = np.random.default_rng(seed)
        policy, cost = many(6, rng, price=1.0), rng.uniform(0.001, 0.06, (1, 6))
        whole = replace(
            make_case(axes=[(0.5, 0.5)] * 2, arms=arms),
            predicted_cost=np.tile(cost, (2, 1)),
            available=open_,
        )
        for i, arm in enumerate(policy.choose(whole).arm):
            alone = replace(make_case(arms=arms), predicted_cost=cost.copy(), available=open_[[i]])
            assert policy.choose(alone).arm[0] == arm


def test_at_price_0_a_cost_need_not_be_known(make_case):
    policy = many(3, np.random.default_rng(0))
    batch = make_case(arms=tuple(Arm(f"a{i}", "large") for i in range(3)))
    cost = np.array([[NAN, NAN, NAN]])
    choice = policy.choose(replace(batch, predicted_cost=cost))
    # With independent spreads the set of all arms is the best; nothing says which is cheapest.
    assert choice.arm[0] == 0 and np.isnan(choice.cost).all()
    known = policy.choose(replace(batch, predicted_cost=np.array([[NAN, 5.0, NAN]])))
    assert known.arm[0] == 1


def test_an_arm_that_the_scorer_does_not_know_here_is_named(make_case):
    names = ("cheap", "middle", "dear")
    tiers = ("small", "small", "large")
    fitted = tuple(FittedArm(name=n, tier=t) for n, t in zip(names, tiers, strict=True))
    policy = routing(
        arms=fitted,
        scorer=PromptLength(),
        heads=(0, 2),
        before=(head(0.5, (0.0, 0.0)),) * 3,
        after=(after(),) * 3,
        link=((keep(),) * 3,) * 3,
        spread=((0.0,),) * 3,
    )
    batch = make_case(arms=(Arm("small", "small"), Arm("dear", "large")))
    batch = replace(batch, features={"lengths": np.ones((1, 5))})
    with pytest.raises(PolicyError, match=r"cheap has none here \(arms: small, dear\)"):
        policy.choose(batch)
    # A scorer that estimates nothing of them is no better.
    here = tuple(Arm(a.name, a.tier) for a in fitted)
    batch = replace(make_case(arms=here), features={"lengths": np.ones((1, 5))})
    with pytest.raises(PolicyError, match="cheap, dear has none here"):
        policy.choose(batch)
