"""Replay is the live loop over arrays: nothing unrevealed is seen, everything is paid for."""

from dataclasses import fields, replace
from typing import ClassVar

import numpy as np
import pytest

from eval.fit.fitted import CASCADES, FITTED
from eval.play import play, why_not
from eval.table import case_of
from policies import STOP, AlwaysLarge, AlwaysSmall, Needs, PolicyError, Random, Verifiability
from policies.case import Outcome
from policies.policy import Policy, available_policies, choose_from, create, ready_policies
from policies.random import uniform

from .hand import features_by_hand, learnable, table_by_hand

NAN = float("nan")
COST = np.array([0.001, 0.01])


class Spy(Policy):
    """Small first; large after that on every other row; keeps what it was shown."""

    name: ClassVar[str] = "spy"
    needs: ClassVar[Needs] = Needs(attempts=frozenset({"outcome", "passed"}))
    seen: list = []  # noqa: RUF012  kept by pydantic, one a policy

    def choose(self, cases):
        self.seen.append(cases)
        tried = (cases.attempts.arm >= 0).sum(axis=1)
        even = cases.row_key % np.uint64(2) == 0
        arm = np.where(tried == 0, 0, np.where((tried == 1) & even, 1, STOP))
        return choose_from(cases, arm, {}, {})


def checked(n=6, **more):
    rng = np.random.default_rng(5)
    table = table_by_hand(rng.random(n).tolist(), rng.random(n).tolist(), **more)
    passed = rng.integers(0, 2, (n, 2)).astype(float)
    return replace(
        table,
        passed=passed,
        confidence=rng.random((n, 2)),
        cost=rng.random((n, 2)),
        tokens=rng.integers(1, 99, (n, 2)),
        checked=True,
        row_key=np.arange(n, dtype=np.uint64),
        features=features_by_hand(n),
    )


def arrays_of(value):
    """Every array that a case holds, by name."""
    if hasattr(value, "__dataclass_fields__"):
        for f in fields(value):
            for name, array in arrays_of(getattr(value, f.name)):
                yield f"{f.name}.{name}", array
    elif isinstance(value, np.ndarray):
        yield "", value
    elif isinstance(value, dict):
        for key, array in value.items():
            yield key, array


def shown(table):
    spy = Spy()
    spy.seen.clear()
    play(spy, table, COST)
    return [dict(arrays_of(case)) for case in spy.seen]


def test_a_policy_sees_no_score():
    table = checked()
    other = replace(table, score=1 - table.score)
    for a, b in zip(shown(table), shown(other), strict=True):
        assert a.keys() == b.keys()
        assert all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)


def test_a_policy_sees_nothing_of_an_arm_that_it_has_not_run():
    table = checked()
    changed = {}
    never = table.row_key % 2 == 1  # odd rows never run the large arm
    for name in ("passed", "confidence", "cost", "tokens", "outcome"):
        value = getattr(table, name).copy()
        value[never, 1] = {"tokens": 77, "outcome": int(Outcome.FAILED)}.get(name, 0.123)
        changed[name] = value
    for a, b in zip(shown(table), shown(replace(table, **changed)), strict=True):
        assert all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)
    # In the first two rounds the other rows' large arms are not known either.
    for name, value in changed.items():
        value[:, 1] = {"tokens": 77, "outcome": int(Outcome.FAILED)}.get(name, 0.123)
    pairs = list(zip(shown(table), shown(replace(table, **changed)), strict=True))
    for a, b in pairs[:2]:
        assert all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)
    assert not all(np.array_equal(pairs[2][0][k], pairs[2][1][k]) for k in pairs[2][0])


def test_what_was_run_is_revealed_as_it_is():
    table = checked()
    first, second, third = shown(table)
    assert first["attempts.arm."].shape == (6, 0)
    assert second["attempts.arm."].tolist() == [[0]] * 6
    for name in ("passed", "confidence", "outcome"):
        assert second[f"attempts.{name}."][:, 0].tolist() == getattr(table, name)[:, 0].tolist()
    assert second["attempts.cost_usd."][:, 0].tolist() == table.cost[:, 0].tolist()
    assert second["attempts.completion_tokens."][:, 0].tolist() == table.tokens[:, 0].tolist()
    even = np.array([0, 2, 4])  # only these are still open
    assert third["attempts.arm."].tolist() == [[0, 1]] * 3
    assert third["attempts.cost_usd."].tolist() == table.cost[even].tolist()
    assert third["row_key."].tolist() == [0, 2, 4]


