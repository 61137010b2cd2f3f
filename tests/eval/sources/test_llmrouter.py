"""LLMRouter's test file, made up: tasks are told by place, GPQA leaves no text."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.sources.llmrouter import BLOCK, TASKS, parse
from router.errors import InputError

SECRET = "A made-up question in GPQA's place"


def records() -> list[dict[str, Any]]:
    rows = []
    for task, (_, _, mark) in TASKS.items():
        for n in range(BLOCK):
            text = SECRET if task == "gpqa" else f"{mark} {task} {n}"
            scores = {"qwen2.5-7b-instruct": 0.25, "novel-1": 1}
            rows.append({"question": text, "scores": scores})
    return rows


def write(folder: Path, rows: list[dict[str, Any]]) -> Path:
    (folder / "test.json").write_text(json.dumps(rows))
    return folder


def test_tasks_are_blocks_of_fifty(tmp_path: Path) -> None:
    data = parse(write(tmp_path, records()))
    counts = dict(data.queries.group_by("benchmark").len().iter_rows())
    assert counts == dict.fromkeys(TASKS, BLOCK)
    assert data.outcomes.height == 2 * BLOCK * len(TASKS)
    ids = data.queries["query_id"].to_list()
    assert ids[0] == "llmrouter:agentverse-logicgrid:test:0"
    assert ids[-1] == "llmrouter:gsm8k:test:49"
    assert "llmrouter:mbpp:file:3" in ids  # its id in the table needs the training file
    assert data.outcomes.row(0, named=True)["params_b"] == 7.62


def test_gpqas_texts_are_dropped_and_hashed(tmp_path: Path) -> None:
    data = parse(write(tmp_path, records()))
    kept = data.queries.write_json() + data.outcomes.write_json() + json.dumps(dict(data.about))
    assert SECRET not in kept
    hashed = data.queries["query_hash"].null_count()
    assert hashed == 0
    assert data.queries["query"].null_count() == BLOCK


def test_another_number_of_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"499 records, 500 are expected"):
        parse(write(tmp_path, records()[1:]))


def test_another_order_of_tasks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="record 0: this is no agentverse-logicgrid question"):
        parse(write(tmp_path, records()[::-1]))


@pytest.mark.parametrize("score", [None, "1", 2, -0.1])
def test_a_score_out_of_range_is_named(tmp_path: Path, score: Any) -> None:
    rows = records()
    rows[3]["scores"]["novel-1"] = score
    with pytest.raises(InputError, match="record 3: the score of novel-1"):
        parse(write(tmp_path, rows))
