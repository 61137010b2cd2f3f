"""The table: whole groups in a fold, and weights that add up."""

from collections import Counter

import numpy as np
import pytest

from eval.fit.examples import Example
from eval.fit.table import WRITTEN_SHARE, Table, fold_of_rows, row_weights


def examples() -> list[Example]:
    """Ten families of different sizes, and five written topics."""
    plain = [(f"f{i}", False) for i in range(10) for _ in range(i * 4 + 4)]
    written = [(f"written:{i}", True) for i in range(5) for _ in range(4)]
    return [Example(g, g, g, "math", 1, 0, w) for g, w in plain + written]


def table() -> Table:
    rows = examples()
    return Table(tuple(rows), np.zeros((len(rows), 3), dtype=np.float32), row_weights(rows))


def test_a_group_is_never_split() -> None:
    made = table()
    folds = fold_of_rows(made, 5, seed=0)
    assert set(folds) == set(range(5))
    pairs = {(e.group, int(f)) for e, f in zip(made.examples, folds, strict=True)}
    assert len(pairs) == len({g for g, _ in pairs})


def test_folds_are_seeded() -> None:
    assert (fold_of_rows(table(), 5, seed=1) == fold_of_rows(table(), 5, seed=1)).all()


def test_written_prompts_weigh_their_share() -> None:
    made = table()
    written = np.array([e.written for e in made.examples])
    assert made.weights.sum() == pytest.approx(1)
    assert made.weights[written].sum() == pytest.approx(WRITTEN_SHARE)


def test_a_large_family_weighs_less_a_row() -> None:
    made = table()
    by_group = {e.group: w for e, w in zip(made.examples, made.weights, strict=True)}
    sizes = Counter(e.group for e in made.examples)
    assert by_group["f9"] < by_group["f0"] and sizes["f9"] > sizes["f0"]


def test_without_takes_whole_groups() -> None:
    left = table().without({"f9", "written:0"})
    assert not {"f9", "written:0"} & {e.group for e in left.examples}
    assert len(left.x) == len(left.examples) == len(left.weights)
