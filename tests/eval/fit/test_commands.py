"""The command line of the fit: help, an absent data folder, what `train` writes.

`eval` is tested in `test_evaluation.py`.
"""

from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from eval.fit import signals
from eval.fit.commands import app


def test_both_commands_are_there() -> None:
    help_text = CliRunner().invoke(app, ["--help"]).output
    assert "train" in help_text and "eval" in help_text


def test_absent_data_is_an_error_with_an_exit_code(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "--data", str(tmp_path)])
    assert result.exit_code == 3
    assert "OCKHAM_SHARED_DATA" in result.output


def test_train_writes_both_artefacts_into_a_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artefact = SimpleNamespace(save=lambda path: path.write_text("{}", encoding="utf-8"))
    fitted = SimpleNamespace(head=artefact, exemplars=artefact)
    monkeypatch.setattr(signals, "train", lambda *_: fitted)
    monkeypatch.setattr("eval.sources.shared.shared_data", lambda data: tmp_path)
    out = tmp_path / "new"
    result = CliRunner().invoke(app, ["train", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in out.iterdir()) == ["exemplars.json", "head.json"]
