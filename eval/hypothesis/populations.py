"""The populations of the pre-registration, read as grids.

The exclusions are the file's: a model that lacks rows of a benchmark, or whose format failures
exceed a fifth of its answers there, is left out of that benchmark; one without a size is shown,
never fitted. A format failure is an unread answer where a table flags them, and what `ockham
outcomes check` calls one (a cell at zero, though the model does well elsewhere and others do
well there). What was left out is listed.

A table is read from the data folder, else from the sets that `ockham outcomes import` stored.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl

from eval.hypothesis.grid import Grid, grid_of
from eval.sources.aggregate_labels import Placed, placed
from eval.sources.aggregates import FILE, Aggregates, read_aggregates
from eval.sources.labels import UnknownBenchmark, label_of
from eval.sources.shared_tables import read_normalised
from eval.sources.source import source
from eval.sources.traps.options import guess_floors
from eval.sources.traps.scores import UNPARSED, WELL, ZERO
from policies.outcome import OutcomeSet, Status, counted_score
from router.errors import SetupError
from router.outcomes import read_outcomes, stored_sets

__all__ = [
    "Absent",
    "Population",
    "axis_of",
    "checksum_of",
    "excluded_cells",
    "format_zeros",
    "load_population",
    "means",
    "table",
    "with_redux",
]

SAME_ANSWERS = ("humaneval_plus", "mbpp_plus")
"""The same answers under more tests: counted once, by the plain benchmark."""


class Absent(SetupError):
    """A population is not on this machine; says how to get it."""


@dataclass(frozen=True)
class Population:
    """One population as a grid, with what was left out of it and why."""

    name: str
    grid: Grid
    checksum: str
    notes: tuple[str, ...]
    kept_formats: Grid | None = None
    """The same with the cells that were left out for their format; None where there are none."""


def load_population(name: str, data: Path | None) -> Population:
    """A population of the pre-registration that size slopes or couplings are fitted on.

    Raises:
        Absent: neither in the data folder nor stored.
    """
    if name == "published_table":
        from eval.hypothesis.published import published_grid

        return published_grid()
    if name == "outcomes_aggregates":
        return _aggregates(data)
    return _queries(name, data)


def table(name: str, data: Path | None) -> OutcomeSet:
    """A query table: of the data folder, else as it was imported.

    Raises:
        Absent: it is in neither.
    """
    if data is not None and (data / "outcomes" / f"{name}.parquet").is_file():
        return read_normalised(data, source(name))
    if name in stored_sets():
        return read_outcomes(name)
    how = (
        f"`ockham outcomes import {name}` fetches it"
        if source(name).files
        else "only a data folder holds it (--data)"
    )
    raise Absent(f"the table {name} is not here: {how}")


def means(data: Path | None) -> Aggregates:
    """The table of means of the data folder; `Absent` where there is none."""
    if data is None or not (data / FILE).is_file():
        raise Absent("the table of means is not here: only a data folder holds it (--data)")
    return read_aggregates(data)


def axis_of(benchmark: str, subject: str | None) -> str | None:
    """`verifiable` (1, 0), `knowledge` (0, 1), or None: reported apart."""
    try:
        label = label_of(benchmark, subject)
    except UnknownBenchmark:
        return None
    axes = (label.verifiability, label.knowledge_demand)
    return {(1, 0): "verifiable", (0, 1): "knowledge"}.get(axes)  # type: ignore[arg-type]


def excluded_cells(data: OutcomeSet) -> dict[tuple[str, str], str]:
    """(arm, benchmark) -> why the pre-registration leaves the cell out."""
    found: dict[tuple[str, str], str] = {}
    rows = data.outcomes.group_by("arm", "benchmark", maintain_order=True).agg(
        missing=(pl.col("status") == Status.MISSING).sum(),
        ran=(pl.col("status") != Status.MISSING).sum(),
        unparsed=(pl.col("status") == Status.UNPARSED).sum(),
        score=counted_score().mean(),
        asked=pl.len(),
    )
    for row in rows.iter_rows(named=True):
        cell = (row["arm"], row["benchmark"])
        if row["missing"]:
            found[cell] = f"incomplete ({row['missing']} of {row['asked']} queries missing)"
        elif row["ran"] and row["unparsed"] / row["ran"] > UNPARSED:
            found[cell] = f"{row['unparsed'] / row['ran']:.0%} of the answers unread"
    scores = {(r["arm"], r["benchmark"]): float(r["score"] or 0) for r in rows.to_dicts()}
    for cell in format_zeros(scores):
        found.setdefault(cell, "at zero, though the model and the others do well: a format")
    return found


def with_redux(data: Path | None) -> Grid:
    """ZeroEval's tables beside MMLU-Redux of the same models and harness, as if it were knowledge.

    MMLU-Redux mixes subjects, so its label is null and it enters no verdict: printed beside one.
    """
    own = _queries("zeroeval", data).grid
    rows: list[Row] = [
        (own.models[m], "zeroeval", float(own.total[m]), float(own.active[m]), own.items[i],
         "verifiable", float(own.floor[i]), float(own.mean[m, i]), float(own.n[m, i]))
        for m, i in np.argwhere(own.held)
    ]  # fmt: skip
    redux = means(data).frame.filter(pl.col("benchmark") == "mmlu_redux")
    rows += [
        (r["model"], "zeroeval", r["params_b"], None, "mmlu_redux", "knowledge", 0.25, r["value"],
         r["n"] or 2778)
        for r in redux.iter_rows(named=True)
    ]  # fmt: skip
    return grid_of(rows).on_both_axes()


def format_zeros(scores: Mapping[tuple[str, str], float]) -> list[tuple[str, str]]:
    """(model, benchmark) cells that `ockham outcomes check` calls failures of the format."""
    by_model: dict[str, list[tuple[str, float]]] = {}
    by_benchmark: dict[str, list[tuple[str, float]]] = {}
    for (model, benchmark), mean in scores.items():
        by_model.setdefault(model, []).append((benchmark, mean))
        by_benchmark.setdefault(benchmark, []).append((model, mean))
    found = []
    for (model, benchmark), mean in scores.items():
        elsewhere = [v for b, v in by_model[model] if b != benchmark]
        rivals = [v for m, v in by_benchmark[benchmark] if m != model]
        if mean <= ZERO and max(elsewhere, default=0) >= WELL and rivals and median(rivals) >= WELL:
            found.append((model, benchmark))
    return found


Row = tuple[str, str, float | None, float | None, str, str, float, float, float]


def _queries(name: str, data: Path | None) -> Population:
    outcomes = table(name, data)
    left = excluded_cells(outcomes)
    floors = {b: f for b, f, *_ in guess_floors(outcomes).iter_rows()}
    per_query = (
        outcomes.outcomes.filter(pl.col("status") != Status.MISSING)
        .filter(~pl.col("benchmark").is_in(SAME_ANSWERS))
        .with_columns(counted_score().alias("counted"))
        .group_by("benchmark", "subject", "arm", maintain_order=True)
        .agg(
            pl.col("counted").mean(),
            pl.col("query_id").n_unique().alias("n"),
            pl.col("params_b").first(),
            pl.col("params_active_b").first(),
        )
    )
    rows: list[Row] = []
    for r in per_query.iter_rows(named=True):
        axis = axis_of(r["benchmark"], r["subject"])
        if axis is None or (r["arm"], r["benchmark"]) in left:
            continue
        item = f"{r['benchmark']}: {(r['subject'] or r['benchmark']).split('|')[-1]}"
        rows.append((r["arm"], name, r["params_b"], r["params_active_b"], item, axis,
                     floors.get(r["benchmark"], 0.0), r["counted"], r["n"]))  # fmt: skip
    notes = [f"{arm} left out of {b}: {why}" for (arm, b), why in left.items()]
    sizeless = sorted({r[0] for r in rows if r[2] is None})
    if sizeless:
        notes.append(f"no published size, never fitted: {', '.join(sizeless)}")
    return Population(name, grid_of(rows), checksum_of(name, outcomes), tuple(notes))


def checksum_of(name: str, outcomes: OutcomeSet) -> str:
    """Of the table's file; of an imported set, of the list of its files' checksums."""
    known: Mapping[str, str] = outcomes.about["checksums"]
    own = known.get(f"outcomes/{name}.parquet")
    every = json.dumps(dict(known), sort_keys=True).encode()
    return (own or hashlib.sha256(every).hexdigest())[:16]


def _aggregates(data: Path | None) -> Population:
    table_of = means(data)
    sizes = _published_sizes(table_of.frame)
    rows: list[Row] = []
    for r in table_of.frame.iter_rows(named=True):
        at = placed(r["benchmark"])
        if at is None:
            continue
        n = r["n"] or at.questions or sizes(r["benchmark"])
        rows.append(_mean_row(r, at, n))
    zeros: set[tuple[str, str, str]] = set()
    for place in {r[1] for r in rows}:
        own = {(r[0], r[4]): r[7] for r in rows if r[1] == place}
        zeros |= {(model, place, item) for model, item in format_zeros(own)}
    kept = [r for r in rows if (r[0], r[1], r[4]) not in zeros]
    notes = [
        f"{model} left out of {item} ({place}): at zero, though the model and the others do well"
        for model, place, item in sorted(zeros)
    ]
    notes.append("no flags of unread answers in this table: format failures cannot be counted")
    formats = grid_of(rows) if zeros else None
    return Population(
        "outcomes_aggregates", grid_of(kept), table_of.checksum, tuple(notes), formats
    )


def _mean_row(row: Mapping[str, object], at: Placed, n: float) -> Row:
    place = str(row["source"]).split(" ")[0]
    size = row["params_b"]
    assert size is None or isinstance(size, float)
    value = row["value"]
    assert isinstance(value, float)
    return (
        str(row["model"]), place, size, None, f"{place}: {row['benchmark']}", at.axis,
        0.0 if at.options == 1 else 1 / at.options, value, n,
    )  # fmt: skip


def _published_sizes(frame: pl.DataFrame) -> Callable[[str], float]:
    """Questions of a benchmark where its row does not say: as another source says of the same."""
    known = dict(frame.select("benchmark", "n").drop_nulls().iter_rows())

    def size(benchmark: str) -> float:
        name = benchmark.replace("hendrycksTest-", "mmlu_")
        return float(known.get(name, 100.0))

    return size
