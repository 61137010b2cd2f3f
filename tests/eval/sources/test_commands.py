"""`ockham outcomes`: import, list, show, from the command line to the stored folder."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from eval.sources.commands import app
from router.errors import InputError, OckhamError, SetupError
from router.outcomes import read_outcomes

ROWS = [
    {"id": "1", "arm": "s", "score": 0, "query": "Two and two?", "took": 1},
    {"id": "1", "arm": "l", "score": 1, "query": "Two and two?", "took": 2},
]
OWN = ("--map", "id=query_id", "--map", "took=latency_s")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("OCKHAM_SHARED_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(r) + "\n" for r in ROWS))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def fails(*arguments: str) -> OckhamError:
    """The error that `ockham` turns into one line and an exit code."""
    error = run(*arguments).exception
    assert isinstance(error, OckhamError)
    return error


def imported(place: Path, *more: str) -> Result:
    return run("import", "mine", "--file", str(place / "mine.jsonl"), *OWN, *more)


def parsed(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_file_of_ones_own_is_stored_and_said(place: Path) -> None:
    result = imported(place)
    assert result.exit_code == 0, result.output
    assert "mine: 2 rows (2 ok), 1 queries, 2 arms" in result.stdout
    assert "Next: ockham outcomes check mine" in result.stdout
    data = read_outcomes("mine")
    assert data.arms == ("s", "l")
    assert data.about["form"] == "file" and list(data.about["checksums"]) == ["mine.jsonl"]


def test_import_as_json_and_under_another_name(place: Path) -> None:
    report = parsed(imported(place, "--as", "other", "--json"))
    assert report["name"] == "other" and report["statuses"] == {"ok": 2}
    assert Path(report["folder"]) == place / "data" / "outcomes" / "other"
    assert read_outcomes("other").outcomes.height == 2


@pytest.mark.parametrize("name", ["../out", "a/b", ".hidden", ""])
def test_a_name_is_one_folder(place: Path, name: str) -> None:
    error = fails("import", "mine", "--file", str(place / "mine.jsonl"), "--as", name or ".")
    assert isinstance(error, InputError) and "--as" in str(error)


def test_a_mirror_with_other_bytes_is_refused(place: Path) -> None:
    folder = place / "mirror" / "gsm8k"
    folder.mkdir(parents=True)
    (folder / "contaminated_prompts.jsonl").write_text("")
    assert "SHA-256" in str(fails("import", "routellm", "--mirror", str(folder.parent)))


def test_a_mirror_that_lacks_files_is_read_with_a_warning(place: Path) -> None:
    record = {
        **{"question_id": 1, "question": "Which?", "options": ["x"], "answer": "A"},
        **{"category": "law", "src": "s", "pred": "A", "generated_text": "(A)"},
    }
    with zipfile.ZipFile(place / "model_outputs_Yi-6B_5shots.zip", "w") as file:
        file.writestr("a.json", json.dumps([record]))
    result = run("import", "mmlupro", "--mirror", str(place))
    assert "mmlupro: 1 rows (1 ok)" in result.stdout
    assert "28 of the source's files are not in the mirror" in result.stderr
    assert len(read_outcomes("mmlupro").about["absent_files"]) == 28


def test_one_origin_at_a_time(place: Path) -> None:
    both = ("--mirror", str(place), "--normalised", str(place))
    assert "not several" in str(fails("import", "routellm", *both))
    error = fails("import", "routellm", "--normalised", str(place), "--map", "a=query_id")
    assert "belong to --file" in str(error)


def test_unknown_sources_and_sources_without_files() -> None:
    assert "known: routellm" in str(fails("import", "nope"))
    error = fails("import", "qwen3_think")
    assert isinstance(error, SetupError) and "--normalised" in str(error)


def test_list_tells_what_is_stored(place: Path) -> None:
    before = {row["name"]: row for row in parsed(run("list", "--json"))}
    assert before["routellm"]["rows"] is None and before["mmlupro"]["files"] == 29
    imported(place)
    after = {row["name"]: row for row in parsed(run("list", "--json"))}
    mine = after["mine"]
    assert (mine["rows"], mine["queries"], mine["arms"]) == (2, 1, 2)
    assert (mine["home"], mine["licence"]) == ("mine.jsonl", "your own")
    shown = run("list").stdout
    assert "lm-sys/RouteLLM at 0b64fda" in shown and "mine" in shown


def test_show_tells_arms_statuses_and_prices_but_no_text(place: Path) -> None:
    imported(place)
    shown = run("show", "mine").stdout
    for words in ("b: 1 queries", "95 % Wilson", "How rows ended", "its score", "no price"):
        assert words.replace("b:", "mine:") in shown
    assert "Two and two?" not in shown
    assert "1: Two and two?" in run("show", "mine", "--examples", "1").stdout


def test_show_as_json(place: Path) -> None:
    imported(place)
    summary = parsed(run("show", "mine", "--json"))
    assert [(c["arm"], c["n"], c["score"]) for c in summary["cells"]] == [("s", 1, 0), ("l", 1, 1)]
    assert summary["examples"] == []


def test_show_withholds_the_scores_of_an_unseen_population(place: Path) -> None:
    imported(place, "--as", "zeroeval")
    shown = run("show", "zeroeval").stdout
    assert "Scores are withheld" in shown and "1.0000" not in shown
    assert "1.0000" in run("show", "zeroeval", "--scores").stdout


def test_an_arm_named_like_markup_is_shown_as_it_is(place: Path) -> None:
    (place / "mine.jsonl").write_text('{"id": "1", "arm": "[bold]s[/x]", "score": 1, "took": 1}\n')
    imported(place)
    assert "[bold]s[/x]" in run("show", "mine").stdout


def test_show_of_an_unknown_set_says_import() -> None:
    assert "ockham outcomes import" in str(fails("show", "nope"))


def test_gpqa_is_never_printed(place: Path) -> None:
    row = {"id": "1", "arm": "s", "score": 1, "benchmark": "gpqa_main", "query": "made-up secret"}
    (place / "mine.jsonl").write_text(json.dumps({**row, "took": 1}) + "\n")
    imported(place)
    assert "secret" not in run("show", "mine", "--examples", "5").stdout
    folder = place / "data" / "outcomes" / "mine"
    assert all(b"secret" not in p.read_bytes() for p in folder.iterdir())


def test_check_is_one_of_the_commands(place: Path) -> None:
    imported(place)
    assert "mine: 0 errors" in run("check", "mine").stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, eval.sources.commands as c\n"
        "heavy = {'polars', 'httpx', 'rich.table', 'yaml', 'pydantic'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
