"""The index bench: its corpus is real and distinct, its rows resampled as told, it counts right."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.bench import index as bench
from eval.bench import index_build, index_corpus
from eval.bench.index_build import NOISE, built, resample
from router.errors import InputError
from router.knowledge.chunks import Chunk
from router.knowledge.index import KnowledgeIndex
from router.knowledge.storage import current_version

SOURCE = '''
"""The module says what it is for, in a sentence that is long enough to be a passage."""

class Kept:
    """A class with a docstring that is long enough to be a passage of its own, and more."""

    def short(self):
        """Too short."""

    async def method(self):
        """An asynchronous method, with a docstring that is also long enough to be found."""
'''


class Hashed:
    """An encoder whose rows are random but the same for the same text."""

    dim, fingerprint = 16, "hashed"

    def encode(self, texts: Any) -> Any:
        rows = [np.random.default_rng(abs(hash(t))).normal(size=16) for t in texts]
        return (np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_docstrings_are_named_by_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text(SOURCE)
    (tmp_path / "pkg" / "broken.py").write_text("def (:")
    found = {c.source: c.text for c in index_corpus.docstrings(tmp_path)}
    assert set(found) == {
        "docstring/pkg~0", "docstring/pkg.Kept~0", "docstring/pkg.Kept.method~0",
    }  # fmt: skip
    assert found["docstring/pkg.Kept~0"].startswith("pkg.Kept: A class with")


def test_passages_are_distinct_and_too_few_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Two:
        chunks = (Chunk("a", "a", "same"), Chunk("b", "b", "same"), Chunk("c", "c", "other"))

    monkeypatch.setattr(index_corpus, "load_factbook", Two)
    monkeypatch.setattr(index_corpus, "_site_packages", lambda: tmp_path)
    (tmp_path / "m.py").write_text(SOURCE)
    found = index_corpus.real_passages(5)
    assert [c.text for c in found[:2]] == ["same", "other"]
    assert len({c.text for c in found}) == 5
    with pytest.raises(InputError, match=r"hold 5 passages, not 6"):
        index_corpus.real_passages(6)


def test_resampled_rows_are_as_near_as_told() -> None:
    rng = np.random.default_rng(0)
    (base,) = resample(np.eye(384, dtype=np.float32), 300, rng)
    assert base.shape == (300, 384)
    assert np.linalg.norm(base, axis=1) == pytest.approx(np.ones(300), abs=1e-5)
    assert base.max(axis=1).mean() == pytest.approx(1 / np.sqrt(1 + NOISE**2), abs=0.02)


def test_an_index_is_built_once_and_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [Chunk(f"s/{i}", f"T{i}", f"passage {i} about {i % 7} rivers") for i in range(40)]
    monkeypatch.setattr(index_build, "real_passages", lambda n: made[:n])
    monkeypatch.setattr("router.signals.encoder.Encoder", lambda **_: Hashed())
    monkeypatch.setattr(bench, "questions", lambda n: [f"rivers {i}" for i in range(n)])
    encoder: Any = Hashed()
    real, _ = built(tmp_path, 40, 40, encoder)
    larger, _ = built(tmp_path, 90, 40, encoder)
    version = current_version(larger)
    assert built(tmp_path, 90, 40, encoder)[0] == larger and current_version(larger) == version
    with KnowledgeIndex.open(larger, encoder) as index:
        assert index.size == 90
        assert index.search("rivers 3", 1)[0].source.startswith("resampled/")
    told = json.loads(bench.measure(str(real), 2, 6).as_json())
    assert (told["size"], told["kind"]) == (40, "exact")
    assert (told["recall"], told["same_words"]) == (1.0, 1.0)
    assert [t["name"] for t in told["timed"]] == [
        "search", "embedding", "dense alone", "lexical alone", "faiss flat", "bm25s retrieve",
    ]  # fmt: skip
    assert all(0 < t["p50"] <= t["p95"] for t in told["timed"])


def test_recall_counts_what_dense_search_misses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [Chunk(f"s/{i}", f"T{i}", f"passage {i}") for i in range(40)]
    monkeypatch.setattr(index_build, "real_passages", lambda n: made[:n])
    encoder: Any = Hashed()
    path, _ = built(tmp_path, 40, 40, encoder)
    with KnowledgeIndex.open(path, encoder) as index:
        bare = bench._References(index, encoder.encode(["a", "b"]))
        assert bare.agreement(["a", "b"])[0] == 1
        monkeypatch.setattr(bare, "flat", lambda place: [-1, -2, -3, -4, -5])
        assert bare.agreement(["a", "b"])[0] == 0
