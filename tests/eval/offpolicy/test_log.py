"""Exported traffic as a log: what counts as a label, sequences, and the command over it."""

import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from eval.offpolicy.log import log_of
from eval.offpolicy.target import match
from eval.offpolicy.value import Plan, judge
from policies import AlwaysLarge, AlwaysSmall, Explore, Random
from policies.outcome import OutcomeSet
from router.cli import build
from router.errors import InputError
from router.outcomes import write_outcomes

from ..hand import outcome_set, row  # noqa: TID252  tests are no package

EVEN = [{"arm": "s", "probability": 0.5}, {"arm": "l", "probability": 0.5}]


def routed(i: int, arm: str, score: float | None = 1.0, **more):
    """One attempt of a policy that draws both arms evenly."""
    facts = {
        "policy": "p", "policy_version": "1", "returned": True, "arm_probability": EVEN,
        "label_source": "gold", "label_probability": 1.0,
    }  # fmt: skip
    if score is None:
        more = {"status": "unparsed", **more}
    return row(f"q{i}", arm, score, **{**facts, **more})


def even(n: int = 400, right=(0.5, 0.9), **more):
    """Right with a chance of each arm's own."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(n):
        arm = int(rng.random() < 0.5)
        rows.append(routed(i, "sl"[arm], float(rng.random() < right[arm]), **more))
    return rows


def log(rows, **kinds):
    about = kinds.pop("about", {})
    return log_of(outcome_set(rows, **about), **kinds)


def values(made, policy, **plan):
    return {r.metric: r for r in judge(made, [("t", policy)], Plan(resamples=100, **plan))}


def test_the_values_of_both_arms_are_read_off_an_even_log():
    made = log(even(3000))
    small, large = values(made, AlwaysSmall()), values(made, AlwaysLarge())
    for method in ("ips", "snips", "dr"):
        assert small[f"accuracy-{method}"].value == pytest.approx(0.5, abs=0.1)
        assert large[f"accuracy-{method}"].value == pytest.approx(0.9, abs=0.1)
    assert small["usd-per-1000-snips"].value == pytest.approx(1.0)
    assert large["usd-per-1000-snips"].value == pytest.approx(10.0)
    # Both tie at the price of an answer, and a mixture lies on the line between them.
    assert small["utility-snips"].value == pytest.approx(large["utility-snips"].value, abs=1e-6)
    mix = values(made, Random(large_share=0.25))
    assert mix["usd-per-1000-snips"].value == pytest.approx(3.25, abs=0.3)


def test_what_counts_as_a_label():
    asked = {"label_source": "audit", "label_probability": 0.25}
    rows = [
        routed(0, "s", 0.0, **asked),
        routed(1, "s", None, **asked),
        routed(2, "s", 1.0, label_source="feedback", label_probability=None),
        routed(3, "s", None, label_source=None, label_probability=None),
        routed(4, "l", None, label_source=None, label_probability=None),
        routed(5, "s", 1.0, label_source="audit", label_probability=None),
        routed(6, "s", None, status="failed", returned=False, label_source=None),
    ]
    made = log(rows, reference="l")
    assert made.label_probability.tolist() == [0.25, 0.25, 0, 0, 1, 0, 1]
    assert made.score[[0, 4, 6]].tolist() == [0, 1, 0]
    assert made.undecided.tolist() == [False, True, False, False, False, False, False]
    assert (made.feedback, made.unusable) == (1, 1)
    told = log(rows, labels="feedback")
    assert told.score[2] == 1 and told.labelled.sum() == 2


def test_undecided_audits_are_counted_both_ways():
    rows = even(100)
    rows[:20] = [routed(i, "s", None, label_source="audit") for i in range(20)]
    found = values(log(rows), Random())
    assert "accuracy-ips" not in found
    assert found["accuracy-low-ips"].value == pytest.approx(found["accuracy-high-ips"].value - 0.2)


def stepped(i: int, first: str, then: str | None, drawn: bool):
    """A cascade whose first arm was drawn at .8 or .2: small, then large where it failed."""
    chance = [{"arm": "s", "probability": 0.8}, {"arm": "l", "probability": 0.2}]
    verdict = "failed" if then else "passed"
    own = {"arm_probability": chance, "verdict": verdict, "verdict_confidence": 0.5}
    if then is None:
        return [routed(i, first, 1.0, **own)]
    sure = [{"arm": "s", "probability": 0.0}, {"arm": "l", "probability": 1.0}]
    return [
        routed(i, first, 0.0, returned=False, **own),
        routed(i, then, 1.0, attempt=1, arm_probability=sure),
    ]


def test_a_sequence_is_matched_whole_and_the_first_arm_alone_where_that_is_asked():
    rows = []
    for i in range(100):
        drawn = i % 5 == 0
        rows += stepped(i, "l" if drawn else "s", None if drawn or i % 2 else "l", drawn)
    made = log(rows)
    assert made.tried.shape == (100, 2) and len(made) == 100
    # always-small stops where the log escalated: nothing tells what its answer was worth.
    found = match(AlwaysSmall(), made)
    gone_on = sum(1 for i in range(100) if i % 5 and i % 2 == 0)
    assert found.lacking.mean() == pytest.approx(gone_on / 0.8 / 100)
    assert set(found.where) == {"stop"}
    assert values(made, AlwaysSmall())["accuracy-ips"].value is None
    first = values(made, AlwaysSmall(), steps="first")
    assert first["no-support"].value == 0
    assert first["accuracy-snips"].value == pytest.approx(1.0)
    assert first["usd-per-1000-snips"].value == pytest.approx(1000 * (0.001 + 0.01 * gone_on / 80))
    large = values(made, AlwaysLarge())
    assert large["no-support"].value == 0
    assert large["ess"].value == pytest.approx(20)


def test_an_explored_target_keeps_its_own_probabilities():
    found = match(Explore(inner="always-small", epsilon=0.2), log(even()))
    assert set(np.round(found.weight, 6)) == {0.9 / 0.5, 0.1 / 0.5}


def test_bare_arms_and_missing_probabilities_are_errors_that_name_the_remedy():
    with pytest.raises(InputError, match="ockham ledger export"):
        log([row("q", "s")])
    with pytest.raises(InputError, match="1 rows have no logged probabilities"):
        log([routed(0, "s", arm_probability=None), routed(1, "l")])


def test_the_command_prints_and_writes(tmp_path):
    place = tmp_path / "traffic"
    data = outcome_set(even(120))
    write_outcomes(OutcomeSet(data.outcomes, data.queries, data.about), place)
    out = tmp_path / "r.jsonl"
    args = ["replay", "--source", str(place), "--off-policy", "--policies", "always-large,random"]
    shown = CliRunner().invoke(build(), [*args, "--bootstrap", "50", "--out", str(out)])
    assert shown.exit_code == 0, shown.output
    for word in ("always-large", "random", "all-small", "logged", "snips", "dr", "ESS"):
        assert word in shown.output
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines[0]["requests"] == 120
    asked = CliRunner().invoke(build(), [*args, "--json", "--bootstrap", "50"])
    records = [json.loads(line) for line in asked.stdout.splitlines() if line.startswith("{")]
    got = {(r["policy"], r["metric"]): r for r in records}
    own = got["logged", "accuracy-ips"]
    assert own["value"] == pytest.approx(data.outcomes["score"].mean())
    assert own["low"] < own["value"] < own["high"]
    for wrong in (["--steps", "third"], ["--clip", "-1"], ["--label-source", "x"]):
        refused = CliRunner().invoke(build(), [*args, *wrong])
        assert refused.exit_code != 0
        assert wrong[0] in str(refused.exception or refused.output)


def test_answers_without_a_chance_of_a_label_leave_accuracy_unidentified():
    rows = even(600)
    for one in rows[:300]:
        one.update(label_source=None, label_probability=None, score=None, status="missing")
    found = values(log(rows), AlwaysSmall())
    assert found["label-cover"].value == pytest.approx(0.5, abs=0.1)
    assert found["accuracy-dr"].value is None
    assert "had no chance of a label" in found["accuracy-dr"].note
    assert found["usd-per-1000-snips"].value == pytest.approx(1.0)
    assert values(log(even(600)), AlwaysSmall())["label-cover"].value == pytest.approx(1.0)


def test_decisions_tell_what_could_be_run_and_the_chance_to_stop():
    def decision(i, place, arm, p, stop=None, large=True):
        arms = [
            {"arm": "s", "available": True, "probability": p[0], "predicted_cost_usd": 0.001,
             "worst_cost_usd": 0.002},
            {"arm": "l", "available": large, "probability": p[1], "predicted_cost_usd": 0.01,
             "worst_cost_usd": 0.02},
        ]  # fmt: skip
        return {
            "query_id": f"q{i}", "place": place, "arm": arm, "probability": stop,
            "reasons": ["the time limit is reached (x)"] if i == 1 else [], "arms": arms,
        }  # fmt: skip

    rows = [routed(0, "s"), routed(1, "s"), routed(2, "s")]
    told = pl.DataFrame(
        [
            decision(0, 0, "s", (0.5, 0.5)),
            decision(0, 1, None, (0.0, 0.25), 0.75),
            decision(1, 0, "s", (0.5, 0.5)),
            decision(1, 1, None, (0.0, 0.0), 1.0),
            # The budget refused large: it was asked again without it.
            decision(2, 0, "l", (0.5, 0.5)),
            decision(2, 1, "s", (1.0, 0.0), large=False),
            decision(2, 2, None, (0.0, 0.0), 1.0, large=False),
        ]
    )
    made = log(rows, decisions=told)
    assert made.decided.stop.tolist() == [0.75, 1, 1]
    assert made.decided.forced.tolist() == [False, True, False]
    assert made.decided.available[2, 0].tolist() == [True, False]
    found = match(AlwaysSmall(), made)
    assert found.weight.tolist() == pytest.approx([1 / 0.5 / 0.75, 2, 1])
    # Where large could not be run, always-large takes small, as it would have live.
    assert match(AlwaysLarge(), made).weight.tolist() == pytest.approx([0, 0, 1])
    with pytest.raises(InputError, match=r"how request q0 came to s"):
        log(rows, decisions=told.filter(pl.col("query_id") != "q0"))
