"""Who is compared: no row is scored by a fit, or cut by a threshold, that saw its label."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from eval import contenders
from eval.contenders import BASELINES, NotReplayable, available, check_policies, enter, mean_cost
from eval.fit.fitted import FITTED
from eval.folds import draw_labels, folds_of
from eval.table import case_of
from policies.case import Outcome
from policies.policy import Needs
from policies.threshold import ThresholdPolicy
from router.errors import InputError

from .hand import features_by_hand, learnable, table_by_hand

FITTED_NAMES = tuple(FITTED)


def flipped(table, rows):
    score = table.score.copy()
    score[rows] = 1 - score[rows]
    return replace(table, score=score)


def other_benchmark(n=40, seed=50):
    table = learnable(n, seed)
    return replace(
        table,
        benchmark="c",
        benchmarks=("c",) * n,
        row_key=table.row_key + np.uint64(1),
    )


# Folds


def test_folds_hold_whole_clusters_and_every_row():
    cluster = np.repeat(np.arange(13), 3)
    table = table_by_hand([0] * 39, [1] * 39, cluster=cluster)
    folds = folds_of(table, 5, None, 0)
    assert set(folds.of.tolist()) == set(range(5))
    for c in range(13):
        assert len(set(folds.of[cluster == c].tolist())) == 1
    sizes = np.bincount(folds.of) // 3
    assert sorted(sizes.tolist()) == [2, 2, 3, 3, 3]


@pytest.mark.parametrize("labels", [None, 7, 20])
def test_a_cluster_never_stands_in_train_and_test(labels):
    cluster = np.arange(60) % 20
    table = table_by_hand([0] * 60, [1] * 60, cluster=cluster)
    folds = folds_of(table, 4, labels, 3)
    for k in range(4):
        train = folds.train(table, k)
        assert not set(cluster[train]) & set(cluster[folds.of == k])
        assert len(train) == (labels or 45)
        assert len(set(train.tolist())) == len(train)


def test_the_same_seed_gives_the_same_folds_and_another_one_others():
    table = learnable(50)
    a, b, c = (folds_of(table, 5, 20, s) for s in (0, 0, 1))
    assert a.of.tolist() == b.of.tolist() != c.of.tolist()
    assert a.train(table, 2).tolist() == b.train(table, 2).tolist()


@pytest.mark.parametrize("count", [1, 7])
def test_folds_that_cannot_be_are_refused(count):
    table = table_by_hand([0] * 6, [1] * 6)
    with pytest.raises(InputError, match=f"--folds {count}: must lie between 2 and the 6"):
        folds_of(table, count, None, 0)


def test_one_cluster_cannot_be_folded():
    table = table_by_hand([0] * 4, [1] * 4, cluster=np.zeros(4, dtype=int))
    with pytest.raises(InputError, match="the 1 questions"):
        folds_of(table, 2, None, 0)


def test_more_labels_than_a_fold_leaves_are_an_error():
    table = table_by_hand([0] * 11, [1] * 11)
    assert len(folds_of(table, 5, 8, 0).train(table, 0)) == 8
    with pytest.raises(InputError, match=r"--labels 9: 5 folds of 11 rows of b leave 8"):
        folds_of(table, 5, 9, 0)


def test_labels_are_drawn_by_whole_clusters_as_far_as_they_fit():
    cluster = np.repeat(np.arange(10), 4)
    table = table_by_hand([0] * 40, [1] * 40, cluster=cluster)
    rows = draw_labels(table, np.arange(40), 10, 0)
    counts = np.bincount(cluster[rows], minlength=10)
    assert sorted(counts[counts > 0].tolist()) == [2, 4, 4]
    assert draw_labels(table, np.arange(40), 10, 1).tolist() != rows.tolist()
    with pytest.raises(InputError, match="--labels 41: b has 40 rows"):
        draw_labels(table, np.arange(40), 41, 0)


def test_labels_are_drawn_evenly():
    table = table_by_hand([0] * 20, [1] * 20)
    drawn = np.zeros(20)
    for seed in range(400):
        drawn[draw_labels(table, np.arange(20), 5, seed)] += 1
    assert np.all(np.abs(drawn - 100) < 40)  # 4.6 standard deviations


# Leaks


@pytest.mark.parametrize("name", FITTED_NAMES)
@pytest.mark.parametrize("labels", [None, 30])
def test_scores_do_not_depend_on_the_labels_of_their_own_fold(name, labels):
    table = learnable(60)
    folds = folds_of(table, 4, labels, 0)
    before = enter(name, table, folds, 0.5)
    held = folds.of == 1
    after = enter(name, flipped(table, held), folds, 0.5)
    assert before.score[held].tolist() == after.score[held].tolist()
    assert before.quality[held].tolist() == after.quality[held].tolist()
    assert not np.array_equal(before.score[~held], after.score[~held])


@pytest.mark.parametrize("name", FITTED_NAMES)
def test_scores_do_not_depend_on_the_features_or_costs_of_other_held_out_rows(name):
    table = learnable(60)
    folds = folds_of(table, 4, None, 0)
    before = enter(name, table, folds, 0.5)
    held = np.flatnonzero(folds.of == 1)
    others = features_by_hand(60, seed=77)
    blocks = {k: v.copy() for k, v in table.features.blocks.items()}
    for key, block in blocks.items():
        block[held[1:]] = others.blocks[key][held[1:]]
    changed = replace(table, features=type(others)(blocks, others.known, "hand"))
    after = enter(name, changed, folds, 0.5)
    assert np.isclose(before.score[held[0]], after.score[held[0]], rtol=0, atol=1e-14)


def test_best_single_does_not_depend_on_the_labels_of_its_own_fold():
    table = table_by_hand([1, 1, 0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 1, 1, 0, 0])
    folds = replace(folds_of(table, 2, None, 0), of=np.array([0] * 4 + [1] * 4))
    before = enter("best-single", table, folds, 0.5).played.returned
    after = enter("best-single", flipped(table, [0, 1, 2, 3]), folds, 0.5).played.returned
    assert before[:4].tolist() == after[:4].tolist()


def test_best_single_by_fold_by_hand():
    # Fold 0 is judged by rows 3..5 (large better), fold 1 by rows 0..2 (small better).
    table = table_by_hand([1, 1, 0, 0, 0, 1], [0, 1, 0, 1, 1, 1])
    folds = replace(folds_of(table, 2, None, 0), of=np.array([0, 0, 0, 1, 1, 1]))
    made = enter("best-single", table, folds, 0.5)
    assert made.played.returned.tolist() == [1, 1, 1, 0, 0, 0]
    assert made.played.score.tolist() == [0, 1, 0, 0, 0, 1]
    assert (made.protocol, made.labels, made.score) == ("in-distribution", 3, None)


def test_best_single_takes_the_cheaper_of_equals():
    table = table_by_hand([1, 0, 1, 0], [0, 1, 0, 1])
    folds = replace(folds_of(table, 2, None, 0), of=np.array([0, 0, 1, 1]))
    assert enter("best-single", table, folds, 0.5).played.returned.tolist() == [0, 0, 0, 0]


def test_the_operating_threshold_of_a_fold_is_a_quantile_of_the_others():
    table = learnable(40)
    folds = folds_of(table, 4, None, 0)
    made = enter("prompt-length", table, folds, 0.3)
    for k in range(4):
        held = folds.of == k
        cut = np.quantile(made.score[~held], 0.7)
        assert made.played.returned[held].tolist() == (made.score[held] >= cut).astype(int).tolist()
    # Whatever the other rows of its fold look like, a row stays where it was.
    rows = np.flatnonzero(folds.of == 2)
    lengths = table.features.blocks["lengths"].copy()
    lengths[rows[1:]] = 1000.0
    blocks = {**table.features.blocks, "lengths": lengths}
    changed = replace(table, features=type(table.features)(blocks, table.features.known, "hand"))
    after = enter("prompt-length", changed, folds, 0.3)
    assert after.played.returned[rows[0]] == made.played.returned[rows[0]]


@pytest.mark.parametrize(("share", "arm"), [(0.0, 0), (1.0, 1)])
@pytest.mark.parametrize("name", ["prompt-length", "text-logistic", "random"])
def test_the_ends_of_the_share_are_all_small_and_all_large(name, share, arm):
    table = learnable(41)
    made = enter(name, table, folds_of(table, 5, None, 0), share)
    assert set(made.played.returned.tolist()) == {arm}


def test_a_text_under_two_ids_is_never_fitted_on_and_scored():
    table = learnable(40)
    folds = folds_of(table, 4, None, 0)
    held, other = np.flatnonzero(folds.of == 0), np.flatnonzero(folds.of != 0)
    keys = table.row_key.copy()
    keys[other[:3]] = keys[held[:3]]
    copied = replace(table, row_key=keys)
    assert folds.train(copied, 0).tolist() == other[3:].tolist()
    with pytest.raises(InputError, match="leave 27 for training"):
        folds_of(copied, 4, 28, 0)

    same = replace(table, row_key=np.zeros(40, dtype=np.uint64))
    with pytest.raises(InputError, match="b has no row to train on that is not scored too"):
        enter("text-logistic", same, folds_of(same, 4, None, 0), 0.5)


# Transfer


@pytest.mark.parametrize("name", [*FITTED_NAMES, "best-single"])
def test_transfer_trains_on_the_other_table_only(name):
    table, train = learnable(30), other_benchmark()
    folds = folds_of(table, 3, None, 0)
    before = enter(name, table, folds, 0.5, train)
    after = enter(name, flipped(table, np.arange(30)), folds, 0.5, train)
    assert before.played.returned.tolist() == after.played.returned.tolist()
    assert before.protocol == "transfer from c"
    assert before.labels == 40
    if before.score is not None:
        assert before.score.tolist() == after.score.tolist()
        fitted = FITTED[name](train)
        assert before.score.tolist() == fitted.score(case_of(table, mean_cost(train))).tolist()


def test_transfer_uses_exactly_the_labels_asked_for():
    table, train = learnable(30), other_benchmark()
    folds = replace(folds_of(table, 3, None, 0), labels=25)
    assert enter("text-logistic", table, folds, 0.5, train).labels == 25
    with pytest.raises(InputError, match="--labels 41: c has 40 rows"):
        enter("text-logistic", table, replace(folds, labels=41), 0.5, train)


@pytest.mark.parametrize("name", ["text-logistic", "best-single"])
def test_transfer_from_itself_is_refused(name):
    table = learnable(30)
    folds = folds_of(table, 3, None, 0)
    with pytest.raises(InputError, match="--train-on b: 30 of its queries are scored in b"):
        enter(name, table, folds, 0.5, table)
    pool = replace(other_benchmark(), benchmarks=("b",) * 10 + ("c",) * 30, benchmark="b+c")
    with pytest.raises(InputError, match=r"--train-on b\+c: 10 of its queries"):
        enter(name, table, folds, 0.5, pool)


def test_transfer_leaves_out_questions_with_the_same_text():
    table, train = learnable(30), other_benchmark()
    keys = train.row_key.copy()
    keys[:4] = table.row_key[5]
    made = enter(
        "text-logistic", table, folds_of(table, 3, None, 0), 0.5, replace(train, row_key=keys)
    )
    assert made.labels == 36


# The others


def test_constants_random_and_oracle_by_hand():
    table = table_by_hand([1, 0, 0, 0.5], [1, 1, 0, 0.25])
    folds = folds_of(table, 2, None, 0)
    small, large = (enter(n, table, folds, 0.5).played for n in ("all-small", "all-large"))
    assert small.returned.tolist() == [0] * 4
    assert large.returned.tolist() == [1] * 4
    assert np.isclose(large.cost.sum(), 0.04)
    oracle = enter("oracle", table, folds, 0.5)
    assert oracle.played.returned.tolist() == [0, 1, 0, 0]  # the cheapest of equals
    assert oracle.score.tolist() == [0, 1, 0, -0.25]
    assert oracle.protocol == "sees the scores"
    random = enter("random", table, folds, 0.5)
    assert random.score.tolist() == [0] * 4
    assert random.labels == 0


def test_the_oracle_of_an_unpriced_table_takes_the_best():
    table = table_by_hand([0, 1], [1, 1])
    table.cost[:] = np.nan
    assert enter("oracle", table, folds_of(table, 2, None, 0), 0.5).played.score.tolist() == [1, 1]


def test_random_takes_about_its_share_and_another_draw_by_another_seed():
    table = table_by_hand([0] * 2000, [1] * 2000)
    a, b = (enter("random", table, folds_of(table, 2, None, s), 0.3).played for s in (0, 1))
    assert abs(a.returned.mean() - 0.3) < 0.05
    assert not np.array_equal(a.returned, b.returned)


@pytest.mark.parametrize("name", ["random", "prompt-length"])
def test_a_dead_call_is_made_again_elsewhere_and_both_are_paid(name):
    table = learnable(30)
    table.outcome[:] = Outcome.FAILED
    made = enter(name, table, folds_of(table, 3, None, 0), 0.5).played
    assert (np.sort(made.tried, axis=1) == [0, 1]).all()
    assert np.allclose(made.cost, 0.011)


def test_a_table_without_texts_or_verdicts_is_refused_by_who_needs_them():
    bare = table_by_hand([0, 1, 0], [1, 1, 0])
    folds = folds_of(bare, 3, None, 0)
    for name in ("prompt-length", "verifiability-threshold", "text-logistic", "verifiability"):
        with pytest.raises(NotReplayable, match=f"{name}: not replayable on this table"):
            enter(name, bare, folds, 0.5)
    table = learnable(12)
    with pytest.raises(NotReplayable, match="ran no check"):
        enter("verifiability", table, folds_of(table, 3, None, 0), 0.5)
    table.features.known[3] = False
    with pytest.raises(NotReplayable, match="without a published text"):
        enter("text-logistic", table, folds_of(table, 3, None, 0), 0.5)


def test_transfer_from_a_table_without_texts_is_not_replayable():
    table = learnable(12)
    train = replace(other_benchmark(), features=None)
    with pytest.raises(NotReplayable, match="this table: c has no features"):
        enter("text-logistic", table, folds_of(table, 3, None, 0), 0.5, train)


class NanScore(ThresholdPolicy):
    """Scores nothing."""

    name: ClassVar[str] = "nan-score"
    needs: ClassVar[Needs] = Needs()

    def score(self, cases):
        return np.full(len(cases), np.nan)


def test_a_policy_without_a_score_is_refused(monkeypatch):
    monkeypatch.setattr(contenders, "make_policy", lambda name: NanScore())
    table = learnable(12)
    with pytest.raises(NotReplayable, match="nan-score: .*NaN on 12 rows"):
        enter("nan-score", table, folds_of(table, 3, None, 0), 0.5)


def test_who_is_shown():
    assert available(["verifiability", "random"]) == (*BASELINES, "verifiability")


def test_an_unknown_policy_is_named_before_anything_runs():
    check_policies(["text-logistic", "oracle", "verifiability", "always-small"])
    with pytest.raises(
        InputError, match=r"--policies nearest-guess: .*unknown policy 'nearest-guess'; known: .*"
    ):
        check_policies(["random", "nearest-guess"])
    with pytest.raises(InputError, match=r"--policies nowhere:X: .*cannot import nowhere:X"):
        check_policies(["nowhere:X"])
