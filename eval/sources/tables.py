"""Your own outcomes: a JSONL, CSV or parquet file, one row a query x arm (x sample).

Columns have the names of `policies.outcome.OUTCOMES`, with the query's own (`query`, `gold`,
`query_hash`) beside them. LLMRouterBench's names are understood (`ALIASES`); others are mapped
(`--map theirs=ours`) or left out by name (`--ignore`): a column is never dropped silently.

Filled in where absent: source and benchmark (the set's name), cluster (the query), status
(`failed` where there is an error and no score, else `ok`), bases of tokens and costs
(`reported`, `billed`), label source (`gold`).
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from eval.sources.assemble import assemble
from eval.sources.cells import cell
from eval.sources.files import read_csv, read_jsonl
from policies.outcome import OUTCOMES, QUERIES, OutcomeSet, Status
from router.errors import InputError

__all__ = ["ALIASES", "parse_map", "read_table"]

ALIASES: Mapping[str, str] = {
    "record_index": "query_id",
    "model_name": "arm",
    "prediction": "answer",
    "ground_truth": "gold",
    "origin_query": "query",
    "cost": "cost_usd",
    "dataset_name": "benchmark",
    "correct": "score",
}
_COLUMNS = {**OUTCOMES, **QUERIES}
_OF_QUERY = tuple(name for name in QUERIES if name not in OUTCOMES)
_SHARED = tuple(name for name in QUERIES if name in OUTCOMES)
_NEEDED = ("query_id", "arm")


def parse_map(pairs: Iterable[str]) -> dict[str, str]:
    """`theirs=ours` of the command line; `InputError` names a wrong one."""
    found = {}
    for pair in pairs:
        theirs, equals, ours = pair.partition("=")
        if not equals or ours not in _COLUMNS:
            raise InputError(
                f"--map {pair}: THEIRS=OURS is expected, OURS one of the columns: "
                f"{', '.join(_COLUMNS)}"
            )
        found[theirs] = ours
    return found


def read_table(
    path: Path, name: str, mapping: Mapping[str, str] | None = None, ignore: Iterable[str] = ()
) -> OutcomeSet:
    """The set that a file holds; `name` is its source (and its benchmark, where none is told).

    Raises:
        InputError: an unknown column, a value of the wrong kind, a contradiction between rows;
            the message names file, line and column.
    """
    names: dict[str, str] = {}
    left_out = set(ignore)
    rows: list[dict[str, Any]] = []
    queries: dict[tuple[str, str], dict[str, Any]] = {}
    for line, record in _records(path):
        where = f"{path}:{line}"
        row = _row(record, names, mapping or {}, left_out, where)
        _fill(row, name, where)
        key = (row["benchmark"], row["query_id"])
        query = {k: row.get(k) for k in (*_SHARED, *_OF_QUERY)}
        rows.append({k: v for k, v in row.items() if k not in _OF_QUERY})
        _merge(queries.setdefault(key, query), query, where)
    if not rows:
        raise InputError(f"{path} holds no rows")
    idle = sorted(set(mapping or {}) - set(names))
    if idle:
        raise InputError(f"--map {idle[0]}=...: {path} has no column {idle[0]!r}")
    return assemble(
        _frame(rows, OUTCOMES),
        _frame(list(queries.values()), QUERIES),
        {"name": name, "licence": "your own", "file": path.name, "notes": []},
    )


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    kind = path.suffix.lower()
    if kind in (".jsonl", ".ndjson"):
        return read_jsonl(path)
    if kind == ".csv":
        return iter(read_csv(path))
    if kind == ".parquet":
        return _parquet(path)
    raise InputError(f"{path}: .jsonl, .csv or .parquet is expected")


def _parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: no parquet can be read ({error})") from None
    yield from enumerate(frame.iter_rows(named=True), 1)


def _row(
    record: dict[str, Any],
    names: dict[str, str],
    mapping: Mapping[str, str],
    ignore: set[str],
    where: str,
) -> dict[str, Any]:
    """The record under our names, with values of our kinds; blanks are left out."""
    row: dict[str, Any] = {}
    for theirs, raw in record.items():
        if theirs in ignore:
            continue
        ours = names.get(theirs) or names.setdefault(theirs, _ours(theirs, mapping, where))
        if ours in row:
            raise InputError(f"{where}: two columns stand for {ours!r}; --ignore one of them")
        value = cell(raw, ours, _COLUMNS[ours], f"{where}: {theirs}")
        if value is not None:
            row[ours] = value
    return row


def _ours(theirs: str, mapping: Mapping[str, str], where: str) -> str:
    ours = mapping.get(theirs) or (theirs if theirs in _COLUMNS else ALIASES.get(theirs))
    if ours is None:
        raise InputError(
            f"{where}: unknown column {theirs!r}; give --map {theirs}=OURS, or --ignore {theirs}. "
            f"Known: {', '.join(_COLUMNS)}"
        )
    return ours


def _fill(row: dict[str, Any], name: str, where: str) -> None:
    """What a table may leave out (see the module's docstring)."""
    if "arm" not in row and "model" in row:
        row["arm"] = row["model"]
    for needed in _NEEDED:
        if needed not in row:
            raise InputError(f"{where}: {needed} is missing; name its column with --map")
    row.setdefault("source", name)
    row.setdefault("benchmark", name)
    if "status" not in row:
        if "score" not in row and "error" not in row:
            raise InputError(f"{where}: there is neither a score nor a status nor an error")
        row["status"] = str(Status.OK if "score" in row else Status.FAILED)
    if "score" in row:
        row.setdefault("label_source", "gold")
    if "cost_usd" in row:
        row.setdefault("cost_basis", "billed")
    if "prompt_tokens" in row or "completion_tokens" in row:
        row.setdefault("tokens_basis", "reported")


def _merge(known: dict[str, Any], query: dict[str, Any], where: str) -> None:
    """Rows of one query must tell the same question, or the table is misaligned."""
    for column in ("query", "gold"):
        if known[column] is None:
            known[column] = query[column]
        elif query[column] not in (None, known[column]):
            raise InputError(
                f"{where}: query {query['query_id']!r} has another {column} here than above"
            )


def _frame(rows: list[dict[str, Any]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    used = {name: kind for name, kind in schema.items() if any(name in row for row in rows)}
    plain = {n: pl.String() if isinstance(k, pl.Enum) else k for n, k in used.items()}
    return pl.DataFrame({n: pl.Series(n, [r.get(n) for r in rows], plain[n]) for n in used})
