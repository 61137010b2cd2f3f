"""The fits: right on separable rows, calibrated by Platt."""

import numpy as np
import pytest

from eval.fit.linear import fit_linear, platt
from eval.metrics.calibration import auroc

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 2, 400)
ROWS = RNG.normal(size=(400, 3)) + LABELS[:, None] * 2.0
ONES = np.ones(400)


def test_a_fit_separates() -> None:
    fit = fit_linear(ROWS, list(LABELS), ONES, c=1.0)
    assert fit.weights.shape == (1, 3)
    assert auroc(fit.raw(ROWS)[:, 0], LABELS) > 0.97


def test_weights_count() -> None:
    heavy = np.where(LABELS == 1, 100.0, 1.0)
    plain, weighted = (fit_linear(ROWS, list(LABELS), w, c=1.0) for w in (ONES, heavy))
    assert weighted.raw(ROWS).mean() > plain.raw(ROWS).mean()


def test_platt_undoes_overconfidence() -> None:
    logits = RNG.normal(size=4000)
    truth = (RNG.random(4000) < 1 / (1 + np.exp(-logits))).astype(int)
    scale, shift = platt(logits * 5 + 1, list(truth), np.ones(4000))
    assert scale == pytest.approx(0.2, abs=0.03) and shift == pytest.approx(-0.2, abs=0.15)
