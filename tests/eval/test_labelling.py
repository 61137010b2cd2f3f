"""Which queries to label next: the weight and the draw by hand, rounds, and the curve."""

import numpy as np
import pytest

from eval.contenders import mean_cost
from eval.folds import draw_labels, folds_of
from eval.labelling import choose_next, coin_toss_weight, fit_labels, label_in_rounds, weight_of
from eval.labelling_curve import curve
from eval.metrics.pair import PairCurve
from eval.table import case_of
from router.errors import InputError

from .hand import features_by_hand, learnable, table_by_hand

NONE = np.empty(0, dtype=np.int64)


def test_the_weight_by_hand():
    certain = 0.8 * np.log(1.6) + 0.2 * np.log(0.4)
    made = coin_toss_weight(np.array([0.5, 0.8, 0.2, 1.0, 0.0]), 3.0)
    assert made == pytest.approx([1, np.exp(-3 * certain), np.exp(-3 * certain), 1 / 8, 1 / 8])
    assert coin_toss_weight(np.array([0.1, 0.5, 1.0]), 0.0).tolist() == [1, 1, 1]


def test_the_draw_goes_by_weight_times_squared_distance():
    """Known at 0; 1 and 3 away: 1 to 9 with equal weights, 9 to 9 with weights 9 and 1."""
    place = np.array([[0.0], [1.0], [3.0]])
    known = np.array([0])
    for weight, expected in (([1.0, 1.0, 1.0], 0.1), ([1.0, 9.0, 1.0], 0.5)):
        drawn = [choose_next(place, np.array(weight), known, 1, [s])[0] for s in range(2000)]
        share = np.mean(np.array(drawn) == 1)
        assert abs(share - expected) < 3 * np.sqrt(expected * (1 - expected) / 2000)


def test_what_was_just_chosen_repels():
    """Two almost equal queries 10 away and one 3 away: never both of the two."""
    place = np.array([[0.0], [10.0], [10.01], [-3.0]])
    for s in range(200):
        made = choose_next(place, np.ones(4), np.array([0]), 2, [s]).tolist()
        assert sorted(made) != [1, 2]


def test_with_nothing_known_the_weight_alone_draws_the_first():
    place = np.array([[0.0], [1.0], [50.0]])
    drawn = [choose_next(place, np.array([1.0, 3.0, 0.0]), NONE, 1, [s])[0] for s in range(2000)]
    assert abs(np.mean(np.array(drawn) == 1) - 0.75) < 0.03
    assert 2 not in drawn


def test_none_is_drawn_twice_and_copies_come_last():
    place = np.array([[0.0], [0.0], [2.0], [4.0], [0.0]])
    made = choose_next(place, np.ones(5), np.array([0]), 4, [3])
    assert sorted(made.tolist()) == [1, 2, 3, 4]
    assert set(made[:2].tolist()) == {2, 3}
    assert made.tolist() == choose_next(place, np.ones(5), np.array([0]), 4, [3]).tolist()


def test_more_than_there_are_is_an_error():
    with pytest.raises(InputError, match="only 2 queries are unlabelled"):
        choose_next(np.ones((3, 1)), np.ones(3), np.array([1]), 3, [0])


def test_rounds_read_only_the_labels_that_they_have_bought():
    table = learnable(120)
    pool = np.arange(10, 110)
    sizes = [25, 50, 60]
    made = label_in_rounds(table.features, table.score, pool, sizes, [1])
    assert [len(rows) for rows in made] == sizes
    assert set(made[0]) < set(made[1]) < set(made[2]) <= set(pool)
    hidden = np.full_like(table.score, np.nan)
    hidden[made[1]] = table.score[made[1]]
    again = label_in_rounds(table.features, hidden, pool, sizes, [1])
    assert [a.tolist() for a in again] == [m.tolist() for m in made]


def test_the_weight_is_the_mean_of_the_arms():
    table = learnable(80)
    model = fit_labels(table.features, table.score)
    p = model.estimate(case_of(table, mean_cost(table)))
    expected = (coin_toss_weight(p[:, 0], 2.0) + coin_toss_weight(p[:, 1], 2.0)) / 2
    assert weight_of(model, table.features, 2.0) == pytest.approx(expected)


def test_the_pull_moves_the_choice():
    """Half of the queries are sure, half a toss: with a strong pull the toss is labelled."""
    rng = np.random.default_rng(0)
    features = features_by_hand(400)
    sure = np.arange(400) % 2 == 0
    # What tells them apart is in the terms alone; the embedding spreads both alike.
    features.blocks["terms"][:] = np.where(sure[:, None], 1, 2)
    toss = rng.integers(0, 2, 400)
    small, large = np.where(sure, 1.0, toss), np.where(sure, 1.0, 1 - toss)
    score = np.column_stack([small, large]).astype(float)
    made = {
        pull: label_in_rounds(features, score, np.arange(400), [100, 150], [0], pull)[1][100:]
        for pull in (0.0, 30.0)
    }
    share = {pull: sure[rows].mean() for pull, rows in made.items()}
    assert share[30.0] < 0.2 < 0.35 < share[0.0]


def test_a_point_of_the_curve_is_the_area_of_the_held_out_scores():
    table = learnable(100)
    (point,) = curve(table, [30], [4], folds=3, resamples=20)
    made = folds_of(table, 3, 30, 4)
    score = np.empty(100)
    for k in range(3):
        held, pool = np.flatnonzero(made.of == k), np.flatnonzero(made.of != k)
        rows = draw_labels(table, pool, 30, 4 + k)
        model = fit_labels(table.features.take(rows), table.score[rows])
        score[held] = model.score(case_of(table.take(held), mean_cost(table)))
    assert point.drawn == pytest.approx(PairCurve(score, *table.score.T).apgr())
    assert point.gain.value == pytest.approx(point.chosen - point.drawn)
    assert (point.labels, point.seeds, point.wins) == (30, 1, int(point.chosen > point.drawn))


def test_without_texts_there_is_no_curve():
    with pytest.raises(InputError, match="--curve: b has no features"):
        curve(table_by_hand([1, 0], [1, 1]), [1], [0])
