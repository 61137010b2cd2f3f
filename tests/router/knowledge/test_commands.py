"""`ockham index ...`: results on standard output, progress on standard error."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from router.errors import KnowledgeError
from router.knowledge import commands, factbook
from router.knowledge.factbook import Corpus

run = CliRunner().invoke


@pytest.fixture(autouse=True)
def small_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoder: Any, chunks: Any) -> None:
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")  # what `build` sets, undone afterwards
    monkeypatch.setattr(commands, "_encoder", lambda model: encoder)
    monkeypatch.setattr(factbook, "load_factbook", lambda: Corpus(chunks, "small-1"))


def test_build_then_search_then_stats(tmp_path: Path) -> None:
    built = run(commands.app, ["build"])
    assert built.exit_code == 0
    assert built.stdout.startswith("built: 50 passages (50 embedded, 0 reused) in ")
    assert "embedding passages" in built.stderr
    assert (tmp_path / "knowledge" / "CURRENT").is_file()

    found = run(commands.app, ["search", "fact number 7 é", "--k", "2", "--json"])
    passages = json.loads(found.stdout)
    assert [sorted(p) for p in passages] == [["score", "source", "text", "title"]] * 2
    assert passages[0]["source"] == "corpus/7"

    plain = run(commands.app, ["search", "fact number 7 é", "--k", "1"])
    assert plain.stdout == "1.000  Title 7  [corpus/7]\n  fact number 7 é\n"

    stats = json.loads(run(commands.app, ["stats", "--json"]).stdout)
    assert (stats["passages"], stats["encoder"], stats["corpus"]) == (50, "fake-1", "small-1")
    assert "passages     50\n" in run(commands.app, ["stats"]).stdout


def test_a_second_build_is_up_to_date_and_force_is_not() -> None:
    run(commands.app, ["build"])
    assert run(commands.app, ["build"]).stdout.startswith("up to date: 50 passages (0 embedded")
    assert run(commands.app, ["build", "--force"]).stdout.startswith("built: 50 passages (50 ")


def test_another_place(tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    assert run(commands.app, ["build", "--path", str(place)]).exit_code == 0
    assert run(commands.app, ["search", "fact", "--path", str(place)]).exit_code == 0
    assert not (tmp_path / "knowledge").exists()


def test_the_configured_place_is_used(tmp_path: Path) -> None:
    config = tmp_path / "o.yaml"
    config.write_text(f"knowledge: {{path: {tmp_path / 'configured'}}}", encoding="utf-8")
    assert run(commands.app, ["build", "--config", str(config)]).exit_code == 0
    assert (tmp_path / "configured" / "CURRENT").is_file()


@pytest.mark.parametrize("arguments", [["search", "fact"], ["stats"]])
def test_without_an_index_the_error_names_the_command(arguments: list[str]) -> None:
    result = run(commands.app, arguments)
    assert isinstance(result.exception, KnowledgeError)
    assert "run `ockham index build`" in str(result.exception)


def test_importing_the_commands_is_light() -> None:
    code = (
        "import sys, router.knowledge.commands, router.knowledge.index, router.knowledge.build;"
        "print([m for m in ('torch', 'faiss', 'rich.progress', 'filelock', "
        "'sentence_transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
