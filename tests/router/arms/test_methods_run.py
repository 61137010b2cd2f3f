"""What each method adds to a vote, run against a fake server; and how arms declare it."""

import pytest

from policies import OnlyArm
from router.config import load_settings
from router.errors import ConfigError
from router.samples import AttemptStatus as Status

from .sampling import arm, replies


def test_log_probabilities_weigh_votes(vote, fake_model):
    fake_model.logprob_of = lambda reply: -0.1 if "41" in reply else -3.0
    attempt = vote("It is 42.", "It is 42.", "It is 41.", name="weighted", k=3, parallel=1)
    assert attempt.text == "It is 41."
    assert [s.logprobs.mean for s in attempt.samples] == pytest.approx([-3.0, -3.0, -0.1])
    assert all(r["logprobs"] is True for r in fake_model.requests)


def test_a_server_without_log_probabilities(vote):
    attempt = vote("It is 42.", "It is 42.", "It is 41.", name="weighted", k=3, parallel=1)
    assert attempt.text == "It is 42."
    assert "the server gave no log-probabilities: plain majority" in attempt.selection.reasons


def test_best_of_n_stops_at_a_pass(vote, fake_model):
    attempt = vote(
        "17 + 25 = 43", "17 + 25 = 42", "17 + 25 = 43", name="best_of_n", k=8, parallel=1
    )
    assert attempt.text == "17 + 25 = 42"
    assert [s.passed for s in attempt.samples[:2]] == [False, True]
    assert len(fake_model.requests) == 2


def test_long2short_takes_the_short_verified_one(vote):
    long = "First, 17 + 25 = 42. " + "I say it again. " * 20 + "So 17 + 25 = 42"
    attempt = vote(long, "17 + 25 = 42", "17 + 25 = 43", name="long2short", k=3, parallel=1)
    assert attempt.text == "17 + 25 = 42"
    assert attempt.completion_tokens == sum(s.completion_tokens for s in attempt.samples)


def test_a_spectrum_asks_in_several_ways(vote, fake_model):
    ways = [
        {"name": "plain"},
        {"name": "warm", "temperature": 1.1},
        {"name": "list", "instruction": "List what is given."},
    ]
    attempt = vote("It is 42.", k=6, parallel=1, early_stop=False, spectrum=ways)
    assert [s.variant for s in attempt.samples] == ["plain", "warm", "list"] * 2
    asked = [
        (r["temperature"], "List what" in r["messages"][-1]["content"]) for r in fake_model.requests
    ]
    assert asked == [(0.8, False), (1.1, False), (0.8, True)] * 2


def test_several_samples_at_temperature_0_are_refused(clean_env):
    with pytest.raises(
        ConfigError, match=r"arms\.vote\.method: of 8 samples those at temperature 0"
    ):
        load_settings(arms={"vote": {"model": "small", "method": "majority"}})
    load_settings(arms={"vote": {"model": "small", "method": {"name": "majority", "k": 1}}})
    load_settings(arms=arm())


def test_unknown_parameters_name_the_arm(clean_env):
    with pytest.raises(ConfigError, match=r"arms\.vote\.method\.kk: unknown key"):
        load_settings(arms=arm(kk=3))


def test_what_passed_its_check_needs_no_vote(vote):
    """The right programs raise on every made-up input; the example of the prompt tells."""
    question = "Write a Python function year(s: str) -> int. For example, year('2024-05') == 2024."
    wrong = "```python\ndef year(s: str) -> int:\n    return len(s)\n```"
    right = "```python\ndef year(s: str) -> int:\n    a, b = s.split('-')\n    return int(a)\n```"
    attempt = vote(
        wrong, right, right, name="best_of_n", k=3, parallel=1, stop_at_pass=False,
        question=question,
    )  # fmt: skip
    assert [s.passed for s in attempt.samples] == [False, True, True]
    assert attempt.selection.chosen == 1


def test_a_check_that_breaks_costs_no_other_sample_its_bill(vote, fake_model, monkeypatch):
    async def broken(*_):
        raise RuntimeError("no sandbox left")

    monkeypatch.setattr("router.verify.verifiers.Verifiers._check", broken)
    with pytest.raises(RuntimeError, match="no sandbox left"):  # the graph's own check, at the end
        vote("17 + 25 = 42", name="best_of_n", k=2, parallel=1)
    assert len(fake_model.requests) == 2


def test_abstentions_are_votes(make_router, fake_model, index):
    method = {"name": "majority", "k": 4, "temperature": 0.8, "parallel": 1}
    arms = {"vote": {"model": "small", "context": "index", "method": method}}
    router = make_router(
        small=fake_model, arms=arms, index=index, policy=OnlyArm(arm="vote")
    ).open()
    nothing = '{"passage": 0, "quote": "", "answer": ""}'
    some = '{"passage": 1, "quote": "name: Thimphu", "answer": "Thimphu"}'
    fake_model.answer = replies(nothing, nothing, some, nothing)
    answer = router.ask("What is the capital of Bhutan?")
    (attempt,) = [s.attempt for s in answer.trace.steps if s.attempt]
    assert attempt.status is Status.ABSTAINED
    assert attempt.selection.share == 0.75
