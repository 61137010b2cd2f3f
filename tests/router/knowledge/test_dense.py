"""Near rows: exact where it is exact, rescored where codes propose, whole under a filter."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from router.errors import KnowledgeError
from router.knowledge import dense
from router.knowledge.dense import EXACT_MOST, FLAT_MOST, Dense, kind_for, save_dense

N = 3_000
KINDS = ("exact", "flat", "lists")


@pytest.fixture(scope="module")
def vectors() -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 32))
    made = centres[rng.integers(40, size=N)] + 0.4 * rng.normal(size=(N, 32))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def folders(
    tmp_path_factory: pytest.TempPathFactory, vectors: NDArray[np.float32]
) -> dict[str, Path]:
    made = {}
    for kind in KINDS:
        made[kind] = tmp_path_factory.mktemp(kind)
        save_dense(made[kind], vectors, kind)
    return made


def true_best(vectors: NDArray[np.float32], query: NDArray[np.float32], k: int) -> list[int]:
    return np.argsort(-(vectors @ query), kind="stable")[:k].tolist()


def test_the_kind_follows_the_size() -> None:
    sizes = (EXACT_MOST, EXACT_MOST + 1, FLAT_MOST, FLAT_MOST + 1)
    assert [kind_for(n) for n in sizes] == ["exact", "flat", "flat", "lists"]


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_exact_and_sorted(
    folders: dict[str, Path], vectors: NDArray[np.float32], kind: dense.Kind
) -> None:
    index = Dense(folders[kind], vectors, kind)
    hits = 0
    for query in vectors[::100]:
        rows, scores = index.search(query, 10)
        assert scores == pytest.approx((vectors @ query)[rows], abs=1e-6)
        assert scores.tolist() == sorted(scores.tolist(), reverse=True)
        hits += len(set(rows.tolist()) & set(true_best(vectors, query, 10)))
    assert hits / 300 >= (0.9 if kind == "lists" else 0.999)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gathered", [0, 20_000])
def test_a_filter_costs_nothing_of_what_is_allowed(
    folders: dict[str, Path], vectors: NDArray[np.float32], kind: dense.Kind, gathered: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """`gathered` 0: through faiss's own selection; two far rows are still found."""
    monkeypatch.setattr(dense, "_GATHERED", gathered)
    monkeypatch.setattr(dense, "PROBED", 0.001)
    index = Dense(folders[kind], vectors, kind)
    query = vectors[0]
    far = np.sort(np.argsort(vectors @ query)[:2]).astype(np.int32)
    rows, _ = index.search(query, 5, far)
    assert sorted(rows.tolist()) == far.tolist()
    none, scores = index.search(query, 5, np.zeros(0, dtype=np.int32))
    assert len(none) == len(scores) == 0


def test_more_are_wanted_than_there_are(
    folders: dict[str, Path], vectors: NDArray[np.float32]
) -> None:
    rows, _ = Dense(folders["lists"], vectors, "lists").search(vectors[0], N + 5)
    assert sorted(rows.tolist()) == list(range(N))


@pytest.mark.parametrize("harm", ["cut", "junk", "missing", "other"])
def test_damaged_codes_are_refused(tmp_path: Path, vectors: NDArray[np.float32], harm: str) -> None:
    save_dense(tmp_path, vectors[:500], "flat")
    file = tmp_path / dense.FILE
    if harm == "missing":
        file.unlink()
    elif harm == "other":
        save_dense(tmp_path, vectors[:400], "flat")
    else:
        file.write_bytes(file.read_bytes()[:200] if harm == "cut" else b"junk" * 100)
    with pytest.raises(KnowledgeError, match="damaged"):
        Dense(tmp_path, vectors[:500], "flat")