def test_the_expected_cost_is_the_same_for_every_row():
    for case in shown(checked()):
        assert (case["predicted_cost."] == COST).all()
        assert (case["worst_cost."] == COST).all()


def test_facts_cannot_be_written():
    class Vandal(Spy):
        name: ClassVar[str] = "vandal"

        def choose(self, cases):
            cases.features["axes"][:] = 0
            return super().choose(cases)

    with pytest.raises(ValueError, match="read-only"):
        play(Vandal(), checked(), COST)


def cascade():
    """Rows: passes at once; fails, then large; unchecked; call fails; abstains; needs facts."""
    table = table_by_hand([1, 0, 0.5, 0, 0, 1], [0, 1, 1, 0.25, 0, 0.75])
    features = features_by_hand(6)
    features.blocks["axes"] = np.array(
        [[0.9, 0.1]] * 5 + [[0.1, 0.9]], dtype=np.float32
    )  # verifiability, knowledge
    cost = np.array([[1, 10], [2, 20], [3, 30], [4, 40], [5, 50], [6, 60.0]])
    outcome = np.full((6, 2), int(Outcome.ANSWERED))
    outcome[3, 0], outcome[4, 0], outcome[4, 1] = Outcome.FAILED, Outcome.ABSTAINED, Outcome.FAILED
    passed = np.array(
        [[1, NAN], [0, NAN], [NAN, NAN], [NAN, 0], [NAN, NAN], [1, NAN]], dtype=np.float64
    )
    return replace(
        table, cost=cost, outcome=outcome, passed=passed, checked=True, features=features
    )


def test_a_cascade_by_hand():
    made = play(Verifiability(), cascade(), COST)
    assert made.tried.tolist() == [[0, -1], [0, 1], [0, -1], [0, 1], [0, 1], [1, -1]]
    # Row 4: the abstention beats the dead call.
    assert made.returned.tolist() == [0, 1, 0, 1, 0, 1]
    assert made.score.tolist() == [1, 1, 0.5, 0.25, 0, 0.75]
    assert made.cost.tolist() == [1, 22, 3, 44, 55, 60]
    assert made.used((1,)).tolist() == [False, True, False, True, True, True]


def test_a_failed_check_of_both_returns_the_large_answer_and_pays_for_both():
    table = replace(cascade(), passed=np.zeros((6, 2)))
    made = play(Verifiability(), table, COST)
    assert made.tried[1].tolist() == [0, 1]
    assert (made.returned[1], made.cost[1]) == (1, 22)


def test_a_dead_call_of_a_constant_policy():
    table = cascade()
    small = play(AlwaysSmall(), table, COST)
    assert small.cost.tolist() == [1, 2, 3, 4, 5, 6]
    assert small.score.tolist() == [1, 0, 0.5, 0, 0, 1]
    large = play(AlwaysLarge(), table, COST)
    # Row 4: the large call died, so the small one was made and paid for too.
    assert large.tried[4].tolist() == [1, 0]
    assert large.cost.tolist() == [10, 20, 30, 40, 55, 60]


def policies_for(table):
    """All registered policies, each with parameters that split the table."""
    made = {}
    for name in available_policies():
        if name in FITTED:
            fitted = FITTED[name](table)
            middle = float(np.median(fitted.score(case_of(table, COST))))
            made[name] = fitted.model_copy(update={"threshold": middle + 1e-9})
        elif name in ("prompt-length", "verifiability-threshold"):
            made[name] = create(name, {"threshold": 0.5})
        elif name == "conformal-gate":
            scorer = create("verifiability-threshold").to_state()
            given = {"alpha": 0.2, "delta": 0.1, "tau": -0.5, "calibrated": 99}
            made[name] = create(name, {**given, "by": "need", "scorer": scorer})
        elif name == "paced-bandit":
            made[name] = create(name, {"budget": float(COST.mean())})
        elif name in WRAPPERS:
            made[name] = create(name, {"inner": "always-large", **WRAPPERS[name]})
        elif name in CASCADES:
            made[name] = CASCADES[name](table).model_copy(update={"price": 20.0})
        elif name in ready_policies() and not name.startswith("test"):
            made[name] = create(name)
    return made


