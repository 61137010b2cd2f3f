"""Presets: written whole, read back the same, refused with words where they do not fit."""

import json
from pathlib import Path

import numpy as np
import pytest

from policies import ConformalGate, CostCap, FittedArm, Knn, Policy, PolicyError, PromptLength
from policies.case import Arm, AttemptBlock, CaseBatch
from policies.packed import Packed
from router.config import load_settings, make_policy
from router.errors import ConfigError, SetupError
from router.presets import read_preset, write_preset


def case(fingerprint: str) -> CaseBatch:
    n, arms = 3, (Arm("small", "small"), Arm("large", "large"))
    full = np.ones((n, 2))
    return CaseBatch(
        arms=arms, features={"lengths": np.array([[1.0], [2.0], [3.0]])}, fingerprint=fingerprint,
        predicted_cost=full, worst_cost=full, predicted_seconds=full,
        available=full > 0, capable=full > 0,
        request_left=np.full(n, np.inf), tenant_left=np.full(n, np.inf),
        row_key=np.arange(n, dtype=np.uint64), attempts=AttemptBlock.empty(n),
    )  # fmt: skip


def test_a_preset_comes_back_as_the_policy_it_was(tmp_path: Path) -> None:
    policy = PromptLength(threshold=2.0, fingerprint="v2-x")
    write_preset(tmp_path / "deep" / "p.json", policy, {"n": 3})
    again = read_preset(tmp_path / "deep" / "p.json")
    assert again == policy
    assert json.loads((tmp_path / "deep" / "p.json").read_text())["evidence"] == {"n": 3}
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == ["p.json"]


@pytest.mark.parametrize("end", [float("inf"), float("-inf")])
def test_all_small_and_all_large_thresholds_survive(tmp_path: Path, end: float) -> None:
    write_preset(tmp_path / "p.json", PromptLength(threshold=end), {})
    again = read_preset(tmp_path / "p.json")
    assert isinstance(again, PromptLength) and again.threshold == end


def test_the_settings_take_a_preset_by_its_file(tmp_path: Path, clean_env: None) -> None:
    write_preset(tmp_path / "p.json", PromptLength(threshold=2.0), {})
    settings = load_settings(policy={"name": str(tmp_path / "p.json")})
    assert settings.make_policy() == PromptLength(threshold=2.0)
    with pytest.raises(ConfigError, match="policy.params"):
        make_policy(str(tmp_path / "p.json"), {"threshold": 1.0})


def test_a_preset_of_another_featuriser_is_refused() -> None:
    policy = PromptLength(threshold=2.0, fingerprint="v2-x")
    assert policy.choose(case("v2-x")).arm.tolist() == [0, 1, 1]
    with pytest.raises(PolicyError, match="set on features v2-x, these are v3-y"):
        policy.choose(case("v3-y"))
    assert PromptLength(threshold=2.0).choose(case("v3-y")).arm.tolist() == [0, 1, 1]


def test_a_gate_of_another_featuriser_is_refused_by_what_it_wraps(tmp_path: Path) -> None:
    scorer = PromptLength(fingerprint="v2-x")
    gate = ConformalGate(alpha=0.2, delta=0.1, tau=-2.0, calibrated=9, by="need", scorer=scorer)
    write_preset(tmp_path / "g.json", gate, {})
    again = read_preset(tmp_path / "g.json")
    assert again == gate
    assert again.choose(case("v2-x")).arm.tolist() == [0, 0, 1]
    with pytest.raises(PolicyError, match="set on features v2-x, these are v3-y"):
        again.choose(case("v3-y"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "is no preset"),
        ("[]", "is no preset"),
        ("{}", "is no preset"),
        ('{"preset": 9, "policy": {}}', "format 9"),
        ('{"preset": 1, "policy": {"name": "nope", "version": "1"}}', "unknown policy 'nope'"),
        (
            '{"preset": 1, "policy": {"name": "prompt-length", "version": "0", "params": {}}}',
            "version",
        ),
        (
            '{"preset": 1, "policy": '
            '{"name": "prompt-length", "version": "1", "params": {"x": 1}}}',
            "x: Extra inputs",
        ),
    ],
)
def test_a_damaged_preset_names_its_file(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        read_preset(file)
    assert "bad.json" in str(caught.value)


def test_a_missing_preset_and_a_bad_name_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.json cannot be read"):
        make_policy(str(tmp_path / "gone.json"))
    with pytest.raises(ConfigError, match=r"ends in \.json"):
        write_preset(tmp_path / "p.yaml", PromptLength(), {})


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot be written"):
        write_preset(tmp_path / "file" / "p.json", PromptLength(), {})


@pytest.mark.parametrize("wrapped", [False, True])
def test_training_rows_are_no_preset(tmp_path: Path, wrapped: bool) -> None:
    packed = {"table": Packed.of([[1.0, 0.0]]), "table_score": Packed.of([[0.0, 1.0]])}
    arms = (FittedArm(name="s", tier="small"), FittedArm(name="l", tier="large"))
    policy: Policy = Knn(arms=arms, fingerprint="f", k=1, **packed)
    if wrapped:
        policy = CostCap(cap=1.0, inner=policy)
    with pytest.raises(ConfigError, match="knn holds a row of every training query"):
        write_preset(tmp_path / "p.json", policy, {})
    assert not list(tmp_path.iterdir())
