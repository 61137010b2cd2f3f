"""Normalised tables, made up in small; the real ones are in test_real_rows."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from eval.sources.shared_tables import read_normalised
from eval.sources.source import source
from router.errors import InputError

ROW: dict[str, Any] = {
    "source": "s",
    "benchmark": "mt_bench",
    "domain": "other",
    "subject": "writing",
    "query_id": "q1",
    "model": "m",
    "params_b": 7.0,
    "params_active_b": None,
    "correct": 0.5,
    "prompt_tokens": None,
    "completion_tokens": None,
    "cost_usd": None,
    "answer_parsed": 1,
    "response_chars": 12,
}
QUERY = {k: ROW[k] for k in ("source", "benchmark", "domain", "subject", "query_id")}


def write(folder: Path, rows: list[dict[str, Any]], queries: list[dict[str, Any]] | None) -> Path:
    for kind in ("outcomes", "queries"):
        (folder / kind).mkdir(exist_ok=True)
    kinds = {"params_active_b": pl.Float32, "prompt_tokens": pl.Int32, "correct": pl.Float32}
    frame = pl.DataFrame(rows, schema_overrides=kinds, infer_schema_length=None)
    frame = frame.with_columns(pl.col("benchmark", "model").cast(pl.Categorical))
    frame.write_parquet(folder / "outcomes" / "qwen3_think.parquet")
    if queries is not None:
        pl.DataFrame(queries).write_parquet(folder / "queries" / "qwen3_think.parquet")
    return folder


def test_correct_is_the_score_and_a_judge_is_named(tmp_path: Path) -> None:
    other = {**ROW, "benchmark": "aime25"}
    queries = [{**QUERY, "query": "x", "gold": "y"}] * 1 + [
        {**QUERY, "benchmark": "aime25", "query": "x", "gold": "y"}
    ]
    data = read_normalised(write(tmp_path, [ROW, other], queries), source("qwen3_think"))
    assert data.outcomes["score"].to_list() == [0.5, 0.5]
    assert data.outcomes["label_source"].to_list() == ["judge", "gold"]
    assert data.outcomes["cost_basis"].to_list() == [None, None]
    assert data.queries["gold"].to_list() == ["y", "y"]


@pytest.mark.parametrize(("parsed", "status"), [(1, "ok"), (0, "unparsed"), (None, "ok")])
def test_an_unparsed_answer_keeps_its_score(
    tmp_path: Path, parsed: int | None, status: str
) -> None:
    data = read_normalised(
        write(tmp_path, [{**ROW, "answer_parsed": parsed}], None), source("qwen3_think")
    )
    assert data.outcomes.select("status", "score").row(0) == (status, 0.5)


def test_costs_and_tokens_of_the_table_have_a_basis(tmp_path: Path) -> None:
    row = {**ROW, "prompt_tokens": 5, "completion_tokens": 6, "cost_usd": 0.1}
    data = read_normalised(write(tmp_path, [row], None), source("qwen3_think"))
    got = data.outcomes.select("tokens_basis", "cost_basis", "price_snapshot").row(0)
    assert got == ("reported", "priced", "the source's own")


def test_queries_without_a_file_have_no_text(tmp_path: Path) -> None:
    data = read_normalised(write(tmp_path, [ROW], None), source("qwen3_think"))
    assert data.queries.select("query_id", "query", "query_hash").row(0) == ("q1", None, None)


def test_gpqa_of_a_normalised_table_loses_its_text(tmp_path: Path) -> None:
    row = {**ROW, "benchmark": "GPQA"}
    queries = [{**QUERY, "benchmark": "GPQA", "query": "made-up secret", "gold": "secret"}]
    data = read_normalised(write(tmp_path, [row], queries), source("qwen3_think"))
    assert "secret" not in data.queries.write_json()
    assert len(data.queries["query_hash"][0]) == 32


def test_origin_and_checksums_are_told(tmp_path: Path) -> None:
    about = read_normalised(write(tmp_path, [ROW], None), source("qwen3_think")).about
    assert about["form"] == "normalised"
    assert list(about["checksums"]) == ["outcomes/qwen3_think.parquet"]
    assert about["name"] == "qwen3_think"


def test_absent_and_damaged_tables_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"qwen3_think\.parquet is missing: --normalised"):
        read_normalised(tmp_path, source("qwen3_think"))
    write(tmp_path, [{k: v for k, v in ROW.items() if k != "cost_usd"}], None)
    with pytest.raises(InputError, match=r"qwen3_think\.parquet: column 'cost_usd' is missing"):
        read_normalised(tmp_path, source("qwen3_think"))
    (tmp_path / "outcomes" / "qwen3_think.parquet").write_bytes(b"cut")
    with pytest.raises(InputError, match="no parquet"):
        read_normalised(tmp_path, source("qwen3_think"))
