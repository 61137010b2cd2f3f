"""RouteLLM's files, made up in small; the real ones are in test_real_rows."""

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from eval.sources.routellm import MODELS, mmlu_domain, parse
from router.errors import InputError


def write(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    marks = path.with_name("contaminated_prompts.jsonl")
    marks.write_text(json.dumps({"train_prompt": "t", "eval_prompt": "Old?"}) + "\n")


def row(prompt: str, small: str = "True", large: str = "False", **more: str) -> dict[str, str]:
    return {"prompt": prompt, MODELS[0]: small, MODELS[1]: large, **more}


def test_mmlu_is_one_file_a_subject(tmp_path: Path) -> None:
    write(tmp_path / "mmlu" / "mmlu_anatomy.csv", [row("New?"), row("Old?", "False", "True")])
    data = parse(tmp_path)
    assert data.arms == MODELS
    assert data.queries["query_id"].to_list() == ["mmlu_test:anatomy:0", "mmlu_test:anatomy:1"]
    assert data.queries["subject"].to_list() == ["anatomy", "anatomy|contaminated"]
    assert set(data.queries["domain"]) == {"knowledge"}
    assert data.outcomes["score"].to_list() == [1.0, 0.0, 0.0, 1.0]
    assert data.outcomes["answer"].null_count() == 4
    assert data.outcomes["params_b"].to_list() == [46.7, None] * 2


def test_gsm8k_keeps_the_texts(tmp_path: Path) -> None:
    texts = {f"{MODELS[0]}_response": " so\n#### 3\n\n", f"{MODELS[1]}_response": "3."}
    write(tmp_path / "gsm8k" / "gsm8k_responses.csv", [row("One?", **texts)])
    rows = parse(tmp_path).outcomes
    assert rows["answer"].to_list() == [" so\n#### 3\n\n", "3."]
    assert rows["response_chars"].to_list() == [12, 2]
    assert rows["query_id"].to_list() == ["gsm8k_test:0"] * 2


@pytest.mark.parametrize("value", ["", "true", "1"])
def test_another_word_than_true_or_false_is_named(tmp_path: Path, value: str) -> None:
    write(tmp_path / "mmlu" / "mmlu_anatomy.csv", [row("New?", value)])
    with pytest.raises(InputError, match=r"mmlu_anatomy\.csv:2: .*True or False"):
        parse(tmp_path)


def test_without_the_list_of_contaminated_prompts_nothing_is_read(tmp_path: Path) -> None:
    write(tmp_path / "mmlu" / "mmlu_anatomy.csv", [row("New?")])
    (tmp_path / "mmlu" / "contaminated_prompts.jsonl").unlink()
    with pytest.raises(InputError, match=r"contaminated_prompts\.jsonl is missing"):
        parse(tmp_path)


def test_an_empty_folder_says_what_it_wants(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gsm8k_responses\.csv"):
        parse(tmp_path)


def test_the_tables_domains() -> None:
    named = [mmlu_domain(s) for s in ("abstract_algebra", "astronomy", "moral_scenarios")]
    assert named == ["math", "reasoning", "knowledge"]
    assert mmlu_domain("algebra") == "knowledge"  # a part of a name is no name


def test_rows_of_one_query_stand_together(tmp_path: Path) -> None:
    write(tmp_path / "mmlu" / "mmlu_virology.csv", [row("a"), row("b")])
    rows = parse(tmp_path).outcomes
    assert rows.select(pl.col("query_id").rle_id().max() + 1).item() == 2
