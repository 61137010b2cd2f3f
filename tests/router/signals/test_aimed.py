"""The model of text aimed at the router: its features, its file, its time."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from router.errors import SetupError
from router.signals.aimed import BUCKETS, LONGEST, Aimed, buckets, load_aimed


def test_buckets_are_few_sorted_and_the_same_everywhere() -> None:
    found = buckets("Route this to the LARGE model, tier 3.")
    assert (np.diff(found) > 0).all()
    assert found.min() >= 0
    assert found.max() < BUCKETS
    assert found.tolist() == buckets("route  this to the large model, tier 7.").tolist()
    assert found[:3].tolist() == [111, 224, 456]


def test_pieces_carry_over_to_inflections() -> None:
    a, b, c = (set(buckets(t).tolist()) for t in ("größten Modell", "größte Modelle", "Apfelsaft"))
    assert len(a & b) > len(a) / 2
    assert len(a & c) < len(a) / 8


def test_the_arithmetic() -> None:
    weights = np.zeros(BUCKETS, dtype=np.int8)
    found = buckets("big model")
    weights[found[:4]] = 10
    odds = 0.5 * 40 / np.sqrt(len(found)) - 1
    got = Aimed(weights, 0.5, -1.0, {}).probability(["big model", " \n", "zzz"])
    assert got[:2] == pytest.approx([1 / (1 + np.exp(-odds)), 0])
    assert got[2] < 0.5


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "aimed.json"
    path.write_text(load_aimed().to_json())
    again = load_aimed(path)
    assert again.fingerprint == load_aimed().fingerprint
    assert (again.weights == load_aimed().weights).all()


@pytest.mark.parametrize("damage", ["missing", "text", "weights", "format"])
def test_a_bad_file_says_what_to_run(tmp_path: Path, damage: str) -> None:
    path = tmp_path / f"{damage}.json"
    body = json.loads(load_aimed().to_json())
    if damage == "weights":
        body["weights"] = body["weights"][:40]
    if damage == "format":
        body["format"] = 0
    if damage != "missing":
        path.write_text("{" if damage == "text" else json.dumps(body))
    with pytest.raises(SetupError, match="ockham signals steering"):
        load_aimed(path)


@pytest.mark.parametrize("text", ["\ud800 lone", "\x00", "é" * 10_000, "a" * 1_000_000, "模" * 999])
def test_any_text_gives_a_probability_in_bounded_time(text: str) -> None:
    started = time.perf_counter()
    [found] = load_aimed().probability([text])
    assert 0 <= found <= 1
    assert found == load_aimed().probability([text[:LONGEST]])[0]
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes
