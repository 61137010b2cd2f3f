"""Stored answers get the verdicts of a live run; no gold and no label leaks into them."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from eval.fit.checked import checked, corrected
from eval.sources.verify_command import verify
from eval.table import table_of
from policies.outcome import OutcomeSet
from router.errors import InputError
from router.outcomes import read_outcomes, write_outcomes
from router.verify.confidence import MATH_CONFIDENCE
from router.verify.math import check_math

APP = typer.Typer()
APP.command()(verify)
QUESTION = "A pen costs $5. How much do 4 pens cost in total?"
RIGHT = "4 * 5 = 20.\n#### 20"
WRONG = "4 * 5 = 25.\n#### 25"


def stored(**about: Any) -> OutcomeSet:
    rows = [
        {"source": "hand", "benchmark": "gsm8k", "domain": "math", "query_id": f"gsm8k_test:{i}",
         "arm": arm, "status": "ok", "score": float(mark), "answer": answer}
        for i, (arm, mark, answer) in enumerate(
            [("s", 1, RIGHT), ("s", 0, WRONG), ("s", 0, "#### $20.00")]
        )
        for arm, mark, answer in [(arm, mark, answer), ("l", 1, RIGHT)]
    ]  # fmt: skip
    asked = {"source": "hand", "benchmark": "gsm8k", "query": QUESTION}
    queries = pl.DataFrame([{**asked, "query_id": f"gsm8k_test:{i}"} for i in range(3)])
    return OutcomeSet(pl.DataFrame(rows), queries, {"name": "hand", **about})


def quiet(done: int, of: int) -> None:
    """No progress."""


def test_verdicts_are_those_of_the_run_time_check() -> None:
    made = checked(stored(), "gsm8k", ["s"], quiet)
    small = made.outcomes.filter(pl.col("arm") == "s").sort("query_id")
    assert small["verdict"].to_list() == ["passed", "failed", "unknown"]
    live = check_math(QUESTION, WRONG)
    assert small["verdict_confidence"][1] == live.confidence
    assert {m["name"]: m["value"] for m in small["verdict_measured"][1]} == dict(live.measured)
    assert live.measured["wrong_steps"] == 1
    # The other arm was not asked for, and nothing else moved.
    assert made.outcomes.filter(pl.col("arm") == "l")["verdict"].null_count() == 3
    assert made.outcomes["score"].to_list() == stored().outcomes["score"].to_list()


def test_measures_reach_the_table_and_are_nan_where_there_are_none() -> None:
    table = table_of(checked(stored(), "gsm8k", ["s"], quiet), "s", "l")
    wrong = table.measured["wrong_steps"]
    assert wrong[:, 0].tolist() == [0, 1, 0] and wrong[:, 1].tolist() != wrong[:, 0].tolist()
    assert [str(x) for x in wrong[:, 1]] == ["nan"] * 3
    assert table.take([2, 1]).measured["wrong_steps"][:, 0].tolist() == [0, 1]
    assert table.span(1, 2).measured["wrong_steps"][:, 0].tolist() == [1]
    assert table.checked


def test_a_confidence_that_has_seen_these_labels_is_left_out() -> None:
    (name, digits), *_ = json.loads(MATH_CONFIDENCE.read_text())["stamp"]["data"].items()
    made = checked(stored(checksums={f"gsm8k/{name}": digits + "0" * 48}), "gsm8k", None, quiet)
    assert made.outcomes["verdict_confidence"].null_count() == 6
    assert made.outcomes["verdict"].null_count() == 0
    assert any("fitted on gsm8k/" in note for note in made.about["notes"])
    other = checked(stored(checksums={f"gsm8k/{name}": "0" * 64}), "gsm8k", None, quiet)
    assert other.outcomes["verdict_confidence"].null_count() < 6


def golds(folder: Path) -> Path:
    path = folder / "golds.jsonl"
    lines = [{"id": f"gsm8k_test:{i}", "question": QUESTION, "answer": "20"} for i in range(3)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_corrected_scores_are_ours_where_the_source_misread(tmp_path: Path) -> None:
    made = corrected(checked(stored(), "gsm8k", None, quiet), golds(tmp_path), quiet)
    small = made.outcomes.filter(pl.col("arm") == "s").sort("query_id")
    assert small["score"].to_list() == [1, 0, 1]  # `$20.00` was read as 00
    assert small["verdict"].to_list() == ["passed", "failed", "unknown"]
    assert made.about["notes"][-1].endswith("1 of 6 marks changed.")


def test_what_cannot_be_checked_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--arm x: there are: s, l"):
        checked(stored(), "gsm8k", ["x"], quiet)
    texts = stored().outcomes.with_columns(answer=pl.lit(None, pl.String))
    with pytest.raises(InputError, match="gsm8k_test:0, s has no stored question or answer"):
        checked(OutcomeSet(texts, stored().queries, {}), "gsm8k", None, quiet)
    code = stored().outcomes.with_columns(domain=pl.lit("code"))
    with pytest.raises(InputError, match="holds code"):
        checked(OutcomeSet(code, stored().queries, {}), "gsm8k", None, quiet)


def test_the_command_writes_a_set_of_its_own(tmp_path: Path) -> None:
    write_outcomes(stored(), tmp_path / "in")
    out = tmp_path / "out"
    args = [str(tmp_path / "in"), "--as", str(out), "--benchmark", "gsm8k", "--corrected"]
    done = CliRunner().invoke(APP, [*args, "--golds", str(golds(tmp_path))])
    assert done.exit_code == 0, done.output
    assert "6 rows, verdicts: 1 failed, 4 passed, 1 unknown" in done.output
    made = read_outcomes(out)
    assert made.about["name"] == "out" and made.outcomes["score"].sum() == 5


def test_a_set_derived_from_those_labels_has_no_confidence_either() -> None:
    (name, digits), *_ = json.loads(MATH_CONFIDENCE.read_text())["stamp"]["data"].items()
    seen = {"checksums": {f"gsm8k/{name}": digits + "0" * 48}}
    for about in ({"first": seen}, {"first": {"other": seen}}):
        made = checked(stored(**about), "gsm8k", None, quiet)
        assert made.outcomes["verdict_confidence"].null_count() == 6
