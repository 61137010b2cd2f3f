"""The training table: examples, their rows and their weights, and folds that keep groups whole.

Families, and their parts with different labels, weigh by the square root of their size, the
written prompts together `WRITTEN_SHARE` of the whole. Rows are the live featuriser's head input
(`router.signals.inputs`), scaled block by block: one penalty needs one scale.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.fit.examples import Example
from eval.fit.linear import Reals
from router.signals.cues import CUES
from router.signals.foreign import DIM as FOREIGN_DIM
from router.signals.inputs import Inputs, Rows

__all__ = ["WRITTEN_SHARE", "Table", "featurise", "fold_of_rows", "row_weights", "scale_of"]

WRITTEN_SHARE = 0.7
STATES_SCALE, FOREIGN_SCALE = 8.0, 6.0
"""A state's column has a spread of about 0.05, a cue's of 0.4."""
BATCH = 256

Say = Callable[[str], None]


@dataclass(frozen=True)
class Table:
    """Examples with their rows; `x` is scaled by `scale_of`."""

    examples: tuple[Example, ...]
    x: NDArray[np.float32]
    weights: Reals
    embedding: NDArray[np.float32]
    """(n, dim) the featuriser's block of that name."""
    languages: tuple[str, ...]
    leaning: NDArray[np.bool_]
    """(n,) follow-ups and wrapped prompts."""

    def take(self, mask: NDArray[np.bool_]) -> "Table":
        """The rows where mask is true."""
        return Table(
            tuple(e for e, m in zip(self.examples, mask, strict=True) if m),
            self.x[mask],
            self.weights[mask],
            self.embedding[mask],
            tuple(e for e, m in zip(self.languages, mask, strict=True) if m),
            self.leaning[mask],
        )

    def labelled(self, name: str) -> "Table":
        """The rows that have a label on this axis (or "domain", "form")."""
        return self.take(self.has(name))

    def has(self, name: str) -> NDArray[np.bool_]:
        """(n,) whether a row has that label."""
        return np.array([getattr(e, name) is not None for e in self.examples])

    def labels(self, name: str) -> list[Any]:
        """One label a row."""
        return [getattr(e, name) for e in self.examples]

    @property
    def groups(self) -> NDArray[np.str_]:
        """(n,) the group of each row."""
        return np.array([e.group for e in self.examples])

    @property
    def written(self) -> NDArray[np.bool_]:
        """(n,) whether a row was written for this project."""
        return np.array([e.written for e in self.examples])


def scale_of(columns: int) -> NDArray[np.float32]:
    """(columns,) what the live rows are multiplied by before a fit."""
    states = columns - FOREIGN_DIM - len(CUES)
    blocks = [(states, STATES_SCALE), (FOREIGN_DIM, FOREIGN_SCALE), (len(CUES), 1.0)]
    return np.concatenate([np.full(n, s, dtype=np.float32) for n, s in blocks])


def featurise(examples: Sequence[Example], inputs: Inputs, say: Say = lambda _: None) -> Table:
    """The table of these examples, in order; texts of like length are read together."""
    order = np.argsort([len(e.text) for e in examples], kind="stable")
    parts: list[Rows] = []
    for start in range(0, len(order), BATCH):
        say(f"reading {start} of {len(order)}")
        parts.append(inputs.rows([examples[i].query for i in order[start : start + BATCH]]))
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    x = np.concatenate([p.matrix for p in parts])[back]
    languages = [language for p in parts for language in p.languages]
    readings = [reading for p in parts for reading in p.readings]
    return Table(
        tuple(examples),
        x * scale_of(x.shape[1]),
        row_weights(examples),
        np.concatenate([p.embedding for p in parts])[back],
        tuple(languages[i] for i in back),
        np.array([readings[i].follow_up or readings[i].wrapped for i in back]),
    )


def row_weights(examples: Sequence[Example]) -> Reals:
    """Weights that sum to one; parts of a family that differ in their labels weigh apart.

    MMLU is history, calculus and chemistry: as one family, its chemistry would hardly count.
    """
    parts = Counter(_part(e) for e in examples if not e.written)
    written = sum(e.written for e in examples)
    benchmarks = sum(np.sqrt(n) for n in parts.values())
    share = WRITTEN_SHARE if written < len(examples) else 1.0
    return np.array(
        [
            share / written if e.written else (1 - share) / (benchmarks * np.sqrt(parts[_part(e)]))
            for e in examples
        ]
    )


def _part(example: Example) -> tuple[object, ...]:
    return (example.group, example.domain, example.verifiability, example.knowledge_demand)


def fold_of_rows(groups: NDArray[np.str_], parts: int, seed: int) -> NDArray[np.int64]:
    """(n,) a fold for each row; groups are dealt out in a seeded order, large ones first."""
    sizes = Counter(groups.tolist())
    names = sorted(sizes)
    order = np.random.default_rng(seed).permutation(len(names))
    dealt = sorted((names[i] for i in order), key=lambda g: -sizes[g])
    load = [0] * parts
    fold: dict[str, int] = {}
    for group in dealt:
        fold[group] = int(np.argmin(load))
        load[fold[group]] += sizes[group]
    return np.array([fold[g] for g in groups])
