"""The kernel's and the form's logistic models: every number by hand."""

from dataclasses import replace

import numpy as np
import pytest

from policies import FormLogistic, KernelLogistic, PolicyError
from policies.form_logistic import counts_matrix
from policies.kernel_logistic import form_matrix, kernel_matrix
from policies.policy import Policy
from policies.utility import FittedArm

ARMS = (FittedArm(name="s", tier="small"), FittedArm(name="l", tier="large"))


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x)))


def kernel(**more):
    return KernelLogistic(**{
        "arms": ARMS, "fingerprint": "test", "buckets": (3,), "idf": (1.0,),
        "term_weights": ((0.5,), (0.0,)),
        "embedding_centres": ((1.0, 0.0), (0.0, 1.0)), "embedding_width": 0.5,
        "embedding_weights": ((2.0, -1.0), (0.0, 1.0)),
        "form_mean": (1.0, 0.0, 0.0, 0.0), "form_scale": ((2.0, 0.0, 0.0, 1.0), (1.0, 1, 1, 0.3)),
        "form_centres": ((2.0, 0.0, 0.0, 0.0),), "form_width": 4.0,
        "form_weights": ((1.0,), (3.0,)),
        "bias": (0.1, -0.2), **more,
    })  # fmt: skip


def form(**more):
    return FormLogistic(**{
        "arms": ARMS, "fingerprint": "test", "cue_columns": (1,), "mean": (1.0, 0.0, 0.0, 0.5),
        "scale": (2.0, 0.0, 0.0, 10.0), "weights": ((-1.0, 9.0, 9.0, 0.5), (0.0, 0.0, 0.0, 0.2)),
        "bias": (0.3, 1.0), **more,
    })  # fmt: skip


def case(make_case, n=1):
    blocks = {
        "terms": np.array([[3, 7]] * n, dtype=np.int32),
        "embedding": np.array([[1.0, 0.0]] * n, dtype=np.float32),
        "lengths": np.array([[2.0, 5.0, 5.0, 9.0, 9.0]] * n, dtype=np.float32),
        "cues": np.array([[1.0, 0.25]] * n, dtype=np.float32),
    }
    return replace(make_case(axes=[(0.5, 0.5)] * n), features=blocks)


def test_kernel_and_form_matrices_by_hand():
    made = kernel_matrix(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]), 0.5)
    assert made == pytest.approx(np.array([[1.0, np.exp(-2 / 0.5)]]))
    scale = np.array([[1.0, 0.0, 1.0, 10.0], [1.0, 1.0, 1.0, 0.3]])
    got = form_matrix(np.array([[2.0, 5, -9]]), np.array([[1.0]]), np.zeros(4), scale)
    # A constant is nothing; what lies far off is cut at 3, before its weight.
    assert got.tolist() == [[2.0, 0.0, -3.0, pytest.approx(0.9)]]


def test_probabilities_of_the_kernel_by_hand(make_case):
    one_cue = {"cues": np.array([[0.0]], dtype=np.float32)}
    batch = case(make_case)
    batch = replace(batch, features={**batch.features, **one_cue})
    far = np.exp(-4.0)
    z = [0.5 + 2 - far + 1 + 0.1, far + 3 - 0.2]
    assert kernel().predict(batch)[0] == pytest.approx(sigmoid(z), abs=1e-9)
    assert kernel().score(batch)[0] == pytest.approx(sigmoid(z)[1] - sigmoid(z)[0], abs=1e-9)


def test_probabilities_of_the_form_by_hand(make_case):
    # Length (2 - 1) * 2 = 2; the cue (.25 - .5) * 10 = -2.5; constants are nothing.
    z = [-2 + 0.5 * -2.5 + 0.3, 0.2 * -2.5 + 1.0]
    assert form().predict(case(make_case))[0] == pytest.approx(sigmoid(z), abs=1e-9)


def test_a_missing_cue_is_an_error_that_names_it():
    with pytest.raises(PolicyError, match="column 5 of the block cues, which has 2"):
        counts_matrix(np.zeros((1, 3)), np.zeros((1, 2)), (5,))


@pytest.mark.parametrize("made", [kernel(), form()])
def test_state_comes_back_and_other_features_are_refused(make_case, made):
    assert Policy.from_state(made.to_state()) == made
    with pytest.raises(PolicyError, match="fit it again"):
        made.model_copy(update={"fingerprint": "other"}).choose(case(make_case))


@pytest.mark.parametrize(
    "change", [{"idf": ()}, {"bias": (0.0,)}, {"term_weights": ((1.0,),)},
               {"form_weights": ((1.0, 2.0), (1.0, 2.0))}],
)  # fmt: skip
def test_parts_of_a_kernel_that_do_not_fit_are_refused(change):
    with pytest.raises(ValueError, match="entries, expected"):
        kernel(**change)


def test_parts_of_a_form_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="mean has 1 entries, expected 4"):
        form(mean=(1.0,))
