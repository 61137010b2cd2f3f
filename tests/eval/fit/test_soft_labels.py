"""Fractional scores as weighted rows of two classes, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from eval.fit.ladder import fit_logprob_cascade
from eval.fit.soft_labels import constant_log_odds, soft_labels

from ..hand import table_by_hand  # noqa: TID252  tests are no package


def test_a_fraction_is_a_row_of_each_class() -> None:
    made = soft_labels(np.array([1.0, 0.25, 0.0, 0.75]))
    assert made.row.tolist() == [0, 1, 2, 3, 1, 3]
    assert made.label.tolist() == [1, 0, 0, 1, 1, 0]
    assert made.weight.tolist() == [1, 0.75, 1, 0.75, 0.25, 0.25]
    assert not made.one_class
    assert soft_labels(np.ones(3)).one_class and not soft_labels(np.array([0.5])).one_class


def test_all_right_is_no_certainty() -> None:
    assert constant_log_odds(np.ones(3)) == pytest.approx(np.log(4.0))
    assert constant_log_odds(np.array([0.5, 0.5])) == 0.0


def test_log_probabilities_are_weighed_by_fractions_too() -> None:
    """All scores below one half, so that rounded there would be nothing to learn."""
    logprob = np.linspace(-1.0, 0.0, 40)
    small = 0.1 + 0.3 * (logprob > -0.5)
    nothing = np.full(40, np.nan)
    table = replace(
        table_by_hand(small.tolist(), [1.0] * 40), logprob=np.stack([logprob, nothing], 1)
    )
    (w1, _, _), last = fit_logprob_cascade(table).weights
    assert 0 < w1 != 1.0
    assert last == (1.0, 0.0, 0.0)
