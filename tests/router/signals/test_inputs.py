"""One row of numbers a query: the same alone and in a batch, zero where there is nothing."""

import numpy as np
import pytest

from router.signals import Featuriser
from router.signals.cues import CUES
from router.signals.foreign import DIM
from router.signals.inputs import LAYERS, Inputs, width
from router.state import Message, Query


def ask(*turns: str) -> Query:
    roles = ("user", "assistant")
    said = [Message(role=roles[i % 2], content=t) for i, t in enumerate(turns)]  # type: ignore[arg-type]
    return Query(id="q", messages=tuple(said))


@pytest.fixture(scope="module")
def inputs(featuriser: Featuriser) -> Inputs:
    return featuriser.inputs


QUERIES = [
    ask("Who wrote Emma?"),
    ask("Wie heißt die Hauptstadt von Bhutan?"),
    ask("Solve x^2 = 49", "7", "and for 50?"),
    ask("Summarise: " + "The cat sat on the mat. " * 200),
]


def test_shapes(inputs: Inputs) -> None:
    rows, dim = inputs.rows(QUERIES), inputs.encoder.dim
    assert rows.embedding.shape == (4, dim) and rows.states.shape == (4, len(LAYERS) * dim)
    assert rows.foreign.shape == (4, DIM) and rows.cues.shape == (4, len(CUES))
    assert rows.matrix.shape == (4, width(dim)) and rows.matrix.dtype == np.float32
    assert inputs.rows([]).matrix.shape == (0, width(dim))


def test_the_embedding_has_length_one_and_is_the_last_layer(inputs: Inputs) -> None:
    rows = inputs.rows(QUERIES[:1])
    np.testing.assert_allclose(np.linalg.norm(rows.embedding, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(
        rows.embedding, inputs.encoder.encode(["Who wrote Emma?"]), atol=1e-4
    )


def test_only_other_languages_have_a_foreign_row(inputs: Inputs) -> None:
    rows = inputs.rows(QUERIES[:2])
    assert rows.languages == ("en", "de")
    assert not rows.foreign[0].any() and rows.foreign[1].any()


def test_a_batch_is_what_its_rows_are_alone(inputs: Inputs) -> None:
    together = inputs.rows(QUERIES).matrix
    alone = np.concatenate([inputs.rows([q]).matrix for q in QUERIES])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_a_follow_up_is_pooled_from_what_it_continues(inputs: Inputs) -> None:
    follow, bare, whole = inputs.rows(
        [QUERIES[2], ask("and for 50?"), ask("Solve x^2 = 49\nand for 50?")]
    ).embedding
    assert bare @ whole < follow @ whole > 0.9
    assert follow @ bare < 1 - 1e-3


def test_both_ends_of_a_long_text_count(inputs: Inputs) -> None:
    filler = "It rained. " * 300
    rows = inputs.rows([ask(filler + end) for end in ("", "Who wrote Emma?")]).embedding
    assert rows[0] @ rows[1] < 0.99


def test_fewer_layers_give_the_last_one_instead(inputs: Inputs) -> None:
    class Shallow:
        def layers(self, texts: list[str]) -> np.ndarray:
            return np.ones((len(texts), 2, 3), np.float32) * [[[1], [2]]]

    states = Inputs(Shallow(), inputs.foreign).rows(QUERIES[:1]).states  # type: ignore[arg-type]
    np.testing.assert_allclose(states, np.full((1, 9), 3**-0.5), atol=1e-6)


def test_the_print_names_both_encoders(inputs: Inputs) -> None:
    assert inputs.fingerprint == f"{inputs.encoder.fingerprint}+{inputs.foreign.fingerprint}"
