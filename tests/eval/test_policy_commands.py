"""`ockham policy tune | promote` on a small stored set: files, exit codes, messages."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from eval.policy_commands import app
from policies.outcome import OutcomeSet
from router.errors import InputError, OckhamError
from router.outcomes import write_outcomes
from router.presets import read_preset

N = 120


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Long prompts need the large arm: prompt length knows all. Embedded once a module."""
    tmp_path = tmp_path_factory.mktemp("policy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OCKHAM_DATA_DIR", str(tmp_path / "data"))
        yield _store(tmp_path)


def _store(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    words = rng.integers(1, 30, N)
    asked = pl.DataFrame(
        {
            "source": "made",
            "benchmark": "sums",
            "query_id": [str(i) for i in range(N)],
            "query": [f"Question {i}: " + "add one " * int(w) for i, w in enumerate(words)],
        }
    )
    arms = {"tiny": (words < 15).astype(float), "huge": np.ones(N)}
    rows = [
        asked.select("source", "benchmark", "query_id").with_columns(
            arm=pl.lit(arm), status=pl.lit("ok"), score=pl.Series(score),
            cost_usd=pl.lit(0.0001 if arm == "tiny" else 0.01), cost_basis=pl.lit("billed"),
        )
        for arm, score in arms.items()
    ]  # fmt: skip
    data = OutcomeSet(pl.concat(rows), asked, {"name": "made", "pairs": [["tiny", "huge"]]})
    return write_outcomes(data, tmp_path / "made")


def run(*args: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(args))
    if isinstance(done.exception, OckhamError):
        raise done.exception
    return done.exit_code, done.stdout


def test_tune_writes_a_preset_that_serves(stored: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.json"
    code, text = run(
        "tune", "--source", str(stored), "--benchmark", "sums", "--policy", "prompt-length",
        "--budget", "5", "--out", str(out), "--json",
    )  # fmt: skip
    assert code == 0
    facts = json.loads(text.splitlines()[-1])
    assert facts["policy"] == "prompt-length" and facts["budget"] == 5
    assert facts["questions"] == N and facts["threshold_chosen_on"] in (24, 25)
    policy = read_preset(out)
    assert policy.name == "prompt-length"
    assert policy.to_state()["params"]["fingerprint"].startswith("v4-")


def test_an_aim_out_of_reach_is_said_and_not_written(stored: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.json"
    code, text = run(
        "tune", "--source", str(stored), "--benchmark", "sums", "--policy", "prompt-length",
        "--budget", "0.01", "--out", str(out),
    )  # fmt: skip
    assert code == 1 and not out.exists()
    assert "No threshold reaches USD 0.01" in text
    assert "error " in text


def test_promotion_fails_with_exit_1_and_writes_nothing(stored: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.json"
    code, text = run(
        "promote", "--source", str(stored), "--benchmark", "sums",
        "--policy", "prompt-length", "--out", str(out),
    )  # fmt: skip
    # Prompt length cannot beat prompt length.
    assert code == 1 and not out.exists()
    assert "not promoted: nothing was written" in text
    assert "NOT beaten" in text


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--benchmark", "nope", "--budget", "1"), "no benchmark 'nope'"),
        (("--benchmark", "sums", "--budget", "1", "--pair", "a::b"), "no arm 'a'"),
        (("--benchmark", "sums", "--budget", "1", "--pair", "tiny"), "small::large"),
        (("--benchmark", "sums"), "one of the two"),
        (("--benchmark", "sums", "--budget", "1", "--labels", "999"), "--labels 999"),
    ],
)
def test_bad_input_names_the_option(stored: Path, args: tuple[str, ...], message: str) -> None:
    with pytest.raises((InputError, OckhamError, ValueError), match=message):
        done = CliRunner().invoke(app, ["tune", "--source", str(stored), *args])
        if done.exception is not None:
            raise done.exception


@pytest.mark.parametrize(
    "args", [("tune", "--budget", "5"), ("promote",), ("gate", "--alpha", "0.3")]
)
def test_a_name_that_no_preset_can_have_is_refused_before_the_work(
    stored: Path, tmp_path: Path, args: tuple[str, ...]
) -> None:
    """A promotion that failed would else say nothing of it until one passes."""
    out = tmp_path / "p.yaml"
    with pytest.raises(OckhamError, match=r"--out .*p.yaml: the file's name ends in .json"):
        run(
            *args, "--source", str(stored), "--benchmark", "nowhere", "--out", str(out),
        )  # fmt: skip
