"""Outcome sets on disk: nothing is lost in a round trip, nor when the writer dies."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from policies.outcome import OUTCOMES, OutcomeSet
from router.errors import InputError, SetupError
from router.outcomes import outcomes_dir, read_outcomes, stored_sets, write_outcomes

FULL = {
    "source": "src",
    "benchmark": "b",
    "domain": "math",
    "subject": "algebra",
    "query_id": "q1",
    "cluster_id": "c1",
    "arm": "s",
    "model": "m",
    "params_b": 7.5,
    "params_active_b": 1.5,
    "sample": 3,
    "attempt": 1,
    "returned": False,
    "status": "truncated",
    "score": 1 / 3,
    "answer": "naïve ∑ 🎲\n\"x\"",
    "answer_cluster": 2,
    "error": "cut",
    "verdict": "unknown",
    "verdict_kind": "vote",
    "verdict_confidence": 0.1,
    "verdict_measured": [{"name": "steps", "value": 1.5}],
    "logprob_mean": -0.5,
    "logprob_min": -9.25,
    "logprob_answer": -1e-9,
    "certainty": 14.2,
    "agreement": 0.625,
    "reliability": 0.32768,
    "prompt_tokens": 10,
    "completion_tokens": 2**40,
    "tokens_basis": "counted",
    "cost_usd": 1e-7,
    "cost_basis": "local",
    "price_snapshot": "list 2026",
    "latency_s": 0.25,
    "response_chars": 5,
    "created": "2026-01-01T00:00:00Z",
    "policy": "p",
    "policy_version": "1",
    "arm_probability": [{"arm": "s", "probability": 0.3}, {"arm": "l", "probability": 0.7}],
    "features": [0.5, 0.25],
    "fingerprint": "f",
    "label_source": "gold",
    "label_probability": 0.5,
    "tenant": "abc",
}  # fmt: skip
BARE = {
    "source": "src",
    "benchmark": "b",
    "query_id": "q2",
    "arm": "s",
    "status": "ok",
    "score": 0.0,
}


def make(*rows, **about) -> OutcomeSet:
    frame = pl.DataFrame(rows or [FULL, BARE], infer_schema_length=None)
    asked = frame.select("source", "benchmark", "query_id").unique(maintain_order=True)
    return OutcomeSet(frame, asked.with_columns(query=pl.lit("Why?")), about)


@pytest.fixture(autouse=True)
def place(clean_env) -> Path:
    return outcomes_dir()


def test_every_column_survives_the_round_trip():
    assert set(FULL) == set(OUTCOMES)
    data = make(name="src", notes=["a", {"b": 1}])
    write_outcomes(data, "mine")
    again = read_outcomes("mine")
    assert again.outcomes.equals(data.outcomes, null_equal=True)
    assert again.outcomes.schema == data.outcomes.schema
    assert again.queries.equals(data.queries, null_equal=True)
    assert dict(again.about) == {"name": "src", "notes": ["a", {"b": 1}], "schema": 1}
    assert again.outcomes.row(0, named=True) == FULL


def test_a_set_without_rows_is_a_set():
    data = make()
    empty = OutcomeSet(data.outcomes.clear(), data.queries.clear(), {"name": "none"})
    write_outcomes(empty, "none")
    assert read_outcomes("none").outcomes.schema == data.outcomes.schema


def test_names_go_to_the_data_directory_and_folders_where_they_are(place, tmp_path):
    assert stored_sets() == ()
    assert write_outcomes(make(), "mine") == place / "mine"
    assert write_outcomes(make(), tmp_path / "deep" / "own") == tmp_path / "deep" / "own"
    assert stored_sets() == ("mine",)
    assert len(read_outcomes(tmp_path / "deep" / "own").outcomes) == 2


def test_writing_again_replaces_all_of_it(place):
    write_outcomes(make(), "mine")
    write_outcomes(make(BARE), "mine")
    assert len(read_outcomes("mine").outcomes) == 1
    assert [p.name for p in place.iterdir()] == ["mine"]


def test_an_unknown_set_lists_those_there_are():
    with pytest.raises(SetupError, match=r"no outcome set 'x' \(stored: none\).*outcomes import"):
        read_outcomes("x")
    write_outcomes(make(), "mine")
    with pytest.raises(SetupError, match=r"\(stored: mine\)"):
        read_outcomes("x")


def test_a_folder_that_is_no_set_is_not_overwritten(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "thesis.tex").write_text("years of work")
    with pytest.raises(SetupError, match="is no outcome set"):
        write_outcomes(make(), own)
    assert (own / "thesis.tex").read_text() == "years of work"
    assert [p.name for p in tmp_path.iterdir()] == ["own"]


def edit_about(place: Path, text: str) -> None:
    (place / "mine" / "about.json").write_text(text)


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_another_schema_version_is_refused(place, version):
    write_outcomes(make(), "mine")
    edit_about(place, json.dumps({"schema": version}))
    with pytest.raises(InputError, match=rf"schema version {version}, this is 1: import it again"):
        read_outcomes("mine")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '{"schema": 1'])
def test_a_damaged_about_is_an_input_error(place, text):
    write_outcomes(make(), "mine")
    edit_about(place, text)
    with pytest.raises(InputError, match="mine cannot be read.*import it again"):
        read_outcomes("mine")


@pytest.mark.parametrize("name", ["outcomes.parquet", "queries.parquet"])
@pytest.mark.parametrize("damage", ["gone", "cut", "text"])
def test_a_damaged_table_is_an_input_error(place, name, damage):
    write_outcomes(make(), "mine")
    file = place / "mine" / name
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:-20])
    else:
        file.write_text("not parquet")
    with pytest.raises(InputError, match="mine cannot be read"):
        read_outcomes("mine")


def test_a_table_that_breaks_the_schema_is_an_input_error(place):
    write_outcomes(make(), "mine")
    file = place / "mine" / "outcomes.parquet"
    pl.read_parquet(file).with_columns(score=pl.lit(7.0)).write_parquet(file)
    with pytest.raises(InputError, match="score must lie in 0..1"):
        read_outcomes("mine")


def test_a_failing_write_leaves_the_old_set(place, monkeypatch):
    write_outcomes(make(), "mine")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(SetupError, match=r"cannot write outcomes to .*No space left"):
        write_outcomes(make(BARE), "mine")
    monkeypatch.undo()
    assert len(pl.read_parquet(place / "mine" / "outcomes.parquet")) == 2
    assert [p.name for p in place.iterdir()] == ["mine"]


def test_a_failing_last_rename_puts_the_old_set_back(place, monkeypatch):
    write_outcomes(make(), "mine")
    real, seen = Path.rename, []

    def second_fails(self, target):
        seen.append(self)
        if len(seen) == 2:
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", second_fails)
    with pytest.raises(SetupError, match="Input/output error"):
        write_outcomes(make(BARE), "mine")
    monkeypatch.setattr(Path, "rename", real)
    assert len(read_outcomes("mine").outcomes) == 2
    assert [p.name for p in place.iterdir()] == ["mine"]


WRITER = """
import os, signal, sys
from pathlib import Path
import polars as pl
from policies.outcome import OutcomeSet
from router.outcomes import write_outcomes

