"""The library's face, on the real graph: routes, limits, cancellation, loops."""

import asyncio
import concurrent.futures
import json
import threading
import time
from contextlib import aclosing

import pytest

from router import Answer, InputError, NoAnswerError, Query
from router.state import Message, Trace

MATH = "What is 12 * 7?"
RIGHT = "12 * 7 = 84\n\nThe answer is \\boxed{84}."
WRONG = "12 * 7 = 88\n\nThe answer is \\boxed{88}."
CAPITAL = "What is the capital of Bhutan?"


def test_a_checked_answer_stays_small(make_router, fake_model, other_fake_model):
    fake_model.answer = lambda _: RIGHT
    answer = make_router(fake_model, other_fake_model).ask(MATH)
    assert answer.route == ("small",)
    assert answer.verified and answer.verdict.passed is True
    assert answer.note is None
    assert answer.model == "hosted_vllm/fake-large"
    assert answer.cost_usd == pytest.approx(11e-6 + answer.completion_tokens * 4e-6)
    probe = 1
    assert len(fake_model.requests) == probe + 1
    assert len(other_fake_model.requests) == probe


def test_a_failed_check_escalates_and_both_are_paid(make_router, fake_model, other_fake_model):
    fake_model.answer, other_fake_model.answer = lambda _: WRONG, lambda _: RIGHT
    answer = make_router(fake_model, other_fake_model).ask(MATH)
    assert answer.route == ("small", "large")
    assert answer.arm == "large" and answer.verified
    first, second = (s.attempt for s in answer.trace.steps if s.attempt)
    assert answer.cost_usd == pytest.approx(first.cost_usd + second.cost_usd)
    assert answer.prompt_tokens == first.prompt_tokens + second.prompt_tokens


def test_without_a_large_model_the_best_local_attempt_comes_back_unverified(
    make_router, fake_model
):
    fake_model.answer = lambda _: WRONG
    answer = make_router(fake_model).ask(MATH)
    assert answer.route == ("small",)
    assert answer.answer == WRONG
    assert not answer.verified
    assert "unverified" in answer.note and "large: not configured" in answer.note
    last = [s.decision for s in answer.trace.steps if s.decision][-1]
    assert "not configured" in last.arms["large"].why_not


def test_an_index_answer_is_cited(make_router, fake_model, index):
    fake_model.answer = lambda _: '{"passage": 1, "answer": "Thimphu"}'
    answer = make_router(fake_model, index=index).ask(CAPITAL)
    assert answer.route == ("small+index",)
    assert answer.verified
    assert answer.citations[0].source == "fake/bt#Capital"
    assert "Thimphu" in answer.citations[0].quote
    assert "response_format" in fake_model.requests[-1]


def test_a_cut_reading_is_words_not_half_a_json_object(make_router, fake_model, index):
    fake_model.answer = lambda _: '{"passage": 1, "quote": "name: Thimphu", "answer": "Thimphu is'
    router = make_router(fake_model, index=index).open()
    fake_model.mode = "length"
    answer = router.ask(CAPITAL)
    assert answer.finish == "length" and not answer.verified
    assert answer.answer.endswith("Thimphu") or answer.answer == "Thimphu is"
    assert "{" not in answer.answer


def test_an_unsupported_claim_is_not_verified(make_router, fake_model, index):
    fake_model.answer = lambda _: '{"passage": 1, "answer": "Kathmandu"}'
    answer = make_router(fake_model, index=index).ask(CAPITAL)
    assert answer.verdict.passed is False
    assert "unverified" in answer.note


def test_with_neither_index_nor_large_it_says_so(make_router, fake_model):
    answer = make_router(fake_model).ask(CAPITAL)
    assert answer.route == ("small",)
    assert answer.note.startswith("unverified: nothing could check it; could not be run: ")
    assert "large: not configured" in answer.note


