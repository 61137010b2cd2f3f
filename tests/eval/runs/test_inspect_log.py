"""The Inspect log of a run: read back through Inspect's own API, and by its command."""

import json
import subprocess
import sys

import pytest
from inspect_ai.log import read_eval_log

from eval.runs.inspect_log import inspect_log, write_inspect_log
from eval.runs.manifest import Arguments, make_manifest
from eval.runs.subject import SubjectSpec
from eval.runs.tries import Try
from router.errors import SetupError

from ..conftest import Sums, fake_settings  # noqa: TID252  no package


def row(arm, returned, **more):
    base = {"arm": arm, "model": f"m-{arm}", "returned": returned, "status": "ok", "score": 1.0}
    base |= {"answer": "4", "prompt_tokens": 10, "completion_tokens": 5, "cost_usd": 0.1}
    return base | {"text": "The sum is 4", "error": None} | more


def try_of(question, sample, rows, state="done", cost=0.2):
    result = {"rows": rows, "seconds": 1.5} if rows else None
    ended = "2026-11-01T00:00:02.000+00:00"
    return Try(
        1, question, sample, 0, state, 0.5, cost, "2026-11-01T00:00:00.000+00:00", ended, None,
        result,
    )  # fmt: skip


@pytest.fixture
def made(clean_env, fake_model):
    """Manifest and questions of a run of three questions, twice each."""
    settings = fake_settings(fake_model, None, {})
    arguments = Arguments(benchmark="sums", subject=SubjectSpec(arm="small"), samples=2)
    questions = Sums().questions(None, 0)[:3]
    policy = arguments.subject.make(settings)
    created = "2026-11-01T00:00:00.000+00:00"
    return make_manifest(arguments, Sums(), questions, settings, policy, created=created), questions


def every(questions):
    failed = row("small", True, status="failed", score=None, answer=None, text="", error="died")
    return [
        try_of(q.id, s, [failed] if (i, s) == (2, 1) else [row("small", True)])
        for i, q in enumerate(questions)
        for s in range(2)
    ]


def test_it_is_read_back_through_inspect(made, tmp_path):
    manifest, questions = made
    file = write_inspect_log(tmp_path, manifest, Sums(), questions, every(questions))
    assert file.name == "sums-small.eval" and [p.name for p in tmp_path.iterdir()] == [file.name]
    log = read_eval_log(str(file))
    assert log.status == "success" and log.eval.task == "sums"
    assert log.eval.model == "ockham/small" and log.eval.config.epochs == 2
    # Inspect sorts by epoch.
    assert [(s.id, s.epoch) for s in log.samples] == [
        (f"sums:{q}", e) for e in (1, 2) for q in range(3)
    ]
    first, last = log.samples[0], log.samples[-1]
    assert first.input == "What is 0 + 0?" and first.target == "0"
    assert first.scores["score"].value == 1.0 and first.output.completion == "The sum is 4"
    assert first.model_usage["m-small"].total_tokens == 15 and first.total_time == 1.5
    assert last.scores["score"].value == 0.0 and last.output.error == "died"
    assert log.results.scores[0].metrics["accuracy"].value == pytest.approx(5 / 6)
    assert log.results.scores[0].metrics["low"].value < 5 / 6
    assert log.stats.model_usage["m-small"].input_tokens == 60
    assert "protocol" in log.eval.metadata


def test_inspects_command_reads_it(made, tmp_path):
    manifest, questions = made
    file = write_inspect_log(tmp_path, manifest, Sums(), questions, every(questions))
    command = [sys.executable, "-m", "inspect_ai", "log", "dump", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["samples"]) == 6


def test_every_attempt_and_the_returned_one_are_there(made):
    manifest, questions = made
    rows = [row("small", False, score=0.0, answer="3", text="It is 3"), row("large", True)]
    log = inspect_log(manifest, Sums(), questions, [try_of("sums:2", 0, rows)])
    (sample,) = log.samples
    assert sample.output.completion == "The sum is 4" and sample.output.model == "m-large"
    assert sample.metadata["route"] == ["small", "large"]
    assert sample.metadata["texts"] == ["It is 3", "The sum is 4"]
    assert set(sample.model_usage) == {"m-small", "m-large"}


def test_an_unfinished_run_is_cancelled_and_skips_what_is_open(made):
    manifest, questions = made
    tries = [
        try_of("sums:0", 0, [row("small", True)]),
        try_of("sums:0", 1, None, "interrupted", None),
    ]
    log = inspect_log(manifest, Sums(), questions, tries)
    assert log.status == "cancelled" and len(log.samples) == 1
    assert log.results.total_samples == 6 and log.results.completed_samples == 1


def test_an_empty_run_is_a_log_too(made, tmp_path):
    manifest, questions = made
    log = read_eval_log(str(write_inspect_log(tmp_path, manifest, Sums(), questions, [])))
    assert log.status == "cancelled" and log.results.completed_samples == 0


def test_text_that_may_not_be_kept_is_hashed(made, tmp_path):
    manifest, questions = made
    closed = [q.model_copy(update={"keep_text": False}) for q in questions]
    log = inspect_log(manifest, Sums(), closed, every(closed))
    assert log.samples[0].input.startswith("sha256:")
    assert log.samples[0].target.startswith("sha256:")
    assert "What is" not in log.model_dump_json()


def test_a_folder_that_cannot_be_written_is_named(made, tmp_path):
    manifest, questions = made
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SetupError, match="cannot write the Inspect log"):
        write_inspect_log(tmp_path / "file" / "deep", manifest, Sums(), questions, [])