real, seen = Path.rename, []
def rename(self, target):
    if len(seen) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    seen.append(self)
    return real(self, target)
Path.rename = rename
row = {"source": "s", "benchmark": "b", "query_id": "n", "arm": "s", "status": "ok", "score": 1.0}
queries = pl.DataFrame([row]).select("source", "benchmark", "query_id")
write_outcomes(OutcomeSet(pl.DataFrame([row]), queries, {"name": "new"}), "mine")
"""


@pytest.mark.parametrize("renames_before_the_kill", [0, 1, 2])
def test_a_killed_writer_leaves_one_whole_set(place, renames_before_the_kill):
    write_outcomes(make(name="old"), "mine")
    ended = subprocess.run(
        [sys.executable, "-c", WRITER, str(renames_before_the_kill)],
        env={**os.environ, "OCKHAM_DATA_DIR": str(place.parent)},
        capture_output=True,
        check=False,
    )
    killed = renames_before_the_kill < 2
    assert ended.returncode == (-signal.SIGKILL if killed else 0), ended.stderr
    assert read_outcomes("mine").about["name"] == ("old" if killed else "new")
    assert stored_sets() == ("mine",)
    # The next writer is not disturbed by what was left, and clears the set that lay aside.
    write_outcomes(make(BARE, name="third"), "mine")
    assert read_outcomes("mine").about["name"] == "third"
    assert not [p for p in place.iterdir() if ".old-" in p.name]


def test_a_half_written_set_is_not_listed(place):
    write_outcomes(make(), "mine")
    (place / ".mine.abc123").mkdir()
    (place / ".mine.abc123" / "about.json").write_text("{}")
    assert stored_sets() == ("mine",)


def test_a_full_disk_is_a_setup_error(place, tmp_path):
    code = WRITER.replace("int(sys.argv[1])", "99").replace(
        'write_outcomes(Outcome',
        'import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n'
        'from router.errors import SetupError\n'
        'try:\n  write_outcomes(Outcome',
    ) + "except SetupError as e:\n  print('refused:', e)\n"  # fmt: skip
    write_outcomes(make(name="old"), "mine")
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OCKHAM_DATA_DIR": str(place.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "refused: cannot write outcomes to" in ended.stdout, ended.stderr
    assert read_outcomes("mine").about["name"] == "old"
    assert [p.name for p in place.iterdir()] == ["mine"]


def test_a_place_that_is_a_file_is_a_setup_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot write outcomes to"):
        write_outcomes(make(), tmp_path / "file" / "set")
