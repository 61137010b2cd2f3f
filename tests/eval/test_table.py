"""From outcome rows to arrays: what leaves, what stays together, what a policy is told."""

import numpy as np
import polars as pl
import pytest

from eval.table import case_of, table_of
from policies.case import Outcome
from policies.outcome import OutcomeSet
from router.errors import InputError

from .hand import outcome_set, row, table_by_hand


def both(query, small=1.0, large=1.0, **more):
    return [row(query, "s", small, **more), row(query, "l", large, **more)]


@pytest.mark.parametrize(
    ("status", "score", "counts", "outcome"),
    [
        ("ok", 0.5, 0.5, Outcome.ANSWERED),
        ("unparsed", None, 0.0, Outcome.ANSWERED),
        ("unparsed", 1.0, 1.0, Outcome.ANSWERED),
        ("truncated", None, 0.0, Outcome.INCOMPLETE),
        ("truncated", 0.5, 0.5, Outcome.INCOMPLETE),
        ("abstained", None, 0.0, Outcome.ABSTAINED),
        ("failed", None, 0.0, Outcome.FAILED),
    ],
)
def test_a_status_as_score_and_as_what_a_policy_may_know(status, score, counts, outcome):
    rows = [*both("q1"), row("q2", "s", score, status=status), row("q2", "l", 0.25)]
    made = table_of(outcome_set(rows), "s", "l")
    assert made.score.tolist() == [[1, 1], [counts, 0.25]]
    assert made.outcome[1].tolist() == [outcome, Outcome.ANSWERED]
    assert made.cost[1, 0] == 0.001  # what was paid stands, whatever came of it
    assert made.incomplete == 0


def test_a_missing_row_takes_its_query_out_and_is_counted():
    rows = [
        *both("q1"),
        row("q2", "s", None, status="missing", cost_usd=None),
        row("q2", "l"),
        row("q3", "s"),
        *both("q4", 0.0),
    ]
    made = table_of(outcome_set(rows), "s", "l")
    assert made.query_id == ("q1", "q4")
    assert made.incomplete == 2
    assert made.questions == 2


def test_a_query_that_only_a_third_arm_lacks_leaves_where_the_arm_is_asked_for():
    rows = [*both("q1"), *both("q2"), row("q1", "x", 0.5)]
    data = outcome_set(rows)
    assert table_of(data, "s", "l").query_id == ("q1", "q2")
    three = table_of(data, "s", "l", others=["x"])
    assert three.query_id == ("q1",)
    assert three.incomplete == 1
    assert three.score.tolist() == [[1, 1, 0.5]]
    assert [(a.name, a.tier) for a in three.arms] == [
        ("s", "small"),
        ("l", "large"),
        ("x", "large"),
    ]
    assert three.column("x") == 2


def test_rows_are_matched_by_id_and_not_by_place():
    rows = [row("q1", "s", 0.1), row("q2", "s", 0.2), row("q2", "l", 0.8), row("q1", "l", 0.9)]
    made = table_of(outcome_set(rows), "s", "l")
    assert made.query_id == ("q1", "q2")
    assert made.score.tolist() == [[0.1, 0.9], [0.2, 0.8]]


def test_samples_are_rows_of_one_cluster_matched_by_number():
    rows = [
        *both("q1", 0.0, 0.1, sample=0),
        *both("q2", 0.5, 0.5),
        *both("q1", 0.2, 0.3, sample=1),
    ]
    made = table_of(outcome_set(rows), "s", "l")
    assert made.query_id == ("q1", "q2", "q1")
    assert made.score.tolist() == [[0, 0.1], [0.5, 0.5], [0.2, 0.3]]
    assert made.cluster[0] == made.cluster[2] != made.cluster[1]
    assert made.questions == 2
    assert made.row_key[0] == made.row_key[2]


def test_queries_of_one_template_are_one_cluster():
    rows = [*both("q1", cluster_id="t"), *both("q2", cluster_id="t"), *both("q3")]
    made = table_of(outcome_set(rows), "s", "l")
    assert made.cluster[0] == made.cluster[1] != made.cluster[2]


def test_a_cluster_that_only_the_queries_name_counts():
    data = outcome_set([*both("q1"), *both("q2"), *both("q3")])
    queries = data.queries.with_columns(cluster_id=pl.Series(["t", "q2", "t"]))
    made = table_of(OutcomeSet(data.outcomes, queries, data.about), "s", "l")
    assert made.cluster[0] == made.cluster[2] != made.cluster[1]


def test_equal_ids_of_two_benchmarks_are_two_questions():
    rows = [
        *both("1", 0.0, 0.1, benchmark="a"),
        *both("1", 0.2, 0.3, benchmark="c"),
        *both("2", 0.4, 0.5, benchmark="c"),
    ]
    data = outcome_set(rows)
    pool = table_of(data, "s", "l", benchmarks=["a", "c"])
    assert pool.benchmark == "a+c"
    assert pool.benchmarks == ("a", "c", "c")
    assert pool.score.tolist() == [[0, 0.1], [0.2, 0.3], [0.4, 0.5]]
    assert len(np.unique(pool.cluster)) == 3
    assert len(np.unique(pool.row_key)) == 3
    assert table_of(data, "s", "l", benchmarks=["c"]).score.tolist() == [[0.2, 0.3], [0.4, 0.5]]


