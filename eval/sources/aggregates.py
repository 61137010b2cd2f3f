"""`outcomes_aggregates.parquet`: means of models on benchmarks, without a row a query.

One row a source x model x benchmark (x shots): value is a share of 0..1, n the questions where
the source says it. The form that query tables have is of no use here, so this is no outcome
set: nothing can be replayed on it, and `ockham outcomes` does not list it.

Repeated means of one model on one benchmark of one source (other shots) are averaged.
What not: labels (`aggregate_labels.py`), families and fits (`eval/hypothesis`).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from router.errors import InputError, SetupError

__all__ = ["FILE", "Aggregates", "read_aggregates"]

FILE = "outcomes_aggregates.parquet"
_TYPES = {
    "source": pl.String,
    "model": pl.String,
    "benchmark": pl.String,
    "params_b": pl.Float64,
    "value": pl.Float64,
    "n": pl.Float64,
}


@dataclass(frozen=True)
class Aggregates:
    """The means, and which file they are from.

    `frame`: source, model, benchmark, params_b (total, billions, null where unknown), value
    (0..1), n (questions; null where unknown), repeats.
    """

    frame: pl.DataFrame
    checksum: str
    """SHA-256 of the file, its first 16 hex digits."""


def read_aggregates(folder: Path) -> Aggregates:
    """The table of a data folder.

    Raises:
        SetupError: there is none.
        InputError: a column is missing, or a value is no share; the message says where.
    """
    path = folder / FILE
    if not path.is_file():
        raise SetupError(f"{path} is missing: give --data the folder that holds it")
    try:
        data = path.read_bytes()
        frame = pl.read_parquet(data)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: no parquet can be read ({error})") from None
    absent = [name for name in _TYPES if name not in frame.columns]
    if absent:
        raise InputError(f"{path}: column {absent[0]!r} is missing")
    return Aggregates(_checked(frame, path), hashlib.sha256(data).hexdigest()[:16])


def _checked(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    try:
        frame = frame.select(pl.col(name).cast(kind) for name, kind in _TYPES.items())
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path}: {str(error).splitlines()[0]}") from None
    key = ["source", "model", "benchmark"]
    rules = {
        "value must be a share of 0..1": ~pl.col("value").is_between(0, 1).fill_null(False),
        "params_b must be positive": (pl.col("params_b") <= 0).fill_null(False),
        "source, model and benchmark must be given": pl.any_horizontal(pl.col(key).is_null()),
    }
    for rule, broken in rules.items():
        bad = frame.with_row_index("_row").filter(broken)
        if len(bad):  # the place, never the value: a population may be unseen
            raise InputError(f"{path}: {rule}: {len(bad)} rows, the first is row {bad['_row'][0]}")
    return frame.group_by(key, maintain_order=True).agg(
        pl.col("params_b").first(),
        pl.col("value").mean(),
        pl.col("n").max(),
        pl.len().alias("repeats"),
    )
