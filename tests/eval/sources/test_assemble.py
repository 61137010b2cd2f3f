"""The rules all sources share: missing rows, hashes, GPQA, scores below zero."""

import hashlib

import polars as pl
import pytest

from eval.sources.assemble import assemble
from policies.outcome import query_hash
from router.errors import InputError

SECRET = "A made-up question that must not be kept"


def outcomes(*rows: tuple[str, str, str, float | None]) -> pl.DataFrame:
    """benchmark, query_id, arm, score."""
    return pl.DataFrame(
        [
            {
                **{"source": "t", "benchmark": b, "query_id": q, "arm": a, "score": s},
                "status": "ok",
                "answer": f"about {SECRET}",
            }
            for b, q, a, s in rows
        ],
        schema_overrides={"score": pl.Float64},
    )


def queries(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"source": "t", "benchmark": b, "query_id": q, "query": t, "gold": t} for b, q, t in rows],
        schema_overrides={"query": pl.String, "gold": pl.String},
    )


def test_an_arm_gets_missing_rows_where_it_was_run_at_all() -> None:
    data = assemble(
        outcomes(
            ("b", "1", "s", 1.0), ("b", "2", "s", 1.0), ("b", "1", "l", 1.0), ("c", "3", "l", 0.0)
        ),
        queries(("b", "1", "x"), ("b", "2", "y"), ("c", "3", "z"), ("c", "4", "never run")),
        {"name": "t"},
    )
    missing = data.outcomes.filter(pl.col("status") == "missing")
    assert missing.select("benchmark", "query_id", "arm", "score").rows() == [("b", "2", "l", None)]
    assert data.queries.height == 4


def test_samples_of_one_row_do_not_count_as_missing() -> None:
    rows = outcomes(("b", "1", "s", 1.0), ("b", "1", "s", 0.0), ("b", "1", "l", 0.0))
    rows = rows.with_columns(sample=pl.Series([0, 1, 0]))
    data = assemble(rows, queries(("b", "1", "x")), {"name": "t"})
    assert data.outcomes["status"].to_list() == ["ok"] * 3


def test_the_hash_is_that_of_the_text() -> None:
    data = assemble(outcomes(("b", "1", "s", 1.0)), queries(("b", "1", "é")), {"name": "t"})
    assert data.queries["query_hash"].to_list() == [hashlib.sha256("é".encode()).hexdigest()[:32]]
    assert query_hash("é") == data.queries["query_hash"][0]


@pytest.mark.parametrize("name", ["gpqa", "GPQA-Diamond", "my_gPqA_extended"])
def test_gpqa_keeps_a_hash_only(name: str) -> None:
    data = assemble(outcomes((name, "1", "s", 1.0)), queries((name, "1", SECRET)), {"name": "t"})
    row = data.queries.row(0, named=True)
    assert row["query_hash"] == query_hash(SECRET)
    assert row["query"] is None and row["gold"] is None
    assert SECRET not in data.queries.write_json() + data.outcomes.write_json()
    assert data.outcomes["score"].to_list() == [1.0]


def test_gpqa_is_found_in_the_subject_and_the_id_too() -> None:
    rows, asked = outcomes(("b", "gpqa:1", "s", 1.0)), queries(("b", "gpqa:1", SECRET))
    assert assemble(rows, asked, {"name": "t"}).queries["query"].to_list() == [None]
    asked = queries(("b", "1", SECRET)).with_columns(subject=pl.lit("GPQA main"))
    rows = outcomes(("b", "1", "s", 1.0))
    assert assemble(rows, asked, {"name": "t"}).queries["query"].to_list() == [None]


def test_other_benchmarks_keep_their_texts() -> None:
    data = assemble(outcomes(("b", "1", "s", 1.0)), queries(("b", "1", "x")), {"name": "t"})
    assert data.queries.select("query", "gold").row(0) == ("x", "x")
    assert data.outcomes["answer"].to_list() == [f"about {SECRET}"]


def test_a_hash_that_the_source_gives_stays() -> None:
    asked = queries(("b", "1", None)).with_columns(query_hash=pl.lit("abc"))
    data = assemble(outcomes(("b", "1", "s", 1.0)), asked, {"name": "t"})
    assert data.queries["query_hash"].to_list() == ["abc"]


def test_a_score_a_little_below_zero_is_zero_and_counted() -> None:
    rows = outcomes(("b", "1", "s", -0.03), ("b", "2", "s", 0.5))
    data = assemble(rows, queries(("b", "1", "x"), ("b", "2", "y")), {"name": "t"})
    assert data.outcomes["score"].to_list() == [0.0, 0.5]
    assert data.about["scores_raised_to_zero"] == 1


def test_pairs_of_absent_arms_are_left_out() -> None:
    rows = outcomes(("b", "1", "s", 1.0), ("b", "1", "l", 1.0))
    about = {"name": "t", "pairs": [["s", "x"], ["s", "l"]]}
    data = assemble(rows, queries(("b", "1", "x")), about)
    assert data.about == {"name": "t", "pairs": [["s", "l"]]}


@pytest.mark.parametrize("score", [-0.5, 1.01, 85.0])
def test_a_score_further_out_is_an_error(score: float) -> None:
    with pytest.raises(InputError, match=r"^mine: score must lie in 0\.\.1"):
        assemble(outcomes(("b", "1", "s", score)), queries(("b", "1", "x")), {"name": "mine"})


def test_an_outcome_without_a_query_is_an_error() -> None:
    with pytest.raises(InputError, match="have no query"):
        assemble(outcomes(("b", "1", "s", 1.0)), queries(("b", "2", "x")), {"name": "t"})
