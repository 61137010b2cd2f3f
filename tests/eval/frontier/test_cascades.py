"""Cascades on the frontier and in replay: every call is paid for, folds are kept apart."""

from dataclasses import replace

import numpy as np
import pytest

from eval.contenders import check_policies, enter, tie_price
from eval.fit.fitted import CASCADES
from eval.folds import folds_of
from eval.frontier.keep import nothing_to_keep
from eval.frontier.trace import trace
from eval.table import Table
from policies import Arm, Outcome
from router.errors import InputError

from ..hand import features_by_hand, table_by_hand  # noqa: TID252  tests are no package

COST = np.array([0.01, 0.02, 0.1])


def voting(n: int = 200, seed: int = 0) -> Table:
    """one, vote, large: all votes agree where the vote is right, and half agree where not."""
    rng = np.random.default_rng(seed)
    score = (rng.random((n, 3)) < (0.4, 0.5, 0.9)).astype(float)
    empty = np.full((n, 3), np.nan)
    agreement = empty.copy()
    agreement[:, 1] = np.where(score[:, 1] == 1, 1.0, 0.5)
    facts = {
        "score": score, "agreement": agreement, "cost": np.tile(COST, (n, 1)),
        "outcome": np.full((n, 3), int(Outcome.ANSWERED)), "tokens": np.full((n, 3), 10),
        **dict.fromkeys(("passed", "confidence", "logprob", "logprob_answer", "certainty"), empty),
    }  # fmt: skip
    arms = (Arm("one", "small"), Arm("vote", "small"), Arm("large", "large"))
    table = table_by_hand([0.0] * n, [0.0] * n, features=features_by_hand(n))
    return replace(table, arms=arms, **facts)


def test_a_cascades_curve_runs_from_the_cheapest_arm_to_all_that_helps():
    table = voting()
    made = trace("self-consistency", table, folds_of(table, 4, None, 0), 30)
    assert made.knob == "price" and made.at[0] == np.inf and made.at[-1] == 0
    assert made.score[0].tolist() == table.score[:, 0].tolist()
    assert made.usd[0].tolist() == [0.01] * 200
    # At price 0: the vote is kept where all agree, else large is asked too, and both are paid.
    split = table.agreement[:, 1] == 0.5
    assert made.usd[-1].tolist() == pytest.approx(np.where(split, 0.12, 0.02).tolist())
    assert made.score[-1].tolist() == np.where(split, table.score[:, 2], 1.0).tolist()


def test_it_needs_no_text():
    table = replace(voting(), features=None)
    made = trace("self-consistency", table, folds_of(table, 4, None, 0), 5)
    assert made.labels == 150 and made.protocol == "in-distribution"
    assert trace("cascade-routing", table, folds_of(table, 4, None, 0), 3).score.shape == (3, 200)


def test_a_fold_is_played_by_what_the_others_taught():
    # Where full agreement is always wrong in one fold, the others still keep it there.
    table = voting()
    folds = folds_of(table, 4, None, 0)
    turned = table.score.copy()
    turned[folds.of == 0, 1] = 0.0
    made = trace("self-consistency", replace(table, score=turned), folds, 3)
    agreed = (folds.of == 0) & (table.agreement[:, 1] == 1)
    assert made.usd[-1][agreed].tolist() == [0.02] * int(agreed.sum())
    assert made.score[-1][agreed].sum() == 0


def test_a_pair_policy_decides_between_the_small_and_the_large_end():
    table = voting()
    made = trace("prompt-length", table, folds_of(table, 4, None, 0), 5)
    assert made.usd[0].tolist() == [0.01] * 200 and made.usd[-1].tolist() == [0.1] * 200
    assert set(np.unique(made.usd[2])) == {0.01, 0.1}


def test_in_replay_a_cascade_is_one_point_at_the_price_of_the_tie():
    table = voting()
    pair = replace(
        table,
        arms=table.arms[1:],
        **{
            name: np.ascontiguousarray(getattr(table, name)[:, 1:])
            for name in ("score", "outcome", "passed", "confidence", "cost", "tokens", "agreement",
                         "logprob", "logprob_answer", "certainty")
        },
    )  # fmt: skip
    gap = float(pair.score[:, 1].mean() - pair.score[:, 0].mean())
    assert tie_price(pair) == pytest.approx(gap / 0.08)
    assert tie_price(replace(pair, score=pair.score[:, ::-1])) == 0.0
    entry = enter("self-consistency", pair, folds_of(pair, 4, None, 0), 0.5)
    assert entry.score is None and entry.labels == 150
    split = pair.agreement[:, 0] == 0.5
    # At the tie, about .4 / .08 = 5 a USD, large is worth .5 for its .1 where votes are split:
    # P(right) is 0 there, and it gains .9.
    assert entry.played.cost.tolist() == pytest.approx(np.where(split, 0.12, 0.02).tolist())
    assert entry.played.tried[split].tolist() == [[0, 1]] * int(split.sum())


def test_the_names_are_known_before_anything_is_played():
    check_policies(list(CASCADES))
    with pytest.raises(InputError, match="unknown policy 'self-consistence'"):
        check_policies(["self-consistence"])


def test_a_small_arm_that_is_never_right_leaves_nothing_to_keep():
    table = table_by_hand([1.0] + [0.0] * 20, [1.0] * 21)
    assert nothing_to_keep(table) == ("nothing to keep: s is right on 4.76% of the rows, below 5%")
    assert nothing_to_keep(table_by_hand([1.0] + [0.0] * 19, [1.0] * 20)) == ""
