"""Finding the data folder: the option, the variable, and the error that names both."""

from pathlib import Path

import pytest

from eval.sources.shared import checksums, shared_data
from router.errors import SetupError


def test_the_option_beats_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCKHAM_SHARED_DATA", "/nowhere")
    for name in ("queries", "questions"):
        (tmp_path / name).mkdir()
    assert shared_data(tmp_path) == tmp_path


def test_an_absent_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCKHAM_SHARED_DATA", "/nowhere")
    with pytest.raises(SetupError, match=r"/nowhere.*--data.*OCKHAM_SHARED_DATA"):
        shared_data()


def test_checksums_follow_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one")
    before = checksums([path])
    path.write_text("two")
    assert set(before) == {"a.txt"} and checksums([path]) != before
