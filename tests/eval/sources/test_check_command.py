"""`ockham outcomes check`: what it prints, and when it exits 1."""

import json
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from eval.sources.check_command import check
from policies.outcome import OutcomeSet
from router.errors import InputError, SetupError
from router.outcomes import write_outcomes

APP = typer.Typer()
APP.command()(check)
LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"


def store(where: Path, benchmark: str = "b", query: str | None = LONG) -> str:
    """A set of one row, on disk; returns its folder."""
    rows = {"source": ["s"], "benchmark": [benchmark], "query_id": [f"[{benchmark}]:0"]}
    outcomes = pl.DataFrame({**rows, "arm": ["a"], "status": ["ok"], "score": [1.0]})
    queries = pl.DataFrame({**rows, "query": pl.Series([query], dtype=pl.String)})
    return str(write_outcomes(OutcomeSet(outcomes, queries), where))


def test_notes_and_warnings_exit_zero(tmp_path: Path) -> None:
    result = CliRunner().invoke(APP, [store(tmp_path / "one")], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "no_cost" in result.output and "single_sample" in result.output
    assert "0 errors, 0 warnings" in result.output


def test_an_error_exits_one_and_says_what_to_do(tmp_path: Path) -> None:
    result = CliRunner().invoke(APP, [store(tmp_path / "one", "gpqa")], env={"COLUMNS": "200"})
    assert result.exit_code == 1
    assert "private_text" in result.output and "1 errors" in result.output
    assert "[gpqa]:0" in result.output  # brackets in ids are no markup
    assert "query_hash" in result.output
    assert "eleven twelve" not in result.output


def test_json_is_the_findings(tmp_path: Path) -> None:
    result = CliRunner().invoke(APP, [store(tmp_path / "one", "gpqa"), "--json"])
    assert result.exit_code == 1
    found = json.loads(result.output)
    assert found[0]["code"] == "private_text" and found[0]["severity"] == "error"
    assert set(found[0]) == {
        "code",
        "severity",
        "message",
        "rows",
        "queries",
        "examples",
        "advice",
    }


def test_against_may_be_repeated(tmp_path: Path) -> None:
    one, two, three = (store(tmp_path / n, n) for n in ("one", "two", "three"))
    result = CliRunner().invoke(APP, [one, "--against", two, "--against", three, "--json"])
    overlaps = [f for f in json.loads(result.output) if f["code"] == "set_overlap"]
    assert result.exit_code == 0 and len(overlaps) == 2


def test_a_list_of_contaminated_prompts(tmp_path: Path) -> None:
    listed = tmp_path / "listed.jsonl"
    listed.write_text(json.dumps({"train_prompt": "x", "eval_prompt": LONG}) + "\n\n")
    result = CliRunner().invoke(
        APP, [store(tmp_path / "one"), "--contaminated", str(listed), "--json"]
    )
    assert "contaminated_listed" in {f["code"] for f in json.loads(result.output)}


@pytest.mark.parametrize("line", ["not json", "[]", "{}", '{"eval_prompt": 3}', '"text"'])
def test_a_bad_list_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    listed = tmp_path / "listed.jsonl"
    listed.write_text(json.dumps({"eval_prompt": LONG}) + "\n" + line + "\n")
    result = CliRunner().invoke(APP, [store(tmp_path / "one"), "--contaminated", str(listed)])
    assert isinstance(result.exception, InputError)
    assert f"{listed}:2" in str(result.exception) and "eval_prompt" in str(result.exception)


def test_an_absent_list_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        APP, [store(tmp_path / "one"), "--contaminated", str(tmp_path / "nothing.jsonl")]
    )
    assert isinstance(result.exception, InputError) and "nothing.jsonl" in str(result.exception)


def test_an_unknown_set_is_named(clean_env: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(APP, ["nonesuch"])
    assert isinstance(result.exception, SetupError) and "nonesuch" in str(result.exception)


def test_findings_that_tell_scores_of_an_unseen_population_are_withheld(tmp_path: Path) -> None:
    n = 60
    rows = {
        "source": ["s"] * n * 2,
        "benchmark": ["b"] * n * 2,
        "query_id": [str(i) for i in range(n)] * 2,
        "arm": ["cheap"] * n + ["dear"] * n,
        "status": ["ok"] * n * 2,
        "score": [1.0] * n + [0.0] * n,
        "cost_usd": [0.001] * n + [0.1] * n,
        "cost_basis": ["priced"] * n * 2,
    }
    outcomes = pl.DataFrame(rows)
    queries = outcomes.select("source", "benchmark", "query_id").unique(maintain_order=True)
    for name, told in (("llmrouter", False), ("mine", True)):
        data = OutcomeSet(outcomes, queries, {"name": name})
        where = str(write_outcomes(data, tmp_path / name))
        plain = CliRunner().invoke(APP, [where, "--json"])
        assert ("dearer_is_worse" in plain.stdout) is told
        assert ("withheld" in plain.stderr) is not told
        assert "dearer_is_worse" in CliRunner().invoke(APP, [where, "--json", "--scores"]).stdout
