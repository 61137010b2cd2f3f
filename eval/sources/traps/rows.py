"""Rows that do not belong together: within a table, and between tables that share ids."""

from collections.abc import Iterator, Mapping

import polars as pl

from eval.contamination import normalise
from eval.sources.traps.finding import Finding, some
from policies.outcome import OutcomeSet

__all__ = [
    "conflicting_rows",
    "differing_golds",
    "differing_texts",
    "reused_ids",
    "shared_ids",
]


def conflicting_rows(data: OutcomeSet) -> Iterator[Finding]:
    """Outcome rows of one query that disagree on its domain, subject or cluster.

    A row also conflicts with its query; null says nothing. Benchmark and query id cannot
    differ (they join the tables); text and gold stand once, in the queries.
    """
    key = ["benchmark", "query_id"]
    for column in ("domain", "subject", "cluster_id"):
        said = pl.concat([data.outcomes.select(*key, column), data.queries.select(*key, column)])
        bad = (
            said.drop_nulls(column)
            .group_by(key, maintain_order=True)
            .agg(pl.col(column).n_unique())
            .filter(pl.col(column) > 1)
        )
        if column == "cluster_id":
            # Filled in from query_id where a source has none: that is no statement.
            own = said.filter(pl.col("cluster_id") != pl.col("query_id")).select(key).unique()
            bad = bad.join(own, on=key, how="semi")
        if len(bad):
            rows = data.outcomes.join(bad, on=key, how="semi").height
            yield Finding(
                code="row_conflict",
                severity="error",
                message=f"{len(bad)} queries have rows that disagree on {column}",
                rows=rows,
                queries=len(bad),
                examples=some(bad["query_id"].to_list()),
                advice="the rows of another question were joined here: import again by id, "
                "not by position",
            )


def reused_ids(data: OutcomeSet) -> Iterator[Finding]:
    """One query id that stands for different texts in different benchmarks of the table."""
    texts = data.queries.drop_nulls("query").with_columns(
        pl.col("query").map_elements(normalise, return_dtype=pl.String)
    )
    bad = texts.group_by("query_id", maintain_order=True).agg(pl.col("query").n_unique())
    ids = bad.filter(pl.col("query") > 1)["query_id"].to_list()
    if ids:
        yield Finding(
            code="id_reused",
            severity="error",
            message=f"{len(ids)} query ids stand for different texts in different benchmarks",
            rows=data.outcomes.filter(pl.col("query_id").is_in(ids)).height,
            queries=len(ids),
            examples=some(ids),
            advice="put the benchmark's name into the id",
        )


def _shared(data: OutcomeSet, other: OutcomeSet) -> pl.DataFrame:
    columns = ["query_id", "query", "gold"]
    ours = data.queries.select(columns).unique("query_id", keep="first", maintain_order=True)
    theirs = other.queries.select(columns).unique("query_id", keep="first", maintain_order=True)
    return ours.join(theirs, on="query_id", suffix="_other", maintain_order="left")


def shared_ids(data: OutcomeSet, others: Mapping[str, OutcomeSet]) -> Iterator[Finding]:
    """Query ids that another set has too."""
    for name, other in others.items():
        both = _shared(data, other)["query_id"].to_list()
        if both:
            yield Finding(
                code="shared_ids",
                severity="warning",
                message=f"{len(both)} queries stand in {name} under the same id",
                rows=data.outcomes.filter(pl.col("query_id").is_in(both)).height,
                queries=len(both),
                examples=some(both),
                advice=f"do not fit on {name} and score here, or the reverse, before they are "
                "taken out of one of the two",
            )


def differing_texts(data: OutcomeSet, others: Mapping[str, OutcomeSet]) -> Iterator[Finding]:
    """The same id, another text in another set; case, punctuation, layout do not count."""
    for name, other in others.items():
        both = _shared(data, other).drop_nulls(["query", "query_other"])
        bad = [
            i
            for i, a, b in both.select("query_id", "query", "query_other").iter_rows()
            if normalise(a) != normalise(b)
        ]
        if bad:
            yield Finding(
                code="text_differs",
                severity="error",
                message=f"{len(bad)} of {len(both)} shared query ids have another text in {name}",
                rows=data.outcomes.filter(pl.col("query_id").is_in(bad)).height,
                queries=len(bad),
                examples=some(bad),
                advice="one of the two numbers its questions differently: find out which, and "
                "never join the two by id until then",
            )


def differing_golds(data: OutcomeSet, others: Mapping[str, OutcomeSet]) -> Iterator[Finding]:
    """The same id, another gold answer in another set."""
    for name, other in others.items():
        both = _shared(data, other).drop_nulls(["gold", "gold_other"])
        bad = [
            i
            for i, a, b in both.select("query_id", "gold", "gold_other").iter_rows()
            if _answer(a) != _answer(b)
        ]
        if bad:
            yield Finding(
                code="gold_differs",
                severity="error",
                message=f"{len(bad)} of {len(both)} shared query ids have another gold in {name}",
                rows=data.outcomes.filter(pl.col("query_id").is_in(bad)).height,
                queries=len(bad),
                examples=some(bad),
                advice="their scores follow different keys: leave these queries out of every "
                "comparison between the two",
            )


def _answer(gold: str) -> str:
    """GSM8K's golds come with and without the worked solution before `####`."""
    return gold.rsplit("####", 1)[-1].strip().replace(",", "").casefold()
