"""`ockham policy watch`: what is read from recorded traffic, which alarm rings and where."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from eval import traffic as traffic_module
from eval.features import features_of
from eval.metrics.bounds import watch as bound_watch
from eval.policy_commands import app
from eval.traffic import large_arms, scored_by, traffic_of
from eval.watching import Plan, watch_traffic
from policies import ConformalGate, CostCap, PromptLength
from policies.alarms import RegretAlarm, ShareAlarm
from router.errors import InputError, OckhamError
from router.outcomes import write_outcomes
from router.presets import write_preset

from .hand import LetterFeaturiser, outcome_set, row

N = 300


def routed(i: int, arm: str, score: float = 1.0, **more: Any) -> dict[str, Any]:
    """One attempt of the policy p, at second i."""
    facts = {
        "policy": "p",
        "returned": True,
        "created": f"2026-01-01T00:{i // 60:02}:{i % 60:02}",
        "arm_probability": [{"arm": arm, "probability": 1.0}],
        "label_source": "gold",
    }
    return row(f"q{i}", arm, score, **{**facts, **more})


def steady(n: int = N, strong: int = 4, **more: Any) -> list[dict[str, Any]]:
    """Every fourth request is strong; scores of the verdict go round."""
    return [
        routed(i, "l" if i % strong == 0 else "s", verdict_confidence=i % 7 / 7, **more)
        for i in range(n)
    ]


def collapsed() -> list[dict[str, Any]]:
    """From request 150 on all are strong."""
    return steady(150) + [routed(i, "l", verdict_confidence=i % 7 / 7) for i in range(150, N)]


def test_requests_come_by_time_and_attempts_belong_together():
    rows = [
        routed(2, "s", 0.0, created="2026-01-01T00:00:09"),
        routed(1, "s", 0.0, returned=False, cost_usd=0.001, prompt_tokens=7,
               arm_probability=[{"arm": "s", "probability": 0.6}]),
        routed(1, "l", 1.0, attempt=1, cost_usd=0.01, prompt_tokens=9),
        routed(0, "s", 1.0, created="2026-01-01T00:00:30"),
        row("q1", "s", 0.5), row("q1", "l", 0.25),
    ]  # fmt: skip
    made = traffic_of(outcome_set(rows), "p", ["l"], "l", "prompt_tokens")
    assert made.query == (("b", "q1"), ("b", "q2"), ("b", "q0"))
    assert made.strong.tolist() == [True, False, False]
    assert made.kept.tolist() == [False, True, True]
    assert made.label.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(made.best, [0.25, np.nan, np.nan])
    np.testing.assert_array_equal(made.score, [7, np.nan, np.nan])
    assert made.cost.tolist() == pytest.approx([0.011, 0.001, 0.001])
    assert made.explored == pytest.approx(1 / 3)


def test_a_row_that_nobody_labelled_is_not_wrong():
    rows = [
        routed(0, "s", None, status="truncated", label_source=None),
        routed(1, "s", None, status="truncated"),
        routed(2, "s", None, status="failed", label_source=None),
    ]
    made = traffic_of(outcome_set(rows), None, ["l"])
    np.testing.assert_array_equal(made.label, [np.nan, 0, 0])


def test_the_large_arms():
    data = outcome_set(steady(8))
    assert large_arms(data, []) == ("l",)
    assert large_arms(data, ["s"]) == ("s",)
    named = outcome_set([routed(0, "large+index"), routed(1, "tiny")], pairs=[])
    assert large_arms(named, []) == ("large+index",)
    with pytest.raises(InputError, match="which of these arms are large: tiny"):
        large_arms(outcome_set([routed(1, "tiny")], pairs=[]), [])
    with pytest.raises(InputError, match="no arm 'x'"):
        large_arms(data, ["x"])


def alarms(rows, plan, reference=None, best=None):
    own = traffic_of(outcome_set(rows), None, ["l"], best)
    before = None if reference is None else traffic_of(outcome_set(reference), None, ["l"])
    return {a.name: a for a in watch_traffic(own, before, plan)}


def test_steady_traffic_is_silent():
    made = alarms(steady(), Plan(window=50, every=1e4, calibrate=100))
    assert [a.request for a in made.values()] == [None] * 4
    assert made["share"].seen == 200 and not made["share"].off
    assert made["regret"].off and made["promise"].off


def test_collapse_rings_where_the_pure_alarm_does():
    plan = Plan(share=0.25, every=1000, window=50, calibrate=100)
    made = alarms(collapsed(), plan)["share"]
    strong = [i % 4 == 0 for i in range(100, 150)] + [True] * 150
    pure = ShareAlarm(share=0.25, every=1000).update(strong)
    assert made.request == 100 + pure.raised_at > 150
    place = made.request - 1
    assert (made.query, made.created[-5:]) == (f"b/q{place}", f"{place // 60:02}:{place % 60:02}")


def test_the_share_of_the_reference_is_the_calibrated_one():
    made = alarms(collapsed(), Plan(every=1000, window=50), steady(39, strong=2))["share"]
    assert "calibrated 0.512" in made.facts  # 20 of 39, half a request added to either side


def test_drift_of_the_score_rings_at_the_end_of_its_window():
    drifted = steady(200) + [
        routed(i, "l" if i % 4 == 0 else "s", verdict_confidence=1.0) for i in range(200, N)
    ]
    made = alarms(drifted, Plan(window=50, calibrate=100))["score"]
    assert made.request == 250 and made.query == "b/q249"
    few = alarms(steady(), Plan(window=5000, calibrate=100))["score"]
    assert few.off and "a window takes 5,000" in few.facts


def test_regret_is_read_where_both_are_labelled():
    audits = [row(f"q{i}", "l", 1.0) for i in range(0, N, 2)]
    served = [routed(i, "s", float(i < 150)) for i in range(N)]
    made = alarms(served + audits, Plan(every=500, calibrate=50, window=50), best="l")["regret"]
    labelled = list(range(50, N, 2))
    pure = RegretAlarm(every=500).update([1.0] * len(labelled), [float(i < 150) for i in labelled])
    assert made.seen == len(labelled)
    assert made.query == f"b/q{labelled[pure.raised_at - 1]}"


def test_a_gates_promise_is_watched_on_what_it_kept():
    rows = [routed(i, "l" if i % 4 == 0 else "s", float(i % 4 == 0 or i < 100)) for i in range(N)]
    plan = Plan(promise=0.2, calibrate=50, window=50)
    made = alarms(rows, plan)["promise"]
    kept = [i for i in range(50, N) if i % 4]
    pure = bound_watch([float(i >= 100) for i in kept], 0.2)
    assert made.query == f"b/q{kept[pure.alarm_at - 1]}" and made.seen == len(kept)


def test_too_little_to_calibrate_on_is_an_error():
    with pytest.raises(InputError, match="300 requests, and the first 300 would calibrate"):
        alarms(steady(), Plan(calibrate=300))


def test_the_score_is_the_policys_where_texts_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path))
    data = outcome_set(steady(12))
    own = traffic_of(data, None, ["l"])
    rule = PromptLength()
    gate = ConformalGate(alpha=0.1, delta=0.1, tau=0, calibrated=9, by="need", scorer=rule)
    made = scored_by(own, data, CostCap(cap=1, inner=gate), LetterFeaturiser())
    text = dict(data.queries.select("query_id", "query").iter_rows())
    expected = [math.log1p(len(text[q])) for _, q in own.query]
    assert made.score == pytest.approx(expected, rel=1e-6)
    assert made.score_name == "the score of prompt-length"


def run(*args: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["watch", *args])
    if isinstance(done.exception, OckhamError):
        raise done.exception
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(tmp_path / "data"))
    maker = LetterFeaturiser()
    monkeypatch.setattr(traffic_module, "features_of", lambda t, _: features_of(t, maker))

    def make(rows: list[dict[str, Any]], name: str) -> str:
        return str(write_outcomes(outcome_set(rows), tmp_path / name))

    return make


def test_the_command_exits_1_where_one_rang(stored) -> None:
    few = ("--calibrate", "100", "--window", "50", "--every", "1000")
    code, out = run("--source", stored(steady(), "steady"), *few)
    assert code == 0 and "share    silent over 200" in out and "regret   off: no request" in out
    code, out = run("--source", stored(collapsed(), "collapsed"), *few)
    assert code == 1 and "share    RANG at request" in out and "300 requests of p; large: l" in out


def test_the_command_reads_a_reference_and_a_gates_preset(stored, tmp_path: Path) -> None:
    gate = ConformalGate(
        alpha=0.05, delta=0.1, tau=-9, calibrated=99, by="need", scorer=PromptLength()
    )
    write_preset(tmp_path / "gate.json", gate, {})
    named = {"policy": "conformal-gate"}
    before = stored(steady(100, **named), "before")
    wrong = [r | {"score": 0.0} for r in steady(100, **named)]
    code, out = run(
        "--source", stored(wrong, "wrong"), "--reference", before, "--json",
        "--policy", str(tmp_path / "gate.json"), "--window", "50",
    )  # fmt: skip
    facts = json.loads(out)
    by_name = {a["name"]: a for a in facts["alarms"]}
    assert code == 1 and facts["rang"] == ["promise"] and facts["policy"] == "conformal-gate"
    assert (
        by_name["promise"]["seen"] == 75 and "promised at most 0.05" in by_name["promise"]["facts"]
    )
    assert by_name["score"]["facts"].startswith("the score of prompt-length: distance")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--policy", "q"], "no traffic of 'q'; there is: p"),
        (["--score", "length"], "--score: no 'length'"),
        (["--best", "x"], "--best: no arm 'x'"),
        (["--share", "1.5", "--calibrate", "9"], "--share: "),
        (["--every", "0.5", "--calibrate", "9"], "--every: "),
    ],
)
def test_what_is_wrong_is_named(stored, args: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        run("--source", stored(steady(20), "one"), *args)


def test_several_policies_and_bare_arms_are_said(stored) -> None:
    two = steady(5) + [routed(i, "s", policy="other") for i in range(3)]
    with pytest.raises(InputError, match="whose traffic"):
        run("--source", stored(two, "two"))
    with pytest.raises(InputError, match="only bare arms"):
        run("--source", stored([row("q", "s"), row("q", "l")], "bare"))
