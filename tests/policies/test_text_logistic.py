"""The rule of the learned baseline: TF-IDF by hand, probabilities by hand, batch of one."""

from dataclasses import replace

import numpy as np
import pytest

from policies import PolicyError
from policies.policy import Policy
from policies.text_logistic import TextLogistic, dense_matrix, term_matrix, term_scores

BUCKETS = np.array([3, 5, 9])
IDF = np.array([1.0, 2.0, 3.0])


def matrix(*rows):
    return term_matrix(np.array(rows), BUCKETS, IDF).toarray()


def test_tf_idf_by_hand():
    # term 3 twice: (1 + ln 2) * 1; term 9 once: 3
    made = matrix([3, 9, 3, -1])
    raw = np.array([1 + np.log(2), 0.0, 3.0])
    assert np.allclose(made[0], raw / np.sqrt((raw**2).sum()), atol=1e-15)


def test_unknown_terms_and_padding_are_nothing():
    made = matrix([4, 100, -1], [-1, -1, -1], [0, 5, -1])
    assert made[:2].tolist() == [[0, 0, 0], [0, 0, 0]]
    assert made[2].tolist() == [0, 1, 0]


def test_an_empty_vocabulary_is_a_matrix_without_columns():
    made = term_matrix(np.array([[1, 2]]), np.array([], dtype=np.int64), np.array([]))
    assert made.shape == (1, 0)


def by_bucket(values):
    """One value a bucket, 0 for those outside the vocabulary; the last stands for all others."""
    out = np.zeros((11, *np.shape(values)[1:]))
    out[BUCKETS] = values
    return out


def test_scores_without_the_matrix_are_those_of_the_matrix():
    rng = np.random.default_rng(0)
    terms = rng.integers(-1, 14, (200, 12))
    terms[0], terms[1] = -1, [3, 3, 3, 5, 9, 9, 4, 100, -1, -1, 10, 0]
    weights = rng.standard_normal((3, 2))
    made = term_scores(terms, by_bucket(IDF), by_bucket(weights))
    assert np.allclose(made, matrix(*terms) @ weights, rtol=0, atol=1e-14)
    assert made[0].tolist() == [0, 0]
    alone = term_scores(terms[1:2], by_bucket(IDF), by_bucket(weights))
    assert alone.tolist() == made[1:2].tolist()


def test_scores_of_no_terms_are_nothing():
    none = np.empty((2, 0), dtype=np.int64)
    assert term_scores(none, by_bucket(IDF), np.ones((11, 2))).tolist() == [[0, 0], [0, 0]]


def test_lengths_are_standardised_and_only_three_are_read():
    made = dense_matrix(np.array([[7.0]]), np.array([[1.0, 2, 3, 4, 5]]), [1, 1, 1], [1, 0.5, 0])
    assert made.tolist() == [[7.0, 0.0, 0.5, 0.0]]


def policy(**more):
    values = {
        "fingerprint": "test",
        "buckets": (3, 5),
        "idf": (1.0, 1.0),
        "length_mean": (0.0, 0.0, 0.0),
        "length_scale": (1.0, 1.0, 1.0),
        "small_weights": (1.0, -1.0, 0.5, 0.0, 0.0, 0.1),
        "small_bias": 0.2,
        "large_weights": (0.0, 0.0, 0.0, 1.0, 0.0, 0.0),
        "large_bias": 1.0,
        **more,
    }
    return TextLogistic(**values)


def cases(make_case, n=1, seed=None):
    batch = make_case(axes=[(0.5, 0.5)] * n)
    if seed is None:
        blocks = {
            "terms": np.array([[3, -1]] * n, dtype=np.int32),
            "embedding": np.array([[2.0]] * n, dtype=np.float32),
            "lengths": np.array([[0.5, 0.25, 4.0, 9, 9]] * n, dtype=np.float32),
        }
    else:
        rng = np.random.default_rng(seed)
        blocks = {
            "terms": rng.integers(-1, 8, (n, 5)).astype(np.int32),
            "embedding": rng.normal(size=(n, 1)).astype(np.float32),
            "lengths": rng.random((n, 5)).astype(np.float32),
        }
    return replace(batch, features=blocks)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_probabilities_and_score_by_hand(make_case):
    # small: 1 * 1 (term 3) + .5 * 2 (embedding) + .1 * 4 (lines) + .2 = 2.6; large: .5 + 1
    got = policy()
    batch = cases(make_case)
    assert np.allclose(got.correct(batch), [[sigmoid(2.6), sigmoid(1.5)]], atol=1e-15)
    assert np.allclose(got.score(batch), sigmoid(1.5) - sigmoid(2.6), atol=1e-15)


def test_the_estimate_stands_in_the_columns_of_the_plain_arms(make_case):
    quality = policy().choose(cases(make_case)).quality[0]
    assert np.allclose(quality[[0, 2]], [sigmoid(2.6), sigmoid(1.5)])
    assert np.isnan(quality[[1, 3]]).all()


def test_a_row_is_the_same_alone_and_in_a_batch(make_case):
    batch = cases(make_case, 30, seed=4)
    got = policy(threshold=0.1)
    whole = got.choose(batch)
    assert 0 < (whole.arm == 2).sum() < 30
    for i in range(30):
        blocks = {name: block[i : i + 1] for name, block in batch.features.items()}
        one = got.choose(replace(cases(make_case), features=blocks))
        assert one.arm[0] == whole.arm[i]
        assert one.probability[0].tolist() == whole.probability[i].tolist()
        assert one.explain(0) == whole.explain(i)
        assert np.allclose(one.quality[0], whole.quality[i], atol=1e-14, equal_nan=True)


def test_more_padding_changes_nothing(make_case):
    batch = cases(make_case, 10, seed=5)
    wide = np.pad(batch.features["terms"], ((0, 0), (0, 7)), constant_values=-1)
    padded = replace(batch, features={**batch.features, "terms": wide})
    assert policy().score(padded).tolist() == policy().score(batch).tolist()


def test_the_blocks_of_another_featuriser_are_refused(make_case):
    with pytest.raises(PolicyError, match=r"features other.*these are test.*fit it again"):
        policy(fingerprint="other").choose(cases(make_case))


@pytest.mark.parametrize(
    "change",
    [{"idf": (1.0,)}, {"large_weights": (1.0,)}, {"length_mean": (0.0,)}, {"fingerprint": ""}],
)
def test_parts_that_do_not_fit_are_refused(change):
    with pytest.raises(ValueError, match=r"differ in length|[Ff]ield required|at least 1"):
        policy(**change)


def test_state_round_trip_keeps_every_bit(make_case):
    got = policy(small_weights=tuple(np.random.default_rng(0).normal(size=6).tolist()))
    again = Policy.from_state(got.to_state())
    assert again == got
    batch = cases(make_case, 8, seed=6)
    assert again.score(batch).tolist() == got.score(batch).tolist()
