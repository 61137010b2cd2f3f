"""The fit of P(right): on rows whose truth is known, and on the stored answers."""

import numpy as np
import pytest

from eval.fit.calibrate import calibrate, fit_confidence, read_answers
from eval.fit.rescore import answer_files
from eval.metrics.calibration import auroc, ece
from eval.sources.shared import shared_data
from router.errors import SetupError
from router.verify.evidence import EVIDENCE


@pytest.fixture(scope="module")
def data():  # type: ignore[no-untyped-def]
    try:
        place = shared_data()
    except SetupError as error:
        pytest.skip(str(error))
    if not all(p.is_file() for p in answer_files(place)):
        pytest.skip("RouteLLM's GSM8K answers are not there")
    return place


def made(n: int, seed: int):  # type: ignore[no-untyped-def]
    """Rows of which the first column says P(right) by a known law."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, len(EVIDENCE))).astype(np.float32)
    p = 1 / (1 + np.exp(-2 * rows[:, 0] - 1))
    return rows, (rng.random(n) < p).astype(np.int64), p


def test_a_known_law_is_found() -> None:
    rows, truth, _ = made(4000, 0)
    fitted = fit_confidence(rows, truth, np.arange(4000))
    fresh, outcome, p = made(4000, 1)
    got = fitted.probability(fresh)
    assert ece(got, outcome) < 0.03
    assert auroc(got, outcome) > auroc(p, outcome) - 0.01
    assert np.abs(got - p).mean() < 0.05


def test_without_a_law_nothing_is_claimed() -> None:
    rows, _, _ = made(2000, 2)
    truth = np.random.default_rng(3).integers(0, 2, 2000)
    got = fit_confidence(rows, truth, np.arange(2000)).probability(made(2000, 4)[0])
    assert np.abs(got - truth.mean()).mean() < 0.06


@pytest.mark.slow
def test_stored_answers_are_read_whole(data) -> None:  # type: ignore[no-untyped-def]
    found = read_answers(data)
    assert found.rows.shape == (2638, len(EVIDENCE))
    assert len(np.unique(found.question)) == 1319
    assert found.published.sum() == 1972
    assert (found.published != found.corrected).sum() == 125


@pytest.mark.slow
def test_the_bar(data) -> None:  # type: ignore[no-untyped-def]
    done = calibrate(data, 2)
    best = {(s.label, s.part): s for s in done.scores}
    assert best["corrected", "all"].interval.low > 0.80
    assert best["published", "all"].auroc > 0.80
    assert best["corrected", "all"].ece < 0.03
