"""Several samples against fake servers: every way a sample can end, its status, its price."""

import asyncio
import time

import pytest

from policies import OnlyArm
from router.errors import NoAnswerError
from router.samples import AttemptStatus as Status

from .sampling import TEMPERATURE, arm, cost_of, replies, statuses


async def settled(condition, seconds=20):
    """Whether a condition comes about in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:  # noqa: ASYNC110  a server's thread
        await asyncio.sleep(0.01)
    return condition()


def test_the_majority_answers_and_everything_is_paid(vote, fake_model):
    attempt = vote(
        "It is 41.", "So it is \\boxed{42}", "17 + 25 = 42", "It is 41.", k=4, parallel=1
    )
    assert attempt.text in ("It is 41.", "So it is \\boxed{42}")
    assert [s.cluster for s in attempt.samples] == [0, 1, 1, 0]
    assert attempt.selection.chosen == 0  # a tie goes to the answer seen first
    assert attempt.selection.share == 0.5
    assert attempt.prompt_tokens == 4 * 11
    assert attempt.completion_tokens == 3 + 4 + 5 + 3
    assert attempt.cost_usd == pytest.approx(cost_of(attempt))
    assert attempt.cost_usd == pytest.approx(sum(s.cost_usd for s in attempt.samples))
    assert all(r["temperature"] == TEMPERATURE for r in fake_model.requests)


def test_equivalent_answers_share_a_vote(vote):
    attempt = vote(
        "\\boxed{3/4}", "\\boxed{0.75}", "\\boxed{1/2}",
        k=3, parallel=1, early_stop=False, question="What is 1/2+1/4?",
    )  # fmt: skip
    assert [s.cluster for s in attempt.samples] == [0, 0, 1]
    assert attempt.selection.share == pytest.approx(2 / 3)


def test_early_stop_draws_no_more_than_it_needs(vote, fake_model):
    attempt = vote("It is 42.", k=8, parallel=1)
    assert statuses(attempt) == ["ok"] * 5 + ["not_run"] * 3
    assert len(fake_model.requests) == 5
    assert attempt.selection.drawn == 5
    assert "stopped after 5 of 8" in attempt.selection.reasons[0]
    assert "no other answer can overtake" in attempt.samples[7].error


def test_early_stop_can_be_left_off(vote, fake_model):
    vote("It is 42.", k=8, parallel=4, early_stop=False)
    assert len(fake_model.requests) == 8


def test_samples_in_flight_are_stopped_and_paid(vote, fake_model):
    """Three of five agree while two dawdle: those are hung up on, at what they had written."""
    fake_model.answer = replies("It is 42.")
    fake_model.mode_of = lambda n: "ok" if n < 3 else "endless"
    attempt = vote(k=5, parallel=5)
    assert sorted(statuses(attempt)) == ["cancelled", "cancelled", "ok", "ok", "ok"]
    assert fake_model.hung_up.wait(10)
    stopped = [s for s in attempt.samples if s.status is Status.CANCELLED]
    assert all(s.tokens_basis == "counted" and s.prompt_tokens == 11 for s in stopped)
    assert attempt.completion_tokens == 9 + sum(s.completion_tokens for s in stopped)
    assert attempt.tokens_basis == "counted"
    assert attempt.cost_usd == pytest.approx(cost_of(attempt))


async def test_a_cancelled_request_stops_all_its_samples(make_router, fake_model):
    router = make_router(small=fake_model, arms=arm(k=8, parallel=8), policy=OnlyArm(arm="vote"))
    await asyncio.to_thread(router.open)
    fake_model.mode = "endless"
    fake_model.requests.clear()
    asking = asyncio.create_task(router.aask("What is 17 + 25?"))
    assert await settled(lambda: fake_model.streaming == 8)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await settled(lambda: fake_model.streaming == 0)
    assert len(fake_model.requests) == 8


def test_a_server_that_dies_at_sample_5_of_8(vote, fake_model, make_router):
    """Four samples decide; the fifth failed, the rest is never asked."""
    fake_model.mode_of = lambda n: "ok" if n < 4 else "cut"
    attempt = vote("It is 42.", "It is 42.", "It is 41.", "It is 40.", k=8, parallel=1)
    assert statuses(attempt) == ["ok"] * 4 + ["failed"] + ["not_run"] * 3
    assert attempt.text == "It is 42."
    assert attempt.status is Status.OK
    assert "broke off" in attempt.samples[4].error
    assert attempt.samples[4].completion_tokens == 2
    assert attempt.samples[4].tokens_basis == "counted"
    assert attempt.cost_usd == pytest.approx(cost_of(attempt))
    assert any("1 of 8 samples failed" in r for r in attempt.selection.reasons)
    assert len(fake_model.requests) == 5


def test_a_server_that_is_gone_from_the_start(make_router, fake_model):
    router = make_router(
        small=fake_model, arms=arm(k=8, parallel=2), policy=OnlyArm(arm="vote")
    ).open()
    fake_model.mode = "error"
    with pytest.raises(NoAnswerError, match="refuses to serve"):
        router.ask("What is 17 + 25?")
    assert router.models.why_not("small") is None, "one failed run is no reason to leave it out"
    for _ in range(2):
        with pytest.raises(NoAnswerError, match="refuses to serve"):
            router.ask("What is 17 + 25?")
    assert "refuses to serve" in router.models.why_not("small")


@pytest.mark.parametrize(
    ("text", "status", "answer"),
    [
        ("<think> it may be \\boxed{41} or", "provisional", None),
        ("<think> hm, well", "no_answer", None),
        ("", "no_answer", None),
        ("<think> \\boxed{41} no </think> \\boxed{42}", "ok", "42"),
        ("It is \\boxed{42}, that is \\boxed{42}", "ok", "42"),
        ("It is \\boxed{42} or \\boxed{41}", "ok", None),
        ("x" * 200_000, "ok", None),
        ("\\boxed{9^{9^{9^{9}}}}", "ok", "9^{9^{9^{9}}}"),
    ],
)
def test_a_strange_sample_among_good_ones(vote, text, status, answer):
    attempt = vote(text, "It is 42.", "It is 42.", k=3, parallel=1, early_stop=False)
    first = attempt.samples[0]
    assert (str(first.status), first.answer) == (status, answer)
    assert (first.cluster is None) == (answer is None)
    assert "42" in attempt.text
    assert attempt.cost_usd == pytest.approx(cost_of(attempt))


def test_cut_samples_vote_only_with_a_box(vote, fake_model):
    fake_model.mode_of = lambda n: "length" if n < 2 else "ok"
    attempt = vote(
        "The answer is 4", "\\boxed{42} and", "\\boxed{42}", k=3, parallel=1, early_stop=False
    )
    assert [s.cluster for s in attempt.samples] == [None, 0, 0]
    assert statuses(attempt) == ["truncated", "truncated", "ok"]


def test_prose_has_no_vote_and_the_first_sample_answers(vote):
    long = "Well, it depends on many things.\nSome of them are hard to say"
    other = "Another long text.\nIt ends somewhere else"
    attempt = vote(long, other, k=3, parallel=1, question="Tell me more")
    assert attempt.text == long
    assert attempt.selection.chosen == 0
    assert "no sample has a closed answer" in attempt.selection.reasons


def test_all_samples_empty(make_router, fake_model):
    fake_model.answer = replies("")
    router = make_router(small=fake_model, arms=arm(k=3), policy=OnlyArm(arm="vote"))
    with pytest.raises(NoAnswerError):
        router.ask("What is 17 + 25?")


def test_one_refused_sample_does_not_take_the_model_down(make_router, fake_model):
    router = make_router(
        small=fake_model, arms=arm(k=3, parallel=1, early_stop=False), policy=OnlyArm(arm="vote")
    ).open()
    fake_model.requests.clear()
    fake_model.answer = replies("It is 42.")
    fake_model.mode_of = lambda n: "busy" if n == 2 else "ok"
    assert router.ask("What is 17 + 25?").answer == "It is 42."
    assert router.models.why_not("small") is None


def test_a_rejected_key_is_not_tried_again(vote, fake_model):
    fake_model.mode_of = lambda n: "auth"
    with pytest.raises(NoAnswerError, match="key was rejected"):
        vote("It is 42.", k=8, parallel=2)
    assert len(fake_model.requests) == 2


async def test_text_of_a_failed_choice_is_not_shown(make_router, fake_model):
    router = make_router(small=fake_model, arms=arm(k=2), policy=OnlyArm(arm="vote"))
    await asyncio.to_thread(router.open)
    fake_model.mode_of = lambda n: "cut"
    fake_model.answer = replies("Half of it is here")
    shown = []
    with pytest.raises(NoAnswerError):
        async for event in router.astream("Tell me more", commit=True):
            shown += [event.text] if event.kind == "delta" else []
    assert shown == []
