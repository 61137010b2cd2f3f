"""Exemplars: nearest by cosine, kept in int8, refused where damaged."""

import json
from pathlib import Path

import numpy as np
import pytest

from router.errors import SetupError
from router.signals.exemplars import EXEMPLARS_PATH, Exemplars, load_exemplars

TEXTS = ("one", "two", "three " * 100)
LABELS = np.array([[0, 1], [1, np.nan], [np.nan, 0]], dtype=np.float32)


def some(encoder: str = "toy-1") -> Exemplars:
    return Exemplars.of(encoder, TEXTS, LABELS, np.eye(3, 8, dtype=np.float32) + 0.1)


def test_the_nearest_comes_first_with_its_labels() -> None:
    made = some()
    [first, second] = made.nearest(made.similarity(made.rows[1:2])[0], count=2)
    assert first.text == "two" and first.similarity == pytest.approx(1, abs=1e-5)
    assert (first.verifiability, first.knowledge_demand) == (1, None)
    assert second.similarity < first.similarity


def test_a_long_text_is_cut_and_a_short_table_gives_what_it_has() -> None:
    made = some()
    found = made.nearest(made.similarity(made.rows[2:])[0], count=9)
    assert len(found) == 3 and 0 < len(found[0].text) < len(TEXTS[2])


def test_a_round_trip_changes_nothing(tmp_path: Path) -> None:
    made, path = some(), tmp_path / "exemplars.json"
    made.save(path)
    again = load_exemplars(path)
    assert (again.texts, again.encoder, again.fingerprint) == (TEXTS, "toy-1", made.fingerprint)
    np.testing.assert_array_equal(again.labels, LABELS)
    np.testing.assert_allclose(again.rows, made.rows, atol=1e-6)


def test_rows_are_rounded_a_little_and_of_length_one() -> None:
    raw = np.random.default_rng(0).normal(size=(5, 384)).astype(np.float32)
    rows = Exemplars.of("toy", "abcde", np.zeros((5, 2), np.float32), raw).rows
    cosine = (rows * raw).sum(axis=1) / np.linalg.norm(raw, axis=1)
    assert cosine.min() > 0.999
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_whatever_changes_changes_the_fingerprint() -> None:
    made = some()
    flipped = LABELS.copy()
    flipped[0, 0] = 1
    others = [some("toy-2"), Exemplars("toy-1", ("x", *TEXTS[1:]), LABELS, made.rows),
              Exemplars("toy-1", TEXTS, flipped, made.rows),
              Exemplars("toy-1", TEXTS, LABELS, made.rows[::-1])]  # fmt: skip
    assert some().fingerprint == made.fingerprint
    assert len({made.fingerprint, *(o.fingerprint for o in others)}) == 5


@pytest.mark.parametrize("damage", ["missing", "garbage", "format", "rows", "labels", "dim"])
def test_a_bad_file_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "exemplars.json"
    some().save(path)
    body = json.loads(path.read_text())
    match damage:
        case "format":
            body["format"] = 99
        case "rows":
            body["rows"] = body["rows"][:8]
        case "labels":
            body["prompts"][0] = ["x", 1]
        case "dim":
            del body["dim"]
    path.write_text("{" if damage == "garbage" else json.dumps(body))
    if damage == "missing":
        path.unlink()
    with pytest.raises(SetupError, match=r"exemplars\.json"):
        load_exemplars(path)


def test_the_shipped_exemplars_load() -> None:
    shipped = load_exemplars()
    assert EXEMPLARS_PATH.stat().st_size < 2_000_000
    assert len(shipped.texts) == len(shipped.rows) == len(shipped.labels) >= 100
    assert set(np.unique(shipped.labels[~np.isnan(shipped.labels)])) <= {0, 1}