WRAPPERS = {
    "cost-cap": {"cap": float(COST.mean())},
    "explore": {"epsilon": 0.5},
    "shadow": {"shadow": "always-small"},
}


def mixed(n=24):
    rng = np.random.default_rng(9)
    return replace(
        learnable(n),
        passed=rng.choice([0.0, 1.0, NAN], (n, 2)),
        outcome=rng.integers(1, 5, (n, 2)),
        confidence=rng.random((n, 2)),
        # Known of one arm or both: of a single row that shows nothing at all, replay refuses.
        agreement=np.stack([rng.choice([0.5, 1.0], n), rng.choice([0.5, 1.0, NAN], n)], 1),
        logprob=-rng.random((n, 2)),
        logprob_answer=np.stack([rng.choice([-0.5, NAN], n), rng.choice([-0.5, -0.1], n)], 1),
        cost=rng.random((n, 2)),
        measured={"steps": rng.random((n, 2)), "hedges": rng.integers(0, 3, (n, 2)) * 1.0},
        checked=True,
    )


LIVE = (
    *("always-large", "always-small", "conformal-gate", "cost-cap", "explore", "prompt-length"),
    *("random", "shadow", "verifiability", "verifiability-threshold", *FITTED, *CASCADES),
)


@pytest.mark.parametrize("name", LIVE)
def test_a_row_is_decided_the_same_alone_and_in_a_table(name):
    table = mixed()
    policy = policies_for(table)[name]
    whole = policy.choose(case_of(table, COST))
    played = play(policy, table, COST)
    for i in range(len(table)):
        alone = table.take(np.array([i]))
        one = policy.choose(case_of(alone, COST))
        assert one.arm[0] == whole.arm[i]
        assert one.explain(0) == whole.explain(i)
        assert one.probability[0].tolist() == whole.probability[i].tolist()
        # Neighbours are weighed in 32 bits, whose sums depend on the size of a batch.
        atol = 1e-6 if "knn" in name else 1e-12
        assert np.allclose(one.quality[0], whole.quality[i], rtol=0, atol=atol, equal_nan=True)
        run = play(policy, alone, COST)
        assert run.tried[0].tolist() == played.tried[i].tolist()
        assert (run.returned[0], run.score[0]) == (played.returned[i], played.score[i])
        assert run.cost[0] == played.cost[i]


def test_these_are_all_registered_policies():
    assert set(LIVE) <= set(available_policies())


def test_random_draws_from_the_key_of_the_query():
    table = table_by_hand([0] * 200, [1] * 200)
    made = play(Random(seed=3, large_share=0.3), table, COST)
    assert made.returned.tolist() == (uniform(table.row_key, 3) < 0.3).astype(int).tolist()


def test_what_a_table_lacks_is_named_and_not_imputed():
    bare = table_by_hand([0, 1], [1, 1])
    assert why_not(AlwaysSmall(), bare) is None
    assert why_not(create("prompt-length"), bare) == "the table has no feature block lengths"
    features = features_by_hand(2)
    known = replace(bare, features=features)
    assert why_not(Verifiability(), known) == (
        "the source ran no check on the answers, so it has no verdicts"
    )
    features.known[1] = False
    assert why_not(create("prompt-length"), known) == (
        "1 of 2 queries have no published text, so no features"
    )
    with pytest.raises(PolicyError, match=r"verifiability is not replayable on this table: .*axes"):
        play(Verifiability(), bare, COST)


class Stubborn(Policy):
    """Runs one arm for ever."""

    name: ClassVar[str] = "stubborn"
    column: int = 0

    def choose(self, cases):
        return choose_from(cases, np.full(len(cases), self.column), {}, {})


@pytest.mark.parametrize(("column", "why"), [(0, "tried already"), (2, "outside|index|column")])
def test_nonsense_is_refused(column, why):
    with pytest.raises((PolicyError, IndexError), match=why):
        play(Stubborn(column=column), table_by_hand([0], [1]), COST)


def test_a_policy_that_runs_nothing_scores_and_pays_nothing():
    class Silent(Policy):
        name: ClassVar[str] = "silent"

        def choose(self, cases):
            return choose_from(cases, np.full(len(cases), STOP), {}, {})

    made = play(Silent(), table_by_hand([1, 1], [1, 1]), COST)
    assert made.returned.tolist() == [-1, -1]
    assert made.score.tolist() == made.cost.tolist() == [0, 0]
    assert not made.used((0, 1)).any()
