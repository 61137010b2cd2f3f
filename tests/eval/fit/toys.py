"""Small training tables with known answers, and contenders that give known scores."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from eval.fit.examples import Example
from eval.fit.linear import Reals
from eval.fit.table import Table, row_weights
from router.state import Message, Query

Row = tuple[str, int | None, int | None, float]
"""Group, verifiability, knowledge demand, the score that `Column` gives it."""


def example(group: str, v: int | None, k: int | None, text: str, **more: Any) -> Example:
    """One example; a group that begins with `written` was written."""
    query = Query(id=group, messages=(Message(role="user", content=text),))
    given = {"domain": "math", "written": group.startswith("written"), **more}
    return Example(query, group, group, verifiability=v, knowledge_demand=k, **given)


def table_of(rows: Sequence[Row], embedding: np.ndarray | None = None) -> Table:
    """`x` is (n, 1), the score; without an embedding no two rows are near."""
    examples = tuple(example(g, v, k, f"row {i}") for i, (g, v, k, _) in enumerate(rows))
    return built(examples, np.array([[r[3]] for r in rows], dtype=np.float32), embedding)


def built(examples: Sequence[Example], x: np.ndarray, embedding: np.ndarray | None = None) -> Table:
    """A table of given rows."""
    n = len(examples)
    return Table(
        tuple(examples),
        x.astype(np.float32),
        row_weights(examples),
        np.eye(n, dtype=np.float32) if embedding is None else embedding.astype(np.float32),
        ("en",) * n,
        np.zeros(n, dtype=bool),
    )


class Column:
    """Scores a row by its first column; remembers what it was fitted on."""

    name = "column"

    def __init__(self, log_odds: bool = True, stop_after: int | None = None) -> None:
        self.log_odds = log_odds
        self.stop_after = stop_after
        self.seen: list[Table] = []

    def fit(self, table: Table, axis: str) -> Callable[[Table], Reals]:
        """Learn nothing."""
        if self.stop_after is not None and len(self.seen) == self.stop_after:
            raise KeyboardInterrupt
        self.seen.append(table)
        return lambda rows: rows.x[:, 0].astype(np.float64)
