"""The claims' world: exact theory against brute force, the product's votes, and its limits."""

import json
from itertools import product

import numpy as np
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from eval.bench.claims import EQUAL, bench_claims, grid
from eval.bench.commands import app
from eval.scaling.claims_world import (
    World,
    clr_gains,
    clr_loses,
    limit,
    mean_reliability,
    p_right,
    scattered,
    simulate,
)
from router.arms.claims import reliability
from router.arms.methods import Clr, Majority
from router.arms.voting import Candidate

GRID = grid()

SIGN = {
    # What theory says of CLR minus majority at K = 8.
    ("good", "weaker"): +1,
    ("good", "stronger"): +1,
    ("good", "overwhelming"): +1,
    ("silent", "weaker"): 0,
    ("silent", "stronger"): 0,
    ("silent", "overwhelming"): 0,
    # Noise pulls towards the luck of one sample: down where the majority is mostly right, up
    # where it is mostly wrong. No checker is needed for that.
    ("coin", "weaker"): -1,
    ("coin", "stronger"): +1,
    ("coin", "overwhelming"): +1,
    ("inverted", "weaker"): -1,
    ("inverted", "stronger"): -1,
    ("inverted", "overwhelming"): +1,
}


def worlds(count=400, seed=1):
    """Made-up worlds, every third with a checker that cannot tell."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        parts = rng.dirichlet(np.ones(rng.integers(2, 5)))
        true, false = rng.random(2)
        m = int(rng.integers(1, 6))
        yield World(
            right=parts[0], wrong=tuple(parts[1:]), claims=m,
            false_claims=int(rng.integers(0, m + 1)), keeps_true=true,
            keeps_false=true if i % 3 == 0 else false,
        )  # fmt: skip


def brute_force(world, k, method):
    """P(right) over every ordered run of samples, chosen by the product's own method."""
    odds = (world.right, *world.wrong)
    kinds = []
    for answer, chance in enumerate(odds):
        false = world.false_claims if answer else 0
        for checks in product((True, False), repeat=world.claims):
            p = chance
            for place, kept in enumerate(checks):
                keeps = world.keeps_false if place < false else world.keeps_true
                p *= keeps if kept else 1 - keeps
            kinds.append((p, Candidate(answer, reliability=reliability(checks, world.claims))))
    total = 0.0
    for run in product(kinds, repeat=k):
        seen = [candidate for _, candidate in run]
        if seen[method.choose(seen).sample].cluster == 0:
            total += np.prod([p for p, _ in run])
    return total


@pytest.mark.parametrize(
    ("k", "claims", "wrong"),
    [
        (1, 5, (0.6,)),
        (2, 2, (0.4, 0.2)),
        (3, 1, (0.3, 0.2, 0.1)),
        (3, 2, (0.4, 0.2)),
        (4, 1, (0.35, 0.25)),
    ],
)
def test_theory_is_every_ordered_run_under_the_products_tie_rule(k, claims, wrong):
    world = World(
        right=0.4, wrong=wrong, claims=claims, false_claims=1, keeps_true=0.8, keeps_false=0.3
    )
    for vote, method in (("majority", Majority(k=k)), ("clr", Clr(k=k, claims=claims))):
        assert p_right(world, k, vote) == pytest.approx(brute_force(world, k, method), abs=1e-12)


def test_two_samples_by_hand():
    world = World(
        right=0.6, wrong=(0.4,), claims=1, false_claims=1, keeps_true=0.9, keeps_false=0.2
    )
    # A tie of one each goes to the first: half of them.
    assert p_right(world, 2, "majority") == pytest.approx(0.36 + 0.48 / 2)
    # One each: only ours validated, or both or none and ours is first.
    mixed = 0.9 * 0.8 + (0.9 * 0.2 + 0.1 * 0.8) / 2
    assert p_right(world, 2, "clr") == pytest.approx(0.36 + 0.48 * mixed)


@pytest.mark.parametrize("vote", ["majority", "clr"])
def test_one_sample_is_right_as_often_as_a_sample(vote):
    for world in worlds(20):
        assert p_right(world, 1, vote) == pytest.approx(world.right)


def test_the_answers_chances_sum_to_one():
    world = GRID["good", "stronger"]
    odds = (world.right, *world.wrong)
    silent = {"keeps_true": 0.7, "keeps_false": 0.7}  # then any answer may play the right one
    for vote in ("majority", "clr"):
        each = [
            p_right(
                world.model_copy(
                    update={"right": p, "wrong": (*odds[:i], *odds[i + 1 :]), **silent}
                ),
                6,
                vote,
            )
            for i, p in enumerate(odds)
        ]
        assert sum(each) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("k", [1, 3, 8])
