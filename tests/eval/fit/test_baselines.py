"""The baselines on toys that each of them can solve, and without a network."""

import socket
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from eval.fit import baselines as module
from eval.fit.baselines import BASELINES, KeywordScorer, Neighbours, PromptLength, baselines
from eval.fit.contenders import Contender
from eval.fit.examples import Example
from eval.fit.table import Table, row_weights
from eval.fit.zero_shot import ROUTES, SemanticRouter
from eval.metrics.calibration import auroc
from router.signals import Encoder
from router.state import Message, Query

CODE = "Write a python function with an api endpoint, and debug the exception in class number {}."
FACT = "Who was king number {}?"


def table_of(rows: Sequence[tuple[str, int | None, int | None, Sequence[float]]]) -> Table:
    """Rows of text, labels and embedding; each its own group."""
    examples = []
    for i, (text, v, k, _) in enumerate(rows):
        query = Query(id="q", messages=(Message(role="user", content=text),))
        examples.append(Example(query, "toy", f"g{i}", None, v, k))
    embedding = np.array([row for *_, row in rows], dtype=np.float32)
    n = len(rows)
    return Table(
        tuple(examples), embedding, row_weights(examples), embedding, ("en",) * n,
        np.zeros(n, dtype=bool),
    )  # fmt: skip


def corner(v: int, k: int) -> list[float]:
    """The unit vector of a place on the plane."""
    return np.eye(4)[2 * v + k].tolist()


def encode(texts: Sequence[str]) -> np.ndarray:
    """Utterances of the routes as the unit vectors of their places."""
    place = {text: at for at, said in ROUTES.values() for text in said}
    return np.array([corner(*place[text]) for text in texts], dtype=np.float32)


def toy(start: int, n: int = 12) -> Table:
    """Code at (1, 0) and facts at (0, 1), and a row without labels."""
    rows: list[Any] = []
    for i in range(start, start + n):
        rows += [(CODE.format(i), 1, 0, corner(1, 0)), (FACT.format(i), 0, 1, corner(0, 1))]
    return table_of([*rows, ("What now?", None, None, corner(0, 0))])


@pytest.mark.parametrize("contender", baselines(encode), ids=lambda c: c.name)
@pytest.mark.parametrize("axis", ["verifiability", "knowledge_demand"])
def test_separable_rows_are_ranked_right(contender: Contender, axis: str) -> None:
    held = toy(100)
    scores = contender.fit(toy(0), axis)(held)
    assert scores.shape == (len(held.examples),) and scores.dtype == np.float64
    known = held.has(axis)
    assert auroc(scores[known], np.array(held.labelled(axis).labels(axis))) == 1.0
    if contender.log_odds:
        labels = np.array(held.labelled(axis).labels(axis))
        assert ((scores[known] > 0) == (labels == 1)).all()


def test_names_differ() -> None:
    assert len({c.name for c in BASELINES}) == len(BASELINES) == 6


@pytest.mark.parametrize("contender", [PromptLength(), Neighbours(), SemanticRouter(encode)])
def test_no_rows_no_scores(contender: Contender) -> None:
    held = toy(0)
    none = held.take(np.zeros(len(held.examples), dtype=bool))
    assert contender.fit(held, "verifiability")(none).shape == (0,)


def test_signs_come_from_the_training_rows() -> None:
    held = toy(100)
    up = PromptLength().fit(toy(0), "verifiability")(held)
    down = PromptLength().fit(toy(0), "knowledge_demand")(held)
    np.testing.assert_array_equal(up, -down)
    assert up[0] == len(held.examples[0].text)


def test_the_keyword_scorer_is_litellms() -> None:
    from litellm.router_strategy.complexity_router.complexity_router import ComplexityRouter

    theirs: Any = ComplexityRouter("x", None)  # type: ignore[arg-type]
    held = toy(100)
    ours = KeywordScorer().fit(toy(0), "verifiability")(held)
    assert ours.tolist() == [theirs.classify(e.text)[1] for e in held.examples]
    assert ours[0] > ours[1]


def test_neighbours_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NEIGHBOURS", 3)
    train = table_of([
        ("a", 1, 0, [1.0, 0.0]), ("b", 0, 0, [0.8, 0.6]), ("c", 1, 0, [0.6, 0.8]),
        ("d", 0, 0, [0.0, 1.0]), ("unlabelled", None, 0, [1.0, 0.0]),
    ])  # fmt: skip
    held = table_of([
        ("near a", 1, 0, [1.0, 0.0]), ("near d", 1, 0, [0.0, 1.0]), ("empty", 1, 0, [0.0, 0.0]),
    ])  # fmt: skip
    scores = Neighbours().fit(train, "verifiability")(held)
    # Cosines 1, .8, .6 to a, b, c; 1, .8, .6 to d, c, b; 0 to all.
    np.testing.assert_allclose(scores, [1.6 / 2.4, 0.8 / 2.4, 0.5], atol=1e-6)


def test_the_semantic_router_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    scores = SemanticRouter(encode).fit(toy(0), "verifiability")(toy(100))
    np.testing.assert_allclose(scores[:2], [1.0, -1.0], atol=1e-6)


def test_the_semantic_routers_score_is_a_difference_of_best_cosines() -> None:
    row = np.array([0.1, 0.5, 0.7, 0.2])
    held = table_of([("x", 1, 0, row / np.linalg.norm(row)), ("empty", 1, 0, np.zeros(4))])
    # Corners (0,0), (0,1), (1,0), (1,1) are the unit vectors in this order.
    scores = SemanticRouter(encode).fit(held, "verifiability")(held)
    unit = row / np.linalg.norm(row)
    np.testing.assert_allclose(scores, [unit[2] - unit[1], 0.0], atol=1e-6)
    scores = SemanticRouter(encode).fit(held, "knowledge_demand")(held)
    np.testing.assert_allclose(scores, [unit[1] - unit[2], 0.0], atol=1e-6)


def test_the_semantic_router_with_the_packaged_encoder() -> None:
    texts = ["What is 17 times 23?", "Who painted the Mona Lisa?"]
    rows = Encoder().encode(texts)
    held = table_of(
        [(t, v, 1 - v, r.tolist()) for t, v, r in zip(texts, (1, 0), rows, strict=True)]
    )
    verifiable = SemanticRouter().fit(held, "verifiability")(held)
    assert verifiable[0] > verifiable[1]


def test_every_corner_has_a_route() -> None:
    assert {at for at, _ in ROUTES.values()} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    said = [text for _, texts in ROUTES.values() for text in texts]
    assert len(said) == len(set(said))
