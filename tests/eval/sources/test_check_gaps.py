"""Traps of gaps: what a table does not have."""

import polars as pl
import pytest

from eval.sources.check import check
from policies.outcome import OutcomeSet

from .check_tables import ARMS, clean, codes, only, query, row, table


def test_incomplete_arms() -> None:
    outcomes = [row(a, k) for a in ARMS for k in range(20) if not (a == "large" and k < 4)]
    outcomes += [row("large", k, status="missing", score=None) for k in range(2)]
    for gone in (0, 10):  # two rows of small: one query that large lacks too
        outcomes = [r for r in outcomes if (r["arm"], r["query_id"]) != ("small", f"b:{gone}")]
    finding = only(check(table(outcomes, [query(k) for k in range(20)])), "incomplete_arms")
    assert (finding.severity, finding.rows, finding.queries) == ("warning", 6, 5)
    assert finding.examples == ("large/b", "small/b")
    assert "large 4 of 20 on b" in finding.message and "15 of 20 queries" in finding.message


def test_a_failed_row_is_no_missing_row() -> None:
    outcomes = [row(a, k) for a in ARMS for k in range(20)]
    outcomes[0] |= {"status": "failed", "score": None}
    found = codes(check(table(outcomes, [query(k) for k in range(20)])))
    assert not found & {"incomplete_arms", "no_answers", "absent_cells"}


def test_arms_that_were_not_run_everywhere() -> None:
    outcomes = [
        row(a, k, b) for a in ARMS for k, b in ((0, "b"), (1, "c")) if (a, b) != ("small", "c")
    ]
    found = check(table(outcomes, [query(0), query(1, "c")]))
    finding = only(found, "absent_cells")
    assert (finding.severity, finding.examples) == ("note", ("small/c",))
    assert "incomplete_arms" not in codes(found)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"prompt_tokens": 0}, "no prompt tokens"),
        ({"completion_tokens": 0}, "no completion tokens"),
        ({"completion_tokens": 113}, "more completion tokens"),
    ],
)
def test_impossible_token_counts(fields: dict[str, int], what: str) -> None:
    outcomes = [row(a, k, **(fields if k < 3 else {})) for a in ARMS for k in range(20)]
    finding = only(check(table(outcomes, [query(k) for k in range(20)])), "impossible_tokens")
    assert (finding.severity, finding.rows, finding.queries) == ("warning", 9, 3)
    assert what in finding.message


def test_possible_token_counts() -> None:
    for fields in ({"completion_tokens": 112}, {"completion_tokens": 0, "response_chars": 0}):
        assert "impossible_tokens" not in codes(check(clean(**fields)))


@pytest.mark.parametrize(
    ("code", "columns"),
    [
        ("no_cost", ("cost_usd",)),
        ("no_tokens", ("prompt_tokens", "completion_tokens")),
        ("no_logprobs", ("logprob_mean",)),
        ("no_answers", ("answer",)),
        ("no_latency", ("latency_s",)),
    ],
)
def test_fields_that_are_not_there(code: str, columns: tuple[str, ...]) -> None:
    finding = only(check(clean(**dict.fromkeys(columns))), code)
    assert (finding.severity, finding.rows) == ("note", 240)
    outcomes = [
        row(a, k, **(dict.fromkeys(columns) if k < 5 else {})) for a in ARMS for k in range(20)
    ]
    finding = only(check(table(outcomes, [query(k) for k in range(20)])), code)
    assert finding.rows == 15 and "15 of 60" in finding.message


def test_one_sample_only() -> None:
    data = clean()
    one = OutcomeSet(data.outcomes.filter(pl.col("sample") == 0), data.queries)
    assert only(check(one), "single_sample").rows == 120


def test_arms_without_a_size() -> None:
    outcomes = [row(a, k, params_b=None if a == "large" else 7.0) for a in ARMS for k in range(9)]
    finding = only(check(table(outcomes, [query(k) for k in range(9)])), "no_params")
    assert (finding.severity, finding.rows, finding.examples) == ("note", 9, ("large",))


@pytest.mark.parametrize(("code", "column"), [("no_gold", "gold"), ("no_texts", "query")])
def test_queries_without_gold_or_text(code: str, column: str) -> None:
    queries = [query(k) | ({column: None} if k < 6 else {}) for k in range(20)]
    outcomes = [row(a, k) for a in ARMS for k in range(20)]
    finding = only(check(table(outcomes, queries)), code)
    assert (finding.severity, finding.queries) == ("note", 6) and "b 6" in finding.message
