"""Fitting cascades: which arms are rungs, what is learned of each, and from whom."""

from dataclasses import replace

import numpy as np
import pytest

from eval.fit.cascade_routing import fit_cascade_routing
from eval.fit.fitted import CASCADES
from eval.fit.isotonic import fit_calibrated, shrunk
from eval.fit.ladder import (
    fit_check_cascade,
    fit_logprob_cascade,
    fit_self_consistency,
    rungs_of,
)
from eval.play import play
from policies import STOP, Arm, Outcome, PolicyError, SelfConsistency
from policies.policy import Policy
from policies.threshold import ThresholdPolicy

from ..hand import features_by_hand, learnable, table_by_hand  # noqa: TID252  tests are no package

NAN = float("nan")
COST = np.array([0.01, 0.02, 0.1])


def voting(n=400, seed=0, arms=("one", "vote", "large")):
    """`vote` is right with the probability of its share; `large` by .9; `one` shows nothing."""
    rng = np.random.default_rng(seed)
    share = rng.choice([0.25, 0.5, 0.75, 1.0], n)
    right = (rng.random((n, 3)) < np.stack([np.full(n, 0.4), share, np.full(n, 0.9)], 1)).astype(
        float
    )
    table = table_by_hand([0.0] * n, [0.0] * n)
    empty = np.full((n, 3), NAN)
    agreement = empty.copy()
    agreement[:, 1] = share
    return replace(
        table,
        arms=(Arm(arms[0], "small"), Arm(arms[1], "small"), Arm(arms[2], "large")),
        score=right,
        outcome=np.full((n, 3), int(Outcome.ANSWERED)),
        passed=empty,
        confidence=empty,
        cost=np.tile(COST, (n, 1)),
        tokens=np.full((n, 3), 10),
        agreement=agreement,
        logprob=empty,
        logprob_answer=empty,
        certainty=empty,
    )


def test_isotonic_pools_what_falls_and_shrinks_what_is_blank():
    # .0 -> 0, then 1 and 0 in the wrong order pool to .5, then 1; five of each.
    number = np.repeat([0.0, 1.0, 2.0, 3.0], 5)
    made = fit_calibrated(number, np.repeat([0.0, 1.0, 0.0, 1.0], 5), 0.5)
    assert made.of(np.array([0.0, 1.0, 2.0, 3.0])).tolist() == [0.0, 0.5, 0.5, 1.0]
    with_blank = fit_calibrated(
        np.r_[number, [NAN] * 5], np.r_[np.repeat([0.0, 1.0, 0.0, 1.0], 5), np.ones(5)], 0.4
    )
    assert with_blank.blank == pytest.approx((5 + 10 * 0.4) / 15)


def test_too_few_numbers_or_one_make_a_constant():
    few = fit_calibrated(np.arange(9.0), np.ones(9), 0.5)
    same = fit_calibrated(np.ones(50), np.ones(50), 0.5)
    assert few.at == () and few.blank == pytest.approx((9 + 5) / 19)
    assert same.at == () and same.blank == pytest.approx((50 + 5) / 60)
    assert shrunk(np.empty(0), 0.3) == pytest.approx(0.3)


def test_arms_that_show_nothing_are_no_rung_but_the_last():
    table = voting()
    assert rungs_of(SelfConsistency, table) == [1, 2]
    policy = fit_self_consistency(table)
    assert [(a.name, a.tier) for a in policy.arms] == [("vote", "small"), ("large", "large")]
    cheap_large = replace(table, cost=table.cost[:, [0, 2, 1]])  # large is cheaper than the vote
    with pytest.raises(PolicyError, match="nothing to escalate to"):
        fit_self_consistency(cheap_large)


def test_rungs_stand_by_cost_whatever_the_order_of_the_columns():
    table = voting()
    turned = replace(
        table,
        arms=table.arms[::-1],
        **{
            name: np.ascontiguousarray(getattr(table, name)[:, ::-1])
            for name in ("score", "outcome", "passed", "confidence", "cost", "tokens", "agreement",
                         "logprob", "logprob_answer", "certainty")
        },
    )  # fmt: skip
    assert fit_self_consistency(turned) == fit_self_consistency(table)


def test_the_rates_of_the_training_rows_are_what_is_learned():
    table = voting()
    rung = fit_self_consistency(table).rungs[0]
    share, score = table.agreement[:, 1], table.score[:, 1]
    levels = np.unique(share)
    rates = [float(score[share == level].mean()) for level in levels]
    assert rates == sorted(rates)  # so that isotonic regression leaves them as they are
    assert rung.kinds[0].of(levels).tolist() == pytest.approx(rates)
    # large knows nothing of the vote: its map stays near its mean.
    assert rung.ahead[1].of(np.array([0.25, 0.6, 1.0])) == pytest.approx(0.9, abs=0.12)


def test_a_kind_is_learned_apart_and_dead_calls_are_left_out():
    table = voting()
    outcome = table.outcome.copy()
    outcome[:100, 1], outcome[100:200, 1] = int(Outcome.INCOMPLETE), int(Outcome.FAILED)
    score = table.score.copy()
    score[:100, 1], score[100:200, 1] = 1.0, 0.0
    made = fit_self_consistency(replace(table, outcome=outcome, score=score))
    cut = made.rungs[0].kinds[1]
    assert cut.of(np.array([0.25, 1.0])).tolist() == [1.0, 1.0]
    rates = [table.score[200:, 1][table.agreement[200:, 1] == v].mean() for v in (0.25, 1.0)]
    assert made.rungs[0].kinds[0].of(np.array([0.25, 1.0])).tolist() == pytest.approx(rates)


