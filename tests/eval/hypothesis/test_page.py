"""The command's files, from the published table alone: no unseen table is opened in a test."""

import json
import re

import pytest
import typer
from typer.testing import CliRunner

from eval.hypothesis import commands, judge, report
from eval.hypothesis.judge import Plan
from eval.hypothesis.registration import read_registration
from eval.hypothesis.report import RESULT, body, headline, in_short, show, write
from eval.hypothesis.rules import Verdict
from eval.sources.shared import shared_data
from eval.sources.summary import unseen
from router.errors import SetupError

SKIP = frozenset({"mmlupro", "qwen3_think", "routellm", *unseen()})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    registration = read_registration()
    plan = Plan(folder, seed=1, resamples=60, worlds=2, skip=SKIP)
    found = judge.judge(plan, registration)
    out = folder / "out"
    data = body(found, plan, ["hypothesis", "--out", "out"])
    write(found, data, out)
    return found, data, out


def test_every_prediction_has_a_verdict_and_carries_its_counts(made):
    _, data, _ = made
    names = {v["prediction"] for v in data["verdicts"]}
    assert names == set(read_registration().data["predictions"])
    for verdict in data["verdicts"]:
        assert verdict["verdict"] in {"supported", "refuted", "undecided"}
        assert verdict["reason"]
        assert {"estimate", "models", "families", "questions", "kind"} <= set(verdict)


def test_the_same_seed_gives_the_same_bytes(made, tmp_path):
    _, data, out = made
    plan = Plan(tmp_path, seed=1, resamples=60, worlds=2, skip=SKIP)
    again = body(judge.judge(plan, read_registration()), plan, ["hypothesis", "--out", "out"])
    assert json.dumps(again) == json.dumps(data)
    assert json.loads((out / RESULT).read_text()) == json.loads(json.dumps(data))


def test_the_page_loads_nothing_and_tells_the_registration_first(made):
    found, _, out = made
    page = (out / "index.html").read_text()
    assert not re.search(r"""(?:src|href)=["'](?!data:|https?://)""", page)
    assert not re.search(r"""src=["']https?:|@import|<script|url\(""", page)
    assert page.index(found.registration.sha256) < page.index("The verdicts")
    assert page.index("The verdicts") < page.index('<img alt="')
    for words in ("Which data is missing", "Threats", "What would change the verdict",
                  "two models' scores were swapped", "research licence", "n is 32"):  # fmt: skip
        assert words.lower() in page.replace("&#39;", "'").lower(), words


def test_pictures_are_written_beside(made):
    _, _, out = made
    for name in ("effective", "models", "contrast", "ratio"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_headline_says_what_was_decided_where(made):
    found, _, _ = made
    said = headline(found.verdicts)
    assert said["P1_slopes"] == "undecided on published_table (exploratory)"
    assert said["P3_memorisation"] == "undecided on live_fresh_seed (confirmatory)"


def test_in_short_only_unseen_data_support_or_refute():
    made = [
        Verdict("P1_slopes", "a", "confirmatory", "undecided", ""),
        Verdict("P1_slopes", "b", "exploratory", "supported", ""),
        Verdict("P4_routing", "c", "confirmatory", "refuted", ""),
        Verdict("P4_routing", "d", "exploratory", "supported", ""),
    ]
    assert in_short(made) == (
        "Unseen data. supported: nothing; refuted: P4 routing on c; undecided: P1 slopes."
    )


@pytest.mark.parametrize("columns", [80, 150])
def test_the_terminal_drops_no_word_of_a_reason(made, capsys, monkeypatch, columns):
    monkeypatch.setattr(report, "WIDE", columns)
    show(made[0])
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= columns
    last = "".join(
        line.split("│")[-2].strip() for line in printed.splitlines() if line.startswith("│")
    )
    for verdict in made[0].verdicts:
        assert verdict.reason.replace(" ", "") in last.replace(" ", "")


def test_the_command_wants_its_data_and_a_folder_for_the_live_set(tmp_path, monkeypatch):
    app = typer.Typer()
    app.command()(commands.hypothesis)
    result = CliRunner().invoke(app, ["--data", str(tmp_path)])
    assert isinstance(result.exception, SetupError)
    try:
        folder = shared_data()
    except SetupError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(judge, "judge", lambda *_: pytest.fail("judged before the error"))
    result = CliRunner().invoke(app, ["--data", str(folder), "--live"])
    assert "--out or --live-folder" in str(result.exception)
