"""The live case: facts, and the bound that the cost cap rests on."""

import numpy as np
import pytest

from policies import Outcome
from router.cases import CaseBuilder, row_key
from router.config import load_settings
from router.models.pool import Models
from router.state import Attempt, Message, Price, Query, Signals, Verdict

PRICE = Price(input_usd=1e-6, output_usd=4e-6, basis="test")


def state(text="What is 12 * 7?", attempts=(), verdicts=(), language="en"):
    signals = Signals(
        verifiability=0.9, knowledge_demand=0.1, domains={"math": 1.0}, language=language,
        chars=len(text), featuriser="f",
    )  # fmt: skip
    return {
        "query": Query(id="q", messages=(Message(role="user", content=text),)),
        "features": {"axes": [0.9, 0.1], "embedding": [0.0] * 384},
        "signals": signals,
        "attempts": list(attempts),
        "verdicts": list(verdicts),
        "steps": [],
    }


@pytest.fixture
def builder(clean_env):
    priced = {"usd_per_hour": None, "input_usd_per_million": 1, "output_usd_per_million": 4}
    settings = load_settings(
        models={
            "small": {
                "api_base": "http://127.0.0.1:9/v1",
                "max_tokens": 384,
                "languages": ["en"],
                **priced,
            }
        },
    )
    return CaseBuilder(settings, Models(settings, environ={}), "no index: run `ockham index build`")


def attempt(cost, status="ok", arm="small"):
    return Attempt(arm=arm, model="m", text="t", status=status, cost_usd=cost, price=PRICE)


def test_blocks_and_arms(builder):
    case, estimates = builder.build(state())
    assert [arm.name for arm in case.arms] == ["small", "small+index", "large", "large+index"]
    assert case.block("embedding").shape == (1, 384)
    assert case.fingerprint == "f"
    assert case.available.tolist() == [[True, False, False, False]]
    assert estimates["small+index"].why_not == "no index: run `ockham index build`"
    assert estimates["large"].why_not.startswith("not configured")
    assert np.isnan(case.predicted_cost[0, 2])


def test_the_worst_case_bounds_what_a_call_can_cost(builder):
    text = "é" * 300
    case, _ = builder.build(state(text))
    most_tokens = len(text.encode()) + 1  # no tokeniser makes more tokens than bytes
    assert case.worst_cost[0, 0] >= most_tokens * 1e-6 + 384 * 4e-6
    assert case.predicted_cost[0, 0] <= case.worst_cost[0, 0]


def test_what_was_spent_is_taken_off_the_cap(builder):
    verdict = Verdict(kind="math", passed=False, status="failed")
    case, estimates = builder.build(state(attempts=[attempt(0.2499)], verdicts=[verdict]))
    assert case.request_left[0] == pytest.approx(0.0001)
    assert not case.available[0, 0]
    assert "limits.max_cost_usd" in estimates["small"].why_not


def test_attempts_are_told_as_arrays(builder):
    verdicts = [
        Verdict(kind="math", passed=False, status="failed", confidence=0.2),
        Verdict(kind="none", passed=None, status="unchecked"),
    ]
    tried = [attempt(0.001), attempt(0.002, "abstained", "small+index")]
    case, _ = builder.build(state(attempts=tried, verdicts=verdicts))
    block = case.attempts
    assert block.arm.tolist() == [[0, 1]]
    assert block.outcome.tolist() == [[Outcome.ANSWERED, Outcome.ABSTAINED]]
    assert block.passed[0, 0] == 0 and np.isnan(block.passed[0, 1])
    assert block.confidence[0, 0] == 0.2
    assert case.tried.tolist() == [[True, True, False, False]]


@pytest.mark.parametrize(("language", "capable"), [("en", True), ("und", True), ("de", False)])
def test_language_is_a_capability_not_an_obstacle(builder, language, capable):
    case, _ = builder.build(state(language=language))
    assert case.capable[0, 0] == capable
    assert case.capable[0, 2]
    assert case.available[0, 0]


def test_the_row_key_is_stable():
    assert row_key("a") == row_key("a")
    assert row_key("a") != row_key("b")
    assert row_key("a").dtype == np.uint64 and row_key("\udce9").shape == (1,)


def test_seconds_are_known_once_they_were_measured(builder):
    case, estimates = builder.build(state())
    assert np.isnan(case.predicted_seconds).all()
    assert estimates["small"].predicted_seconds is None
    for seconds in (2.0, 4.0):
        builder.took(state(), attempt(0.001).model_copy(update={"seconds": seconds}))
    case, estimates = builder.build(state())
    # The older one counts .95: (.95 * 2 + 4) / 1.95 of the same number of tokens.
    assert case.predicted_seconds[0, 0] == pytest.approx((0.95 * 2 + 4) / 1.95)
    assert estimates["small"].predicted_seconds == case.predicted_seconds[0, 0]
    assert np.isnan(case.predicted_seconds[0, 1:]).all()


def test_a_failed_call_says_nothing_of_how_long_an_answer_takes(builder):
    builder.took(state(), attempt(0.0, "failed").model_copy(update={"seconds": 60.0}))
    assert np.isnan(builder.build(state())[0].predicted_seconds).all()


def test_what_checks_measured_is_told_by_name_and_nan_elsewhere(builder):
    verdicts = [
        Verdict(kind="math", passed=None, status="unchecked", measured={"steps": 1.5}),
        Verdict(kind="math", passed=None, status="unchecked", measured={"hedges": 2.0}),
    ]
    tried = [attempt(0.001), attempt(0.002, arm="small+index")]
    case, _ = builder.build(state(attempts=tried, verdicts=verdicts))
    told = case.attempts.measured
    assert list(told) == ["steps", "hedges"]
    assert told["steps"][0, 0] == 1.5 and np.isnan(told["steps"][0, 1])
    assert np.isnan(told["hedges"][0, 0]) and told["hedges"][0, 1] == 2.0
