"""Which arms, in what order, at whose prices: by hand."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from eval.frontier.arms import by_cost, line_up, price_by_size
from policies.outcome import OutcomeSet
from router.errors import InputError

from ..hand import outcome_set, row, table_by_hand  # noqa: TID252  tests are no package

SIZES = {"a": (70.0, None), "b": (100.0, 9.0), "c": (2.0, None), "x": (None, None)}


def data(**cost):
    """Four arms on two queries; x has no size, and c lacks the second query."""
    rows = []
    for query in ("q1", "q2", "q3"):
        for arm, (total, active) in SIZES.items():
            missing = arm == "c" and query == "q3"
            more = {"params_b": total, "params_active_b": active, "cost_usd": cost.get(arm, 1.0)}
            if missing:
                more |= {"status": "missing", "score": None, "cost_usd": None, "cost_basis": None}
            rows.append(row(query, arm, **more))
    made = outcome_set(rows)
    # No texts: the arms are looked at, not the features.
    untold = made.queries.with_columns(query=pl.lit(None, pl.String))
    return OutcomeSet(made.outcomes, untold, made.about)


def names(lineup):
    return [(a.name, a.tier) for a in lineup.table.arms]


def test_active_parameters_are_the_price_and_unknown_sizes_are_left_out(clean_env):
    got = line_up(data(), "b", "all", None, "params")
    assert names(got) == [("c", "small"), ("b", "small"), ("a", "large")]
    assert got.left_out == ("x",)
    assert got.table.cost.tolist() == [[2.0, 9.0, 70.0]] * 2
    assert got.table.incomplete == 1  # q3, which c lacks


def test_a_missing_row_has_no_price():
    priced, _ = price_by_size(data())
    missing = priced.outcomes.filter(arm="c", query_id="q3")
    assert missing["cost_usd"].to_list() == [None]


def test_arms_stand_by_rising_cost_with_their_columns(clean_env):
    got = line_up(data(a=0.5, x=3.0, b=2.0), "b", "x,a,b", None, "list")
    assert names(got) == [("a", "small"), ("b", "small"), ("x", "large")]
    assert got.table.cost.tolist() == [[0.5, 2.0, 3.0]] * 3
    assert got.left_out == ()


def test_what_was_measured_goes_with_its_arm():
    made = table_by_hand([0, 1], [1, 1], cost=(2.0, 1.0))
    steps = np.array([[1.0, 2.0], [3.0, 4.0]])
    got = by_cost(replace(made, measured={"steps": steps}))
    assert [a.name for a in got.arms] == ["l", "s"]
    assert got.measured["steps"].tolist() == [[2.0, 1.0], [4.0, 3.0]]


def test_a_pair_keeps_its_order(clean_env):
    got = line_up(data(), "b", None, "a::b", "params")
    assert names(got) == [("a", "small"), ("b", "large")]


@pytest.mark.parametrize(
    ("arms", "pair", "price", "message"),
    [
        ("all", "a::b", "list", "one of --arms"),
        (None, None, "list", "one of --arms"),
        ("a,nope", None, "list", "no arm 'nope'"),
        ("a,a", None, "list", "named twice"),
        ("a,x", None, "params", "no published size: x"),
        ("a,b", None, "tokens", "--price 'tokens'"),
    ],
)
def test_bad_input_is_named(clean_env, arms, pair, price, message):
    with pytest.raises(InputError, match=message):
        line_up(data(), "b", arms, pair, price)


def test_a_benchmark_without_all_arms_is_named(clean_env):
    with pytest.raises(InputError, match="no benchmark 'z' with all of a, b, c"):
        line_up(data(), "z", "a,b,c", None, "params")
