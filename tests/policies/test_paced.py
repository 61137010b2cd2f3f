"""The paced bandit: its formulas by hand, its guard, its caps, its state."""

import json
from dataclasses import replace

import numpy as np
import pytest

from policies import STOP, Arm, Feedback, Outcome, PacedBandit, PaceState, PolicyError, create
from policies.linear_arm import LinearArm, sherman_morrison
from policies.paced import BLOCKS, WIDTH, pace_features
from policies.policy import Policy

ARMS = (Arm("cheap", "small"), Arm("middle", "large"), Arm("dear", "large"))
USD = (1.0, 3.0, 10.0)
NAN = float("nan")


@pytest.fixture
def ask(make_case):
    """A case of n rows and three arms; seeded features."""

    def made(n=1, seed=0, usd=USD, worst=None, left=np.inf, **more):
        case = make_case(axes=[(0.5, 0.5)] * n, arms=ARMS, **more)
        rng = np.random.default_rng(seed)
        blocks = {name: rng.random((n, width)) for name, width in BLOCKS.items()}
        cost = np.broadcast_to(np.asarray(usd, dtype=np.float64), (n, 3))
        return replace(
            case,
            features=blocks,
            predicted_cost=cost,
            worst_cost=cost if worst is None else np.broadcast_to(np.asarray(worst, float), (n, 3)),
            request_left=np.broadcast_to(np.asarray(left, dtype=np.float64), (n,)),
            row_key=rng.integers(0, 2**63, n).astype(np.uint64),
        )

    return made


def told(case, arm, cost, score=NAN, seconds=NAN):
    n = len(case)
    full = [np.full(n, v, dtype=np.float64) for v in (cost, score, seconds)]
    return Feedback(case, np.full(n, arm), *full)


def served(policy, ask, costs, score=lambda arm, rng: NAN, **more):
    """One request after the other; `costs` is (n, 3) real USD. Spent, arms, last policy."""
    rng = np.random.default_rng(9)
    paid, arms = [], []
    for i, row in enumerate(costs):
        case = ask(seed=i, **more)
        arm = int(policy.choose(case).arm[0])
        policy = policy.observe(told(case, arm, row[arm], score(arm, rng)))
        paid.append(row[arm])
        arms.append(arm)
    return np.array(paid), np.array(arms), policy


def test_sherman_morrison_is_the_inverse():
    rng = np.random.default_rng(0)
    a = np.eye(5)
    inverse = np.linalg.inv(a)
    for forget in (1.0, 0.9, 0.99, 1.0):
        x = rng.normal(size=5)
        a = forget * a + np.outer(x, x)
        inverse = sherman_morrison(inverse, x, forget)
        assert np.allclose(inverse, np.linalg.inv(a))


def test_an_arm_is_the_ridge_regression_of_its_labels():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 4)), rng.random(30)
    arm = LinearArm.fresh("a", 4, 0.5)
    for row, label in zip(x, y, strict=True):
        arm = arm.labelled(row, float(label), 0.5, 1.0)
    a = 0.5 * np.eye(4) + x.T @ x
    mean, width = arm.estimate(x[:3])
    assert np.allclose(mean, x[:3] @ np.linalg.solve(a, x.T @ y))
    assert np.allclose(width**2, [r @ np.linalg.solve(a, r) for r in x[:3]])
    assert arm.labels == 30


def test_forgetting_never_forgets_the_prior():
    """Constant features: plain forgetting would let the inverse grow as 0.9^-t."""
    arm, x = LinearArm.fresh("a", 3, 0.5), np.array([1.0, 0.0, 0.0])
    for _ in range(2000):
        arm = arm.labelled(x, 1.0, 0.5, 0.9)
    inverse = np.array(arm.inverse).reshape(3, 3)
    assert np.trace(inverse) <= 3 / 0.5 + 1e-9
    assert arm.estimate(x[None])[0][0] == pytest.approx(1.0, abs=0.1)


def test_a_drifted_arm_is_learnt_anew():
    arm, x = LinearArm.fresh("a", 1, 0.1), np.ones(1)
    for label in [1.0] * 2000 + [0.0] * 300:
        arm = arm.labelled(x, label, 0.1, 0.98)
    assert arm.estimate(x[None])[0][0] < 0.05


def test_lambda_by_hand(ask):
    policy = PacedBandit(budget=2.0, step=0.1, exploration=0)
    case = ask()
    one = policy.observe(told(case, 2, 10.0))
    assert one.state.price == pytest.approx(0.1 * (10 / 2 - 1))
    assert (one.state.requests, one.state.spent) == (1, 10.0)
    two = one.observe(told(case, 0, 0.0))
    assert two.state.price == pytest.approx(0.4 - 0.1)
    assert policy.observe(told(case, 0, 0.0)).state.price == 0.0
    assert policy.observe(told(case, 2, 1e6)).state.price == policy.most_price
    assert policy.state == PaceState()


