"""The replay bench measures what it says: real decisions, real memory. No time is asserted."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from eval.bench.replay import _CHILD, decide, made_up
from eval.play import play
from policies.threshold import VerifiabilityThreshold


def test_the_made_up_table_can_be_played() -> None:
    table = made_up(1000)
    table = replace(table, benchmarks=("",) * 1000, query_id=("",) * 1000)
    played = play(VerifiabilityThreshold(threshold=0.5), table, np.array([1e-4, 4e-3]))
    assert table.features is not None
    large = 1 - table.features.blocks["axes"][:, 0].astype(np.float64) >= 0.5
    assert (played.returned == large).all()
    assert played.cost.sum() == np.where(large, 4e-3, 1e-4).sum()


def test_blocks_give_what_one_piece_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    table = replace(made_up(1000), benchmarks=("",) * 1000, query_id=("",) * 1000)
    policy, cost = VerifiabilityThreshold(threshold=0.3), np.array([1e-4, 4e-3])
    whole = play(policy, table, cost)
    monkeypatch.setattr("eval.play.BLOCK", 170)
    parts = play(policy, table, cost)
    for name in ("tried", "returned", "score", "cost"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def test_decide_reports_both_sides() -> None:
    made = decide(2000, 2)
    assert made.rows == 2000 and made.policy_s > 0 and made.bare_s > 0


def test_each_size_runs_in_its_own_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, "2000", "1"], check=True, capture_output=True, text=True
    )
    played, before, peak = json.loads(done.stdout)
    assert played > 0 and 20 < before <= peak
