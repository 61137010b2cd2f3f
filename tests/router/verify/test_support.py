"""What words and meaning show of a statement and its passage, by hand. The encoder is a fake."""

import json
import math

import numpy as np
import pytest

from router.verify.support import (
    LEXICAL,
    MEANING,
    Statement,
    Support,
    load_support,
    meaning,
    word_features,
)

TITLE = "Bhutan — Capital"
TEXT = "Bhutan. Capital: name: Thimphu; coordinates: 27 28 N; time difference: UTC+6"
ASKED = "What is the capital of Bhutan?"


def words(claim, question=ASKED, text=TEXT):
    return word_features(Statement(claim, question, TITLE, text))


def test_what_stands_there_lacks_nothing():
    found = words("The capital of Bhutan is Thimphu.")
    assert set(found) == set(LEXICAL)
    assert [found[n] for n in ("numbers_missing", "names_missing", "negation")] == [0, 0, 0]
    assert found["content_share"] == 1.0 and found["question_share"] == 1.0


@pytest.mark.parametrize(
    ("claim", "name", "value"),
    [
        ("It lies at 99 degrees and 28 minutes.", "numbers_missing", 1),
        ("The capital is Kathmandu, said Paro.", "names_missing", 2),
        ("Its people, the Thimphuese, agree.", "names_near", 1),
        ("The capital of Bhutan is not Thimphu.", "negation", 1),
        ("The capital of Bhutan", "nothing_new", 1),
    ],
)
def test_what_is_missing_is_counted(claim, name, value):
    assert words(claim)[name] == value


def test_whom_the_question_is_about_has_to_be_there():
    assert words("Thimphu", "What is the capital of Nepal?")["subject_missing"] == 1
    near = words("Thimphu", "Where do the Bhutanese govern?")
    assert (near["subject_missing"], near["subject_near"]) == (0, 1)


def test_a_denial_that_the_passage_makes_too_is_none():
    assert words("There are not any roads.", text="There are no roads.")["negation"] == 0


def fake_encode(texts):
    """Two columns: says Thimphu, says Kathmandu; unit rows."""
    rows = np.array([[0.1 + ("Thimphu" in t), 0.1 + ("Kathmandu" in t)] for t in texts])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_meaning_is_of_the_passage_and_of_its_nearest_clause():
    right, wrong = meaning(
        [Statement("Thimphu", "", TITLE, TEXT), Statement("Kathmandu", "", TITLE, TEXT)],
        fake_encode,
    )
    assert set(right) == set(MEANING)
    assert right["cosine"] == pytest.approx(1.0, abs=1e-5)
    apart = (1.1 * 0.1 * 2) / (1.1**2 + 0.1**2)
    assert wrong["cosine"] == pytest.approx(apart, abs=1e-5)
    # Its best clause is one that says neither.
    neither = (0.1 + 1.1) / math.sqrt(2 * (1.1**2 + 0.1**2))
    assert wrong["cosine_clause"] == pytest.approx(neither, abs=1e-5)
    assert meaning([], fake_encode) == []


def test_the_probability_is_the_logistic_of_the_sum():
    made = Support(("a", "b"), (2.0, -1.0), 0.5, 0.8, 0.4)
    assert made.probability({"a": 1.0, "b": 3.0}) == pytest.approx(1 / (1 + math.exp(0.5)))
    assert 0 < made.probability({"a": 1e9, "b": 0.0}) <= 1


def test_the_packaged_map_is_of_these_features_and_another_is_refused(tmp_path):
    made = load_support()
    assert set(made.features) == {*LEXICAL, *MEANING} and made.fails <= made.passes
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"features": ["mood"], "weights": [1], "bias": 0,
                                 "passes": 1, "fails": 0}))  # fmt: skip
    with pytest.raises(ValueError, match="fit it again"):
        load_support(other)
