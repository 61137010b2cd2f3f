"""The cross-encoder that is loaded for real: a tiny BERT with random weights, made here.

It proves loading and reading, not ranking: random weights know nothing.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from router.errors import ConfigError
from router.knowledge.rerank import CrossEncoderReranker, load_reranker, reranked
from router.state import Passage


def tiny(folder: Path, labels: int = 1) -> str:
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "apple", "sky", "blue"]
    vocab = {word: i for i, word in enumerate(words)}
    BertTokenizerFast(vocab=vocab).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, num_labels=labels, initializer_range=1.0,
    )  # fmt: skip
    BertForSequenceClassification(config).eval().save_pretrained(folder)
    return str(folder)


def test_a_cross_encoder_reads_query_and_passage_together(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    name = tiny(tmp_path)
    loaded = load_reranker(name)
    assert loaded is not None
    texts = ["red apple", "blue sky", "red apple"]
    scores = loaded.scores("apple", texts)
    model, tokenizer = (
        AutoModelForSequenceClassification.from_pretrained(name),
        AutoTokenizer.from_pretrained(name),
    )
    with torch.no_grad():
        batch = tokenizer(["apple"] * 3, texts, padding=True, return_tensors="pt")
        logits = model(**batch).logits[:, 0]
    assert scores == pytest.approx(torch.sigmoid(logits).numpy(), abs=1e-5)
    assert scores[0] == pytest.approx(scores[2]) and scores[0] != pytest.approx(scores[1])


def test_a_model_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="knowledge.reranker"):
        CrossEncoderReranker(str(tmp_path / "none"))


def test_a_classifier_of_three_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has 3 outputs"):
        CrossEncoderReranker(tiny(tmp_path, labels=3))


class Lengths:
    def scores(self, query: str, texts: Any) -> Any:
        return np.array([len(t) for t in texts], dtype=np.float32)


def test_passages_come_in_its_order_with_its_scores() -> None:
    given = tuple(
        Passage(source=t, title=t, text=t, score=1, dense=0.5) for t in ("a", "ccc", "bb")
    )
    found = reranked(Lengths(), "q", given)
    assert [(p.text, p.score, p.dense) for p in found] == [
        ("ccc", 3, 0.5), ("bb", 2, 0.5), ("a", 1, 0.5),
    ]  # fmt: skip
    assert reranked(None, "q", given) is given


def test_none_is_none() -> None:
    assert load_reranker(None) is None