def test_the_products_votes_do_what_theory_says(k):
    for row in bench_claims(k, 1000, seed=7):
        for exact, got in ((row.majority, row.simulated.majority), (row.clr, row.simulated.clr)):
            error = np.sqrt(exact * (1 - exact) / row.simulated.questions)
            assert abs(got - exact) <= 4 * error, row
        assert row.simulated.difference == pytest.approx(row.simulated.clr - row.simulated.majority)


def test_clr_wins_where_theory_says_and_nowhere_else():
    rows = bench_claims(8, 4000, seed=3)
    assert {(r.checker, r.distractor) for r in rows} == set(SIGN)
    for row in rows:
        sign = SIGN[row.checker, row.distractor]
        exact = row.clr - row.majority
        assert (0 if abs(exact) < EQUAL else np.sign(exact)) == sign, row
        assert row.winner == {1: "clr", 0: "equal", -1: "majority"}[sign]
        if sign == 0:
            assert row.simulated.gained == row.simulated.lost == 0, row
        else:
            # The simulation alone tells the sign, by more than two errors.
            assert sign * row.simulated.difference > 2 * row.simulated.error, row


def test_only_a_good_checker_against_a_distractor_in_reach_gains_in_the_limit():
    assert [name for name, world in GRID.items() if clr_gains(world)] == [("good", "stronger")]
    assert [name for name, world in GRID.items() if clr_loses(world)] == [("inverted", "weaker")]


def test_the_condition_is_the_limits():
    gains = losses = 0
    for world in worlds():
        ends = limit(world, "majority"), limit(world, "clr")
        assert clr_gains(world) == (ends == ("wrong", "right")), world
        assert clr_loses(world) == (ends == ("right", "wrong")), world
        ours, theirs = mean_reliability(world, True), mean_reliability(world, False)
        assert not (clr_gains(world) and ours <= theirs)
        assert not (clr_loses(world) and ours >= theirs)
        gains, losses = gains + clr_gains(world), losses + clr_loses(world)
    assert gains >= 10 and losses >= 10


def test_a_checker_that_cannot_tell_changes_no_limit():
    seen = 0
    for world in worlds():
        if world.keeps_true == world.keeps_false:
            assert limit(world, "clr") == limit(world, "majority")
            seen += 1
    assert seen >= 130


def test_equal_chances_are_a_tie():
    world = World(right=0.5, wrong=(0.5,), keeps_true=0.7, keeps_false=0.7)
    assert limit(world, "majority") == limit(world, "clr") == "tie"
    assert not clr_gains(world) and not clr_loses(world)
    assert p_right(world, 5, "clr") == pytest.approx(0.5)


@pytest.mark.parametrize("cell", GRID)
def test_many_samples_come_to_the_limit(cell):
    """With two claims, where K can be large; and what a few samples gain by noise goes away."""
    world = GRID[cell].model_copy(update={"claims": 2, "false_claims": 1})
    for vote in ("majority", "clr"):
        end = limit(world, vote) == "right"
        near, far = (abs(p_right(world, k, vote) - end) for k in (8, 60))
        assert far < near or far < 1e-9
        assert far < 0.4


def test_a_simulation_repeats_by_its_seed():
    world = GRID["coin", "weaker"]
    assert simulate(world, 4, 100, 5) == simulate(world, 4, 100, 5)
    assert simulate(world, 4, 100, 5) != simulate(world, 4, 100, 6)


def test_scattered_answers_share_what_is_left():
    assert scattered(0.3, 0.5, 4) == pytest.approx((0.5, 0.05, 0.05, 0.05, 0.05))


@pytest.mark.parametrize(
    "wrong_field", [{"right": 0.5}, {"false_claims": 6}, {"keeps_true": 1.1}, {"claims": 0}]
)
def test_impossible_worlds_are_refused(wrong_field):
    fields = {"right": 0.4, "wrong": (0.6,), "keeps_true": 0.9, "keeps_false": 0.1}
    with pytest.raises(ValidationError):
        World(**{**fields, **wrong_field})


def test_the_command_prints_the_grid_and_what_it_does_not_compare():
    shown = CliRunner().invoke(app, ["claims", "--k", "3", "--questions", "20"])
    assert shown.exit_code == 0
    text = " ".join(shown.stdout.split())
    assert "equal K, not equal tokens" in text and text.count("overwh") == 4
    told = CliRunner().invoke(app, ["claims", "--k", "3", "--questions", "20", "--json"])
    body = json.loads(told.stdout)
    assert (body["k"], body["questions"], body["seed"], len(body["rows"])) == (3, 20, 0, 12)
    assert body["rows"][0]["simulated"]["questions"] == 20
