"""From a loader's rows to an outcome set: the rules that all sources share.

- `missing`: an arm with rows in a benchmark, but none for a query that another arm has there,
  gets a row of that status. An arm that was never run on a benchmark gets none.
- GPQA: its authors ask that the questions stay unpublished. Text, gold and answers of any row
  whose benchmark (or subject, or id) says gpqa are dropped here; the hash of the text is kept.
- A score a little below zero (METEOR has a penalty that can do it) counts 0; how many is written
  into `about`. Anything further outside 0..1 is an error.
- `query_hash` is computed for every query that has a text.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from policies.outcome import OUTCOMES, QUERIES, OutcomeError, OutcomeSet, Status, query_hash
from router.errors import InputError

__all__ = ["assemble", "is_gpqa"]

_LOWEST = -0.1
_LABELS = ("benchmark", "subject", "query_id")
_OF_QUERY = ("source", "benchmark", "domain", "subject", "query_id", "cluster_id")
_OF_ARM = ("benchmark", "arm", "model", "params_b", "params_active_b")


def is_gpqa() -> pl.Expr:
    """True where a row belongs to GPQA, whatever the spelling."""
    named = [pl.col(c).str.to_lowercase().str.contains("gpqa", literal=True) for c in _LABELS]
    return pl.any_horizontal(*(one.fill_null(False) for one in named))


def assemble(outcomes: pl.DataFrame, queries: pl.DataFrame, about: Mapping[str, Any]) -> OutcomeSet:
    """A valid set with hashes, `missing` rows and without GPQA's texts.

    Raises:
        InputError: the rows do not fit the schema or each other; the message says which.
    """
    try:
        outcomes, queries = _conform(outcomes, OUTCOMES), _conform(queries, QUERIES)
        queries = _redact(_hashed(queries), "query", "gold")
        outcomes = _redact(outcomes, "answer", "error")
        below = pl.col("score").is_between(_LOWEST, 0, closed="left")
        raised = outcomes.filter(below).height
        outcomes = outcomes.with_columns(score=pl.when(below).then(0.0).otherwise(pl.col("score")))
        full = pl.concat([outcomes, _missing(outcomes)], how="diagonal")
        return OutcomeSet(full, queries, {**about, **_pairs(full, about), **_raised(raised)})
    except OutcomeError as error:
        raise InputError(f"{about.get('name', 'outcomes')}: {error}") from None


def _conform(frame: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Columns that the rules below read, with their types; validation proper comes later."""
    names = [n for n in ("cluster_id", "domain", "subject", "answer", "error") if n in schema]
    names += [n for n in ("query", "query_hash", "gold") if n in schema]
    names += [n for n in ("params_b", "params_active_b", "score") if n in schema]
    blank = [pl.lit(None, schema[n]).alias(n) for n in names if n not in frame.columns]
    frame = frame.with_columns(blank)
    if "arm" in schema:
        model = pl.col("model") if "model" in frame.columns else pl.col("arm")
        frame = frame.with_columns(model.alias("model"), pl.col("status").cast(pl.String))
    return frame.with_columns(pl.col("cluster_id").fill_null(pl.col("query_id")))


def _hashed(queries: pl.DataFrame) -> pl.DataFrame:
    texts = queries["query"].to_list()
    made = pl.Series("made", [None if t is None else query_hash(t) for t in texts], pl.String)
    return queries.with_columns(query_hash=pl.col("query_hash").fill_null(made))


def _redact(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return frame.with_columns(
        pl.when(is_gpqa()).then(None).otherwise(pl.col(c)).alias(c) for c in columns
    )


def _pairs(outcomes: pl.DataFrame, about: Mapping[str, Any]) -> dict[str, Any]:
    """The pairs whose arms are both here: a mirror may hold only some models."""
    arms = set(outcomes["arm"].unique())
    return (
        {"pairs": [list(p) for p in about["pairs"] if set(p) <= arms]} if "pairs" in about else {}
    )


def _raised(rows: int) -> dict[str, int]:
    return {"scores_raised_to_zero": rows} if rows else {}


def _missing(outcomes: pl.DataFrame) -> pl.DataFrame:
    """One row for each arm x query of a benchmark that only other arms have."""
    queries = outcomes.unique(["benchmark", "query_id"], maintain_order=True).select(_OF_QUERY)
    arms = outcomes.unique(["benchmark", "arm"], maintain_order=True).select(_OF_ARM)
    wanted = arms.join(queries, on="benchmark", how="inner", maintain_order="left_right")
    absent = wanted.join(outcomes, on=["benchmark", "query_id", "arm"], how="anti")
    return absent.with_columns(status=pl.lit(str(Status.MISSING)))
