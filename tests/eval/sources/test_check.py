"""Each trap on small made-up tables: found with its count where it is, silent where it is not."""

import pytest
from pydantic import ValidationError

from eval.sources.check import check
from policies.outcome import OutcomeSet

from .check_tables import ARMS, OPTIONS, clean, codes, query, row, table, text


def test_a_clean_table_has_no_finding() -> None:
    assert check(clean(150)) == []
    assert check(clean(), {"other": clean(start=1000)}, [text(5000)]) == []


def test_an_empty_table_has_no_finding() -> None:
    data = clean()
    assert check(OutcomeSet(data.outcomes.clear(), data.queries.clear())) == []


def test_findings_are_frozen_and_sorted_by_severity() -> None:
    outcomes = [row("small", k, domain="math" if k else "code") for k in range(20)]
    found = check(table(outcomes, [query(k, domain="math", query=text(0)) for k in range(20)]))
    order = [f.severity for f in found]
    assert order == sorted(order, key=("error", "warning", "note").index)
    assert set(order) == {"error", "warning", "note"}
    with pytest.raises(ValidationError):
        found[0].rows = 3  # type: ignore[misc]


def test_no_message_holds_a_score() -> None:
    """An unseen table stays unseen: the mean 0.123 must show in no word of any finding."""
    outcomes = [
        row(a, k, score=0.123, cost_usd=c)
        for a, c in zip(ARMS, (3, 2, 1), strict=True)
        for k in range(30)
    ]
    outcomes += [row(a, k, "other", score=0.9) for a in ARMS for k in range(30, 60)]
    queries = [query(k, query=text(k) + OPTIONS) for k in range(30)]
    found = check(table(outcomes, [*queries, *(query(k, "other") for k in range(30, 60))]))
    assert {"at_guess_floor", "low_everywhere"} <= codes(found)
    assert not [f for f in found if "0.12" in f.model_dump_json() or "0.9" in f.model_dump_json()]
