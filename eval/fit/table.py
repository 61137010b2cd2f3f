"""The training table: examples, their rows and their weights, and folds that keep groups whole.

Families weigh by the square root of their size, the written prompts together
`WRITTEN_SHARE` of the whole. Rows are [embedding, cues], as the live featuriser makes them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.fit.examples import Example
from eval.fit.linear import Rows
from router.signals.cues import cues
from router.signals.encoder import Encoder

__all__ = ["EMBEDDING_SCALE", "WRITTEN_SHARE", "Table", "featurise", "fold_of_rows", "row_weights"]

WRITTEN_SHARE = 0.4
EMBEDDING_SCALE = 8.0
"""Embedding columns have a spread of 0.05, cues one of 0.4: one penalty needs one scale."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Table:
    """Examples with their rows; `x` is scaled, see `EMBEDDING_SCALE`."""

    examples: tuple[Example, ...]
    x: NDArray[np.float32]
    weights: Rows

    def take(self, mask: NDArray[np.bool_]) -> "Table":
        """The rows where mask is true."""
        chosen = tuple(e for e, m in zip(self.examples, mask, strict=True) if m)
        return Table(chosen, self.x[mask], self.weights[mask])

    def labelled(self, axis: str) -> "Table":
        """The rows that have a label on this axis (or "domain")."""
        return self.take(np.array([getattr(e, axis) is not None for e in self.examples]))

    def without(self, groups: set[str]) -> "Table":
        """The rows outside these groups."""
        return self.take(np.array([e.group not in groups for e in self.examples]))

    def labels(self, axis: str) -> list[Any]:
        """One label a row."""
        return [getattr(e, axis) for e in self.examples]


def featurise(examples: Sequence[Example], encoder: Encoder, say: Say = lambda _: None) -> Table:
    """The same columns as the live featuriser's, one row an example."""
    texts = [e.text.strip() for e in examples]
    step = 512
    parts = []
    for start in range(0, len(texts), step):
        say(f"embedding {start} of {len(texts)}")
        parts.append(encoder.encode(texts[start : start + step]))
    x = np.concatenate([np.concatenate(parts) * EMBEDDING_SCALE, cues(texts)], axis=1)
    return Table(tuple(examples), x, row_weights(examples))


def row_weights(examples: Sequence[Example]) -> Rows:
    """Weights that sum to one."""
    families = Counter(e.group for e in examples if not e.written)
    written = sum(e.written for e in examples)
    benchmarks = sum(np.sqrt(n) for n in families.values())
    share = WRITTEN_SHARE if written < len(examples) else 1.0
    return np.array(
        [
            share / written
            if e.written
            else (1 - share) / (benchmarks * np.sqrt(families[e.group]))
            for e in examples
        ]
    )


def fold_of_rows(table: Table, parts: int, seed: int) -> NDArray[np.int64]:
    """A fold for each row; groups are dealt out in a seeded order, large ones first."""
    sizes = Counter(e.group for e in table.examples)
    names = sorted(sizes)
    order = np.random.default_rng(seed).permutation(len(names))
    dealt = sorted((names[i] for i in order), key=lambda g: -sizes[g])
    load = [0] * parts
    fold: dict[str, int] = {}
    for group in dealt:
        fold[group] = int(np.argmin(load))
        load[fold[group]] += sizes[group]
    return np.array([fold[e.group] for e in table.examples])
