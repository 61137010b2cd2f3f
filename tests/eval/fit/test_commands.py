"""The command line: help, and an absent data folder."""

from pathlib import Path

from typer.testing import CliRunner

from eval.fit.commands import _table, app
from eval.fit.linear import Interval
from eval.fit.signals import Report


def test_both_commands_are_there() -> None:
    help_text = CliRunner().invoke(app, ["--help"]).output
    assert "train" in help_text and "eval" in help_text


def test_absent_data_is_an_error_with_an_exit_code(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "--data", str(tmp_path)])
    assert result.exit_code == 3
    assert "OCKHAM_SHARED_DATA" in result.output


def test_the_table_shows_interval_and_n() -> None:
    table = _table(Report({"written/verifiability": Interval(0.97, 0.95, 0.98, 348)}))
    assert "0.970" in table and "0.950" in table and "348" in table
