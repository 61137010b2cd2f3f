"""The feature store: each text is computed once, whoever asks and whatever breaks."""

import hashlib
import multiprocessing
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from eval import features as module
from eval.features import features_of, row_keys
from router.cases import row_key
from router.errors import SetupError

from .hand import WIDTHS, LetterFeaturiser


def same(a, b) -> bool:
    return set(a) == set(b) and all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)


def test_blocks_are_those_of_the_featuriser_row_by_row(tmp_path):
    texts = ["one two", "a", "one two three", ""]
    maker = LetterFeaturiser()
    made = features_of(texts, maker, folder=tmp_path)
    assert made.known.all()
    assert made.fingerprint == "letters-1"
    for i, text in enumerate(texts):
        alone = features_of([text], LetterFeaturiser(), folder=tmp_path / "alone")
        for name, width in WIDTHS.items():
            assert made.blocks[name].shape == (4, width)
            assert made.blocks[name].dtype == np.float32
            assert made.blocks[name][i].tolist() == alone.blocks[name][0].tolist()
    assert (made.blocks["terms"] >= 0).sum(axis=1).tolist() == [3, 1, 5, 0]
    assert made.blocks["terms"].dtype == np.int32


def test_a_text_is_computed_once(tmp_path):
    maker = LetterFeaturiser()
    first = features_of(["a", "b", "a"], maker, folder=tmp_path)
    assert sorted(maker.asked) == ["a", "b"]
    again = features_of(["b", "c", "a"], maker, folder=tmp_path)
    assert sorted(maker.asked) == ["a", "b", "c"]
    assert first.blocks["lengths"][0].tolist() == again.blocks["lengths"][2].tolist()


def test_an_unpublished_text_is_nan_and_not_known(tmp_path):
    maker = LetterFeaturiser()
    made = features_of(["a", None, "b"], maker, folder=tmp_path)
    assert made.known.tolist() == [True, False, True]
    for name in WIDTHS:
        assert np.isnan(made.blocks[name][1]).all()
        assert np.isfinite(made.blocks[name][[0, 2]]).all()
    assert made.blocks["terms"][1].tolist() == [-1] * made.blocks["terms"].shape[1]
    assert "None" not in maker.asked


def test_no_text_at_all_computes_nothing(tmp_path):
    maker = LetterFeaturiser()
    made = features_of([None, None], maker, folder=tmp_path)
    assert maker.calls == 0
    assert not made.known.any()


def test_an_interrupted_pass_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 4)
    texts = [f"text number {i}" for i in range(10)]
    broken = LetterFeaturiser(break_after=2)
    with pytest.raises(KeyboardInterrupt):
        features_of(texts, broken, folder=tmp_path)
    assert len(broken.asked) == 8
    seen = []
    rest = LetterFeaturiser()
    made = features_of(texts, rest, lambda *p: seen.append(p), folder=tmp_path)
    assert sorted(rest.asked + broken.asked) == sorted(texts)
    assert seen == [(2, 2)]
    assert same(made.blocks, features_of(texts, LetterFeaturiser(), folder=tmp_path / "x").blocks)


def test_progress_counts_what_had_to_be_computed(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 2)
    seen = []
    features_of(["a", "b", "c"], LetterFeaturiser(), lambda *p: seen.append(p), folder=tmp_path)
    assert seen == [(2, 3), (3, 3)]


def test_another_fingerprint_has_a_store_of_its_own(tmp_path):
    features_of(["a"], LetterFeaturiser("one"), folder=tmp_path)
    other = LetterFeaturiser("two")
    made = features_of(["a"], other, folder=tmp_path)
    assert other.asked == ["a"]
    assert made.fingerprint == "two"
    assert {p.stem for p in tmp_path.glob("*.sqlite")} == {"one", "two"}


def test_the_default_store_is_in_the_data_directory(clean_env, tmp_path):
    features_of(["a"], LetterFeaturiser())
    assert (tmp_path / "data" / "features" / "letters-1.sqlite").is_file()


def test_a_store_that_cannot_be_used_is_a_setup_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="the feature store in .* cannot be used"):
        features_of(["a"], LetterFeaturiser(), folder=tmp_path / "file")
    (tmp_path / "letters-1.sqlite").write_text("this is no database at all, " * 50)
    with pytest.raises(SetupError, match="the feature store in .* cannot be used"):
        features_of(["a"], LetterFeaturiser(), folder=tmp_path)


def test_a_store_that_fills_up_is_a_setup_error_and_goes_on_later(tmp_path, monkeypatch):
    real = module._open

    def small(folder, fingerprint):
        store = real(folder, fingerprint)
        store.execute("PRAGMA max_page_count = 5")
        return store

    monkeypatch.setattr(module, "_open", small)
    texts = [f"{i} " * 300 for i in range(200)]
    with pytest.raises(SetupError, match=r"the feature store in .* full"):
        features_of(texts, LetterFeaturiser(), folder=tmp_path)
    monkeypatch.undo()
    assert features_of(texts, LetterFeaturiser(), folder=tmp_path).known.all()


def _work(folder, start, queue):
    maker = LetterFeaturiser()
    made = features_of([f"text {i}" for i in range(start, start + 150)], maker, folder=folder)
    queue.put((bool(made.known.all()), float(made.blocks["lengths"][:, 0].sum())))


def test_two_processes_at_once_share_a_store(tmp_path):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    both = [context.Process(target=_work, args=(tmp_path, s, queue)) for s in (0, 50)]
    for process in both:
        process.start()
    got = [queue.get(timeout=120) for _ in both]
    for process in both:
        process.join(30)
        assert process.exitcode == 0
    assert all(known for known, _ in got)
    with closing(sqlite3.connect(tmp_path / "letters-1.sqlite")) as store:
        assert store.execute("SELECT count(*) FROM row").fetchone() == (200,)
    maker = LetterFeaturiser()
    features_of([f"text {i}" for i in range(200)], maker, folder=tmp_path)
    assert maker.calls == 0


def test_take_by_index_and_by_flag(tmp_path):
    made = features_of(["a", None, "ccc"], LetterFeaturiser(), folder=tmp_path)
    part = made.take(np.array([2, 0]))
    assert part.known.tolist() == [True, True]
    assert part.blocks["lengths"][:, 0].tolist() == made.blocks["lengths"][[2, 0], 0].tolist()
    flagged = made.take(np.array([False, True, False]))
    assert flagged.known.tolist() == [False]
    assert len(flagged.blocks["terms"]) == 1


def test_row_keys_are_those_of_a_live_run():
    texts = ["What is 1 + 1?", "naïve 漢", "", "\ud800"]
    keys = row_keys(texts, ["a"] * 4)
    assert keys.dtype == np.uint64
    assert keys.tolist() == [int(row_key(t)[0]) for t in texts]


def test_a_query_without_text_has_the_key_of_its_id():
    a, b, c = row_keys([None, None, "id:x"], ["x", "y", "z"])
    assert a != b
    assert a == c == np.frombuffer(hashlib.sha256(b"id:x").digest()[:8], dtype=np.uint64)[0]