def test_lambda_is_left_alone_while_the_guard_decides(ask):
    over = PacedBandit(budget=2.0, state=PaceState(requests=1, spent=100.0, price=0.5))
    assert over.observe(told(ask(), 0, 1.0)).state.price == 0.5


def test_without_labels_the_dearest_at_no_price_and_the_cheapest_at_a_high_one(ask):
    free = PacedBandit(budget=5.0, exploration=0)
    assert free.choose(ask()).arm[0] == 2
    assert free.model_copy(update={"state": PaceState(price=1.0)}).choose(ask()).arm[0] == 0


def test_a_label_is_worth_its_price(ask):
    """theta . x - lambda c / B, without a bonus."""
    x = pace_features(ask())[0]
    arms = tuple(
        LinearArm.fresh(a.name, WIDTH, 1e-6).labelled(x, score, 1e-6, 1.0)
        for a, score in zip(ARMS, (0.2, 0.6, 0.7), strict=True)
    )
    for price, best in [(0.05, 2), (0.1, 1), (0.9, 0)]:
        policy = PacedBandit(
            budget=4.0, bonus=0, exploration=0, state=PaceState(price=price, arms=arms)
        )
        choice = policy.choose(ask())
        assert choice.arm[0] == best
        assert choice.quality[0] == pytest.approx([0.2, 0.6, 0.7], abs=1e-3)


def test_time_is_money(ask):
    slow = replace(ask(), predicted_seconds=np.array([[1.0, 1.0, 100.0]]))
    arms = tuple(LinearArm.fresh(a.name, WIDTH, 0.1) for a in ARMS)
    x = pace_features(slow)[0]
    state = PaceState(price=0.01, arms=tuple(a.labelled(x, 0.5, 0.1, 1.0) for a in arms))
    kind = {"budget": 4.0, "exploration": 0, "state": state}
    assert PacedBandit(**kind, usd_per_second=1.0, bonus=0).choose(slow).arm[0] == 0
    after = PacedBandit(**kind, usd_per_second=2.0).observe(told(slow, 2, 10.0, seconds=100.0))
    assert after.state.spent == 210.0
    assert after.state.arm("dear", 0.1).seconds == 100.0


def _slow(order):
    return pytest.param(order, marks=pytest.mark.slow)


@pytest.mark.parametrize("labels", [0.0, 1.0])
@pytest.mark.parametrize("budget", [1.5, 3.0, 6.0, 9.0])
@pytest.mark.parametrize("order", ["shuffled", *(_slow(o) for o in ("falling", "rising"))])
def test_the_mean_cost_is_within_2_percent(ask, budget, order, labels):
    """Three arms, 1,200 requests, costs that vary by a factor of 4, predictions that do not."""
    rng = np.random.default_rng(3)
    size = rng.uniform(0.4, 1.6, 1200)
    if order != "shuffled":
        size = np.sort(size)[:: -1 if order == "falling" else 1]
    costs = size[:, None] * np.array(USD)
    right = (0.3, 0.6, 0.9)

    def score(arm, rng):
        return float(rng.random() < right[arm]) if labels else NAN

    paid, _, _ = served(PacedBandit(budget=budget), ask, costs, score)
    line = budget * np.arange(1, 1201)
    # What no pacing without foresight can do is no fault: nearest path to the line.
    spent = 0.0
    for low, high, goal in zip(costs[:, 0], costs[:, 2], line, strict=True):
        spent = min(max(goal, spent + low), spent + high)
    assert paid.mean() == pytest.approx(spent / 1200, rel=0.018)


@pytest.mark.parametrize("wrong", [0.3, 3.0])
@pytest.mark.slow
def test_wrong_predictions_and_a_price_shock_do_not_move_the_mean(ask, wrong):
    costs = np.tile(np.array(USD), (1500, 1))
    costs[500:1000] *= 1.8
    paid, _, last = served(PacedBandit(budget=4.0), ask, costs, usd=tuple(wrong * u for u in USD))
    assert paid.mean() == pytest.approx(4.0, rel=0.018)
    ratio = last.state.arm("dear", 0.1).price_ratio(np.array([10.0 * wrong]))[0]
    assert ratio == pytest.approx(1 / wrong, rel=0.1)


def test_never_ahead_of_the_budget_by_more_than_slack_and_a_request(ask):
    policy = PacedBandit(budget=2.0, slack=5, tolerance=0.0, step=1e-6)
    paid, _, _ = served(policy, ask, np.tile(np.array(USD), (400, 1)))
    ahead = np.cumsum(paid) - 2.0 * np.arange(1, 401)
    assert ahead.max() <= 5 * 2.0 + 10.0


