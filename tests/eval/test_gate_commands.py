"""`ockham policy gate` on a small stored set: the preset, exit codes, what is printed."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from eval.gate_commands import tolerance
from policies import ConformalGate
from policies.outcome import OutcomeSet
from router.errors import InputError
from router.outcomes import write_outcomes
from router.presets import read_preset

from .test_policy_commands import run

N = 200
GATE = ("gate", "--benchmark", "sums", "--score", "prompt-length")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Long prompts need the large arm. Embedded once a module."""
    folder = tmp_path_factory.mktemp("gate")
    words = np.random.default_rng(0).integers(1, 30, N)
    asked = pl.DataFrame(
        {
            "source": "made", "benchmark": "sums", "query_id": [str(i) for i in range(N)],
            "query": [f"Question {i}: " + "add one " * int(w) for i, w in enumerate(words)],
        }
    )  # fmt: skip
    rows = [
        asked.select("source", "benchmark", "query_id").with_columns(
            arm=pl.lit(arm), status=pl.lit("ok"), score=pl.Series(score),
            cost_usd=pl.lit(0.001), cost_basis=pl.lit("billed"),
        )
        for arm, score in {"tiny": (words < 20).astype(float), "huge": np.ones(N)}.items()
    ]  # fmt: skip
    data = OutcomeSet(pl.concat(rows), asked, {"name": "made", "pairs": [["tiny", "huge"]]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OCKHAM_DATA_DIR", str(folder / "data"))
        yield write_outcomes(data, folder / "made")


def test_it_writes_a_preset_that_serves_and_says_both_bars(stored: Path, tmp_path: Path) -> None:
    out = tmp_path / "g.json"
    code, text = run(
        *GATE, "--source", str(stored), "--alpha", "0.2", "--splits", "20", "--out", str(out),
        "--json",
    )  # fmt: skip
    assert code == 0
    facts = json.loads(text.splitlines()[-1])
    assert facts["policy"] == "conformal-gate" and facts["by"] == "need"
    assert facts["scorer_fitted_on"] == 0 and facts["fitted_on"] == 41
    assert facts["calibration"]["limit"] <= 0.2
    assert facts["splits"]["n"] == 20 and facts["splits"]["binomial_tolerance"] == 4
    gate = read_preset(out)
    assert isinstance(gate, ConformalGate) and gate.scorer is not None
    assert gate.scorer.name == "prompt-length" and gate.scorer.fingerprint.startswith("v4-")


def test_it_prints_the_threshold_the_bound_and_hindsight(stored: Path) -> None:
    code, text = run(*GATE, "--source", str(stored), "--alpha", "0.3", "--splits", "5")
    assert code == 0
    for part in ("limit 0.", "kept share", "error among kept", "in hindsight", "5 random splits",
                 "2 by chance", "of hindsight"):  # fmt: skip
        assert part in text


def test_nothing_certified_exits_1_and_writes_nothing(stored: Path, tmp_path: Path) -> None:
    out = tmp_path / "g.json"
    args = ("--source", str(stored), "--alpha", "0.06", "--delta", "0.1", "--out", str(out))
    code, text = run(*GATE, *args)
    assert code == 1 and not out.exists()
    assert "everything goes to the large arm" in text
    assert "error among kept - (nothing is kept)" in text and "nan" not in text


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--alpha", "0.01"), "even without an error"),
        (("--alpha", "1.5"), "--alpha 1.5"),
        (("--alpha", "0.2", "--by", "quality"), "NaN on 200 of 200"),
        (("--alpha", "0.2", "--splits", "2", "--calibrate", "120"), "--calibrate 120"),
        (("--alpha", "0.2", "--score", "confidence"), "ran no check"),
    ],
)
def test_bad_input_names_the_option(stored: Path, args: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(*GATE, "--source", str(stored), *args)


def test_the_tolerance_is_the_binomials() -> None:
    assert tolerance(200, 0.1) == 27
    assert math.isclose(tolerance(20, 0.1), 4)
