"""The claims of samples, extracted and checked by a fake model: votes, bills, garbage."""

import pytest

from policies import OnlyArm

from .sampling import arm, cost_of


def checker(messages):
    """A fake that solves, names two claims, and checks them: 42 stands, 41 does not."""
    text = messages[-1]["content"]
    if "Verdict" in text:
        return "Verdict: false" if "41" in text else "Verdict: true"
    if "claim" in text.lower():
        value = "41" if "41" in text else "42"
        return f"1. The sum is {value}.\n2. It is {value} in all."
    return next(checker.answers)


def test_clr_weighs_by_claims_and_pays_for_them(vote, fake_model):
    checker.answers = iter(["It is 41.", "It is 41.", "It is 42."])
    fake_model.answer = checker
    attempt = vote(name="clr", k=3, parallel=1, claims=2)
    assert attempt.text == "It is 42."
    assert [s.reliability for s in attempt.samples] == [0.0, 0.0, 1.0]
    assert attempt.selection.prompts == "1"
    assert [c.holds for c in attempt.samples[0].claims] == [False, False]
    # Each sample: itself, its claims, two checks.
    assert len(fake_model.requests) == 12
    assert attempt.prompt_tokens == 12 * 11
    assert attempt.cost_usd == pytest.approx(cost_of(attempt))
    checks = [r for r in fake_model.requests if "Verdict" in r["messages"][-1]["content"]]
    assert all("17 + 25" in r["messages"][-1]["content"] for r in checks)  # the problem is shown


@pytest.mark.parametrize(
    "garbage", ["", "<think> I never end", "{]}} ☃ Verdict: maybe", "z" * 99_999]
)
def test_a_checker_that_answers_garbage(vote, fake_model, garbage):
    """No claim can be read or validated: the plain majority, and every token is paid."""
    turn = iter(["It is 41.", garbage, "It is 42.", garbage, "It is 42.", garbage])
    fake_model.answer = lambda _: next(turn, garbage)
    attempt = vote(name="clr", k=3, parallel=1, claims=1)
    assert attempt.text == "It is 42."
    assert all(s.reliability == 0.0 for s in attempt.samples)
    assert "no sample's claims were validated: plain majority" in attempt.selection.reasons
    assert attempt.cost_usd == pytest.approx(cost_of(attempt))
    assert attempt.prompt_tokens == 11 * len(fake_model.requests)


def test_a_checker_that_dies(vote, fake_model):
    """The sample and its claims are paid; the check that failed says so."""
    checker.answers = iter(["It is 42.", "It is 42."])
    fake_model.answer = checker
    fake_model.mode_of = lambda n: "cut" if n in (3, 7) else "ok"
    attempt = vote(name="clr", k=2, parallel=1, claims=2)
    assert attempt.text == "It is 42."
    assert [[c.status for c in s.claims] for s in attempt.samples] == [["checked", "failed"]] * 2
    assert [s.reliability for s in attempt.samples] == [0.25, 0.25]
    assert attempt.tokens_basis == "counted"
    assert attempt.cost_usd == pytest.approx(cost_of(attempt))


def test_claims_stay_under_the_cap(vote, fake_model):
    """Room for the samples and hardly for their checks: what could not be asked says so."""
    checker.answers = iter(["It is 41.", "It is 42.", "It is 42."])
    fake_model.answer = checker
    attempt = vote(
        name="clr", k=3, parallel=3, claims=5, claim_tokens=64, check_tokens=1200,
        limits={"max_cost_usd": 0.0055, "max_steps": 1},
    )  # fmt: skip
    assert attempt.cost_usd <= 0.0055
    told = {c.status for s in attempt.samples for c in s.claims}
    assert told <= {"checked", "not_run"}


def test_claims_are_checked_with_the_whole_conversation(make_router, fake_model):
    checker.answers = iter(["It is 42."])
    router = make_router(
        small=fake_model, arms=arm("clr", k=1, claims=2), policy=OnlyArm(arm="vote")
    ).open()
    fake_model.answer = checker
    fake_model.requests.clear()
    router.ask(
        [
            {"role": "user", "content": "I have 17 apples."},
            {"role": "assistant", "content": "Good."},
            {"role": "user", "content": "And with 25 more?"},
        ]
    )
    asked = [r["messages"][-1]["content"] for r in fake_model.requests[1:]]
    assert len(asked) == 3
    assert all("17 apples" in text and "25 more" in text for text in asked)


def test_prose_costs_no_claims(vote, fake_model):
    long = "Well, it depends on many things.\nSome of them are hard to say"
    vote(long, name="clr", k=2, parallel=1, question="Tell me more")
    assert len(fake_model.requests) == 2


def test_claims_stay_within_the_models_caps(vote, fake_model):
    checker.answers = iter(["It is 42."])
    fake_model.answer = checker
    vote(name="clr", k=1, claims=2)
    assert max(r["max_tokens"] for r in fake_model.requests) <= 384
