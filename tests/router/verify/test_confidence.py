"""From evidence to P(right): the arithmetic of the map, and the file."""

import json
from pathlib import Path

import numpy as np
import pytest

from router.errors import SetupError
from router.verify.confidence import MATH_CONFIDENCE, Confidence, load_confidence
from router.verify.evidence import EVIDENCE

MAP = Confidence(
    columns=("a", "b"),
    centre=np.array([1.0, 0.0]),
    spread=np.array([2.0, 1.0]),
    weights=np.array([1.0, -1.0]),
    bias=0.5,
    knots=np.array([-1.0, 0.0, 2.0]),
    levels=np.array([0.1, 0.4, 0.9]),
    stamp={"n": 3},
)


def test_the_arithmetic() -> None:
    rows = [[3.0, 0.5], [1.0, 0.5], [1.0, 9.0], [99.0, 0.0]]
    assert MAP.log_odds(rows).tolist() == [1.0, 0.0, -8.5, 49.5]
    assert MAP.probability(rows) == pytest.approx([0.65, 0.4, 0.1, 0.9])


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    MAP.save(path)
    found = load_confidence(path, ("a", "b"))
    assert found.stamp == {"n": 3}
    assert found.probability([[3.0, 0.5]]) == pytest.approx(MAP.probability([[3.0, 0.5]]))


@pytest.mark.parametrize("damage", ["missing", "text", "columns", "format", "field"])
def test_a_bad_file_says_what_to_run(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "c.json"
    MAP.save(path)
    body = json.loads(path.read_text())
    if damage == "columns":
        body["columns"] = ["a", "c"]
    if damage == "format":
        body["format"] = 0
    if damage == "field":
        del body["levels"]
    path.write_text("{" if damage == "text" else json.dumps(body))
    if damage == "missing":
        path.unlink()
    with pytest.raises(SetupError, match="ockham verify calibrate"):
        load_confidence(path, ("a", "b"))


def test_the_packaged_map_is_monotone_and_never_certain() -> None:
    shipped = load_confidence(MATH_CONFIDENCE, EVIDENCE)
    assert (np.diff(shipped.knots) > 0).all()
    assert (np.diff(shipped.levels) >= 0).all()
    assert 0 < shipped.levels[0] < 0.2
    assert 0.9 < shipped.levels[-1] < 1
