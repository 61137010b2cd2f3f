"""The whole evaluation over a toy: what the report holds, how it is kept, and the command."""

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from eval.fit import evaluation, families, perturbed
from eval.fit.commands import app
from eval.fit.evaluation import JOURNAL, Evaluation, Plan, Report, evaluate
from eval.fit.evaluation_report import read_report, text_of, write_report
from eval.fit.examples import Example
from eval.fit.table import Table
from router.errors import InputError, SetupError
from router.signals.head import AXES
from router.state import Query, Signals

from .toys import Column, built, example

AXIS = "verifiability"


def read(examples: Sequence[Example], *_: Any) -> Table:
    """A row's score is its verifiability's side, with noise made of its text."""
    noise = [(hash_of(e.text) % 100 - 50) / 40 for e in examples]
    sides = [(e.verifiability or 0) * 2 - 1 for e in examples]
    return built(examples, np.array([[s + n] for s, n in zip(sides, noise, strict=True)]))


def hash_of(text: str) -> int:
    """The same in every process."""
    return sum(ord(c) * (i + 1) for i, c in enumerate(text))


def examples() -> list[Example]:
    """Two families a corner, and ten written topics."""
    made = [
        example(f"{v}{k}-{part}", v, k, f"How many are {i} and {i + v}?")
        for v in (0, 1)
        for k in (0, 1)
        for part in "ab"
        for i in range(12)
    ]
    topics = [(i % 10, i % 2, i // 2 % 2) for i in range(60)]
    return made + [example(f"written:{g}", v, k, f"Why {g}, {v}?") for g, v, k in topics]


class Fake:
    """A featuriser that takes a text's length for its place."""

    fingerprint = "fake-1"
    inputs = None

    def judge(self, queries: Sequence[Query]) -> SimpleNamespace:
        return SimpleNamespace(signals=tuple(self._signals(len(q.text)) for q in queries))

    def _signals(self, size: int) -> Signals:
        return Signals(
            verifiability=size % 10 / 10,
            knowledge_demand=size % 7 / 7,
            confidence=0.5,
            domains={"open": 1.0},
            forms={"prose": 1.0},
            chars=size,
            featuriser="fake-1",
        )


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights, no data: the toy table, and the fake in the featuriser's place."""
    monkeypatch.setattr(families, "LEAST", 10)
    monkeypatch.setattr("eval.fit.measures.figures.__defaults__", (20,))
    monkeypatch.setattr("eval.fit.families.pair_figure.__defaults__", (20,))
    monkeypatch.setattr(evaluation, "gather", lambda data, seed: examples())
    monkeypatch.setattr(evaluation, "featurise", read)
    monkeypatch.setattr(perturbed, "featurise", read)
    monkeypatch.setattr(evaluation, "data_files", lambda data: [])
    monkeypatch.setattr(evaluation, "Featuriser", lambda encoder: Fake())
    monkeypatch.setattr(evaluation, "_live", lambda live, *_: (live, "a fake"))


def run(folder: Path | None = None, **more: Any) -> Evaluation:
    plan = Plan((Column(),), folder=folder, command="ockham signals eval", **more)
    return evaluate(Path(), plan, None)  # type: ignore[arg-type]


@cache
def quick() -> Report:
    """One quick run, for the tests that only read it."""
    return run(quick=True).report


def test_the_report_holds_every_part() -> None:
    done = run()
    report = done.report
    assert (report.rows, report.written, report.contenders) == (156, 60, ("column",))
    # Four families a side and axis, each pair of them.
    assert len(report.pairs) == 2 * 16
    pairs = report.find("column", "families", AXIS, "macro-auroc")
    own = [p.auroc for p in report.pairs if p.axis == AXIS]
    assert pairs is not None and pairs.value == pytest.approx(np.mean(own)) and pairs.n == 16
    # The column knows verifiability, and nothing of knowledge.
    other = report.find("column", "families", "knowledge_demand", "macro-auroc")
    assert pairs.value > 0.9 and other is not None and other.value < 0.7
    parts = {f.part.split("/")[0] for f in report.figures}
    assert parts >= {"families", "written", "flips", "injections", "all", "twins", "science"}
    keys = [(f.contender, f.part, f.axis, f.metric) for f in report.figures]
    assert len(keys) == len(set(keys))
    assert len(report.prompts) == 760
    moves = [max(m.moves) for m in report.moves]
    assert moves == sorted(moves, reverse=True)
    assert report.data.keys() >= {
        "heldout/languages.yaml",
        "heldout/injections.txt",
        "languages.yaml",
    }
    assert done.pictured.held_out.keys() == set(AXES)
    assert np.isfinite(done.pictured.held_out[AXIS]).all()
    assert done.pictured.contenders["column"][AXIS].value == pairs.value


def test_the_same_run_gives_the_same_figures_and_resumes(tmp_path: Path) -> None:
    first = run(tmp_path).report
    lines = (tmp_path / JOURNAL).read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line]) == 2 * 16 + 2 * 8
    again = Column()
    plan = Plan((again,), folder=tmp_path)
    second = evaluate(Path(), plan, None).report  # type: ignore[arg-type]
    assert second.figures == first.figures and second.pairs == first.pairs
    # Only the folds are fitted anew.
    assert len(again.seen) == 2 * 5