def test_the_trace_explains_each_step_and_is_json(make_router, fake_model, other_fake_model):
    fake_model.answer = lambda _: WRONG
    trace = make_router(fake_model, other_fake_model).ask(MATH).trace
    assert [s.node for s in trace.steps] == [
        "classify", "decide", "act", "verify", "decide", "act", "verify", "decide",
    ]  # fmt: skip
    decisions = [s.decision for s in trace.steps if s.decision]
    assert decisions[0].reasons == ("an answer can be checked at run time, so start small",)
    assert decisions[1].reasons == ("the last answer failed its check",)
    assert decisions[-1].arm is None
    assert 0 < trace.model_seconds < trace.seconds
    again = json.loads(trace.model_dump_json())
    for computed in ("domain", "form"):
        again["signals"].pop(computed)
    # The feature blocks stand in no JSON: the ledger packs them.
    assert trace.features and "features" not in again
    assert Trace.model_validate(again) == trace.model_copy(update={"features": {}})


def test_closing_while_a_question_is_under_way_ends_it(make_router, fake_model):
    router = make_router(fake_model).open()
    fake_model.mode = "endless"
    outcome = []

    def ask():
        try:
            outcome.append(router.ask("Hello there!"))
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.5)
    router.close()
    thread.join(5)
    assert not thread.is_alive()
    assert isinstance(outcome[0], concurrent.futures.CancelledError)
    assert fake_model.hung_up.wait(5)


def test_a_server_that_dies_mid_answer_is_said_clearly(make_router, fake_model):
    router = make_router(fake_model).open()
    fake_model.mode = "cut"
    with pytest.raises(NoAnswerError, match="small: .*broke off in the middle of its answer"):
        router.ask(MATH)


def test_and_large_takes_over_when_there_is_one(make_router, fake_model, other_fake_model):
    router = make_router(fake_model, other_fake_model).open()
    fake_model.mode, other_fake_model.answer = "reset", lambda _: RIGHT
    answer = router.ask(MATH)
    assert answer.route == ("small", "large")
    dead = next(s.attempt for s in answer.trace.steps if s.attempt)
    assert dead.status == "failed" and dead.cost_usd > 0 and dead.tokens_basis == "counted"


def test_a_server_that_is_down_is_a_reason(make_router):
    with pytest.raises(NoAnswerError, match="small: .*nothing answers at api_base"):
        make_router().ask(MATH)


def test_a_prompt_longer_than_the_context(make_router, fake_model):
    with pytest.raises(NoAnswerError, match="does not fit its context of 2048"):
        make_router(fake_model).ask("What is 1 + 1? " * 1000)


async def test_events_come_in_order_and_text_streams(make_router, fake_model):
    async with make_router(fake_model) as router:
        events = [event async for event in router.astream("Hello there!")]
    kinds = [event.kind for event in events]
    assert kinds[:3] == ["signals", "decision", "attempt"]
    assert kinds[-1] == "answer" and kinds.count("answer") == 1
    text = "".join(e.text for e in events if e.kind == "delta")
    assert text == events[-1].data.answer
    assert not any(e.checked for e in events if e.kind == "delta")


async def test_committed_text_is_final_even_where_it_was_cut(
    make_router, fake_model, other_fake_model
):
    async with make_router(fake_model, other_fake_model) as router:
        fake_model.mode = "length"
        kept = [e async for e in router.astream("Hello there!", commit=True)][-1].data
        assert kept.route == ("small",) and kept.finish == "length"
        assert "has been shown as it was written" in str(kept.trace.steps[-1].decision.reasons)
        escalated = await router.aask("Hello there!")
        assert escalated.route == ("small", "large")


async def test_text_that_a_check_may_reject_is_marked(make_router, fake_model):
    fake_model.answer = lambda _: RIGHT
    async with make_router(fake_model) as router:
        deltas = [e async for e in router.astream(MATH) if e.kind == "delta"]
    assert deltas and all(e.checked for e in deltas)


