"""The outcome record: what each status counts, and what a table must not hold."""

import polars as pl
import pytest

from policies import PolicyError
from policies.outcome import (
    KEY,
    OUTCOMES,
    QUERIES,
    TREATMENT,
    OutcomeError,
    OutcomeSet,
    Status,
    counted_score,
    validate_outcomes,
    validate_queries,
)

ROW = {
    "source": "src",
    "benchmark": "b",
    "query_id": "q1",
    "arm": "s",
    "status": "ok",
    "score": 1.0,
}


def frame(*rows):
    return pl.DataFrame([{**ROW, **r} for r in rows], infer_schema_length=None)


def one_set(*rows, queries=("q1", "q2")):
    asked = pl.DataFrame({"source": "src", "benchmark": "b", "query_id": list(queries)})
    return OutcomeSet(frame(*rows), asked)


@pytest.mark.parametrize(
    ("status", "score", "counts"),
    [
        ("ok", 0.25, 0.25),
        ("unparsed", 0.5, 0.5),
        ("unparsed", None, 0.0),
        ("truncated", 1.0, 1.0),
        ("truncated", None, 0.0),
        ("abstained", 0.5, 0.5),
        ("abstained", None, 0.0),
        ("failed", None, 0.0),
        ("missing", None, None),
    ],
)
def test_what_a_status_counts(status, score, counts):
    made = validate_outcomes(frame({"status": status, "score": score}))
    assert made.select(counted_score()).item() == counts


def test_every_status_has_a_treatment():
    assert set(TREATMENT) == set(Status)


def test_a_valid_frame_has_every_column_in_order_and_the_defaults():
    made = validate_outcomes(frame({}))
    assert dict(made.schema) == dict(OUTCOMES)
    first = made.row(0, named=True)
    assert (first["cluster_id"], first["model"]) == ("q1", "s")
    assert (first["sample"], first["attempt"], first["returned"]) == (0, 0, True)
    assert first["cost_usd"] is None
    assert validate_outcomes(made).equals(made)


def test_queries_have_their_own_default_cluster():
    made = validate_queries(pl.DataFrame({"source": "s", "benchmark": "b", "query_id": ["x"]}))
    assert dict(made.schema) == dict(QUERIES)
    assert made["cluster_id"].to_list() == ["x"]


@pytest.mark.parametrize("column", ["score", "verdict_confidence", "label_probability"])
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_a_share_outside_0_to_1_is_named(column, value):
    with pytest.raises(OutcomeError, match=rf"{column} must .*row 1 \(b/q9/s\)"):
        validate_outcomes(frame({}, {"query_id": "q9", column: value}))


@pytest.mark.parametrize(
    "column",
    ["prompt_tokens", "completion_tokens", "cost_usd", "latency_s", "sample", "attempt"],
)
def test_a_negative_number_is_named(column):
    with pytest.raises(OutcomeError, match=f"{column} must not be negative: 1 rows"):
        validate_outcomes(frame({column: -1, "cost_basis": "billed"}))


@pytest.mark.parametrize("column", ["params_b", "params_active_b"])
@pytest.mark.parametrize("value", [0, -7])
def test_no_model_has_no_parameters(column, value):
    with pytest.raises(OutcomeError, match=f"{column} must be positive"):
        validate_outcomes(frame({column: value}))


@pytest.mark.parametrize("column", ["cost_usd", "latency_s", "logprob_mean", "params_b"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_must_be_finite(column, value):
    with pytest.raises(OutcomeError, match=f"{column} must"):
        validate_outcomes(frame({column: value, "cost_basis": "billed"}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "ok", "score": None}, "status ok needs a score"),
        ({"status": "failed", "score": 0.0}, "status failed or missing has no score"),
        ({"status": "missing", "score": 1.0}, "status failed or missing has no score"),
        ({"status": "fine"}, "column 'status' does not hold"),
        ({"status": None}, "status must not be null"),
        ({"arm": None}, "arm must not be null"),
        ({"score": "good"}, "column 'score' does not hold"),
        ({"verdict": "maybe"}, "column 'verdict' does not hold"),
        ({"cost_usd": 1.0}, "cost_usd needs a cost_basis"),
        ({"sample": "first"}, "column 'sample' does not hold"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    with pytest.raises(OutcomeError, match=message):
        validate_outcomes(frame(change))


def test_an_unknown_column_is_named_with_the_schema():
    with pytest.raises(OutcomeError, match=r"unknown column 'scoer'; the schema has: source"):
        validate_outcomes(frame({"scoer": 1.0}))


@pytest.mark.parametrize("column", ["source", "benchmark", "query_id", "arm", "status"])
def test_a_required_column_is_named(column):
    with pytest.raises(OutcomeError, match=f"column '{column}' is missing"):
        validate_outcomes(frame({}).drop(column))


def test_rows_repeat_also_where_their_key_holds_nulls():
    with pytest.raises(OutcomeError, match=r"rows repeat .*: 2 rows .* row 1 \(b/q2/s\)"):
        validate_outcomes(frame({}, {"query_id": "q2"}, {"query_id": "q2", "score": 0.0}))


@pytest.mark.parametrize("column", KEY)
def test_rows_that_differ_in_one_part_of_the_key_are_two_rows(column):
    other = 1 if column in ("sample", "attempt") else "other"
    assert len(validate_outcomes(frame({}, {column: other}))) == 2


def test_queries_do_not_repeat_but_benchmarks_may_share_ids():
    same = pl.DataFrame({"source": "s", "benchmark": ["a", "b"], "query_id": ["1", "1"]})
    assert len(validate_queries(same)) == 2
    with pytest.raises(OutcomeError, match=r"queries repeat .*2 rows"):
        validate_queries(same.with_columns(benchmark=pl.lit("a")))


def test_an_outcome_without_a_query_is_named():
    with pytest.raises(OutcomeError, match="1 outcome rows have no query, the first is b/q3"):
        one_set({}, {"query_id": "q3"})


def test_the_same_id_in_another_benchmark_is_no_query_of_this_one():
    with pytest.raises(OutcomeError, match="the first is c/q1"):
        one_set({}, {"benchmark": "c"})


def test_arms_and_parts():
    data = one_set({}, {"arm": "l"}, {"query_id": "q2", "arm": "l"})
    assert data.arms == ("s", "l")
    assert data.only(arms=["l"]).arms == ("l",)
    assert len(data.only(benchmarks=["b"]).queries) == 2
    with pytest.raises(OutcomeError, match="no arm 'x' here; there are: l, s"):
        data.only(arms=["s", "x"])
    with pytest.raises(OutcomeError, match="no benchmark 'gsm8k' here; there are: b"):
        data.only(benchmarks=["gsm8k"])


def test_its_errors_are_policy_errors():
    assert issubclass(OutcomeError, PolicyError)


def test_lists_structs_and_enums_are_kept():
    chance = [{"arm": "s", "probability": 0.25}, {"arm": "l", "probability": 0.75}]
    made = validate_outcomes(
        frame({"arm_probability": chance, "features": [0.5, 1.5], "verdict": "unknown"})
    )
    first = made.row(0, named=True)
    assert first["arm_probability"] == chance
    assert first["features"] == [0.5, 1.5]
    assert first["verdict"] == "unknown"


def test_a_fraction_in_a_count_is_an_error_not_a_cut():
    with pytest.raises(OutcomeError, match="completion_tokens holds whole numbers"):
        validate_outcomes(frame({"completion_tokens": 1.7}))
    assert validate_outcomes(frame({"completion_tokens": 2.0}))["completion_tokens"].item() == 2
