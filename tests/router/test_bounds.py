"""What a caller bounds of one run: USD, seconds, P(right)."""

import pytest

from router import NoAnswerError
from router.bounds import too_slow
from router.errors import TooLateError
from router.state import Bounds, Message, Query

MATH = "What is 12 * 7?"
RIGHT = "12 * 7 = 84\n\nThe answer is \\boxed{84}."
WRONG = "12 * 7 = 88\n\nThe answer is \\boxed{88}."


def bounded(text, **bounds):
    return Query(id="q", messages=(Message(role="user", content=text),), bounds=Bounds(**bounds))


def test_max_cost_lowers_the_cap(make_router, fake_model, other_fake_model):
    fake_model.answer = lambda _: WRONG
    router = make_router(fake_model, other_fake_model)
    assert router.ask(MATH).route == ("small", "large")
    kept = router.ask(bounded(MATH, max_cost_usd=0.002))
    assert kept.route == ("small",)
    last = [s.decision for s in kept.trace.steps if s.decision][-1]
    assert "left under max_cost_usd" in last.arms["large"].why_not


def test_max_cost_never_raises_the_cap(make_router, fake_model):
    router = make_router(fake_model, limits={"max_cost_usd": 0})
    with pytest.raises(NoAnswerError, match=r"limits\.max_cost_usd"):
        router.ask(bounded(MATH, max_cost_usd=10))


def test_max_seconds_lowers_the_time_limit(make_router, fake_model):
    router = make_router(fake_model).open()
    fake_model.mode = "endless"
    with pytest.raises(TooLateError, match=r"not finished within the [01]\.\d s that were left"):
        router.ask(bounded("Tell me a story.", max_seconds=1))
    fake_model.mode = "error"
    with pytest.raises(NoAnswerError) as failed:
        router.ask(bounded("Tell me a story.", max_seconds=60))
    assert not isinstance(failed.value, TooLateError), "more seconds would not help"


def test_an_arm_that_takes_longer_here_is_passed_over(make_router, fake_model, other_fake_model):
    router = make_router(fake_model, other_fake_model)
    assert router.ask("Hello there!").route == ("small",)
    router._assembly.engine.cases.offers._latency.observe("small", 120, 900)
    fast = router.ask(bounded("Hello there!", max_seconds=20))
    assert fast.route == ("large",)
    why_not = next(s.decision for s in fast.trace.steps if s.decision).arms["small"].why_not
    assert "under max_seconds" in why_not


def test_a_slow_arm_is_run_where_the_policy_takes_no_other(make_router, fake_model):
    router = make_router(fake_model, policy="always-small").open()
    router._assembly.engine.cases.offers._latency.observe("small", 120, 900)
    assert router.ask(bounded("Hello there!", max_seconds=20)).route == ("small",)


def test_predictions_alone_refuse_nobody():
    assert too_slow({"small": 9.0, "large": 12.0}, 5.0) == {}
    assert list(too_slow({"small": 9.0, "large": float("nan")}, 5.0)) == ["small"]


def test_an_answer_below_min_confidence_is_escalated(make_router, fake_model, other_fake_model):
    fake_model.answer = lambda _: RIGHT
    other_fake_model.answer = lambda _: RIGHT
    router = make_router(fake_model, other_fake_model)
    kept = router.ask(MATH)
    assert kept.route == ("small",) and kept.verdict.confidence < 0.9999
    asked = router.ask(bounded(MATH, min_confidence=0.9999))
    assert asked.route == ("small", "large")
    reasons = [s.decision.reasons for s in asked.trace.steps if s.decision][1]
    assert any("min_confidence" in reason for reason in reasons)
    assert "is below the min_confidence 0.9999 asked for" in asked.note
    assert router.ask(bounded(MATH, min_confidence=0.1)).route == ("small",)


def test_where_nothing_can_judge_the_bound_is_said_to_be_unheld(make_router, fake_model):
    answer = make_router(fake_model).ask(bounded("Hello there!", min_confidence=0.5))
    assert answer.route == ("small",)
    assert "min_confidence 0.5 could not be held" in answer.note
