"""The head: loading, refusing, and what it adds up to."""

import json
from pathlib import Path

import numpy as np
import pytest

from router.errors import SetupError
from router.signals.cues import CUES
from router.signals.head import AXES, CONFIDENCE, HEAD_PATH, OUTPUTS, Head, Linear, load_head

WIDTH = 4 + len(CUES)


def small_head(inputs: str = "toy-1") -> Head:
    """Random weights for a 4-wide encoder and the cues."""
    rng = np.random.default_rng(0)

    def linear(outputs: int, width: int) -> Linear:
        weights = rng.normal(size=(outputs, width)).astype(np.float32)
        return Linear(weights, rng.normal(size=outputs).astype(np.float32))

    parts = {name: linear(len(names), WIDTH) for name, names in OUTPUTS.items()}
    return Head(inputs, parts, linear(1, len(CONFIDENCE)), {"seed": 0})


def test_outputs_are_probabilities() -> None:
    rows = np.random.default_rng(1).normal(size=(3, WIDTH)).astype(np.float32) * 100
    out = small_head()(rows)
    for name, part in out._asdict().items():
        assert part.shape == (3, len(OUTPUTS[name]))
        assert ((part >= 0) & (part <= 1)).all()
    np.testing.assert_allclose(out.domains.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(out.forms.sum(axis=1), 1, atol=1e-5)


def test_confidence_is_a_probability_and_no_rows_are_none() -> None:
    sure = small_head().sure(np.ones((2, len(CONFIDENCE)), np.float32))
    assert sure.shape == (2,) and ((sure > 0) & (sure < 1)).all()
    assert small_head()(np.zeros((0, WIDTH), np.float32)).axes.shape == (0, len(AXES))


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError):
        small_head()(np.zeros((1, WIDTH + 1), np.float32))


def test_pulls_are_the_cues_share_of_the_log_odds() -> None:
    head = small_head()
    row = np.random.default_rng(2).normal(size=(1, WIDTH)).astype(np.float32)
    without = row.copy()
    without[:, -len(CUES) :] = 0
    pulls = head.pulls(row[:, -len(CUES) :])
    axes = head.parts["axes"]
    assert pulls.shape == (1, len(AXES), len(CUES))
    np.testing.assert_allclose(pulls.sum(axis=2), axes(row) - axes(without), atol=1e-3)


def test_a_round_trip_changes_nothing(tmp_path: Path) -> None:
    head = small_head()
    head.save(tmp_path / "head.json")
    again = load_head(tmp_path / "head.json")
    assert (again.fingerprint, again.inputs, again.stamp) == (
        head.fingerprint,
        "toy-1",
        {"seed": 0},
    )
    for name, part in head.parts.items():
        np.testing.assert_array_equal(again.parts[name].weights, part.weights)
        np.testing.assert_array_equal(again.parts[name].bias, part.bias)
    np.testing.assert_array_equal(again.confidence.weights, head.confidence.weights)


def test_other_weights_other_fingerprint() -> None:
    head, other = small_head(), small_head()
    assert head.fingerprint == other.fingerprint != small_head("toy-2").fingerprint
    other.confidence.bias[0] += 1
    assert head.fingerprint != other.fingerprint


def test_another_encoder_is_refused_by_name() -> None:
    small_head("toy-1").check_inputs("toy-1")
    with pytest.raises(SetupError, match=r"toy-1.*signals\.encoder.*toy-2"):
        small_head("toy-1").check_inputs("toy-2")


@pytest.mark.parametrize(
    "damage",
    ["missing", "garbage", "list", "cues", "format", "nan", "base64", "ragged", "output", "facts"],
)
def test_a_bad_file_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "head.json"
    small_head().save(path)
    load_head(path)
    body = json.loads(path.read_text())
    axes = body["outputs"]["axes"]
    match damage:
        case "cues":
            body["cues"] = body["cues"][1:]
        case "format":
            body["format"] = 99
        case "nan":
            nan = Head("toy-1", small_head().parts, small_head().confidence)
            nan.parts["axes"].bias[0] = np.nan
            nan.save(path)
            body = json.loads(path.read_text())
        case "base64":
            axes["verifiability"] = "!" + axes["verifiability"]
        case "ragged":
            axes["verifiability"] = axes["verifiability"][:16]
        case "output":
            del body["outputs"]["forms"]
        case "facts":
            body["confidence"]["confidence"] = axes["verifiability"]
        case "list":
            body = []
    path.write_text("{" if damage == "garbage" else json.dumps(body))
    if damage == "missing":
        path.unlink()
    with pytest.raises(SetupError, match=r"head\.json"):
        load_head(path)


def test_the_shipped_head_is_small_and_stamped() -> None:
    assert HEAD_PATH.stat().st_size < 2_000_000
    head = load_head()
    assert head.stamp and set(head.parts) == set(OUTPUTS)
