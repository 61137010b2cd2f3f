"""Shards: saved rows come back by key; damaged ones are removed, not believed."""

from pathlib import Path

import numpy as np
import pytest

from router.knowledge.shards import Shards

KEYS = [b"a" * 16, b"\n" * 16]
ROWS = np.arange(8, dtype=np.float32).reshape(2, 4)


def test_rows_come_back_by_key(tmp_path: Path) -> None:
    shards = Shards(tmp_path, "enc")
    shards.save(KEYS, ROWS)
    back = dict(Shards(tmp_path, "enc").load(4))
    assert set(back) == set(KEYS)
    assert np.array_equal(back[KEYS[1]], ROWS[1])


def test_another_encoder_sees_nothing(tmp_path: Path) -> None:
    Shards(tmp_path, "enc").save(KEYS, ROWS)
    assert not dict(Shards(tmp_path, "other").load(4))


@pytest.mark.parametrize("keep", [0, 5, 60, -1])
def test_a_damaged_shard_is_removed(tmp_path: Path, keep: int) -> None:
    shards = Shards(tmp_path, "enc")
    shards.save(KEYS, ROWS)
    (file,) = shards.folder.glob("*.shard")
    file.write_bytes(file.read_bytes()[:keep])
    assert not dict(shards.load(4))
    assert not file.exists()


def test_another_width_is_not_believed(tmp_path: Path) -> None:
    shards = Shards(tmp_path, "enc")
    shards.save(KEYS, ROWS)
    assert not dict(shards.load(8))


def test_cleaning_removes_what_others_left(tmp_path: Path) -> None:
    mine, other = Shards(tmp_path, "enc"), Shards(tmp_path, "other")
    mine.save(KEYS, ROWS)
    other.save(KEYS, ROWS)
    (tmp_path / ".new-x").mkdir()
    (tmp_path / ".CURRENT.tmp").write_text("")
    (mine.folder / ".x.shard.tmp").write_text("")
    mine.clean_others()
    assert [p.name for p in tmp_path.iterdir()] == [mine.folder.name]
    assert len(list(mine.folder.iterdir())) == 1
    mine.remove()
    assert not list(tmp_path.iterdir())
