"""Tables of one's own: the three formats, other names, and errors that name file and line."""

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from eval.sources.tables import parse_map, read_table
from policies.outcome import OUTCOMES
from router.errors import InputError

ROWS: list[dict[str, Any]] = [
    {"query_id": "1", "arm": "s", "score": 0, "query": "Two and two?", "gold": "4"},
    {"query_id": "1", "arm": "l", "score": 1.0, "query": "Two and two?", "gold": "4"},
    {"query_id": "2", "arm": "s", "score": 0.5, "query": "Bees", "prompt_tokens": 7},
    {"query_id": "2", "arm": "l", "score": None, "error": "timed out", "cost_usd": 0.25},
]


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def written(folder: Path, kind: str) -> Path:
    path = folder / f"mine.{kind}"
    if kind == "jsonl":
        return jsonl(path, ROWS)
    names = ("query_id", "arm", "score", "query", "gold", "prompt_tokens", "error", "cost_usd")
    if kind == "parquet":
        pl.DataFrame([{n: r.get(n) for n in names} for r in ROWS]).write_parquet(path)
        return path
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(ROWS)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_the_three_formats_give_one_set(tmp_path: Path, kind: str) -> None:
    data = read_table(written(tmp_path, kind), "mine")
    rows = data.outcomes
    assert rows["status"].to_list() == ["ok", "ok", "ok", "failed"]
    assert rows["score"].to_list() == [0.0, 1.0, 0.5, None]
    assert rows["prompt_tokens"].to_list() == [None, None, 7, None]
    assert rows["tokens_basis"].to_list() == [None, None, "reported", None]
    assert rows["cost_basis"].to_list() == [None, None, None, "billed"]
    assert set(rows["source"]) == set(rows["benchmark"]) == {"mine"}
    assert data.queries.select("query_id", "query", "gold").rows() == [
        ("1", "Two and two?", "4"),
        ("2", "Bees", None),
    ]
    assert data.about["name"] == "mine"


def test_llmrouterbenchs_names_are_understood(tmp_path: Path) -> None:
    record = {
        "record_index": 3,
        "model_name": "m",
        "score": 1.0,
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "cost": 0.001,
        "prediction": "B",
        "ground_truth": "B",
        "origin_query": "Which?",
    }
    data = read_table(jsonl(tmp_path / "a.jsonl", [record]), "bench")
    row = data.outcomes.row(0, named=True)
    assert (row["query_id"], row["arm"], row["answer"], row["cost_usd"]) == ("3", "m", "B", 0.001)
    assert data.queries.select("query", "gold").row(0) == ("Which?", "B")


def test_an_unknown_column_says_map_or_ignore(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{**ROWS[0], "latency_ms": 9}])
    with pytest.raises(InputError, match=r"a\.jsonl:1: unknown column 'latency_ms'; give --map"):
        read_table(path, "mine")
    assert read_table(path, "mine", ignore=["latency_ms"]).outcomes.height == 1
    mapped = read_table(path, "mine", {"latency_ms": "latency_s"})
    assert mapped.outcomes["latency_s"].to_list() == [9.0]


def test_a_map_beats_a_name_and_two_columns_for_one_are_refused(tmp_path: Path) -> None:
    rows = [{"id": "q", "query_id": "w", "arm": "s", "score": 1}]
    with pytest.raises(InputError, match="two columns stand for 'query_id'"):
        read_table(jsonl(tmp_path / "a.jsonl", rows), "mine", {"id": "query_id"})
    data = read_table(tmp_path / "a.jsonl", "mine", {"id": "query_id"}, ignore=["query_id"])
    assert data.outcomes["query_id"].to_list() == ["q"]


def test_a_line_separator_inside_a_text_does_not_cut_the_record(tmp_path: Path) -> None:
    text = "one\u2028two\u2029three\x85four\x0bfive"
    path = jsonl(tmp_path / "a.jsonl", [{**ROWS[0], "query": text}])
    assert read_table(path, "mine").queries["query"].to_list() == [text]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"query_id": "1", "arm"', r":2: no JSON"),
        ("[1, 2]", r":2: a JSON object"),
        ('{"query_id": "9", "arm": "s", "score": "high"}', r":2: score: 'high' is no number"),
        ('{"query_id": "9", "arm": "s", "score": 85}', r":2: score: score 85 lies outside"),
        ('{"query_id": "9", "arm": "s", "score": NaN}', r":2: score: nan is not finite"),
        ('{"query_id": "9", "arm": "s"}', r":2: there is neither a score"),
        ('{"query_id": "9", "score": 1}', r":2: arm is missing"),
        ('{"arm": "s", "score": 1}', r":2: query_id is missing"),
        ('{"query_id": "9", "arm": "s", "status": "done"}', r":2: status: 'done' is none of ok"),
        ('{"query_id": "9", "arm": "s", "score": 1, "sample": 1.5}', r"no whole number"),
        ('{"query_id": "9", "arm": "s", "score": 1, "returned": "maybe"}', r"neither true"),
        ('{"query_id": "9", "arm": "s", "score": 1, "features": 3}', r"a list is expected"),
        ('{"query_id": "9", "arm": "s", "score": 1, "query": "\\ud800"}', r"half a surrogate"),
        ('{"query_id": "1", "arm": "l", "score": 1, "query": "Other?"}', r":2: .*another query"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, words: str) -> None:
    path = jsonl(tmp_path / "a.jsonl", ROWS[:1])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(InputError, match=words):
        read_table(path, "mine")


