import polars as pl
import pytest

from eval.sources.aggregate_labels import placed
from eval.sources.aggregates import FILE, read_aggregates
from eval.sources.shared import shared_data
from router.errors import InputError, SetupError

ROW = {"source": "s", "model": "m", "benchmark": "gsm8k", "params_b": 7.0, "value": 0.5, "n": 10.0}


def write(folder, rows):
    pl.DataFrame(rows).write_parquet(folder / FILE)
    return folder


def test_repeats_are_averaged(tmp_path):
    found = read_aggregates(write(tmp_path, [ROW, {**ROW, "value": 0.7, "n": 12.0}]))
    (row,) = found.frame.to_dicts()
    assert row["value"] == pytest.approx(0.6)
    assert (row["n"], row["repeats"]) == (12.0, 2)
    assert len(found.checksum) == 16


@pytest.mark.parametrize(
    ("change", "says"),
    [({"value": 51.0}, "share of 0..1"), ({"value": None}, "share of 0..1"),
     ({"params_b": 0.0}, "positive"), ({"model": None}, "must be given")],
)  # fmt: skip
def test_bad_rows_are_named_by_place_and_never_by_value(tmp_path, change, says):
    with pytest.raises(InputError, match=says) as caught:
        read_aggregates(write(tmp_path, [ROW, {**ROW, **change}]))
    assert "row 1" in str(caught.value)
    assert "51" not in str(caught.value)


def test_absent_file_and_absent_column(tmp_path):
    with pytest.raises(SetupError, match="--data"):
        read_aggregates(tmp_path)
    with pytest.raises(InputError, match="'n' is missing"):
        read_aggregates(write(tmp_path, [{k: v for k, v in ROW.items() if k != "n"}]))
    (tmp_path / FILE).write_bytes(b"no parquet")
    with pytest.raises(InputError, match="no parquet"):
        read_aggregates(tmp_path)


@pytest.mark.parametrize(
    ("benchmark", "axis", "options"),
    [("mmlu_virology", "knowledge", 4), ("hendrycksTest-abstract_algebra", "verifiable", 4),
     ("gsm8k", "verifiable", 1), ("leaderboard_math_precalculus_hard", "verifiable", 1),
     ("math_algebra", "verifiable", 1), ("MATH_num_theory", "verifiable", 1),
     ("triviaqa", "knowledge", 1), ("bbh_cot_fewshot_web_of_lies", "verifiable", 2),
     ("leaderboard_bbh_logical_deduction_seven_objects", "verifiable", 7)],
)  # fmt: skip
def test_labels(benchmark, axis, options):
    found = placed(benchmark)
    assert (found.axis, found.options) == (axis, options)


@pytest.mark.parametrize(
    "benchmark",
    ["mmlu", "mmlu_stem", "mmlu_redux", "leaderboard_mmlu_pro", "mmlu_college_physics", "sciq",
     "mmlu_moral_scenarios", "piqa", "truthfulqa_mc1", "gpqa_diamond_cot_n_shot", "bbh"],
)  # fmt: skip
def test_mixed_totals_and_other_abilities_have_no_label(benchmark):
    assert placed(benchmark) is None


def test_the_shared_table_is_read_without_a_look_at_its_scores():
    try:
        folder = shared_data()
    except SetupError as error:
        pytest.skip(str(error))
    found = read_aggregates(folder)
    assert found.frame.height == 7_684
    assert int(found.frame["repeats"].sum()) == 7_727
