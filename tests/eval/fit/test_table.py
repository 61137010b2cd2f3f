"""The table: whole groups in a fold, weights that add up, rows in the order of the examples."""

from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest

from eval.fit import table as module
from eval.fit.examples import Example
from eval.fit.table import (
    FOREIGN_SCALE,
    STATES_SCALE,
    WRITTEN_SHARE,
    Table,
    featurise,
    fold_of_rows,
    row_weights,
    scale_of,
)
from router.signals.cues import CUES
from router.signals.foreign import DIM as FOREIGN_DIM
from router.state import Query

from .toys import built, example

WIDTH = 4 + FOREIGN_DIM + len(CUES)


def examples() -> list[Example]:
    """Ten families of different sizes, and five written topics."""
    plain = [f"f{i}" for i in range(10) for _ in range(i * 4 + 4)]
    return [example(g, 1, 0, g) for g in plain + [f"written:{i}" for i in range(5)] * 4]


def table() -> Table:
    rows = examples()
    return built(rows, np.arange(3 * len(rows)).reshape(-1, 3))


def test_a_group_is_never_split() -> None:
    made = table()
    folds = fold_of_rows(made.groups, 5, seed=0)
    assert set(folds) == set(range(5))
    pairs = {(e.group, int(f)) for e, f in zip(made.examples, folds, strict=True)}
    assert len(pairs) == len({g for g, _ in pairs})


def test_folds_are_seeded() -> None:
    groups = table().groups
    assert (fold_of_rows(groups, 5, seed=1) == fold_of_rows(groups, 5, seed=1)).all()


def test_written_prompts_weigh_their_share() -> None:
    made = table()
    assert made.weights.sum() == pytest.approx(1)
    assert made.weights[made.written].sum() == pytest.approx(WRITTEN_SHARE)
    assert row_weights([e for e in examples() if e.written]).sum() == pytest.approx(1)


def test_a_large_family_weighs_less_a_row() -> None:
    made = table()
    by_group = {e.group: w for e, w in zip(made.examples, made.weights, strict=True)}
    sizes = Counter(e.group for e in made.examples)
    assert by_group["f9"] < by_group["f0"] and sizes["f9"] > sizes["f0"]


def test_taking_rows_takes_all_that_belongs_to_them() -> None:
    made = table()
    mask = made.groups == "f3"
    left = made.take(mask)
    assert {e.group for e in left.examples} == {"f3"} and len(left.languages) == mask.sum()
    assert (left.x == made.x[mask]).all() and (left.weights == made.weights[mask]).all()
    assert (left.embedding == made.embedding[mask]).all() and len(left.leaning) == mask.sum()


def test_rows_without_a_label_are_left_out() -> None:
    rows = [example("a", v, k, "t") for v, k in ((1, None), (None, 0), (0, 1))]
    made = built(rows, np.zeros((3, 1)))
    assert made.has("verifiability").tolist() == [True, False, True]
    assert made.labelled("knowledge_demand").labels("knowledge_demand") == [0, 1]


def test_blocks_are_scaled_each_by_its_own() -> None:
    scale = scale_of(WIDTH)
    assert (scale[:4] == STATES_SCALE).all() and (scale[-len(CUES) :] == 1).all()
    assert (scale[4 : 4 + FOREIGN_DIM] == FOREIGN_SCALE).all() and len(scale) == WIDTH


def test_rows_stand_in_the_order_of_the_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    texts = ["long " * 30, "a", "middle one", "bb", "longer " * 40]
    seen: list[list[str]] = []

    def rows(queries: Sequence[Query]) -> SimpleNamespace:
        seen.append([q.text for q in queries])
        sizes = np.array([[len(q.text)] for q in queries], dtype=np.float32)
        return SimpleNamespace(
            matrix=np.tile(sizes, WIDTH),
            embedding=np.tile(sizes, 2),
            languages=tuple(str(len(q.text)) for q in queries),
            readings=tuple(
                SimpleNamespace(follow_up=len(q.text) == 1, wrapped=False) for q in queries
            ),
        )

    made = featurise([example("f", 1, 0, t) for t in texts], SimpleNamespace(rows=rows))  # type: ignore[arg-type]
    sizes = [len(t) for t in texts]
    assert made.embedding[:, 0].tolist() == sizes
    assert (made.x[:, 0] == np.array(sizes) * STATES_SCALE).all()
    assert made.languages == tuple(str(s) for s in sizes)
    assert made.leaning.tolist() == [False, True, False, False, False]
    assert seen[0] == ["a", "bb"]  # texts of like length are read together
