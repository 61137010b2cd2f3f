"""Fitting the head on a toy plane: it scores as the fit does, and what is held out stays out."""

from dataclasses import replace

import numpy as np
import pytest

from eval.fit import signals
from eval.fit.examples import Example
from eval.fit.signals import Held, choose_exemplars, fit_axis, fit_head, out_of_fold
from eval.fit.table import Table, fold_of_rows, scale_of
from eval.metrics.calibration import auroc
from router.signals.cues import CUES
from router.signals.foreign import DIM as FOREIGN_DIM
from router.signals.head import AXES, CONFIDENCE, LEARNED_NEEDS, OUTPUTS, load_head
from router.state import DOMAINS, FORMS, Message, Query

from .toys import built, example

PLACES = {"math": (1, 0), "code": (1, 1), "logic": (1, 0), "knowledge": (0, 1), "open": (0, 0)}
DIM = 10


def toy(per_family: int = 40, seed: int = 0) -> Table:
    """Two families a domain and written topics; a domain is a direction of the states.

    One row in ten needs all there is to need, and stands apart in the last direction; one in
    twenty is labelled wrongly, for the confidence to learn from.
    """
    rng = np.random.default_rng(seed)
    examples: list[Example] = []
    rows = []
    for i, (domain, (v, k)) in enumerate(PLACES.items()):
        groups = [f"{domain}{j}" for j in range(2)] + [f"written:{domain}{j}" for j in range(6)]
        for group in groups:
            for n in range(5 if group.startswith("written") else per_family):
                wrong = len(rows) % 20 == 7
                needs = LEARNED_NEEDS if n % 10 == 4 else ()
                examples.append(
                    example(
                        group,
                        v ^ wrong,
                        k,
                        f"{group} {n}",
                        domain=domain,
                        form=FORMS[i],
                        needs=needs,
                    )
                )
                rows.append(np.eye(DIM)[i] * 3 + rng.normal(size=DIM) / 3)
                rows[-1][-1] = 4.0 * bool(needs)
    states = np.array(rows)
    other = np.zeros((len(rows), FOREIGN_DIM + len(CUES)))
    embedding = states / np.linalg.norm(states, axis=1, keepdims=True)
    return built(examples, np.concatenate([states, other], axis=1), embedding)


def head_of(table: Table) -> signals.Head:
    return fit_head(table, 0, "toy", choose_exemplars(table, "toy", 20), {"seed": 0})


def test_the_head_scores_live_rows_as_the_fit_does() -> None:
    table = toy()
    out = head_of(table)(table.x / scale_of(table.x.shape[1]))
    for column, axis in enumerate(AXES):
        fit = fit_axis(table, axis, out_of_fold(table, axis, 0))
        log_odds = fit.raw(table.x)[:, 0]
        assert out.axes[:, column] == pytest.approx(1 / (1 + np.exp(-log_odds)), abs=1e-4)
        assert ((out.axes[:, column] > 0.5) == np.array(table.labels(axis))).mean() > 0.9
    for part, names, found in (("domain", DOMAINS, out.domains), ("form", FORMS, out.forms)):
        right = [names[i] for i in found.argmax(axis=1)]
        assert (np.array(right) == np.array(table.labels(part))).mean() > 0.9
    needed = np.array([bool(e.needs) for e in table.examples])
    assert ((out.needs > 0.5) == needed[:, None]).mean() > 0.9


def test_a_head_survives_its_file(tmp_path) -> None:
    table = toy()
    head = head_of(table)
    head.save(tmp_path / "head.json")
    again = load_head(tmp_path / "head.json")
    assert again.fingerprint == head.fingerprint and again.stamp == {"seed": 0}
    assert set(again.parts) == set(OUTPUTS) and again.inputs == "toy"


def test_held_out_scores_come_from_fits_that_saw_not_the_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = toy(per_family=6)
    fit, seen = signals.fit_linear, []

    def spy(rows, labels, weights, c):
        seen.append({i for i, x in enumerate(table.x) if (rows == x).all(axis=1).any()})
        return fit(rows, labels, weights, c)

    monkeypatch.setattr(signals, "fit_linear", spy)
    out_of_fold(table, AXES[0], 0)
    folds = fold_of_rows(table.groups, signals.FOLDS, 0)
    assert [s == set(np.flatnonzero(folds != f)) for f, s in enumerate(seen)] == [True] * 5


