"""Flips: counted right, by fits that saw neither family nor topic."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from eval.fit import perturbed
from eval.fit.examples import Example
from eval.fit.linear import Reals
from eval.fit.measures import Figure
from eval.fit.perturbed import (
    Dressed,
    dress_rows,
    fold_figures,
    fold_scores,
    perturbed_figures,
    reworded,
    sample_rows,
)
from eval.fit.table import Table
from router.state import Message, Query

from .toys import Column, Row, built, example, table_of

AXIS = "verifiability"
KINDS = {
    "loud": lambda text, rng: text.upper(),
    "turned": lambda text, rng: text + " turned" if text.endswith(("0", "1")) else None,
}


def read(examples: Sequence[Example]) -> Table:
    """A row's score is its label's side, the other way where the text says so."""
    sides = [(e.verifiability or 0) * 2 - 1 for e in examples]
    turned = [-1 if "turned" in e.text else 1 for e in examples]
    return built(examples, np.array([[4.0 * s * t] for s, t in zip(sides, turned, strict=True)]))


def toy(n: int = 60) -> Table:
    """Ten families and ten topics of rows that are scored right."""
    groups = [f"written:{i % 10}" if i % 20 < 10 else f"family:{i % 10}" for i in range(n)]
    return read([example(g, i // 10 % 3 % 2, 0, f"row {i}") for i, g in enumerate(groups)])


@pytest.fixture(autouse=True)
def two_dresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perturbed, "DRESSES", KINDS)
    monkeypatch.setattr("eval.fit.rewordings.DRESSES", KINDS)


def dressed_toy() -> tuple[Table, Dressed]:
    table = toy()
    return table, dress_rows(table, np.arange(60), read, 0)


def by_key(figures: list[Figure]) -> dict[tuple[str, str], Figure]:
    return {(f.part, f.metric): f for f in figures}


def test_each_row_is_put_in_every_dress_that_fits() -> None:
    table, dressed = dressed_toy()
    assert Counter(dressed.kinds.tolist()) == {"loud": 60, "turned": 12}
    texts = [e.text for e in dressed.table.examples]
    assert texts[0] == "ROW 0" and texts[1] == "row 0 turned"
    for row, made in zip(dressed.origin, dressed.table.examples, strict=True):
        assert made.group == table.examples[row].group
        assert made.verifiability == table.examples[row].verifiability


def test_flips_are_counted() -> None:
    table, dressed = dressed_toy()
    scores = fold_scores(Column(), table, dressed, AXIS, 0)
    made = by_key(perturbed_figures(Column(), table, dressed, scores, AXIS, 0))
    assert made["flips/loud", "flips"].value == 0
    assert made["flips/turned", "flips"].value == 1
    assert made["flips/all", "flips"].value == pytest.approx(12 / 72)
    assert made["flips/turned", "auroc"].value == 0
    assert made["flips/turned", "auroc-before"].value == 1
    assert (made["flips/turned", "accuracy"].value, made["flips/loud", "accuracy"].value) == (0, 1)
    assert (made["flips/loud", "flips"].n, made["flips/loud", "flips"].clusters) == (60, 20)
    assert made["flips/turned", "mean-move"].value > 0.9


def test_a_row_is_scored_by_a_fit_that_saw_not_its_group() -> None:
    class Spy(Column):
        def fit(self, table: Table, axis: str) -> Callable[[Table], Reals]:
            seen = set(table.groups.tolist())

            def score(rows: Table) -> Reals:
                assert not seen & set(rows.groups.tolist())
                scored.extend(rows.groups.tolist())
                return rows.x[:, 0].astype(float)

            return score

    scored: list[str] = []
    table, dressed = dressed_toy()
    scores = fold_scores(Spy(), table, dressed, AXIS, 0)
    assert len(scored) == 60 + 72
    assert np.isfinite(scores.held).all() and np.isfinite(scores.after).all()
    assert ((scores.held > 0.5) == np.array(table.labels(AXIS))).all()


def test_rows_without_a_label_are_left_out() -> None:
    table = toy()
    examples = [
        e if i % 2 else example(e.group, None, 0, e.text) for i, e in enumerate(table.examples)
    ]
    table = built(examples, table.x)
    dressed = dress_rows(table, [0, 1, 2, 3], read, 0)
    scores = fold_scores(Column(), table, dressed, AXIS, 0)
    assert np.isnan(scores.held[::2]).all() and np.isfinite(scores.held[1::2]).all()
    assert np.isnan(scores.after).tolist() == [i % 2 == 0 for i in dressed.origin]
    made = by_key(perturbed_figures(Column(), table, dressed, scores, AXIS, 0))
    assert made["flips/loud", "flips"].n == 2


def test_scores_that_are_no_log_odds_are_ranked_only() -> None:
    table, dressed = dressed_toy()
    contender = Column(log_odds=False)
    scores = fold_scores(contender, table, dressed, AXIS, 0)
    assert set(np.abs(scores.held)) == {4.0}
    made = by_key(perturbed_figures(contender, table, dressed, scores, AXIS, 0))
    assert {metric for _, metric in made} == {"auroc", "auroc-before"}
    (ranked,) = fold_figures(contender, table, scores, AXIS, 0)
    assert (ranked.part, ranked.metric, ranked.value) == ("written", "auroc", 1)


def test_the_written_prompts_have_figures_of_their_own() -> None:
    table, dressed = dressed_toy()
    scores = fold_scores(Column(), table, dressed, AXIS, 0)
    made = by_key(fold_figures(Column(), table, scores, AXIS, 0))
    assert made["written", "accuracy"].value == 1
    assert (made["written", "auroc"].n, made["written", "auroc"].clusters) == (30, 10)
    alone = table_of([("f", 1, 0, 1.0)])
    assert fold_figures(Column(), alone, scores, AXIS, 0) == []


def test_the_sample_is_half_written_and_deals_round_the_groups() -> None:
    rows: list[Row] = [("big", 1, 0, 0.0)] * 50 + [("small", 0, 0, 0.0)] * 3
    rows += [(f"written:{i % 4}", 1, 0, 0.0) for i in range(40)]
    table = table_of(rows)
    drawn = sample_rows(table, 20, seed=0)
    assert len(set(drawn.tolist())) == 20
    groups = Counter(table.groups[drawn].tolist())
    assert groups["small"] == 3 and groups["big"] == 7
    assert sorted(groups[f"written:{i}"] for i in range(4)) == [2, 2, 3, 3]
    assert drawn.tolist() == sample_rows(table, 20, seed=0).tolist()
    assert drawn.tolist() != sample_rows(table, 20, seed=1).tolist()
    assert len(sample_rows(table, 1000, seed=0)) == 93


def test_only_the_last_thing_the_user_said_is_dressed() -> None:
    turns = [("system", "be kind"), ("user", "first"), ("assistant", "yes?"), ("user", "last")]
    messages = tuple(Message(role=r, content=c) for r, c in turns)  # type: ignore[arg-type]
    one = Example(Query(id="q", messages=messages), "s", "g", None, 1, 0)
    made = reworded(one, "loud", 0)
    assert made is not None
    assert [m.content for m in made.query.messages] == ["be kind", "first", "yes?", "LAST"]
    assert one.text == "last"


def test_options_are_shuffled_only_where_a_choice_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    text = "Rules:\n1. one\n2. two\n3. three"
    assert reworded(example("f", 1, 0, text, form="prose"), "options", 0) is None
    assert reworded(example("f", 1, 0, text, form="choice"), "options", 0) is not None