@pytest.mark.parametrize("home", ["here", "background"])
async def test_leaving_the_stream_stops_the_model(make_router, fake_model, home):
    router = make_router(fake_model)
    if home == "here":
        await router.__aenter__()
    else:
        await asyncio.to_thread(router.open)
    fake_model.mode = "endless"
    async with aclosing(router.astream("Hello there!")) as events:
        async for event in events:
            if event.kind == "delta":
                break
    assert await asyncio.to_thread(fake_model.hung_up.wait, 5)


async def test_cancelling_aask_stops_the_model(make_router, fake_model):
    async with make_router(fake_model) as router:
        fake_model.mode = "endless"
        task = asyncio.create_task(router.aask("Hello there!"))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(fake_model.hung_up.wait, 5)


async def test_ask_works_inside_a_running_loop(make_router, fake_model):
    """As in Jupyter, where a cell runs inside the notebook's loop."""
    answer = make_router(fake_model).ask("Hello there!")
    assert isinstance(answer, Answer)


async def test_ask_inside_the_routers_own_loop_is_a_clear_error(make_router, fake_model):
    async with make_router(fake_model) as router:
        with pytest.raises(InputError, match="await router.aask"):
            router.ask("Hello there!")


async def test_many_at_once(make_router, fake_model):
    fake_model.answer = lambda m: m[-1]["content"].split("\n")[0]
    async with make_router(fake_model) as router:
        texts = [f"Tell me about {'x' * (i + 1)}" for i in range(20)]
        answers = await asyncio.gather(*(router.aask(t) for t in texts))
    assert [a.answer for a in answers] == texts


def test_a_router_can_be_used_again_after_close(make_router, fake_model):
    router = make_router(fake_model)
    assert router.ask("Hello there!").answer
    router.close()
    with pytest.raises(InputError, match="not open"):
        _ = router.models


def test_route_starts_nothing(make_router, fake_model):
    signals, decision = make_router(fake_model).route(MATH)
    assert (signals.domain, decision.arm) == ("math", "small")
    assert fake_model.requests == []


def test_a_conversation_keeps_its_turns(make_router, fake_model):
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "Go on"},
    ]
    make_router(fake_model).ask(turns)
    assert [m["content"] for m in fake_model.requests[-1]["messages"]] == [
        t["content"] for t in turns
    ]


def test_sampling_reaches_the_model_and_the_cap_only_falls(make_router, fake_model):
    router = make_router(fake_model)
    hello = (Message(role="user", content="Hello"),)
    for wanted, sent in [(7, 7), (100_000, 384)]:
        query = Query(id="q", messages=hello, sampling={"max_tokens": wanted, "temperature": 0.3})
        router.ask(query)
        assert fake_model.requests[-1]["max_tokens"] == sent
        assert fake_model.requests[-1]["temperature"] == 0.3


def test_tracing_variables_of_the_environment_do_nothing(
    make_router, fake_model, other_fake_model, clean_env
):
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        clean_env.setenv(name, "true")
    for name in ("LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"):
        clean_env.setenv(name, other_fake_model.api_base)
    clean_env.setenv("LANGSMITH_API_KEY", "k")
    make_router(fake_model).ask("Hello there!")
    time.sleep(1)
    assert other_fake_model.requests == []


def test_a_non_english_query_prefers_a_model_that_was_made_for_it(
    make_router, fake_model, other_fake_model
):
    large = make_router(fake_model, other_fake_model, language="de").ask("Guten Tag!")
    assert large.route == ("large",)
    alone = make_router(fake_model, language="de").ask("Guten Tag!")
    assert alone.route == ("small",)
    assert alone.note.startswith("unverified")


def test_what_an_arm_took_is_told_to_the_next_decision(make_router, fake_model):
    fake_model.answer = lambda _: RIGHT
    router = make_router(fake_model)
    first, second = (router.ask(MATH).trace.steps[1].decision for _ in range(2))
    assert first.arms["small"].predicted_seconds is None
    assert 0 < second.arms["small"].predicted_seconds < 20
