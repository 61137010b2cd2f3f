"""RouterArena's files, made up in small; the real ones are in test_real_rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.sources.routerarena import domain_of, parse
from router.errors import InputError


def record(index: str, **over: Any) -> dict[str, Any]:
    result = {"ground_truth": "610", "score": 0.5, "inference_cost": 0.002}
    return {
        "global_index": index,
        "question": f"q {index}",
        "generated_answer": "So 610.",
        "token_usage": {"input_tokens": 3, "output_tokens": 4},
        "success": True,
        "error": None,
        "evaluation_result": result,
        **over,
    }


def write(folder: Path, model: str, rows: list[dict[str, Any]]) -> None:
    lines = (json.dumps(r, ensure_ascii=False) for r in rows)
    (folder / f"{model}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_tokens_and_cost_are_the_reported_ones(tmp_path: Path) -> None:
    write(tmp_path, "m", [record("AIME_112")])
    row = parse(tmp_path).outcomes.row(0, named=True)
    assert (row["prompt_tokens"], row["completion_tokens"], row["cost_usd"]) == (3, 4, 0.002)
    assert (row["tokens_basis"], row["cost_basis"]) == ("reported", "priced")
    assert (row["score"], row["answer"], row["response_chars"]) == (0.5, "So 610.", 7)


@pytest.mark.parametrize(
    ("index", "benchmark", "subject", "domain"),
    [
        ("AIME_112", "AIME", "AIME", "math"),
        ("MMLUPro_computer science_4", "MMLUPro", "computer science", "reasoning"),
        ("MMLU_formal_logic_4", "MMLU", "formal_logic", "reasoning"),
        ("OpenTDB_Entertainment: Board Games_9", "OpenTDB", "Entertainment: Board Games", None),
        ("SuperGLUE-CausalReasoning_1", "SuperGLUE-CausalReasoning", None, "reasoning"),
        ("WMT19-cs-en_1", "WMT19-cs-en", None, "other"),
    ],
)
def test_the_index_tells_benchmark_and_subject(
    tmp_path: Path, index: str, benchmark: str, subject: str | None, domain: str | None
) -> None:
    write(tmp_path, "m", [record(index)])
    row = parse(tmp_path).queries.row(0, named=True)
    assert (row["benchmark"], row["subject"]) == (benchmark, subject or benchmark)
    assert row["domain"] == (domain or "knowledge")
    assert row["query_id"] == f"routerarena:{index}"


def test_a_failed_call_keeps_its_cost_and_has_no_score(tmp_path: Path) -> None:
    write(tmp_path, "m", [record("AIME_1", success=False, error="429", generated_answer=None)])
    row = parse(tmp_path).outcomes.row(0, named=True)
    assert (row["status"], row["score"], row["cost_usd"]) == ("failed", None, 0.002)
    assert (row["error"], row["response_chars"]) == ("429", None)


def test_a_line_separator_in_an_answer_is_a_character(tmp_path: Path) -> None:
    write(tmp_path, "m", [record("AIME_1", generated_answer="a\u2028b")])
    assert parse(tmp_path).outcomes["answer"].to_list() == ["a\u2028b"]


def test_one_id_with_two_questions_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a", [record("AIME_1")])
    write(tmp_path, "b", [record("AIME_2"), record("AIME_1", question="another")])
    with pytest.raises(InputError, match=r"b\.jsonl:2: this id has another question"):
        parse(tmp_path)


def test_a_row_without_an_evaluation_is_named(tmp_path: Path) -> None:
    row = record("AIME_1")
    del row["evaluation_result"]
    write(tmp_path, "m", [row])
    with pytest.raises(InputError, match=r"m\.jsonl:1: field 'evaluation_result'"):
        parse(tmp_path)


def test_domains_by_name() -> None:
    assert domain_of("MMLU", "management") == "knowledge"
    assert domain_of("MMLUPro", "math") == "math"
    assert domain_of("LiveCodeBench", "LiveCodeBench") == "code"
    assert domain_of("NarrativeQA", "NarrativeQA") == "other"
