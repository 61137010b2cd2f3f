"""The data directory: the variable first, else the platform's place."""

from pathlib import Path

import pytest

from router.paths import data_dir


def test_the_variable_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path / "d"))
    assert data_dir() == tmp_path / "d"
    assert not (tmp_path / "d").exists()


def test_the_default_is_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCKHAM_DATA_DIR", " ")
    assert data_dir().name == "ockham" and data_dir().is_absolute()
