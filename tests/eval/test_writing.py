"""Files are there whole or not at all; JSON has no NaN."""

import json
import math
from pathlib import Path

import pytest

from eval.writing import finite, write_files
from router.errors import SetupError


def test_files_are_written_and_replaced(tmp_path: Path) -> None:
    for data in (b"1", b"2"):
        write_files(tmp_path / "new", {"a": data, "index.html": data})
        assert {p.name: p.read_bytes() for p in (tmp_path / "new").iterdir()} == {
            "a": data,
            "index.html": data,
        }


def test_where_one_cannot_be_written_none_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, {"a": b"old", "b": b"old"})
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == ".b.new":
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SetupError, match=rf"--out {tmp_path}: cannot be written: No space left"):
        write_files(tmp_path, {"a": b"new", "b": b"new"})
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a": b"old", "b": b"old"}


def test_a_single_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SetupError, match=r"--out .*one\.json: cannot be written"):
        write_files(tmp_path / "file", {"one.json": b"{}"})


def test_what_is_not_finite_is_null() -> None:
    made = finite({"a": (1.0, math.nan), "b": {"c": [math.inf, "x", None, 3]}})
    assert (
        json.dumps(made, allow_nan=False) == '{"a": [1.0, null], "b": {"c": [null, "x", null, 3]}}'
    )
