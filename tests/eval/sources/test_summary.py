"""Summaries: what counts, what is withheld, Wilson's interval by hand."""

import polars as pl
import pytest

from eval.sources.summary import summarise, unseen
from policies.outcome import OutcomeSet


def made(name: str = "mine", benchmark: str = "b") -> OutcomeSet:
    """s: right, unparsed, failed; l: right, wrong, missing."""
    status = ["ok", "unparsed", "failed", "ok", "ok", "missing"]
    rows = pl.DataFrame(
        {
            "source": ["t"] * 6,
            "benchmark": [benchmark] * 6,
            "query_id": ["1", "2", "3"] * 2,
            "arm": ["s"] * 3 + ["l"] * 3,
            "model": ["gpt-4-1106-preview"] * 3 + ["novel-1"] * 3,
            "status": status,
            "score": [1.0, None, None, 1.0, 0.0, None],
            "cost_usd": [None, None, 0.5, None, None, None],
            "cost_basis": [None, None, "billed", None, None, None],
        }
    )
    texts = {"query": [f"text {n}" for n in "123"]}
    queries = rows.head(3).select("source", "benchmark", "query_id").with_columns(**texts_of(texts))
    return OutcomeSet(rows, queries, {"name": name, "schema": 1, "notes": ["a trap"]})


def texts_of(columns: dict[str, list[str]]) -> dict[str, pl.Series]:
    return {name: pl.Series(values) for name, values in columns.items()}


def test_a_missing_row_leaves_the_count_and_a_failed_one_counts_zero() -> None:
    small, large = summarise("mine", made()).cells
    assert (small.arm, small.queries, small.n, small.missing) == ("s", 3, 3, 0)
    assert small.score == pytest.approx(1 / 3)
    assert (large.arm, large.n, large.missing, large.score) == ("l", 2, 1, 0.5)


def test_every_status_is_counted_with_its_treatment() -> None:
    counts = {s.status: (s.rows, s.treatment) for s in summarise("mine", made()).statuses}
    assert {k: v[0] for k, v in counts.items()} == {
        "ok": 3,
        "unparsed": 1,
        "failed": 1,
        "missing": 1,
    }
    assert counts["failed"][1] == "0, at the cost that was paid"


def test_prices_are_those_of_rows_without_a_cost() -> None:
    summary = summarise("mine", made())
    assert summary.rows_with_cost == 1
    known, novel = summary.prices
    assert (known.model, known.input, known.output) == ("gpt-4-1106-preview", 10, 30)
    assert (novel.model, novel.input, novel.kind) == ("novel-1", None, None)


@pytest.mark.parametrize("name", ["zeroeval", "llmrouter", "code_evalplus", "gsm8k_gpt3"])
def test_scores_of_an_unseen_population_are_withheld(name: str) -> None:
    assert name in unseen()
    for summary in (summarise(name, made()), summarise("renamed", made(name))):
        assert summary.withheld
        assert {(c.score, c.low, c.high) for c in summary.cells} == {(None, None, None)}
    assert summarise(name, made(), scores=True).cells[1].score == 0.5


def test_scores_of_others_are_shown_unless_refused() -> None:
    assert not summarise("routellm", made()).withheld
    assert summarise("routellm", made(), scores=False).withheld


def test_examples_are_given_on_request_only_and_never_of_gpqa() -> None:
    assert summarise("mine", made()).examples == ()
    two = summarise("mine", made(), examples=2).examples
    assert [(e.query_id, e.query) for e in two] == [("1", "text 1"), ("2", "text 2")]
    assert summarise("mine", made(benchmark="GPQA-main"), examples=3).examples == ()


def test_the_summary_keeps_the_notes_and_is_plain_data() -> None:
    summary = summarise("mine", made())
    assert summary.about == {"name": "mine", "notes": ["a trap"]}
    assert summary.model_validate_json(summary.model_dump_json()) == summary


def test_an_arm_without_counted_rows_has_no_score() -> None:
    data = made()
    rows = data.outcomes.with_columns(
        status=pl.lit("missing").cast(data.outcomes["status"].dtype), score=pl.lit(None, pl.Float64)
    )
    cell = summarise("mine", OutcomeSet(rows, data.queries)).cells[0]
    assert (cell.n, cell.missing, cell.score, cell.low) == (0, 3, None, None)
