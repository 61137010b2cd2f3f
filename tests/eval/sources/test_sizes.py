"""Parameter counts: plausible, and unknown where nothing is published."""

import pytest

from eval.sources.sizes import SIZES, size_of


def test_an_unlisted_model_has_no_size() -> None:
    assert size_of("gpt-4-1106-preview") == (None, None)


def test_a_mixture_has_both_counts_and_a_dense_model_one() -> None:
    assert size_of("Mixtral-8x7B-Instruct-v0.1") == (46.7, 12.9)
    assert size_of("Llama-2-7b-hf") == (6.74, None)


@pytest.mark.parametrize("model", SIZES)
def test_active_parameters_are_fewer_than_all(model: str) -> None:
    total, active = SIZES[model]
    assert 1 < total < 500
    assert active is None or active < total
