"""The learned baseline's fit: against scikit-learn's own TF-IDF, on labels of every kind."""

import numpy as np
import pytest

from eval.features import Features
from eval.fit.text_logistic import LENGTH_SPREAD, C, fit_text_logistic
from eval.table import case_of
from policies.text_logistic import term_matrix

from ..hand import features_by_hand, learnable  # noqa: TID252  no package


def blocks_of(terms) -> Features:
    n = len(terms)
    made = features_by_hand(n)
    return Features({**made.blocks, "terms": np.array(terms, dtype=np.int32)}, made.known, "hand")


LABELS = np.array([0.0, 1.0, 1.0, 0.0])


def test_tf_idf_is_scikit_learns():
    from sklearn.feature_extraction.text import TfidfTransformer

    terms = np.array([[1, 2, 2, -1], [2, 3, 1, 1], [4, 2, -1, -1], [1, 1, 1, 3]])
    made = fit_text_logistic(blocks_of(terms), LABELS, LABELS)
    # Term 4 stands in one row only.
    assert made.buckets == (1, 2, 3)
    counts = np.array([[(row == b).sum() for b in made.buckets] for row in terms])
    theirs = TfidfTransformer(sublinear_tf=True, smooth_idf=True).fit(counts)
    assert np.allclose(made.idf, theirs.idf_, rtol=0, atol=1e-12)
    ours = term_matrix(terms, np.array(made.buckets), np.array(made.idf)).toarray()
    assert np.allclose(ours, theirs.transform(counts).toarray(), rtol=0, atol=1e-12)


def test_lengths_are_standardised_to_the_spread_and_a_constant_is_nothing():
    features = blocks_of([[1]] * 4)
    features.blocks["lengths"][:, :3] = [[0, 5, 1], [2, 5, 1], [4, 5, 1], [6, 5, 9]]
    made = fit_text_logistic(features, LABELS, LABELS)
    assert made.length_mean == pytest.approx((3, 5, 3))
    assert made.length_scale[0] == pytest.approx(LENGTH_SPREAD / np.sqrt(5))
    assert made.length_scale[1] == 0


def test_a_fraction_is_both_classes_by_weight():
    features = blocks_of([[1, 2], [2, 3], [1, 3], [3, 1]] * 3)
    y = np.array([0.25, 1.0, 0.5, 0.0] * 3)
    made = fit_text_logistic(features, y, y)
    twice = np.repeat(np.arange(12), 4)
    hard = (np.arange(48) % 4 < np.repeat(np.round(y * 4), 4)).astype(float)
    # Four copies a row at a quarter of the weight: the same optimum.
    from sklearn.linear_model import LogisticRegression

    def design(policy):
        own = features.blocks["lengths"][:, :3].astype(float)
        own = (own - policy.length_mean) * policy.length_scale
        tfidf = term_matrix(
            features.blocks["terms"], np.array(policy.buckets), np.array(policy.idf)
        )
        return np.hstack([tfidf.toarray(), features.blocks["embedding"].astype(float), own])

    model = LogisticRegression(C=C, solver="liblinear", random_state=0, tol=1e-8)
    model.fit(design(made)[twice], hard, sample_weight=np.full(48, 0.25))
    assert np.allclose(made.small_weights, model.coef_[0], atol=2e-3)
    assert made.small_bias == pytest.approx(model.intercept_[0], abs=2e-3)


@pytest.mark.parametrize(("value", "rate"), [(1.0, 9 / 10), (0.0, 1 / 10)])
def test_all_right_or_all_wrong_is_a_constant_rate(value, rate):
    table = learnable(8)
    made = fit_text_logistic(table.features, np.full(8, value), table.score[:, 1])
    assert made.small_weights == (0.0,) * len(made.small_weights)
    p = made.correct(case_of(table, np.array([1.0, 2.0])))[:, 0]
    assert np.allclose(p, rate)


def test_it_learns_what_can_be_learnt_and_orders_unseen_rows():
    table = learnable(300, seed=1)
    train, test = table.take(np.arange(200)), table.take(np.arange(200, 300))
    made = fit_text_logistic(train.features, train.score[:, 0], train.score[:, 1])
    p = made.correct(case_of(test, np.array([1.0, 2.0])))[:, 0]
    right = test.score[:, 0] == 1
    ranks = (p[right][:, None] > p[~right][None, :]).mean()
    assert ranks > 0.8


def test_the_same_rows_give_the_same_bits():
    table = learnable(50)
    a, b = (fit_text_logistic(table.features, *table.score.T) for _ in range(2))
    assert a == b
    assert a.fingerprint == "hand"


def test_texts_without_words_can_be_fitted():
    made = fit_text_logistic(blocks_of([[-1], [-1], [-1], [-1]]), LABELS, LABELS)
    assert made.buckets == ()
    assert len(made.small_weights) == 4 + 3
