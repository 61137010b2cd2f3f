"""Which rows may be learned from: folds of whole clusters, and labels drawn from what is left.

What is scored is never fitted on: neither a row, nor another sample of its question, nor a row
whose text stands again under another id.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.table import Table
from router.errors import InputError

__all__ = ["Folds", "draw_labels", "elsewhere", "folds_of"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Folds:
    """(n,) fold of every row, clusters whole; and which rows may be trained on at most."""

    of: Ints
    count: int
    labels: int | None
    seed: int

    def train(self, table: Table, fold: int) -> Ints:
        """Row indices for fitting when `fold` is left out; `InputError` if too few."""
        return draw_labels(table, _outside(table, self.of, fold), self.labels, self.seed + fold)


def folds_of(
    table: Table, count: int, labels: int | None, seed: int, option: str = "--labels"
) -> Folds:
    """Random folds of whole clusters. `option`: where the labels were asked for.

    Raises:
        InputError: fewer clusters than folds, or more labels asked for than a fold leaves.
    """
    clusters = np.unique(table.cluster)
    if not 2 <= count <= len(clusters):
        raise InputError(f"--folds {count}: must lie between 2 and the {len(clusters)} questions")
    rng = np.random.default_rng(seed)
    fold = np.arange(len(clusters)) % count
    rng.shuffle(fold)
    of = fold[np.searchsorted(clusters, table.cluster)]
    left = min(len(_outside(table, of, k)) for k in range(count))
    if labels is not None and labels > left:
        raise InputError(
            f"{option} {labels}: {count} folds of {len(table):,} rows of {table.benchmark} leave "
            f"{left:,} for training; give at most that, or more --folds"
        )
    return Folds(of, count, labels, seed)


def _outside(table: Table, of: Ints, fold: int) -> Ints:
    """Rows of the other folds, without those whose text stands in this one under another id."""
    other = np.flatnonzero(of != fold)
    return other[~np.isin(table.row_key[other], table.row_key[of == fold])]


def elsewhere(train: Table, table: Table, folds: Folds) -> Ints:
    """Rows of `train` to fit on: none of them asks what `table` asks.

    Raises:
        InputError: the two tables share queries, or `train` has too few rows.
    """
    names = set(zip(table.benchmarks, table.query_id, strict=True))
    both = names.intersection(zip(train.benchmarks, train.query_id, strict=True))
    if both:
        raise InputError(
            f"--train-on {train.benchmark}: {len(both):,} of its queries are scored in "
            f"{table.benchmark}; train on another benchmark, or leave it out of --benchmark"
        )
    other = np.flatnonzero(~np.isin(train.row_key, table.row_key))
    return draw_labels(train, other, folds.labels, folds.seed)


def draw_labels(table: Table, rows: Ints, labels: int | None, seed: int) -> Ints:
    """`labels` of these rows, by whole clusters as far as they fit, drawn by the seed."""
    if not len(rows):
        raise InputError(f"{table.benchmark} has no row to train on that is not scored too")
    if labels is None or labels == len(rows):
        return rows
    if labels > len(rows):
        raise InputError(f"--labels {labels}: {table.benchmark} has {len(rows):,} rows to train on")
    order = np.random.default_rng([seed, 7]).permutation(np.unique(table.cluster[rows]))
    rank = np.argsort(order)
    place = rank[np.searchsorted(np.sort(order), table.cluster[rows])]
    return np.sort(rows[np.argsort(place, kind="stable")[:labels]])