def test_a_csv_record_with_a_field_too_many_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("query_id,arm,score\n1,s,1\n2,s,1,1\n")
    with pytest.raises(InputError, match=r"a\.csv:3: .*3 fields"):
        read_table(path, "mine")
    path.write_text("query_id,arm,score\n1,s\n")
    with pytest.raises(InputError, match=r"a\.csv:2: "):
        read_table(path, "mine")


def test_a_csv_reads_booleans_numbers_and_lists(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('query_id,arm,score,returned,features\n1,s,True,false,"[0.5, 1]"\n')
    row = read_table(path, "mine").outcomes.row(0, named=True)
    assert (row["score"], row["returned"], row["features"]) == (1.0, False, [0.5, 1.0])


def test_repeated_rows_are_refused_and_samples_are_not(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [ROWS[0], ROWS[0]])
    with pytest.raises(InputError, match="repeat"):
        read_table(path, "mine")
    path = jsonl(tmp_path / "a.jsonl", [{**ROWS[0], "sample": n} for n in range(3)])
    assert read_table(path, "mine").outcomes["sample"].to_list() == [0, 1, 2]


def test_a_query_that_one_arm_lacks_becomes_a_missing_row(tmp_path: Path) -> None:
    data = read_table(jsonl(tmp_path / "a.jsonl", ROWS[:3]), "mine")
    last = data.outcomes.row(-1, named=True)
    assert (last["query_id"], last["arm"], last["status"]) == ("2", "l", "missing")


def test_gpqa_leaves_a_hash_and_no_text(tmp_path: Path) -> None:
    secret = "A made-up question about nothing at all"
    row = {
        **{"query_id": "1", "arm": "s", "score": 1, "benchmark": "GPQA-Diamond"},
        **{"query": secret, "gold": f"the gold of {secret}", "answer": f"{secret}: B"},
    }
    data = read_table(jsonl(tmp_path / "a.jsonl", [row]), "mine")
    kept = data.queries.row(0, named=True)
    assert kept["query"] is None and kept["gold"] is None
    assert len(kept["query_hash"]) == 32
    assert data.outcomes["answer"].to_list() == [None]
    assert secret not in data.queries.write_json() + data.outcomes.write_json() + str(data.about)


@pytest.mark.parametrize("name", ["a.txt", "a"])
def test_another_kind_of_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match=r"\.jsonl, \.csv or \.parquet"):
        read_table(tmp_path / name, "mine")


def test_absent_empty_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl"):
        read_table(tmp_path / "none.jsonl", "mine")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(InputError, match="no rows"):
        read_table(tmp_path / "empty.jsonl", "mine")
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match=r"bad\.parquet: no parquet"):
        read_table(tmp_path / "bad.parquet", "mine")
    (tmp_path / "bad.csv").write_bytes(b"query_id,arm\n\xff\xfe,s\n")
    with pytest.raises(InputError, match=r"bad\.csv: no CSV"):
        read_table(tmp_path / "bad.csv", "mine")


def test_a_map_is_checked() -> None:
    assert parse_map(["a=query_id", "b=c=d"][:1]) == {"a": "query_id"}
    for wrong in ("a", "a=nothing", "="):
        with pytest.raises(InputError, match=r"THEIRS=OURS"):
            parse_map([wrong])


def test_every_column_of_the_record_can_be_given(tmp_path: Path) -> None:
    full = {
        **dict.fromkeys(OUTCOMES),
        **{"query_id": "1", "arm": "s", "status": "ok", "score": 1, "verdict": "passed"},
        "arm_probability": [{"arm": "s", "probability": 0.75}],
        "features": [1.0, 2.0],
    }
    row = read_table(jsonl(tmp_path / "a.jsonl", [full]), "mine").outcomes.row(0, named=True)
    assert row["arm_probability"] == [{"arm": "s", "probability": 0.75}]
    assert (row["verdict"], row["features"]) == ("passed", [1.0, 2.0])


def test_a_map_of_a_column_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    own.write_text('{"query_id": "1", "arm": "a", "score": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match="no column 'nocol'"):
        read_table(own, "mine", {"nocol": "subject"})
