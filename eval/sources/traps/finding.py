"""What a trap returns, and the cells that several traps look at.

A finding names rows, ids, arms and counts, never a score: a table whose scores must stay
unseen until its verdict is given can be checked before.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict

from policies.outcome import OutcomeSet, Status, counted_score

__all__ = [
    "ENOUGH",
    "SEVERITIES",
    "Finding",
    "Severity",
    "cell_names",
    "cell_queries",
    "cells",
    "listed",
    "per_query",
    "some",
]

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
EXAMPLES = 5
ENOUGH = 20  # queries that a cell must have before its score says anything


class Finding(BaseModel):
    """One trap found in one table.

    error: figures from the affected rows are wrong, or the rows may not be kept. warning:
    figures mislead unless the advice is followed. note: what the table cannot tell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    severity: Severity
    message: str  # one sentence with counts and names
    rows: int = 0  # outcome rows affected
    queries: int = 0  # queries affected
    examples: tuple[str, ...] = ()  # ids, arms or arm/benchmark cells; never texts
    advice: str


def listed(names: Iterable[str], most: int = EXAMPLES) -> str:
    """Some names in a sentence: `a, b, c and 7 more`."""
    names = list(names)
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def some(values: Sequence[str]) -> tuple[str, ...]:
    """The examples that a finding shows."""
    return tuple(values[:EXAMPLES])


def per_query(data: OutcomeSet) -> pl.DataFrame:
    """benchmark, query_id, arm, score: samples averaged, rows without an outcome left out."""
    return (
        data.outcomes.filter(pl.col("status") != Status.MISSING)
        .group_by("benchmark", "query_id", "arm", maintain_order=True)
        .agg(counted_score().mean().alias("score"))
    )


def cells(data: OutcomeSet) -> pl.DataFrame:
    """benchmark, arm, n, score: one row an arm x benchmark, a query counted once."""
    return (
        per_query(data)
        .group_by("benchmark", "arm", maintain_order=True)
        .agg(pl.len().alias("n"), pl.col("score").mean())
    )


def cell_names(frame: pl.DataFrame) -> list[str]:
    """arm/benchmark of each row of `cells`."""
    return [f"{arm}/{b}" for arm, b in frame.select("arm", "benchmark").iter_rows()]


def cell_queries(frame: pl.DataFrame, data: OutcomeSet) -> int:
    """Queries of the benchmarks that the cells are in."""
    return data.queries.join(frame, on="benchmark", how="semi").height
