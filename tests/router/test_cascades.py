"""Cascades on the real graph: votes and log-probabilities of a live arm decide the next one."""

import json

import pytest

from policies import LogprobCascade, SelfConsistency
from policies.calibrated import Calibrated
from policies.ladder import Rung
from policies.utility import FittedArm

MATH = "What is 12 * 7?"
RIGHT = "12 * 7 = 84\n\nThe answer is \\boxed{84}."
WRONG = "12 * 7 = 88\n\nThe answer is \\boxed{88}."
LINE = Calibrated(at=(0.0, 1.0), value=(0.0, 1.0), blank=0.3)
BEST = Calibrated(blank=0.9)
LAST = Rung(kinds=(BEST, BEST), ahead=(BEST, BEST))
VOTE = {
    "small": {"model": "small", "method": {"name": "majority", "k": 4, "temperature": 0.7}},
    "large": {"model": "large"},
}
SURE = {"small": {"model": "small", "logprobs": 5}, "large": {"model": "large"}}
PAIR = (FittedArm(name="small", tier="small"), FittedArm(name="large", tier="large"))


def votes(**more):
    """P(right) is the share; large is right by .9 whatever was seen."""
    rung = Rung(kinds=(LINE, Calibrated(blank=0.1)), ahead=(LINE, BEST))
    return SelfConsistency(arms=PAIR, quality=(0.5, 0.9), rungs=(rung, LAST), **more)


def sure(**more):
    """P(right) = 1 + mean log-probability."""
    line = Calibrated(at=(-1.0, 0.0), value=(0.0, 1.0), blank=0.3)
    rung = Rung(kinds=(line, Calibrated(blank=0.1)), ahead=(LINE, BEST))
    return LogprobCascade(
        arms=PAIR, quality=(0.5, 0.9), rungs=(rung, LAST), weights=((1.0, 0.0, 0.0),) * 2, **more
    )


def taking_turns(*texts):
    """A model that gives these answers in turn."""
    given = []

    def answer(_):
        given.append(None)
        return texts[(len(given) - 1) % len(texts)]

    return answer


def last_reasons(answer):
    return [s.decision for s in answer.trace.steps if s.decision][-1].reasons


@pytest.mark.parametrize(
    ("texts", "route"), [((RIGHT,), ("small",)), ((RIGHT, WRONG), ("small", "large"))]
)
def test_samples_that_agree_are_kept_and_others_escalate(
    make_router, fake_model, other_fake_model, texts, route
):
    fake_model.answer, other_fake_model.answer = taking_turns(*texts), lambda _: RIGHT
    answer = make_router(fake_model, other_fake_model, policy=votes(), arms=VOTE).ask(MATH)
    assert answer.route == route
    assert "84" in answer.answer
    paid = [s.attempt.cost_usd for s in answer.trace.steps if s.attempt]
    assert answer.cost_usd == pytest.approx(sum(paid)) and len(paid) == len(route)
    if len(route) == 1:
        assert last_reasons(answer) == (
            "the share of votes is high enough that no dearer arm is worth its price",
        )


def test_at_a_price_that_large_is_not_worth_a_split_vote_is_kept(
    make_router, fake_model, other_fake_model
):
    fake_model.answer, other_fake_model.answer = taking_turns(RIGHT, WRONG), lambda _: RIGHT
    dear = votes(price=1e9)
    assert make_router(fake_model, other_fake_model, policy=dear, arms=VOTE).ask(MATH).route == (
        "small",
    )


@pytest.mark.parametrize(("logprob", "route"), [(-0.05, ("small",)), (-0.8, ("small", "large"))])
def test_sure_tokens_are_kept_and_others_escalate(
    make_router, fake_model, other_fake_model, logprob, route
):
    fake_model.answer, other_fake_model.answer = lambda _: RIGHT, lambda _: RIGHT
    fake_model.logprob_of = lambda _: logprob
    answer = make_router(fake_model, other_fake_model, policy=sure(), arms=SURE).ask(MATH)
    assert answer.route == route


def test_a_server_without_log_probabilities_shows_nothing_and_the_reason_says_so(
    make_router, fake_model, other_fake_model
):
    fake_model.answer, other_fake_model.answer = lambda _: RIGHT, lambda _: RIGHT
    answer = make_router(fake_model, other_fake_model, policy=sure(), arms=SURE).ask(MATH)
    assert answer.route == ("small", "large")
    reasons = [r for s in answer.trace.steps if s.decision for r in s.decision.reasons]
    assert any(r.startswith("the last answer does not show the log-probability") for r in reasons)


def test_a_cascade_serves_from_a_preset(make_router, fake_model, other_fake_model, tmp_path):
    fake_model.answer, other_fake_model.answer = taking_turns(RIGHT, WRONG), lambda _: RIGHT
    preset = tmp_path / "votes.json"
    preset.write_text(json.dumps({"preset": 1, "policy": votes().to_state(), "evidence": {}}))
    router = make_router(fake_model, other_fake_model, policy=str(preset), arms=VOTE)
    assert router.ask(MATH).route == ("small", "large")
