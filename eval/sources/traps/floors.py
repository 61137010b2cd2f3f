"""Guess floors, the arms that do not clear them, and the arms below them.

Messages name cells, never their scores (see `finding`).
"""

from collections.abc import Iterator

import polars as pl

from eval.compare import share
from eval.sources.traps.finding import (
    ENOUGH,
    Finding,
    cell_names,
    cell_queries,
    cells,
    listed,
    some,
)
from eval.sources.traps.options import guess_floors
from policies.outcome import OutcomeSet

__all__ = ["floor_cells"]


def floor_cells(data: OutcomeSet) -> Iterator[Finding]:
    """Guess floors; arms not above them; arms below them, which only a format explains."""
    floors = guess_floors(data)
    if not len(floors):
        return
    ten = [f"{b} up to {o} options, floor {f:.3f}" for b, f, o, _ in floors.iter_rows()]
    yield Finding(
        code="guess_floor",
        severity="note",
        message=f"{len(floors)} benchmarks can be guessed: {listed(ten)}",
        queries=int(floors["n"].sum()),
        examples=some(floors["benchmark"].to_list()),
        advice="fit size slopes above the floor: (score - floor) / (1 - floor)",
    )
    table = (
        cells(data)
        .join(floors.select("benchmark", "floor"), on="benchmark", maintain_order="left")
        .filter(pl.col("n") >= ENOUGH)
    )
    made = [share(p, n) for p, n in table.select("score", "n").iter_rows()]
    low, high = (pl.Series([end[k] for end in made], dtype=pl.Float64) for k in (1, 2))
    at = table.filter((low <= table["floor"]) & (high >= table["floor"]))
    below = table.filter(high < table["floor"])
    if len(at):
        yield Finding(
            code="at_guess_floor",
            severity="warning",
            message=f"{len(at)} arm x benchmark cells do not differ from guessing: "
            f"{listed(cell_names(at))}",
            rows=int(at["n"].sum()),
            queries=cell_queries(at, data),
            examples=some(cell_names(at)),
            advice="treat them as censored at the floor: what they say about ability is only "
            "an upper bound",
        )
    if len(below):
        yield Finding(
            code="below_guess_floor",
            severity="warning",
            message=f"{len(below)} arm x benchmark cells are below guessing, which wrong "
            f"formats explain and ability does not: {listed(cell_names(below))}",
            rows=int(below["n"].sum()),
            queries=cell_queries(below, data),
            examples=some(cell_names(below)),
            advice="leave these cells out of size slopes and of routing gains; score again if "
            "the answers are there",
        )
