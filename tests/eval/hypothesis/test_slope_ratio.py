"""P1's verdict: what decides it, and what must not."""

from dataclasses import replace

import numpy as np
import pytest

from eval.hypothesis.decoupling import coupling_verdict
from eval.hypothesis.grid import grid_of
from eval.hypothesis.populations import Population
from eval.hypothesis.registration import read_registration
from eval.hypothesis.slope_ratio import interval, judge_slopes, slope_verdict
from tests.eval.hypothesis.tables import table

REGISTRATION = read_registration()
P1 = REGISTRATION.prediction("P1_slopes")


def population(grid):
    return Population("mmlupro", grid, "0" * 16, ())


def test_a_clear_split_is_supported_and_none_refuted():
    assert judge_slopes(table(ratio=2.0), P1, 200, 1)[0] == "supported"
    assert judge_slopes(table(ratio=0.8), P1, 200, 1)[0] == "refuted"


def test_the_same_seed_gives_the_same_digits():
    one, two = (slope_verdict(REGISTRATION, population(table()), 5, 60).plain() for _ in range(2))
    assert one == two
    other = slope_verdict(REGISTRATION, population(table()), 6, 60).plain()
    assert other["estimate"]["value"] == one["estimate"]["value"]
    assert other["estimate"]["low"] != one["estimate"]["low"]


def test_a_verdict_carries_its_counts_and_the_rule():
    found = slope_verdict(REGISTRATION, population(table(ratio=2.0)), 1, 100)
    assert (found.models, found.families, found.questions) == (24, 8, 12 * 400)
    assert found.kind == "exploratory"  # mmlupro is marked seen
    assert found.reason == "supported_if: lower > 1.25"
    assert found.estimate.low > 1.25


@pytest.mark.parametrize("families", [1, 3])
def test_too_few_families_are_undecided_with_the_reason(families):
    found = slope_verdict(REGISTRATION, population(table(ratio=3.0, families=families)), 1, 60)
    assert found.word == "undecided"
    noun = "family" if families == 1 else "families"
    assert f"{families} {noun} with two sizes" in found.reason
    assert ("one family cannot be resampled" in found.reason) == (families == 1)
    if families == 1:  # one family has no spread
        assert np.isnan(found.estimate.low)


def test_models_without_sizes_are_undecided_with_the_reason():
    rows = [(f"opt-{k}", "here", None, None, "i", "knowledge", 0.0, 0.5, 100.0) for k in range(9)]
    for verdict in (slope_verdict, coupling_verdict):
        found = verdict(REGISTRATION, population(grid_of(rows)), 1, 60)
        assert found.word == "undecided"
        assert found.models == 0
        assert "size" in found.reason or "no source" in found.reason


@pytest.mark.parametrize("score", [0.0, 0.25, 0.6, 1.0])
def test_all_equal_scores_are_undecided_with_the_reason(score):
    grid = table()
    flat = replace(grid, mean=np.full_like(grid.mean, score))
    found = slope_verdict(REGISTRATION, population(flat), 1, 60)
    assert found.word == "undecided"
    assert "guard failed" in found.reason
    coupled = coupling_verdict(REGISTRATION, population(flat), 1, 60)
    assert coupled.word == "undecided"
    assert "all scores equal" in coupled.reason


def test_one_size_in_every_family_is_undecided():
    found = slope_verdict(REGISTRATION, population(table(sizes=(4.0,))), 1, 60)
    assert found.word == "undecided"
    assert "0 families with two sizes" in found.reason


def test_a_table_with_one_axis_says_so_and_prints_its_slope():
    grid = table()
    grid = replace(grid, axis=np.zeros_like(grid.axis))
    found = slope_verdict(REGISTRATION, population(grid), 1, 60)
    assert found.word == "undecided"
    assert "with a size: 24 on the verifiable side, 0 on the knowledge side" in found.reason
    assert (found.models, found.families) == (24, 8)
    assert "verifiable slope alone, log-odds a decade" in found.beside


def test_resamples_without_two_sizes_are_counted_in_the_reason():
    grid = table(families=8)
    big = np.array([m.endswith("16b") or m.startswith("opt") for m in grid.models])
    found = slope_verdict(REGISTRATION, population(grid.rows(big)), 1, 400)
    share = found.beside["share of the resamples without a ratio"]
    assert share == pytest.approx((7 / 8) ** 8, abs=0.08)  # the one family is not drawn
    assert f"{100 * share:.2f} % of the resamples" in found.reason
    assert found.estimate.says().endswith("no interval")


def test_undefined_resamples_widen_the_interval():
    values = np.linspace(1.0, 2.0, 1000)
    whole = interval(values, 1.5)
    values[::50] = np.nan  # 2 %
    holed = interval(values, 1.5)
    assert holed.low < whole.low
    assert holed.high > whole.high
    values[::20] = np.nan
    assert np.isnan(interval(values, 1.5).low)
