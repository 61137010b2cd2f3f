"""MMLU-Pro's archives, made up in small; the real ones are in test_real_rows."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from eval.sources.mmlu_pro import domain_of, parse
from router.errors import InputError


def record(number: int, **over: Any) -> dict[str, Any]:
    return {
        "question_id": number,
        "question": "Which?",
        "options": ["one", "two"],
        "answer": "B",
        "category": "math",
        "src": "ori_mmlu-abstract_algebra",
        "pred": "B",
        "generated_text": "The answer is (B).",
        **over,
    }


def archive(folder: Path, model: str, rows: list[dict[str, Any]], inside: int = 1) -> Path:
    path = folder / f"model_outputs_{model}_5shots.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(inside):
            file.writestr(f"{number}.json", json.dumps(rows))
    return path


def test_a_record_becomes_a_query_and_an_outcome(tmp_path: Path) -> None:
    archive(tmp_path, "Meta-Llama-3_1-8B", [record(7)])
    data = parse(tmp_path)
    query = data.queries.row(0, named=True)
    assert query["query"] == "Which?\n(A) one\n(B) two"
    assert (query["query_id"], query["gold"]) == ("mmlu_pro:7", "B")
    assert query["subject"] == "math|ori_mmlu-abstract_algebra"
    row = data.outcomes.row(0, named=True)
    assert (row["arm"], row["params_b"], row["score"]) == ("Meta-Llama-3.1-8B", 8.03, 1.0)
    assert (row["status"], row["answer"], row["response_chars"]) == ("ok", "B", 18)


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_answer_is_unparsed_and_wrong(tmp_path: Path, nothing: str | None) -> None:
    archive(tmp_path, "Yi-6B", [record(1, pred=nothing)])
    row = parse(tmp_path).outcomes.row(0, named=True)
    assert (row["status"], row["score"], row["answer"]) == ("unparsed", 0.0, None)


def test_each_model_is_scored_by_its_own_files_gold(tmp_path: Path) -> None:
    archive(tmp_path, "A", [record(1, answer="B")])
    archive(tmp_path, "C", [record(1, answer="A", question="Reworded?")])
    data = parse(tmp_path)
    assert data.outcomes["score"].to_list() == [1.0, 0.0]
    assert data.queries["gold"].to_list() == ["B"]
    assert data.queries["query"].to_list() == ["Which?\n(A) one\n(B) two"]


def test_a_model_that_lacks_a_question_gets_a_missing_row(tmp_path: Path) -> None:
    archive(tmp_path, "A", [record(1), record(2)])
    archive(tmp_path, "C", [record(2)])
    last = parse(tmp_path).outcomes.row(-1, named=True)
    assert (last["arm"], last["query_id"], last["status"]) == ("C", "mmlu_pro:1", "missing")


def test_damage_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path, "A", [record(1), {"question_id": 2}])
    with pytest.raises(InputError, match="record 1: field 'options' is missing"):
        parse(tmp_path)
    archive(tmp_path, "A", [record(1, options=["x"] * 11)])
    with pytest.raises(InputError, match="11 options"):
        parse(tmp_path)
    archive(tmp_path, "A", [record(1)], inside=2)
    with pytest.raises(InputError, match="one JSON file is expected inside, not 2"):
        parse(tmp_path)
    path.write_bytes(b"cut")
    with pytest.raises(InputError, match="no archive"):
        parse(tmp_path)


def test_an_empty_folder_says_what_it_wants(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="model_outputs_"):
        parse(tmp_path)


def test_business_is_split_by_origin() -> None:
    assert domain_of("business", "ori_mmlu-marketing") == "knowledge"
    assert domain_of("business", "stemez-Business") == "reasoning"
    assert domain_of("physics", "stemez-Physics") == "reasoning"
    assert domain_of("law", "ori_mmlu-professional_law") == "knowledge"
    assert domain_of("math", "scibench-stat") == "math"
