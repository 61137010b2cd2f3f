"""A preset in a replay: never scored on the family that it was fitted on."""

from pathlib import Path

import numpy as np
import pytest

from eval.contenders import NotReplayable, enter
from eval.folds import folds_of
from eval.gate import trust_of
from eval.sources.labels import family_of
from policies import ConformalGate, PromptLength, VerifiabilityThreshold
from router.presets import write_preset

from .hand import learnable


@pytest.fixture
def made(tmp_path: Path):
    table = learnable()

    def play(**evidence):
        write_preset(tmp_path / "p.json", VerifiabilityThreshold(), evidence)
        return enter(str(tmp_path / "p.json"), table, folds_of(table, 5, None, 0), 0.5)

    return table, play


def test_fitted_on_the_same_benchmark_is_refused(made) -> None:
    table, play = made
    with pytest.raises(NotReplayable, match="scored on what it has seen"):
        play(fitted_on=100, benchmark=table.benchmarks[0])
    with pytest.raises(NotReplayable, match="scored on what it has seen"):
        play(fitted_on=100, benchmark=f"elsewhere+{table.benchmarks[0]}")


def test_fitted_elsewhere_says_where_and_on_how_much(made) -> None:
    _, play = made
    entry = play(fitted_on=100, benchmark="elsewhere")
    assert (entry.protocol, entry.labels) == ("preset from elsewhere", 100)


def test_a_threshold_alone_is_untrained(made) -> None:
    table, play = made
    entry = play(fitted_on=0, benchmark=table.benchmarks[0])
    assert (entry.protocol, entry.labels) == ("untrained", 0)


def test_a_preset_that_keeps_silent_is_refused(made) -> None:
    _, play = made
    with pytest.raises(NotReplayable, match="does not say what it was fitted on"):
        play()


def test_families_join_what_may_be_twins() -> None:
    assert family_of("mmlu") == family_of("mmlu_pro") == family_of("MMLU")
    assert family_of("gsm8k") == family_of("gsm8k_test") != family_of("mmlu")
    assert family_of("my own") == "my own"


def test_the_preset_is_the_policy(made, tmp_path: Path) -> None:
    table, _ = made
    folds = folds_of(table, 5, None, 0)
    theirs = enter("prompt-length", table, folds, 0.5)
    assert theirs.score is not None
    threshold = float(np.quantile(theirs.score, 0.8))
    write_preset(tmp_path / "q.json", PromptLength(threshold=threshold), {"fitted_on": 0})
    ours = enter(str(tmp_path / "q.json"), table, folds, 0.5)
    assert ours.score is not None and (ours.score == theirs.score).all()
    # It serves with its own threshold, whatever --share says.
    assert (ours.played.returned == (theirs.score >= threshold)).all()


def test_a_gate_replays_as_it_serves(tmp_path: Path) -> None:
    table = learnable()
    gate = ConformalGate(
        alpha=0.2, delta=0.1, tau=-0.5, calibrated=99, by="need", scorer=VerifiabilityThreshold()
    )
    evidence = {"fitted_on": 99, "benchmark": "elsewhere"}
    write_preset(tmp_path / "g.json", gate, evidence)
    entry = enter(str(tmp_path / "g.json"), table, folds_of(table, 5, None, 0), 0.5)
    kept = trust_of(gate, table) >= -0.5
    assert 0 < kept.sum() < len(table)
    assert (entry.played.returned == np.where(kept, 0, 1)).all()
