"""The nearest neighbours by hand: weights, shrinkage, the guard, and a table not its own."""

from dataclasses import replace

import numpy as np
import pytest

from policies import KnnGain, PolicyError
from policies.knn_gain import neighbours_checksum, project
from policies.utility import FittedArm

KEYS = np.array([1, 2, 3], dtype=np.uint64)
VECTORS = np.array([[1, 0], [0, 1], [-1, 0]], dtype=np.float32)
SCORE = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
FAR = np.exp(-1 / 0.5)
"""Weight of a neighbour at a right angle."""


def rule(**more):
    return KnnGain(**{
        "arms": (FittedArm(name="s", tier="small"), FittedArm(name="l", tier="large")),
        "fingerprint": "test", "k": 2, "temperature": 0.5, "shrink": 1.0, "guard": 0.0,
        "mean": (2 / 3, 2 / 3), "projection": ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0)),
        "source": "hand", "queries": (("b", "1"), ("b", "2"), ("b", "3")),
        "checksum": neighbours_checksum("test", KEYS, SCORE), **more,
    })  # fmt: skip


def ready(**more):
    return rule(**more).with_neighbours(KEYS, VECTORS, SCORE)


def ask(make_case, *rows):
    batch = make_case(axes=[(0.5, 0.5)] * len(rows))
    return replace(batch, features={"embedding": np.array(rows, dtype=np.float32)})


def test_qualities_by_hand(make_case):
    # The nearest is the first (weight 1), then the second (weight FAR); the mean weighs 1.
    got = ready().predict(ask(make_case, [2, 0, 5]))[0]
    total = 1 + FAR + 1
    assert got == pytest.approx([(FAR + 2 / 3) / total, (1 + FAR + 2 / 3) / total], abs=1e-6)


def test_what_is_near_to_nothing_falls_back_to_the_mean_quality(make_case):
    got = ready(shrink=1e9, mean=(0.2, 0.7)).predict(ask(make_case, [0, -1, 0]))[0]
    assert got == pytest.approx([0.2, 0.7], abs=1e-6)


def test_the_guard_takes_standard_errors_from_the_large_arm_alone(make_case):
    case = ask(make_case, [1, 0, 0])
    plain, guarded = ready().predict(case)[0], ready(guard=2.0).predict(case)[0]
    total, gain = 2 + FAR, plain[1] - plain[0]
    error = np.sqrt((1 - gain) ** 2 + FAR**2 * gain**2) / total
    assert guarded[0] == plain[0]
    assert plain[1] - guarded[1] == pytest.approx(2 * error, abs=1e-6)


def test_the_checksum_is_of_texts_scores_and_featuriser():
    own = neighbours_checksum("test", KEYS, SCORE)
    assert neighbours_checksum("other", KEYS, SCORE) != own
    assert neighbours_checksum("test", KEYS[::-1], SCORE) != own
    assert neighbours_checksum("test", KEYS, 1 - SCORE) != own


def test_without_its_neighbours_it_names_the_command(make_case):
    with pytest.raises(PolicyError, match="ockham policy rebuild"):
        rule().choose(ask(make_case, [1, 0, 0]))


@pytest.mark.parametrize(
    ("keys", "vectors", "score"),
    [(KEYS, VECTORS, 1 - SCORE), (KEYS[:2], VECTORS[:2], SCORE[:2]), (KEYS, VECTORS[:, :1], SCORE)],
)
def test_other_neighbours_are_refused(keys, vectors, score):
    with pytest.raises(PolicyError, match="ockham policy rebuild"):
        rule().with_neighbours(keys, vectors, score)


def test_a_row_is_the_same_alone_and_in_a_batch(make_case):
    rows = np.random.default_rng(0).normal(size=(20, 3))
    whole = ready(guard=1.0).predict(ask(make_case, *rows))
    alone = [ready(guard=1.0).predict(ask(make_case, row))[0] for row in rows]
    assert np.allclose(whole, alone, atol=1e-6)


def test_projected_rows_have_length_one_and_nothing_stays_nothing():
    made = project(np.array([[3.0, 4.0], [0.0, 0.0]]), np.eye(2, dtype=np.float32))
    assert made == pytest.approx(np.array([[0.6, 0.8], [0.0, 0.0]]))