@pytest.mark.parametrize(("budget", "mean"), [(0.5, 1.0), (20.0, 10.0)])
def test_a_budget_that_cannot_be_met_gives_the_nearest_arm(ask, budget, mean):
    paid, _, _ = served(PacedBandit(budget=budget, exploration=0), ask, np.tile(USD, (300, 1)))
    assert paid[100:].mean() == mean


def test_money_is_left_where_it_need_not_be_spent(ask):
    def score(arm, rng):
        return 1.0

    costs = np.tile(np.array(USD), (600, 1))
    kind = {"budget": 6.0, "exploration": 0, "bonus": 0.01}
    state = PaceState(price=0.3)
    thrifty = PacedBandit(**kind, spend_all=False, state=state)
    paid, _, _ = served(thrifty, ask, costs, score)
    full, _, _ = served(PacedBandit(**kind, state=state), ask, costs, score)
    assert paid.mean() < 5.5
    assert full.mean() == pytest.approx(6.0, rel=0.02)


def test_no_request_above_its_cap_whatever_the_caps(ask):
    rng = np.random.default_rng(4)
    policy = PacedBandit(budget=8.0, exploration=0.3)
    for i in range(400):
        worst = rng.uniform(0.5, 30, 3)
        left = float(rng.uniform(0, 30)) if i % 50 else NAN
        case = ask(seed=i, worst=worst, left=left)
        arm = int(policy.choose(case).arm[0])
        assert (arm == STOP) == (not np.any(worst <= left))
        if arm != STOP:
            assert worst[arm] <= left
            policy = policy.observe(told(case, arm, worst[arm]))
    assert "above what this request may spend" in " ".join(
        policy.choose(ask(worst=(1, 2, 99), left=5.0)).explain(0)
    )


def test_the_tenants_budget_is_a_cap_too(ask):
    case = replace(ask(), tenant_left=np.array([2.0]))
    assert PacedBandit(budget=100.0).choose(case).arm[0] == 0


def test_unavailable_incapable_and_unpriced_arms(ask):
    policy = PacedBandit(budget=100.0, exploration=0)
    assert policy.choose(ask(unavailable=["dear"])).arm[0] == 1
    assert policy.choose(ask(not_capable=["dear", "middle"])).arm[0] == 0
    assert policy.choose(ask(not_capable=["dear", "middle", "cheap"])).arm[0] == 2
    assert policy.choose(ask(usd=(1.0, NAN, NAN))).arm[0] == 0
    choice = policy.choose(ask(unavailable=["cheap", "middle", "dear"]))
    assert choice.arm[0] == STOP
    assert choice.probability.sum() == 0
    assert choice.explain(0)[-1] == "no arm is left that could be run"


def test_one_call_and_another_where_it_failed(ask):
    policy = PacedBandit(budget=100.0, exploration=0)
    done = ask(history=[[("dear", Outcome.ANSWERED, 0.0)]])
    assert (policy.choose(done).arm[0], policy.choose(done).attempt[0]) == (STOP, 0)
    dead = ask(history=[[("dear", Outcome.FAILED, NAN)]])
    assert policy.choose(dead).arm[0] == 1
    after = policy.observe(told(dead, 1, 3.0))
    assert (after.state.requests, after.state.spent) == (0, 3.0)
    assert policy.observe(told(ask(), STOP, 0.0)).state == policy.state


def test_recorded_probabilities_are_those_of_the_draw(ask):
    policy = PacedBandit(budget=100.0, exploration=0.3, seed=5)
    case = ask(n=6000)
    choice = policy.choose(case)
    choice.check(case)
    assert np.allclose(choice.probability, [0.1, 0.1, 0.8])
    assert np.allclose(np.bincount(choice.arm) / 6000, [0.1, 0.1, 0.8], atol=0.02)
    assert "drawn at random" in choice.explain(int(np.argmax(choice.arm == 0)))[0]


def test_a_row_is_the_same_alone_and_in_a_batch(ask):
    policy = PacedBandit(budget=4.0, exploration=0.2)
    policy = policy.observe(told(ask(n=20, seed=1), 1, 3.0, 1.0))
    whole = ask(n=30, seed=2)
    choice = policy.choose(whole)
    for i in range(30):
        one = replace(
            ask(),
            features={k: b[i : i + 1] for k, b in whole.features.items()},
            row_key=whole.row_key[i : i + 1],
        )
        alone = policy.choose(one)
        assert alone.arm[0] == choice.arm[i]
        assert np.allclose(alone.probability[0], choice.probability[i])


