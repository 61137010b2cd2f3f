"""The head: loading, refusing, and what it adds up to."""

import json
from pathlib import Path

import numpy as np
import pytest

from router.errors import SetupError
from router.signals.cues import CUES
from router.signals.head import HEAD_PATH, Head, load_head
from router.state import DOMAINS


def small_head(encoder: str = "toy-1") -> Head:
    """Random weights for a 4-wide encoder."""
    rng = np.random.default_rng(0)
    width = 4 + len(CUES)
    return Head(
        encoder,
        rng.normal(size=(2, width)).astype(np.float32),
        rng.normal(size=2).astype(np.float32),
        rng.normal(size=(5, width)).astype(np.float32),
        rng.normal(size=5).astype(np.float32),
        {"seed": 0},
    )


def test_outputs_are_probabilities() -> None:
    rows = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32) * 100
    out = small_head()(rows, np.ones((3, len(CUES)), dtype=np.float32))
    assert out.axes.shape == (3, 2) and out.domains.shape == (3, len(DOMAINS))
    assert ((out.axes >= 0) & (out.axes <= 1)).all()
    np.testing.assert_allclose(out.domains.sum(axis=1), 1, atol=1e-5)


def test_a_round_trip_changes_nothing(tmp_path: Path) -> None:
    head = small_head()
    head.save(tmp_path / "head.json")
    again = load_head(tmp_path / "head.json")
    assert again.fingerprint == head.fingerprint
    assert again.stamp == {"seed": 0}
    np.testing.assert_array_equal(again.axes_weights, head.axes_weights)


def test_other_weights_other_fingerprint() -> None:
    assert small_head("toy-1").fingerprint != small_head("toy-2").fingerprint


def test_another_encoder_is_refused_by_name() -> None:
    with pytest.raises(SetupError, match=r"toy-1.*signals\.encoder.*toy-2"):
        small_head("toy-1").check_encoder("toy-2")


@pytest.mark.parametrize("damage", ["missing", "garbage", "cues", "format", "nan"])
def test_a_bad_file_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "head.json"
    small_head().save(path)
    body = json.loads(path.read_text())
    if damage == "cues":
        body["cues"] = body["cues"][1:]
    if damage == "format":
        body["format"] = 99
    if damage == "nan":
        body["axes"]["verifiability"]["bias"] = float("nan")
    path.write_text("{" if damage == "garbage" else json.dumps(body))
    if damage == "missing":
        path.unlink()
    with pytest.raises(SetupError, match=r"head\.json"):
        load_head(path)


def test_the_shipped_head_is_small_and_stamped() -> None:
    assert HEAD_PATH.stat().st_size < 1_000_000
    stamp = load_head().stamp
    assert {"seed", "data", "n", "scores", "strength"} <= set(stamp)
    assert stamp["n"]["contrastive"] >= 200


@pytest.mark.parametrize("axis", ["verifiability", "knowledge_demand"])
def test_the_shipped_scores_are_decent(axis: str) -> None:
    scores = load_head().stamp["scores"]
    assert scores[f"families/{axis}"]["value"] > 0.9
    assert scores[f"written/{axis}"]["value"] > 0.9
