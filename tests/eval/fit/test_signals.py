"""Fitting and scoring the head on a toy plane: what is held out stays out."""

import numpy as np
import pytest

from eval.fit import signals
from eval.fit.examples import Example
from eval.fit.signals import evaluate, fit_head
from eval.fit.table import EMBEDDING_SCALE, Table, row_weights
from router.signals.cues import CUES
from router.signals.head import AXES

STRENGTH = {"verifiability": 0.1, "knowledge_demand": 0.1, "domain": 0.1}
PLACES = {"math": (1, 0), "code": (1, 0), "logic": (1, 0), "knowledge": (0, 1), "open": (0, 0)}


def toy(per_family: int = 60, seed: int = 0) -> Table:
    """Two families a domain and written topics; a domain is a direction of the embedding."""
    rng = np.random.default_rng(seed)
    examples: list[Example] = []
    rows = []
    for i, (domain, (v, k)) in enumerate(PLACES.items()):
        groups = [(f"{domain}{j}", False) for j in range(2)]
        groups += [(f"written:{domain}{j}", True) for j in range(6)]
        for group, written in groups:
            for n in range(5 if written else per_family):
                examples.append(Example(f"{group} {n}", group, group, domain, v, k, written))  # type: ignore[arg-type]
                rows.append(np.eye(8)[i] * 3 + rng.normal(size=8))
    x = np.concatenate([np.array(rows), np.zeros((len(rows), len(CUES)))], axis=1)
    return Table(tuple(examples), x.astype(np.float32), row_weights(examples))


def test_the_head_scores_as_the_fit_does() -> None:
    table = toy()
    head = fit_head(table, STRENGTH, 0, "toy")
    embedding = table.x[:, :8] / EMBEDDING_SCALE
    out = head(embedding, table.x[:, 8:])
    for column, axis in enumerate(AXES):
        labels = np.array(table.labels(axis))
        assert ((out.axes[:, column] > 0.5) == labels).mean() > 0.9
    expected = signals._fit_domains(table, 0.1).raw(table.x).argmax(axis=1)
    assert (out.domains.argmax(axis=1) == expected).all()


def test_scores_carry_intervals_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = evaluate(toy(), STRENGTH, seed=0).scores
    assert scores["families/verifiability"].n == 6 * 4
    assert scores["written/verifiability"].n == 5 * 6 * 5
    for score in scores.values():
        if not np.isnan(score.value):
            assert score.low <= score.value <= score.high
    assert scores["families/verifiability"].value > 0.9


def test_a_pair_is_scored_by_a_head_that_saw_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []
    fit = signals.fit_linear

    def spy(rows, labels, weights, c):  # type: ignore[no-untyped-def]
        seen.append({e.group for e, r in by_row if any(r is None or (r == x).all() for x in rows)})
        return fit(rows, labels, weights, c)

    table = toy(per_family=5)
    by_row = [(e, table.x[i]) for i, e in enumerate(table.examples) if not e.written]
    monkeypatch.setattr(signals, "fit_linear", spy)
    signals._pair(table, "verifiability", "math0", "open1", 0.1)
    assert not {"math0", "open1"} & seen[0] and "math1" in seen[0]