def test_the_verdicts_rates_are_learned_with_confidence_inside_them():
    table = voting()
    rng = np.random.default_rng(1)
    passed = np.full((400, 3), NAN)
    passed[:, 1] = rng.choice([1.0, 0.0, NAN], 400)
    p = np.where(np.isnan(passed[:, 1]), 0.5, np.where(passed[:, 1] == 1, 0.95, 0.05))
    score = table.score.copy()
    score[:, 1] = rng.random(400) < p
    confidence = np.full((400, 3), NAN)
    unknown = np.isnan(passed[:, 1])
    confidence[unknown, 1] = score[unknown, 1] * 0.5 + 0.25
    made = fit_check_cascade(
        replace(table, passed=passed, confidence=confidence, score=score, checked=True)
    )
    right, wrong, unsure, _ = made.rungs[0].kinds
    own = score[passed[:, 1] == 1, 1]
    assert right.blank == pytest.approx((own.sum() + 10 * score[:, 1].mean()) / (len(own) + 10))
    assert wrong.blank < 0.15 < 0.8 < right.blank
    assert unsure.of(np.array([0.25, 0.75])).tolist() == [0.0, 1.0]


def test_log_probabilities_are_weighed_by_what_they_say():
    table = voting()
    rng = np.random.default_rng(2)
    empty = np.full((400, 3), NAN)
    mean, own = empty.copy(), empty.copy()
    mean[:, 1] = -rng.random(400)  # says nothing
    own[:, 1] = np.where(table.score[:, 1] == 1, -0.1, -1.5) + 0.2 * rng.standard_normal(400)
    own[::10, 1] = NAN
    made = fit_logprob_cascade(replace(table, logprob=mean, logprob_answer=own))
    w1, w2, w0 = made.weights[0]
    assert w2 > 5 * abs(w1) and w0 < 0
    assert made.weights[1] == (1.0, 0.0, 0.0)  # large shows none


@pytest.mark.parametrize("name", ["self-consistency", "logprob-cascade", "check-cascade"])
def test_a_table_that_shows_nothing_is_refused_by_name(name):
    table = table_by_hand([0.0, 1.0] * 10, [1.0] * 20)
    with pytest.raises(PolicyError, match=rf"{name}: no attempt of s, l shows"):
        CASCADES[name](table)


def test_answer_gain_refuses_it_too():
    with pytest.raises(PolicyError, match="nothing differs in what was measured"):
        CASCADES["answer-gain"](learnable(20))


def test_routing_refuses_it_too():
    with pytest.raises(PolicyError, match="no attempt shows a vote"):
        fit_cascade_routing(table_by_hand([0.0, 1.0] * 10, [1.0] * 20))


def test_a_fit_sees_only_the_rows_that_it_is_given():
    table = voting()
    other = replace(table, score=np.where(np.arange(400)[:, None] < 200, table.score, 1.0))
    rows = np.arange(200)
    for name in ("self-consistency", "cascade-routing"):
        assert CASCADES[name](table.take(rows)) == CASCADES[name](other.take(rows))


def test_the_cascade_beats_both_ends_where_agreement_says_who_is_right():
    train, test = voting(seed=0), voting(seed=1)
    policy = fit_self_consistency(train).model_copy(update={"price": 2.5})
    played = play(policy, test, test.cost.mean(axis=0))
    kept = played.tried[:, 1] == STOP
    # By .9 - share > .25: kept from .75 up, so half of the rows pay for large.
    assert kept.tolist() == (test.agreement[:, 1] >= 0.75).tolist()
    assert played.cost.mean() == pytest.approx(0.02 + 0.1 * (~kept).mean())
    assert played.score.mean() > 0.8


class OwnMean(ThresholdPolicy):
    """Knows the first column of the embedding, and says it for both arms of a pair."""

    name = "own-mean"

    def score(self, cases):
        return np.asarray(cases.block("embedding")[:, 0], dtype=np.float64)

    def estimate(self, cases):
        out = np.full((len(cases), len(cases.arms)), np.nan)
        out[:, 0] = np.clip(cases.block("embedding")[:, 0], 0.01, 0.99)
        return out


def test_routing_learns_from_the_text_before_and_the_votes_after():
    n = 600
    rng = np.random.default_rng(4)
    features = features_by_hand(n)
    x = features.blocks["embedding"][:, 0].astype(np.float64)
    table = voting(n)
    score = table.score.copy()
    score[:, 0] = rng.random(n) < x
    table = replace(table, score=score, features=features)
    made = fit_cascade_routing(table, lambda part: OwnMean())
    assert made.heads == (0,)
    # The first arm's head gives x back; the vote's knows nothing of x.
    odds = np.array([[-2.0], [2.0]])
    first = made.before[0].of(odds)
    assert first[0] < 0.25 and first[1] > 0.75
    assert abs(np.diff(made.before[1].of(odds))[0]) < 0.15
    assert len(set(made.spread[1])) > 1  # the vote moves its estimate
    assert np.ptp(made.spread[2]) < 0.05  # large shows nothing
    assert sum(made.spread[1]) == pytest.approx(0.0)
    assert Policy.from_state(fit_cascade_routing(voting()).to_state()) == fit_cascade_routing(
        voting()
    )


def test_routing_with_too_few_clusters_is_refused():
    table = replace(voting(40), cluster=np.arange(40) % 3, features=features_by_hand(40))
    with pytest.raises(PolicyError, match="3 clusters are too few for 4 inner folds"):
        fit_cascade_routing(table, lambda part: OwnMean())
