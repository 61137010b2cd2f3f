"""Traps of texts: copies, twins, contamination, GPQA."""

import polars as pl
import pytest

from eval.sources.check import check
from policies.outcome import OutcomeSet

from .check_tables import ARMS, OPTIONS, clean, codes, only, query, row, table, text


def test_one_text_under_two_ids() -> None:
    queries = [query(k, query=text(k % 8) if k < 10 else text(k)) for k in range(20)]
    outcomes = [row(a, k) for a in ARMS for k in range(20)]
    finding = only(check(table(outcomes, queries)), "duplicate_texts")
    assert (finding.severity, finding.queries, finding.rows) == ("warning", 4, 12)
    assert "2 texts" in finding.message
    for k in (0, 8):
        queries[k]["cluster_id"] = "twin"
    assert only(check(table(outcomes, queries)), "duplicate_texts").queries == 2


def test_near_duplicates_within_and_across_families() -> None:
    near = " ".join(["other", *text(0).split()[1:]])
    queries = [query(0, "gsm8k"), query(1, "gsm8k"), query(2, "mbpp", query=near), query(3, "mbpp")]
    outcomes = [row("small", k, b) for k, b in enumerate(("gsm8k", "gsm8k", "mbpp", "mbpp"))]
    found = check(table(outcomes, queries))
    assert only(found, "near_duplicates").queries == 2
    across = only(found, "family_overlap")
    assert across.queries == 2 and "gsm8k and mbpp" in across.message
    assert across.examples == ("gsm8k:0 ~ mbpp:2",)
    # One family of two benchmarks: still twins, no longer across.
    for records in (queries, outcomes):
        for record in records:
            record["benchmark"] = record["benchmark"].replace("mbpp", "agentverse-mgsm")
    found = check(table(outcomes, queries))
    assert only(found, "near_duplicates").queries == 2
    assert "family_overlap" not in codes(found)


def test_a_twin_in_another_set_by_opening_or_by_text() -> None:
    ten = "".join(f"\n({c}) {text(900 + k)}" for k, c in enumerate("ABCDEFGHIJ"))
    other = table(
        [row("small", k, "c") for k in (100, 101, 102)],
        [
            query(100, "c", query=text(3) + ten),
            query(101, "c", query="so " + text(4)),
            query(102, "c"),
        ],
    )
    data = clean()
    marked = data.queries.with_columns(pl.col("query") + OPTIONS)
    finding = only(check(OutcomeSet(data.outcomes, marked), {"pro": other}), "set_overlap")
    assert finding.examples == ("b:3 ~ c:100",)
    finding = only(check(data, {"pro": other}), "set_overlap")
    assert (finding.severity, finding.queries, finding.rows) == ("warning", 2, 12)
    assert "2 of 40 queries of b" in finding.message and "pro's c" in finding.message


def test_marked_as_contaminated() -> None:
    queries = [query(k, subject="s|contaminated" if k < 3 else "s") for k in range(10)]
    outcomes = [row(a, k) for a in ARMS for k in range(10)]
    finding = only(check(table(outcomes, queries)), "contaminated_marked")
    assert (finding.severity, finding.queries, finding.rows) == ("warning", 3, 9)


def test_listed_as_contaminated() -> None:
    long = " ".join(text(k) for k in range(3))
    queries = [query(0), query(1, query=long + " and more"), query(2)]
    data = table([row("small", k) for k in range(3)], queries)
    finding = only(check(data, contaminated=[text(0).upper(), long]), "contaminated_listed")
    assert finding.examples == ("b:0", "b:1")
    assert "1 queries are among the 2" in finding.message and "1 more" in finding.message
    assert "contaminated_listed" not in codes(check(data, contaminated=[text(77)]))


@pytest.mark.parametrize("field", ["benchmark", "source", "query_id"])
def test_gpqa_in_plain_text_is_an_error(field: str) -> None:
    name = {field: "GPQA_diamond:1"}
    data = table([row("small", 0, **name)], [query(0, **name)])
    finding = only(check(data), "private_text")
    assert (finding.severity, finding.queries, finding.rows) == ("error", 1, 1)
    assert text(0)[:8] not in finding.model_dump_json()
    hidden = table([row("small", 0, **name)], [query(0, **name, query_hash="ab") | {"query": None}])
    assert "private_text" not in codes(check(hidden))
