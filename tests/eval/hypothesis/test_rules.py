import math

import pytest

from eval.hypothesis.registration import read_registration
from eval.hypothesis.rules import Estimate, Rule, Verdict, decide
from router.errors import InputError

PREDICTION = {"supported_if": "lower > 1.25", "refuted_if": "upper < 1.10"}


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(1.3, 2.0, "supported"), (1.25, 2.0, "undecided"), (0.5, 1.09, "refuted"),
     (0.5, 1.10, "undecided"), (math.nan, 1.0, "refuted"), (math.nan, math.nan, "undecided")],
)  # fmt: skip
def test_the_ends_of_the_interval_decide(low, high, word):
    assert decide(PREDICTION, Estimate(1.0, low, high))[0] == word


@pytest.mark.parametrize(
    ("value", "low", "high", "says"),
    [(1.0256, 0.45, 1.24, "1.026 [0.450, 1.240]"), (1.0, math.nan, math.nan, "1.000, no interval"),
     (1.0, 0.5, math.nan, "1.000 [0.500, ∞]"), (math.nan, math.nan, math.nan, "–"),
     (-0.0001, -0.0002, 0.1, "0.000 [0.000, 0.100]")],
)  # fmt: skip
def test_an_estimate_says_what_it_has_no_end_for(value, low, high, says):
    assert Estimate(value, low, high).says() == says


def test_one_failed_guard_is_enough_and_is_named():
    word, reason = decide(PREDICTION, Estimate(2, 1.9, 2.1), ["three families"])
    assert word == "undecided"
    assert reason == "guard failed: three families"


def test_every_rule_of_the_file_is_read():
    for name, prediction in read_registration().data["predictions"].items():
        for key in ("supported_if", "refuted_if"):
            assert Rule.of(prediction[key]).text == prediction[key], name


def test_what_is_no_rule_is_an_error_that_shows_one():
    with pytest.raises(InputError, match="lower > 1.25"):
        Rule.of("estimate > 1")


def test_plain_data_holds_no_nan():
    made = Verdict("P", "x", "exploratory", "undecided", "why", beside={"a": math.nan}).plain()
    assert made["estimate"] == {"value": None, "low": None, "high": None}
    assert made["beside"] == {"a": None}
