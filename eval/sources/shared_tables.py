"""The normalised tables: `outcomes/<name>.parquet` and `queries/<name>.parquet` of one folder.

The same columns for every source, one row a query x model. `correct` becomes the score,
`answer_parsed == 0` the status `unparsed` (with the score that the table gives). A table
without a queries file gets query rows without texts.

Not read: `outcomes_aggregates.parquet` (means without queries: `aggregates.py`).
"""

import hashlib
from pathlib import Path

import polars as pl

from eval.sources.assemble import assemble
from eval.sources.source import Source
from policies.outcome import OutcomeSet, Status
from router.errors import InputError

__all__ = ["read_normalised"]

_TEXTS = ("source", "benchmark", "domain", "subject", "query_id")
_SIZES = ("params_b", "params_active_b")
_KEPT = ("prompt_tokens", "completion_tokens", "response_chars")
_COLUMNS = (*_TEXTS, *_SIZES, *_KEPT, "model", "correct", "cost_usd", "answer_parsed")


def read_normalised(folder: Path, source: Source) -> OutcomeSet:
    """One source's table from a normalised folder.

    Raises:
        InputError: the table is absent or lacks a column; the message names file and column.
    """
    rows = _read(folder / "outcomes" / f"{source.name}.parquet", _COLUMNS)
    path = folder / "queries" / f"{source.name}.parquet"
    if path.is_file():
        queries = _read(path, (*_TEXTS, "query", "gold"))
    else:
        queries = rows.unique(["benchmark", "query_id"], maintain_order=True).select(_TEXTS)
    about = {**source.about(), "form": "normalised", "checksums": _checksums(folder, source.name)}
    return assemble(_outcomes(rows), queries, about)


def _outcomes(rows: pl.DataFrame) -> pl.DataFrame:
    judged = pl.col("benchmark") == "mt_bench"
    known_tokens, known_cost = pl.col("completion_tokens"), pl.col("cost_usd")
    return rows.select(
        *_TEXTS,
        *(pl.col(name) for name in _KEPT),
        # The table has them in 32 bits: 46.7 would read 46.70000076.
        *(pl.col(name).cast(pl.Float64).round_sig_figs(6) for name in _SIZES),
        "cost_usd",
        pl.col("model").alias("arm"),
        pl.col("correct").cast(pl.Float64).alias("score"),
        pl.when(pl.col("answer_parsed") == 0)
        .then(pl.lit(str(Status.UNPARSED)))
        .otherwise(pl.lit(str(Status.OK)))
        .alias("status"),
        pl.when(known_tokens.is_not_null()).then(pl.lit("reported")).alias("tokens_basis"),
        pl.when(known_cost.is_not_null()).then(pl.lit("priced")).alias("cost_basis"),
        pl.when(known_cost.is_not_null()).then(pl.lit("the source's own")).alias("price_snapshot"),
        pl.when(judged).then(pl.lit("judge")).otherwise(pl.lit("gold")).alias("label_source"),
    )


def _read(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    if not path.is_file():
        raise InputError(
            f"{path} is missing: --normalised wants the folder that holds outcomes/ and queries/"
        )
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: no parquet can be read ({error})") from None
    absent = [c for c in columns if c not in frame.columns]
    if absent:
        raise InputError(f"{path}: column {absent[0]!r} is missing")
    return frame.select(columns).with_columns(pl.col(pl.Categorical).cast(pl.String))


def _checksums(folder: Path, name: str) -> dict[str, str]:
    """SHA-256 of what was read, by its place in the folder."""
    found = [f"{kind}/{name}.parquet" for kind in ("outcomes", "queries")]
    return {
        one: hashlib.sha256((folder / one).read_bytes()).hexdigest()
        for one in found
        if (folder / one).is_file()
    }