def test_other_contenders_are_asked_the_same(tmp_path: Path) -> None:
    other = Column(log_odds=False)
    other.name = "ranks only"
    plan = Plan((Column(), other), quick=True)
    report = evaluate(Path(), plan, None).report  # type: ignore[arg-type]
    for part, metric in (("families", "macro-auroc"), ("twins", "auroc"), ("flips/all", "auroc")):
        assert report.find("ranks only", part, AXIS, metric) is not None
    assert report.find("ranks only", "families", AXIS, "brier") is None
    assert "ranks only" in text_of(report)


def test_quick_is_a_sample_and_says_so_twice() -> None:
    report = quick()
    assert report.quick and len(report.pairs) == 2 * evaluation.QUICK_PAIRS
    assert text_of(report).count("NOT a result") == 2
    assert "NOT a result" not in text_of(report.model_copy(update={"quick": False}))


def test_the_text_names_the_worst_pairs_in_order() -> None:
    text = text_of(quick())
    worst = text.split("Worst pairs of column")[1].split("Worst families")[0]
    found = [float(v) for v in re.findall(r"above \S+ +(\d\.\d+)", worst.split("knowledge")[0])]
    assert len(found) == 8 and found == sorted(found)
    assert max(len(line) for line in text.splitlines()) < 190


def test_a_report_survives_its_file(tmp_path: Path) -> None:
    report = quick()
    path = write_report(report, tmp_path / "new")
    assert read_report(path) == report
    assert not list(path.parent.glob(".*"))


def test_what_is_no_report_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_report(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="no report"):
        read_report(tmp_path / "bad.json")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SetupError, match="cannot be written"):
        write_report(quick(), tmp_path / "file" / "deeper")


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({}, []),
        ({"seed": 1}, ["seed"]),
        ({"data": {"a": "2"}}, ["data"]),
        ({"same": False, "seed": 1}, ["encoders", "seed"]),
    ],
)
def test_the_packaged_head_is_judged_only_where_it_is_this_fit(
    change: dict[str, Any], differs: list[str]
) -> None:
    given = {"same": True, "stamp": {"seed": 0, "data": {"a": "1"}}, "seed": 0, "data": {"a": "1"}}
    assert list(evaluation._differences(**{**given, **change})) == differs


def command(*options: str) -> Any:
    return CliRunner().invoke(app, ["eval", *options])


@pytest.fixture
def fake_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Plan]:
    """The command without work: the plans that it made."""
    plans: list[Plan] = []
    report = quick()

    def made(data: Path, plan: Plan, *_: Any) -> SimpleNamespace:
        plans.append(plan)
        now: Report = report.model_copy(update={"quick": plan.quick})
        return SimpleNamespace(report=now, pictured=None, table=None)

    monkeypatch.setattr(evaluation, "evaluate", made)
    monkeypatch.setattr("eval.sources.shared.shared_data", lambda data: tmp_path)
    monkeypatch.setattr("eval.fit.pictures.draw", lambda *given: [given[-1] / "plane.png"])
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path / "data"))
    return plans


def test_the_command_writes_report_and_pictures(fake_run: list[Plan], tmp_path: Path) -> None:
    result = command("--out", str(tmp_path / "out"), "--seed", "3")
    assert result.exit_code == 0, result.output
    assert read_report(tmp_path / "out/report.json").rows == 156
    assert "plane.png" in result.stderr and "Held-out families" in result.stdout
    (plan,) = fake_run
    assert (plan.seed, plan.quick, plan.folder) == (3, False, tmp_path / "out")
    assert plan.contenders[0].name == "ours" and len(plan.contenders) > 3


def test_json_is_the_report_and_nothing_else(fake_run: list[Plan], tmp_path: Path) -> None:
    result = command("--json", "--quick")
    assert json.loads(result.stdout)["rows"] == 156
    assert "NOT a result" in result.stderr
    (plan,) = fake_run
    assert [c.name for c in plan.contenders] == ["ours"]
    assert plan.quick and plan.folder == tmp_path / "data/signals-eval"


def test_an_interruption_says_how_to_go_on(
    fake_run: list[Plan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "evaluate", stop)
    result = command("--out", str(tmp_path / "out"))
    assert result.exit_code == 130
    assert str(tmp_path / "out" / JOURNAL) in result.stderr
    assert "the same command goes on" in result.stderr


def test_absent_data_is_an_error_with_an_exit_code(tmp_path: Path) -> None:
    result = command("--data", str(tmp_path))
    assert result.exit_code == 3
    assert "OCKHAM_SHARED_DATA" in result.output
