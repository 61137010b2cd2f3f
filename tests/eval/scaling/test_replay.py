"""Replay on pools whose results are known by hand or in closed form."""

import math
from dataclasses import replace

import numpy as np
import pytest

from eval.scaling.pool import pools_of
from eval.scaling.replay import curve_of, differences, oracle, orders, walk
from router.arms.methods import Adaptive, BestOfN, Clr, Long2Short, Majority, Weighted

from .synthetic import of_rows, realistic, rows, samples

ALL = Majority(early_stop=False)


def replayed(data, method, wanted=50, seed=0, kind="plain"):
    (pool,) = pools_of(data, kind, "here")
    order = orders(pool, wanted, seed)
    walks = walk(pool, method, order)
    return curve_of("m", pool, order, walks), walks, pool, order


def test_every_sample_stands_equally_often_in_every_place():
    (pool,) = pools_of(samples([[0, 1, 2, 3]] * 3), "plain", "here")
    order = orders(pool, 10, 0)
    assert order.shape == (3, 12, 4)
    assert (np.sort(order, axis=2) == np.arange(4)).all()
    for place in range(4):
        counts = [np.bincount(order[q, :, place], minlength=4).tolist() for q in range(3)]
        assert counts == [[3, 3, 3, 3]] * 3
    assert (order == orders(pool, 10, 0)).all() and (order != orders(pool, 10, 1)).any()


def test_a_spectrum_keeps_its_turns():
    (pool,) = pools_of(samples([[0, 1, 2, 3, 4, 5]] * 2), "plain", "here")
    order = orders(replace(pool, turns=2), 10, 0)
    assert (order[..., 0::2] % 2 == 0).all() and (order[..., 1::2] % 2 == 1).all()
    assert (np.sort(order, axis=2) == np.arange(6)).all()


def test_one_sample_scores_the_mean_of_all_exactly():
    curve, *_ = replayed(samples([[0, 1, 1, 2], [0, 0, 1, 0]]), ALL)
    assert curve.score[:, 0].tolist() == [0.25, 0.75]
    assert curve.tokens[:, 0].tolist() == [110, 110] and curve.usd[0, 2] == pytest.approx(0.003)


def test_majority_of_three_is_the_closed_form():
    """c of n samples right, the wrong ones alike: a hypergeometric tail."""
    n, right = 7, (2, 3, 5)
    data = samples([[0] * c + [1] * (n - c) for c in right])
    curve, *_ = replayed(data, ALL, wanted=7000)
    for row, c in zip(curve.score, right, strict=True):
        two = math.comb(c, 2) * (n - c) + math.comb(c, 3)
        assert row[2] == pytest.approx(two / math.comb(n, 3), abs=0.02)
        assert row[1] == pytest.approx(c / n, abs=0.02)  # a tie goes to the first
        assert row[6] == float(c > n / 2)


def test_early_stop_gives_the_same_answers_for_fewer_tokens():
    data = realistic(30)
    full, walks, *_ = replayed(data, ALL)
    early, less, *_ = replayed(data, Majority())
    assert differences(walks, less) == 0 and (walks.chosen == less.chosen).all()
    assert (less.walked <= walks.walked).all()
    assert early.tokens[:, -1].sum() < full.tokens[:, -1].sum()
    assert (early.score == full.score).all()


def test_early_stop_by_hand():
    """All alike: k = 5 is decided after three, k = 4 after three, k = 3 after two."""
    _, walks, *_ = replayed(samples([[0] * 5]), Majority())
    assert walks.walked[0, 0].tolist() == [1, 2, 2, 3, 3]
    curve, *_ = replayed(samples([[0] * 5]), Majority())
    assert curve.tokens[0].tolist() == [110, 220, 220, 330, 330]


def test_differences_are_counted_where_there_are_some():
    data = samples([[0, 1, 1]])
    _, walks, *_ = replayed(data, ALL)
    _, hasty, *_ = replayed(data, Adaptive(confidence=0.51, least=1))
    assert (hasty.walked == 1).all()
    first_alone = int((walks.answer[0, :, 2] != hasty.answer[0, :, 2]).sum())
    assert first_alone == differences(walks, hasty) == walks.answer.shape[1] // 3


def test_nobody_votes_the_first_sample_counts():
    own = rows([[0, 1]])
    for row in own:
        row |= {"status": "truncated", "answer_cluster": None}
    curve, walks, *_ = replayed(of_rows(own), ALL)
    assert (walks.answer == -1).all() and curve.score.tolist() == [[0.5, 0.5]]
    own[0] |= {"status": "failed", "score": None}
    own[1]["score"] = 1.0
    curve, *_ = replayed(of_rows(own), ALL)
    assert curve.score.tolist() == [[0.5, 1.0]]  # no failed call is shown where there is a text
    curve, walks, *_ = replayed(samples([[None, None]]), Majority())
    assert curve.score.tolist() == [[0.0, 0.0]] and curve.tokens.tolist() == [[110, 220]]


def test_a_failed_sample_costs_and_does_not_vote():
    curve, *_ = replayed(samples([[None, 0, 0]]), ALL)
    assert curve.score[0].tolist() == pytest.approx([2 / 3, 1, 1])
    assert curve.tokens[0].tolist() == [110, 220, 330]


def test_weights_decide_where_votes_do_not():
    data = samples([[1, 1, 0]], logprob_mean=lambda q, s: (-3.0, -3.0, -0.1)[s])
    weighted, *_ = replayed(data, Weighted(by="logprob"))
    plain, *_ = replayed(data, ALL)
    assert weighted.score[0].tolist() == pytest.approx([1 / 3, 2 / 3, 1])
    assert plain.score[0, 2] == 0


def test_best_of_n_stops_at_a_pass():
    data = samples([[1, 1, 0, 0]], verdict=lambda q, s: "passed" if s == 2 else "failed")
    curve, walks, _, order = replayed(data, BestOfN())
    where = (order[0] == 2).argmax(axis=1)
    assert walks.walked[0, :, 3].tolist() == (where + 1).tolist()
    assert curve.score[0].tolist()[3] == 1 and curve.tokens[0, 3] == pytest.approx(110 * 2.5)
    everything, *_ = replayed(data, BestOfN(stop_at_pass=False))
    assert everything.score[0, 3] == 1 and everything.tokens[0, 3] == 440


def test_long2short_takes_the_shortest_that_passed():
    data = samples(
        [[0, 0, 1]], verdict=lambda q, s: ("passed", "passed", "failed")[s],
        completion_tokens=lambda q, s: (30, 20, 10)[s],
    )  # fmt: skip
    _, walks, *_ = replayed(data, Long2Short())
    assert (walks.chosen[0, :, 2] == 1).all()


def test_clr_votes_by_reliability():
    data = samples([[1, 1, 0]], reliability=lambda q, s: (0.1, 0.1, 0.9)[s])
    curve, *_ = replayed(data, Clr(), kind="clr")
    assert curve.score[0, 2] == 1


def test_oracle_is_chens_formula():
    right = np.array([0, 1, 3, 5])
    score = np.array([[1.0] * c + [0.0] * (5 - c) for c in right])
    for k in range(1, 6):
        wanted = [1 - math.comb(5 - int(c), k) / math.comb(5, k) for c in right]
        assert oracle(score)[:, k - 1] == pytest.approx(wanted)


def test_the_oracle_of_graded_scores_is_the_expected_best():
    assert oracle(np.array([[0.5, 0.0, 1.0]]))[0] == pytest.approx([0.5, (0.5 + 1 + 1) / 3, 1.0])
