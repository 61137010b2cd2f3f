"""Traps of rows: contradictions, ids used twice, arms that slipped."""

import polars as pl
import pytest

from eval.sources.check import check
from policies.outcome import OutcomeSet

from .check_tables import ARMS, clean, codes, only, query, row, table, text


@pytest.mark.parametrize("column", ["domain", "subject", "cluster_id"])
def test_rows_of_one_query_that_disagree(column: str) -> None:
    outcomes = [row(a, k, **{column: "x"}) for a in ARMS for k in range(10)]
    queries = [query(k, **{column: "x"}) for k in range(10)]
    assert "row_conflict" not in codes(check(table(outcomes, queries)))
    for wrong in (3, 14):
        outcomes[wrong][column] = "y"
    finding = only(check(table(outcomes, queries)), "row_conflict")
    assert (finding.severity, finding.queries, finding.rows) == ("error", 2, 6)
    assert finding.examples == ("b:3", "b:4") and column in finding.message


def test_a_row_that_says_nothing_conflicts_with_nothing() -> None:
    outcomes = [row(a, k) for a in ARMS for k in range(10)]
    queries = [query(k, subject="s", domain="math") for k in range(10)]
    assert "row_conflict" not in codes(check(table(outcomes, queries)))


def test_an_id_for_two_texts() -> None:
    queries = [query(0, query_id="q"), query(1, "c", query_id="q"), query(2)]
    outcomes = [row("small", 0, query_id="q"), row("small", 1, "c", query_id="q"), row("small", 2)]
    finding = only(check(table(outcomes, queries)), "id_reused")
    assert (finding.severity, finding.queries, finding.rows) == ("error", 1, 2)
    queries[1]["query"] = queries[0]["query"].upper()
    assert "id_reused" not in codes(check(table(outcomes, queries)))


def test_texts_that_differ_between_sets() -> None:
    data, other = clean(), clean()
    texts = [text(k + (k >= 30)) for k in range(40)]  # ten ids slipped by one
    slipped = OutcomeSet(other.outcomes, other.queries.with_columns(query=pl.Series(texts)))
    finding = only(check(data, {"other": slipped}), "text_differs")
    assert (finding.severity, finding.queries, finding.rows) == ("error", 10, 60)
    assert finding.examples[0] == "b:30" and "other" in finding.message
    same = OutcomeSet(
        other.outcomes, other.queries.with_columns(pl.col("query").str.to_uppercase() + " ")
    )
    assert codes(check(data, {"other": same})) == {"shared_ids", "set_overlap"}


def test_golds_that_differ_between_sets() -> None:
    data = clean()
    golds = [f"worked out\n#### {k}" if k != 7 else "8" for k in range(40)]
    other = OutcomeSet(data.outcomes, data.queries.with_columns(gold=pl.Series(golds)))
    finding = only(check(data, {"other": other}), "gold_differs")
    assert (finding.severity, finding.queries, finding.examples) == ("error", 1, ("b:7",))
    nothing = OutcomeSet(data.outcomes, data.queries.with_columns(gold=pl.lit(None, pl.String)))
    assert "gold_differs" not in codes(check(data, {"other": nothing}))


def slip(data: OutcomeSet, arm: str, benchmark: str = "b") -> OutcomeSet:
    """The arm's scores moved on by one row: same mean, other questions."""
    mine = (pl.col("arm") == arm) & (pl.col("benchmark") == benchmark)
    part = data.outcomes.filter(mine).sort("query_id", "sample")
    step = part["sample"].n_unique()
    moved = pl.concat([part["score"].tail(step), part["score"].head(len(part) - step)])
    moved_part = part.with_columns(score=moved)
    return OutcomeSet(pl.concat([data.outcomes.filter(~mine), moved_part]), data.queries)


@pytest.mark.parametrize("arm", ARMS)
def test_a_slipped_arm(arm: str) -> None:
    data = clean(400)
    assert "misaligned_arm" not in codes(check(data))
    finding = only(check(slip(data, arm)), "misaligned_arm")
    assert finding.severity == "error"
    assert finding.examples == (f"{arm}/b",) and finding.queries == 400


def test_of_two_arms_that_do_not_go_together_one_cannot_say_which() -> None:
    data = clean(400).only(arms=["small", "large"])
    assert "misaligned_arm" not in codes(check(data))
    found = [f for f in check(slip(data, "small")) if f.code == "misaligned_arm"]
    assert {f.examples[0] for f in found} == {"small/b", "large/b"}


def test_slipped_on_one_benchmark_of_three_is_a_warning() -> None:
    places = {"b": range(200), "c": range(200, 400), "d": range(400, 600)}
    data = table(
        [row(a, k, b) for b, ks in places.items() for a in ARMS for k in ks],
        [query(k, b) for b, ks in places.items() for k in ks],
    )
    assert only(check(slip(data, "large", "c")), "misaligned_arm").severity == "warning"


def test_an_arm_that_knows_nothing_is_not_called_misaligned() -> None:
    data = clean(300)
    score = pl.when(pl.col("arm") == "small").then(pl.lit(0.0)).otherwise("score")
    weak = OutcomeSet(data.outcomes.with_columns(score=score), data.queries)
    assert "misaligned_arm" not in codes(check(weak))
