"""`ockham policy label-next` on a stored set: whose labels are read, what is printed, errors."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval import labelling_pool
from eval.compare import Interval
from eval.features import features_of
from eval.label_command import _line
from eval.labelling_curve import Point
from eval.policy_commands import app
from eval.policy_options import print_json
from policies.outcome import OutcomeSet
from router.errors import InputError, OckhamError
from router.outcomes import write_outcomes

from .hand import LetterFeaturiser, outcome_set, row

N = 60


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """60 queries; both arms answered the first 40, the small one alone the next 10."""
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path / "data"))
    maker = LetterFeaturiser()
    monkeypatch.setattr(labelling_pool, "features_of", lambda texts, _: features_of(texts, maker))
    rows = [row(f"q{i}", arm, float((i + (arm == "l")) % 2)) for i in range(N) for arm in "sl"]
    whole = outcome_set(rows)
    have = [f"q{i}" for i in range(40)], [f"q{i}" for i in range(50)]
    kept = whole.outcomes.filter(
        whole.outcomes["query_id"].is_in(have[0])
        | (whole.outcomes["query_id"].is_in(have[1]) & (whole.outcomes["arm"] == "s"))
    )
    return write_outcomes(OutcomeSet(kept, whole.queries, whole.about), tmp_path / "set")


def run(*args: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["label-next", *args])
    if isinstance(done.exception, OckhamError):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def ask(stored: Path, *args: str) -> tuple[int, str, str]:
    return run("--source", str(stored), "--benchmark", "b", *args)


def test_it_prints_the_ids_of_unlabelled_queries(stored: Path) -> None:
    code, out, err = ask(stored, "--budget", "12")
    ids = out.split()
    assert code == 0 and len(ids) == len(set(ids)) == 12
    assert set(ids) <= {f"q{i}" for i in range(40, N)}
    assert "12 of 20 unlabelled queries" in err and "text-logistic fitted on 40 labels" in err
    assert out == ask(stored, "--budget", "12")[1]
    assert out != ask(stored, "--budget", "12", "--seed", "1")[1]


def test_only_the_labels_of_the_file_count(stored: Path, tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("q3\n\n q5 \nq3\n", encoding="utf-8")
    _, out, err = ask(stored, "--budget", "58", "--labelled", str(file))
    assert set(out.split()) == {f"q{i}" for i in range(N)} - {"q3", "q5"}
    assert "spread alone: 2 labels are too few" in err


def test_json_holds_the_weights(stored: Path) -> None:
    facts = json.loads(ask(stored, "--budget", "5", "--json")[1])
    assert len(facts["query_id"]) == len(facts["weight"]) == 5
    assert (facts["labelled"], facts["unlabelled"], facts["without_text"]) == (40, 20, 0)
    assert all(0 < w <= 1 for w in facts["weight"])
    flat = json.loads(ask(stored, "--budget", "5", "--json", "--strength", "0")[1])
    assert flat["weight"] == [1.0] * 5


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "--budget: say how many"),
        (["--budget", "21"], "--budget 21: 20 queries of b are unlabelled"),
        (["--curve", "--budget", "3"], "leave out --budget"),
        (["--curve", "--sizes", "30,20"], "rising whole numbers"),
        (["--curve", "--sizes", "a"], "rising whole numbers"),
        (["--curve", "--sizes", "20,99999"], "--sizes 99999: "),
        (["--budget", "1", "--benchmark", "c"], "no 'c' here; there are: b"),
        (["--budget", "1", "--labelled", "none.txt"], "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said(stored: Path, args: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        ask(stored, *args)


def test_an_id_without_both_scores_is_named(stored: Path, tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("q45\n", encoding="utf-8")
    with pytest.raises(InputError, match="'q45' has no score of both arms"):
        ask(stored, "--budget", "1", "--labelled", str(file))


def test_a_finished_set_says_how_to_go_on(stored: Path, tmp_path: Path) -> None:
    rows = [row(f"q{i}", arm) for i in range(3) for arm in "sl"]
    full = write_outcomes(outcome_set(rows), tmp_path / "full")
    with pytest.raises(InputError, match="all are labelled; --labelled FILE"):
        ask(full, "--budget", "1")


def test_an_interval_that_is_undefined_is_null_and_words(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON has no NaN, and a reader of the table no use for one."""
    nan = float("nan")
    gain = Interval(-0.2, nan, nan, 5, 5, 0)
    assert "-0.2000 [undefined]  no difference shown" in _line(Point(2, 0.2, 0.4, gain, 0, 1))
    said: list[str] = []
    monkeypatch.setattr("typer.echo", said.append)
    print_json({"points": [gain._asdict()], "most": (float("inf"), 1.5)})
    assert json.loads(said[0], parse_constant=pytest.fail) == {
        "points": [
            {"value": -0.2, "low": None, "high": None, "n": 5, "clusters": 5, "undefined": 0}
        ],
        "most": [None, 1.5],
    }
