"""What is in a set of outcomes, as plain data: the one thing that `list` and `show` print.

Scores of a population that the pre-registration calls unseen are left out unless asked for:
who looks at them first makes every later verdict on it exploratory.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict

from eval.compare import share
from eval.sources.assemble import is_gpqa
from eval.sources.price_list import price_list
from policies.outcome import TREATMENT, OutcomeSet, Status, counted_score

__all__ = [
    "Cell",
    "Example",
    "ModelPrice",
    "StatusCount",
    "Summary",
    "summarise",
    "unseen",
]

_PREREGISTRATION = Path(__file__).parents[1] / "preregistration.yaml"


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True)


class Cell(_Plain):
    """One arm on one benchmark; `n` rows count, the scores are null where they are withheld."""

    benchmark: str
    queries: int
    arm: str
    n: int
    missing: int
    score: float | None
    low: float | None
    high: float | None


class StatusCount(_Plain):
    """How many rows ended so, and what they count as."""

    status: str
    rows: int
    treatment: str


class ModelPrice(_Plain):
    """USD per million tokens that `price` takes for a model; null where the list has none."""

    model: str
    input: float | None
    output: float | None
    kind: str | None


class Example(_Plain):
    """A question as it stands in the table."""

    query_id: str
    query: str


class Summary(_Plain):
    """Everything that `ockham outcomes show` tells."""

    name: str
    about: Mapping[str, Any]
    rows: int
    queries: int
    withheld: bool
    cells: tuple[Cell, ...]
    statuses: tuple[StatusCount, ...]
    rows_with_cost: int
    prices: tuple[ModelPrice, ...]
    examples: tuple[Example, ...]


def unseen() -> frozenset[str]:
    """Names of the populations whose outcomes were not opened when the predictions were made."""
    populations = yaml.safe_load(_PREREGISTRATION.read_text(encoding="utf-8"))["populations"]
    return frozenset(name for name, p in populations.items() if p["status"] == "unseen")


def summarise(
    name: str, data: OutcomeSet, scores: bool | None = None, examples: int = 0
) -> Summary:
    """The summary of a set.

    Args:
        scores: Show scores; None: unless the set is an unseen population, by its name or its
            source's.
        examples: So many questions with a text, in the table's order; never GPQA's.
    """
    withheld = not scores if scores is not None else bool(unseen() & {name, data.about.get("name")})
    counts = dict(data.outcomes.group_by("status").len().iter_rows())
    return Summary(
        name=name,
        about={k: v for k, v in data.about.items() if k != "schema"},
        rows=data.outcomes.height,
        queries=data.queries.height,
        withheld=withheld,
        cells=_cells(data, withheld),
        statuses=tuple(
            StatusCount(status=s, rows=counts[s], treatment=TREATMENT[s])
            for s in Status
            if s in counts
        ),
        rows_with_cost=data.outcomes["cost_usd"].is_not_null().sum(),
        prices=_prices(data),
        examples=_examples(data, examples),
    )


def _cells(data: OutcomeSet, withheld: bool) -> tuple[Cell, ...]:
    counted = data.outcomes.with_columns(counted=counted_score())
    asked = dict(data.queries.group_by("benchmark").len().iter_rows())
    groups = counted.group_by(["benchmark", "arm"], maintain_order=True).agg(
        n=pl.col("counted").is_not_null().sum(),
        missing=(pl.col("status") == str(Status.MISSING)).sum(),
        mean=pl.col("counted").mean(),
    )
    cells = []
    for benchmark, arm, n, missing, mean in groups.sort("benchmark", maintain_order=True).rows():
        low, high = (None, None) if withheld or mean is None else share(mean, n)[1:3]
        cells.append(
            Cell(
                benchmark=benchmark,
                queries=asked.get(benchmark, 0),
                arm=arm,
                n=n,
                missing=missing,
                score=None if withheld else mean,
                low=low,
                high=high,
            )
        )
    return tuple(cells)


def _prices(data: OutcomeSet) -> tuple[ModelPrice, ...]:
    """The list's price of every model that has a row without a cost."""
    lacking = data.outcomes.filter(
        pl.col("cost_usd").is_null() & (pl.col("status") != str(Status.MISSING))
    )
    known = price_list().prices
    found = []
    for model in lacking["model"].unique(maintain_order=True):
        one = known.get(model)
        found.append(
            ModelPrice(
                model=model,
                input=one and one.input,
                output=one and one.output,
                kind=one and one.kind,
            )
        )
    return tuple(found)


def _examples(data: OutcomeSet, n: int) -> tuple[Example, ...]:
    rows = data.queries.filter(pl.col("query").is_not_null() & ~is_gpqa()).head(n)
    return tuple(Example(query_id=i, query=q) for i, q in rows.select("query_id", "query").rows())
