"""Stored answers scored again: made-up rows for the rules, the real file for the counts."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from eval.fit.rescore import Rescored, lines, report, rescore, stored_answers
from eval.sources.rescore_command import rescore as command
from eval.sources.routellm import MODELS
from eval.sources.shared import shared_data
from router.errors import InputError, SetupError

APP = typer.Typer()
APP.command()(command)
QUESTION = "A pen costs $5. How much do 4 pens cost?"
HEADER = f"prompt,{MODELS[0]},{MODELS[1]},{MODELS[0]}_response,{MODELS[1]}_response\n"


def place(folder: Path, *rows: tuple[str, str, str, str]) -> tuple[Path, Path]:
    """A mirror of marks and answers, and the golds (20 each)."""
    gsm8k = folder / "gsm8k"
    gsm8k.mkdir()
    told = "".join(f'"{QUESTION}",{a},{b},"{x}","{y}"\n' for a, b, x, y in rows)
    (gsm8k / "gsm8k_responses.csv").write_text(HEADER + told)
    (gsm8k / "contaminated_prompts.jsonl").write_text("")
    golds = folder / "gsm8k_test.jsonl"
    golds.write_text(
        "".join(
            json.dumps({"id": f"gsm8k_test:{n}", "question": QUESTION, "answer": "20"}) + "\n"
            for n in range(len(rows))
        )
    )
    return folder, golds


def scored(folder: Path, *rows: tuple[str, str, str, str]) -> list[Rescored]:
    mirror, golds = place(folder, *rows)
    data = stored_answers("routellm", "gsm8k", mirror)
    return asyncio.run(rescore(data, golds, lambda done, of: None))[0]


def test_each_disagreement_has_a_kind_and_who_is_right(tmp_path: Path) -> None:
    rows = scored(
        tmp_path,
        ("False", "True", "#### $20.00", "4 * 5 = 20.\n#### 20"),
        ("False", "True", "5 * 4 = $20.\nHe pays $20 for 4 pens.", "#### -20"),
        ("True", "True", "#### 0.20", "#### 21"),
        ("False", "False", "#### It cannot be told from 20", "#### 20"),
    )
    assert [(r.theirs, r.ours, r.kind, r.right) for r in rows] == [
        (False, True, "whole_with_cents", "ours"),
        (True, True, None, None),
        (False, True, "another_number", "ours"),
        (True, False, "sign", "ours"),
        (True, False, "after_the_point_only", "ours"),
        (True, False, "another_number", "theirs"),  # no reader of digits gives 20 here
        (False, True, "another_number", "theirs"),
        (False, True, "another_number", "theirs"),
    ]
    assert [r.correct for r in rows] == [True, True, True, False, False, True, False, False]


def row(theirs: bool, ours: bool, checked: bool | None) -> Rescored:
    differ = theirs != ours
    return Rescored(
        "gsm8k_test:0", "m", "20", "20", theirs, ours, "20",
        "sign" if differ else None, "ours" if differ else None, checked,
    )  # fmt: skip


def test_rates_count_against_published_and_corrected_marks() -> None:
    rows = [
        row(True, True, True), row(True, True, False), row(True, True, None),
        row(False, False, True), row(False, False, False), row(False, True, True),
    ]  # fmt: skip
    told = report(rows, 7.0)
    assert told.checked == {"passed": 3, "failed": 2, "undecided": 1}
    assert (told.published.false_pass.value, told.published.false_pass.n) == (2 / 3, 3)
    assert (told.corrected.false_pass.value, told.corrected.false_pass.n) == (1 / 2, 2)
    assert (told.published.false_fail.value, told.published.false_fail.n) == (1 / 3, 3)
    assert (told.corrected.false_fail.value, told.corrected.false_fail.n) == (1 / 4, 4)
    assert told.corrected.wrong_of_passed.value == 1 / 3
    assert told.corrected.right_of_failed.value == 1 / 2
    assert told.table["theirs wrong, ours right"].value == pytest.approx(1 / 6)
    assert any("1 of 2 = 0.5000 [" in line for line in lines(told))


def test_no_rows_make_a_report_too() -> None:
    assert list(lines(report([], 0.0)))


@pytest.mark.parametrize(
    ("source", "benchmark", "named"),
    [("mmlupro", "gsm8k", "--source"), ("routellm", "mmlu", "--benchmark")],
)
def test_what_has_no_stored_answers_is_refused(source: str, benchmark: str, named: str) -> None:
    with pytest.raises(InputError, match=named):
        stored_answers(source, benchmark, None)


def test_an_answer_without_gold_is_named(tmp_path: Path) -> None:
    mirror, golds = place(tmp_path, ("True", "True", "#### 20", "#### 20"))
    golds.write_text(golds.read_text().replace("gsm8k_test:0", "gsm8k_test:9"))
    data = stored_answers("routellm", "gsm8k", mirror)
    with pytest.raises(InputError, match="gsm8k_test:0"):
        asyncio.run(rescore(data, golds, lambda done, of: None))


def test_the_command_prints_a_table_and_keeps_no_text(tmp_path: Path) -> None:
    mirror, golds = place(tmp_path, ("False", "True", "#### $20.00", "#### 20"))
    out = tmp_path / "out.jsonl"
    options = ["--mirror", str(mirror), "--golds", str(golds), "--out", str(out)]
    said = CliRunner().invoke(APP, options, catch_exceptions=False)
    assert "gsm8k_test:0 mistralai" in said.stdout and "right: ours" in said.stdout
    assert "pen" not in out.read_text() + said.stdout
    told: dict[str, Any] = json.loads(
        CliRunner().invoke(APP, [*options, "--json"], catch_exceptions=False).stdout
    )
    assert [d["kind"] for d in told["disagreements"]] == ["whole_with_cents"]
    with pytest.raises(InputError, match="--out"):
        CliRunner().invoke(APP, [*options[:4], "--out", str(tmp_path)], catch_exceptions=False)


def test_the_real_answers() -> None:
    """The counts that were read row by row; RouteLLM's reader explains all of its marks."""
    try:
        folder = shared_data() / "raw/routellm"
    except SetupError as error:
        pytest.skip(f"no real data: {error}")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    data = stored_answers("routellm", "gsm8k", folder)
    rows, _ = asyncio.run(rescore(data, None, lambda done, of: None))
    told = report(rows, 1.0)
    assert len(rows) == 2638
    assert told.right == {"ours": 125}
    assert told.kinds == {
        "another_number": 75, "whole_with_cents": 44, "sign": 3, "after_the_point_only": 3,
    }  # fmt: skip
    assert told.corrected.false_pass.value < 0.33 and told.corrected.false_fail.value < 0.01
