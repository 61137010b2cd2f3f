"""Budget forcing against a fake reasoner: what is forced, what is left alone, what is paid."""

import pytest

from policies import OnlyArm
from router.errors import NoAnswerError
from router.samples import AttemptStatus as Status

from .sampling import arm, cost_of, statuses


def test_budget_forcing_closes_the_thinking_and_asks(vote, fake_model):
    fake_model.honours_cap = True
    fake_model.answer = lambda m: (
        "42}" if m[-1]["role"] == "assistant" else "<think> so " + "hm " * 50
    )
    attempt = vote(name="budget_forcing", budget_tokens=16, answer_tokens=8)
    assert attempt.status is Status.OK
    assert attempt.text == "The final answer is \\boxed{42}"
    again = fake_model.requests[-1]
    assert again["continue_final_message"] is True
    assert again["add_generation_prompt"] is False
    assert again["max_tokens"] == 8
    assert again["messages"][-1]["content"].endswith("</think>\n\nThe final answer is \\boxed{")
    assert (attempt.prompt_tokens, attempt.completion_tokens) == (22, 17)


def test_budget_forcing_leaves_a_finished_sample_alone(vote, fake_model):
    attempt = vote("<think> easy </think> \\boxed{42}", name="budget_forcing", budget_tokens=16)
    assert (attempt.text, len(fake_model.requests)) == ("\\boxed{42}", 1)


def test_budget_forcing_in_a_new_turn(vote, fake_model):
    fake_model.honours_cap = True
    fake_model.answer = lambda m: (
        "\\boxed{42}" if "Give only your final answer" in m[-1]["content"] else "so " * 40
    )
    attempt = vote(name="budget_forcing", budget_tokens=16, how="turn")
    assert attempt.text == "\\boxed{42}"
    assert [m["role"] for m in fake_model.requests[-1]["messages"]][-2:] == ["assistant", "user"]


def test_a_forced_answer_that_fails_leaves_the_sample_as_it_was(vote, fake_model):
    fake_model.honours_cap = True
    fake_model.mode_of = lambda n: "cut" if n % 2 else "ok"
    attempt = vote(
        "Well, " + "hm " * 50,
        name="budget_forcing",
        k=2,
        parallel=1,
        budget_tokens=16,
    )
    assert statuses(attempt) == ["truncated"] * 2
    assert attempt.cost_usd == pytest.approx(cost_of(attempt))


def test_an_empty_forced_answer_leaves_the_sample_as_it_was(vote, fake_model):
    fake_model.honours_cap = True
    thinking = "<think> so \\boxed{41} " + "hm " * 50
    fake_model.answer = lambda m: "" if m[-1]["role"] == "assistant" else thinking
    with pytest.raises(NoAnswerError, match="the forced answer was empty"):
        vote(name="budget_forcing", budget_tokens=16)


def test_a_forced_turn_that_thinks_again_shows_no_thinking(make_router, fake_model):
    price = {"input_usd_per_million": 1, "output_usd_per_million": 4, "max_tokens": 384}
    opens = {"api_base": fake_model.api_base, "api_key": "k", "thinking": True, **price}
    router = make_router(
        small=fake_model, policy=OnlyArm(arm="vote"), models={"small": {"tier": "small", **opens}},
        arms=arm("budget_forcing", budget_tokens=16, how="turn"),
    ).open()  # fmt: skip
    fake_model.honours_cap = True
    again = "well 41? \\boxed{41} or </think> \\boxed{42}"
    fake_model.answer = lambda m: again if "Give only" in m[-1]["content"] else "hm " * 50
    assert router.ask("What is 17 + 25?").answer == "\\boxed{42}"


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("```python\ndef f(n: int):\n    return n" + " + 1" * 40, "Write a function f(n: int)"),
        ("It is \\boxed{42}. " + "I am sure. " * 40, "What is 17 + 25?"),
    ],
)
def test_what_was_cut_and_needs_no_answer_is_not_forced(vote, fake_model, text, question):
    fake_model.honours_cap = True
    attempt = vote(text, name="budget_forcing", budget_tokens=20, question=question)
    assert len(fake_model.requests) == 1
    assert attempt.status is Status.TRUNCATED