def test_held_out_scores_are_calibrated_and_empty_without_a_label() -> None:
    table = toy()
    examples = [
        replace(e, verifiability=None) if i % 7 == 0 else e for i, e in enumerate(table.examples)
    ]
    table = built(examples, table.x, table.embedding)
    held = out_of_fold(table, AXES[0], 0)
    known = table.has(AXES[0])
    assert np.isnan(held.log_odds[~known]).all() and (~known).sum() > 0
    labels = np.array(table.labelled(AXES[0]).labels(AXES[0]))
    assert auroc(held.log_odds[known], labels) > 0.85
    assert held.scale > 0


def test_the_confidence_says_how_often_both_axes_are_right() -> None:
    rng = np.random.default_rng(0)
    log_odds = rng.uniform(-4, 4, (2000, 2))
    drawn = rng.random(log_odds.shape) < 1 / (1 + np.exp(-log_odds))
    rows = [example(f"written:{i % 9}", int(v), int(k), f"{i}") for i, (v, k) in enumerate(drawn)]
    table = built(rows, log_odds, np.full((len(rows), 2), np.sqrt(0.5)))
    held = {axis: Held(log_odds[:, i], 1.0, 0.0) for i, axis in enumerate(AXES)}
    fit = signals._fit_confidence(table, held, choose_exemplars(table, "toy", 3))
    margin = np.array([0.0, 1.0, 3.0])
    facts = np.zeros((3, len(CONFIDENCE)), dtype=np.float32)
    facts[:, CONFIDENCE.index("margin")] = margin
    facts[:, CONFIDENCE.index("nearest")] = 1.0
    sure = 1 / (1 + np.exp(-fit(facts)[:, 0]))
    # The other axis lies beyond the margin, evenly up to 4.
    beyond = [np.mean(1 / (1 + np.exp(-np.linspace(m, 4, 99)))) for m in margin]
    assert sure == pytest.approx(np.array(beyond) / (1 + np.exp(-margin)), abs=0.08)


def test_a_prompt_is_no_neighbour_of_itself() -> None:
    rows = [example("written:a", 1, 0, text) for text in ("one", "two", "three")]
    embedding = np.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)
    table = built(rows, np.zeros((3, 1)), embedding)
    exemplars = choose_exemplars(table.take(np.array([True, True, False])), "toy")
    facts = signals._facts(table, np.ones((3, 2)), exemplars)
    assert facts[:, CONFIDENCE.index("nearest")] == pytest.approx([0, 0, 0.8], abs=0.01)


def test_exemplars_are_short_single_written_prompts_that_cover_the_space() -> None:
    table = toy()
    long = example("written:long", 1, 0, "x" * 500)
    talk = replace(
        example("written:talk", 1, 0, "t"),
        query=Query(
            id="t",
            messages=(Message(role="user", content="a"), Message(role="user", content="talk")),
        ),
    )
    rows = np.concatenate([table.x, table.x[:2]])
    near = np.concatenate([table.embedding, table.embedding[:2]])
    made = choose_exemplars(built([*table.examples, long, talk], rows, near), "toy", 10)
    assert len(made.texts) == 10 and "talk" not in made.texts
    assert all(t.startswith("written:") and len(t) < 160 for t in made.texts)
    # Ten of them stand in all five directions.
    assert {t.split(":")[1].rstrip("0123456789 ") for t in made.texts} == set(PLACES)
    assert made.labels.shape == (10, 2) and not np.isnan(made.labels).any()


def test_few_prompts_are_all_taken() -> None:
    rows = [example("written:a", 1, None, "one"), example("written:b", 0, 1, "two")]
    made = choose_exemplars(built(rows, np.zeros((2, 1))), "toy")
    assert made.texts == ("one", "two")
    assert np.isnan(made.labels[0, 1]) and made.labels[1].tolist() == [0, 1]