def test_the_same_cluster_name_in_two_benchmarks_is_two_clusters():
    rows = [*both("1", benchmark="a", cluster_id="t"), *both("2", benchmark="c", cluster_id="t")]
    assert table_of(outcome_set(rows), "s", "l").questions == 2


def test_verdicts_are_read_and_their_absence_is_known():
    rows = [
        *both("q1", verdict="passed", verdict_confidence=0.75),
        *both("q2", verdict="failed"),
        *both("q3", verdict="unknown"),
        *both("q4"),
    ]
    made = table_of(outcome_set(rows), "s", "l")
    assert made.checked
    assert np.array_equal(made.passed[:, 0], [1, 0, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(made.confidence[:, 1], [0.75] + [np.nan] * 3, equal_nan=True)
    assert not table_of(outcome_set(both("q1")), "s", "l").checked


def test_a_cost_that_is_not_there_is_nan_and_tokens_are_0():
    made = table_of(outcome_set(both("q1", cost_usd=None, completion_tokens=None)), "s", "l")
    assert np.isnan(made.cost).all()
    assert made.tokens.tolist() == [[0, 0]]


def test_rows_of_a_policy_are_not_rows_of_an_arm():
    rows = [*both("q1"), row("q1", "s", 0.0, policy="p"), *both("q2", policy="p")]
    made = table_of(outcome_set(rows), "s", "l")
    assert made.query_id == ("q1",)
    assert made.score.tolist() == [[1, 1]]


def test_excluded_rows_leave_uncounted_and_a_null_subject_stays():
    rows = [*both("q1", subject="x|contaminated"), *both("q2", subject=None), *both("q3")]
    rule = pl.col("subject").str.contains("|contaminated", literal=True)
    made = table_of(outcome_set(rows), "s", "l", exclude=rule)
    assert made.query_id == ("q2", "q3")
    assert made.incomplete == 0


@pytest.mark.parametrize(("small", "large"), [("s", "s"), ("l", "l")])
def test_a_pair_is_two_arms(small, large):
    with pytest.raises(InputError, match="--pair: .* must be two different arms"):
        table_of(outcome_set(both("q1")), small, large)


def test_no_common_query_is_an_input_error():
    with pytest.raises(InputError, match=r"no query of hand/\* has all of: s, l"):
        table_of(outcome_set([row("q1", "s"), row("q2", "l")]), "s", "l")


def test_take_keeps_everything_in_step():
    made = table_by_hand([0, 1, 0.5], [1, 0, 0.25])
    part = made.take(np.array([2, 0]))
    assert part.query_id == ("q2", "q0")
    assert part.score.tolist() == [[0.5, 0.25], [0, 1]]
    assert part.cluster.tolist() == [2, 0]
    flagged = made.take(np.array([True, False, False]))
    assert (len(flagged), flagged.query_id, flagged.benchmarks) == (1, ("q0",), ("b",))


def test_a_case_says_the_same_of_every_row():
    made = table_by_hand([0, 1, 0], [1, 1, 0], cost=(0.001, 0.01))
    made.cost[:] = [[1, 9], [2, 8], [3, 7]]
    case = case_of(made, np.array([0.5, 5.0]))
    assert case.predicted_cost.tolist() == [[0.5, 5.0]] * 3
    assert case.worst_cost.tolist() == [[0.5, 5.0]] * 3
    assert case.available.all() and case.capable.all()
    assert case.attempts.arm.shape == (3, 0)
    assert case.fingerprint == "none" and dict(case.features) == {}


def test_samples_stay_together_where_their_rows_name_other_clusters():
    rows = [*both("q1", sample=0, cluster_id="x"), *both("q1", sample=1, cluster_id="y")]
    assert table_of(outcome_set(rows), "s", "l").questions == 1


def test_attempts_of_a_run_without_a_policy_are_not_multiplied():
    rows = [*both("q1"), row("q1", "s", 0.0, attempt=1), row("q1", "l", attempt=1)]
    with pytest.raises(InputError, match="4 rows are several attempts .* the first at b/q1"):
        table_of(outcome_set(rows), "s", "l")


def test_a_sample_that_one_arm_lacks_leaves_and_the_others_stay():
    rows = [*both("q1", sample=0), row("q1", "s", 0.0, sample=1), *both("q2", sample=0)]
    made = table_of(outcome_set(rows), "s", "l")
    assert made.query_id == ("q1", "q2")
    assert made.incomplete == 0


def test_queries_without_a_text_have_keys_of_their_own_in_a_pool():
    data = outcome_set([*both("1", benchmark="a"), *both("1", benchmark="c")])
    hidden = data.queries.with_columns(query=pl.lit(None, pl.String))
    made = table_of(OutcomeSet(data.outcomes, hidden, data.about), "s", "l")
    assert len(set(made.row_key.tolist())) == 2