def test_feedback_of_a_batch_is_that_of_its_rows(ask):
    policy, whole = PacedBandit(budget=4.0), ask(n=5, seed=2)
    step = policy
    for i in range(5):
        one = replace(ask(), features={k: b[i : i + 1] for k, b in whole.features.items()})
        step = step.observe(told(one, 1, 3.0, 0.5, 2.0))
    assert policy.observe(told(whole, 1, 3.0, 0.5, 2.0)) == step


def test_an_outcome_without_a_label_moves_only_money(ask):
    after = PacedBandit(budget=4.0).observe(told(ask(), 1, 4.5))
    arm = after.state.arm("middle", 0.1)
    assert arm.inverse == LinearArm.fresh("middle", WIDTH, 0.1).inverse
    assert (arm.labels, arm.paid, arm.expected) == (0, 4.5, 3.0)


def test_the_state_survives_json(ask):
    _, _, policy = served(PacedBandit(budget=4.0), ask, np.tile(USD, (20, 1)), lambda a, r: 1.0)
    again = Policy.from_state(json.loads(json.dumps(policy.to_state())))
    assert again == policy
    assert np.array_equal(again.choose(ask(n=9)).arm, policy.choose(ask(n=9)).arm)


def test_one_arm_and_constant_features(make_case, ask):
    case = ask(n=4)
    alone = replace(
        case,
        arms=ARMS[:1],
        features={name: np.ones((4, width)) for name, width in BLOCKS.items()},
        **{
            name: getattr(case, name)[:, :1]
            for name in (
                "predicted_cost",
                "worst_cost",
                "predicted_seconds",
                "available",
                "capable",
            )
        },
    )
    policy = PacedBandit(budget=0.1).observe(told(alone, 0, 1.0, 1.0))
    assert policy.choose(alone).arm.tolist() == [0] * 4


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({}, "budget"),
        ({"budget": 0}, "budget"),
        ({"budget": NAN}, "budget"),
        ({"budget": float("inf")}, "budget"),
        ({"budget": 1, "forget": 0}, "forget"),
        ({"budget": 1, "exploration": 2}, "exploration"),
        ({"budget": 1, "ridge": 0}, "ridge"),
        ({"budget": 1, "lambda": 2}, "lambda"),
        ({"budget": 1, "state": {"spent": -1}}, "state.spent"),
        (
            {"budget": 1, "state": {"arms": [{"name": "a", "inverse": [1.0], "reward": [0.0]}]}},
            "1 features, expected 12",
        ),
        (
            {"budget": 1, "state": {"arms": [{"name": "a", "inverse": [1.0], "reward": [0, 0]}]}},
            "inverse",
        ),
    ],
)
def test_bad_parameters_are_named(params, named):
    with pytest.raises(PolicyError, match=named):
        create("paced-bandit", params)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"cost_usd": np.array([NAN])}, "cost_usd"),
        ({"cost_usd": np.array([-1.0])}, "cost_usd"),
        ({"cost_usd": np.array([1.0, 2.0])}, "cost_usd has shape"),
        ({"score": np.array([2.0])}, "score"),
        ({"seconds": np.array([-1.0])}, "seconds"),
        ({"arm": np.array([7])}, "arm"),
    ],
)
def test_bad_feedback_is_named(ask, change, named):
    with pytest.raises(PolicyError, match=named):
        replace(told(ask(), 0, 1.0), **change)


def test_bad_features_are_named(ask):
    policy, case = PacedBandit(budget=1.0), ask()
    with pytest.raises(PolicyError, match="'lengths' has 1 columns, expected 3"):
        policy.choose(replace(case, features={**case.features, "lengths": np.ones((1, 1))}))
    with pytest.raises(PolicyError, match="'axes' holds numbers that are not finite"):
        policy.choose(replace(case, features={**case.features, "axes": np.full((1, 2), NAN)}))
    with pytest.raises(PolicyError, match="predicted_cost of 'dear' is nan"):
        policy.observe(told(ask(usd=(1.0, 3.0, NAN)), 2, 1.0))
    with pytest.raises(PolicyError, match="learnt on features other"):
        PacedBandit(budget=1.0, fingerprint="other").choose(case)


def test_an_arm_fits_where_it_leaves_the_mean_near_the_line(ask):
    """B = 2, slack 1 request: 10 may straddle the line by 5, 3 may stand 2 above it."""
    for spent, best in [(97.0, 2), (97.5, 1), (100.9, 1), (101.5, 0)]:
        state = PaceState(requests=50, spent=spent)
        policy = PacedBandit(
            budget=2.0, slack=1, tolerance=0, exploration=0, spend_all=False, state=state
        )
        assert policy.choose(ask()).arm[0] == best, spent
