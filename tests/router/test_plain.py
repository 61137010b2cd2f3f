"""Requests for more than a text: they reach an arm that can do them, as one plain call."""

from contextlib import aclosing

import pytest

from router import InputError
from router.needs import hard_needs, is_plain
from router.state import Message, Query

from .wallet import Wallet

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
CALLED = (
    {"role": "assistant", "content": None, "tool_calls": [
        {"index": 0, "id": "call_1", "type": "function",
         "function": {"name": "weather", "arguments": ""}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '{"city": '}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '"Thimphu"}'}}]},
)  # fmt: skip
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 40_000}}


def asked(text="How warm is it in Thimphu?", raw=None, **call):
    turn = {"role": "user", "content": raw} if raw else None
    return Query(id="q", messages=(Message(role="user", content=text, raw=turn),), call=call)


def can(*abilities, fake):
    return {
        "large": {
            "tier": "large", "api_base": fake.api_base, "api_key": "k", "can": abilities,
            "usd_per_hour": None, "input_usd_per_million": 10, "output_usd_per_million": 40,
        }
    }  # fmt: skip


@pytest.fixture
def able(make_router, fake_model, other_fake_model):
    """A small model that can do nothing, a large one that can do everything."""
    every = ("tools", "images", "json_schema", "n", "logprobs")
    return make_router(fake_model, other_fake_model, models=can(*every, fake=other_fake_model))


def test_needs_are_derived_from_the_query_once():
    assert hard_needs(asked(tools=TOOLS)) == {"tools"}
    assert hard_needs(asked(n=2, logprobs=True, top_logprobs=3)) == {"n", "logprobs"}
    assert hard_needs(asked(n=1, logprobs=False, logit_bias={}, seed=3, stop="x")) == set()
    assert not is_plain(asked(seed=3, presence_penalty=0.2))
    picture = asked(raw=[{"type": "text", "text": "What is this?"}, PICTURE])
    assert hard_needs(picture) == {"images"}
    result = Message(role="tool", content="21", raw={"role": "tool", "content": "21"})
    assert hard_needs(Query(id="q", messages=(asked().messages[0], result))) == {"tools"}


def test_a_tool_call_is_a_complete_answer_with_empty_text(able, fake_model, other_fake_model):
    able.open()
    other_fake_model.replay = CALLED
    answer = able.ask(asked(tools=TOOLS, tool_choice="auto"))
    assert answer.route == ("large",) and answer.answer == ""
    assert answer.finish == "tool_calls" and answer.verdict.status == "unchecked"
    (choice,) = answer.choices
    assert choice["finish_reason"] == "tool_calls"
    call = choice["message"]["tool_calls"][0]
    assert call["id"] == "call_1"
    assert call["function"] == {"name": "weather", "arguments": '{"city": "Thimphu"}'}
    assert other_fake_model.requests[-1]["tools"] == TOOLS
    first = next(s.decision for s in answer.trace.steps if s.decision)
    assert "cannot do what the request needs: tools" in first.arms["small"].why_not
    assert "same call as large" in first.arms["large+index"].why_not
    assert len(fake_model.requests) == 1  # the health check


async def test_tool_calls_stream_as_raw_deltas(able, other_fake_model):
    able.open()
    other_fake_model.replay = CALLED
    pieces = []
    async with aclosing(able.astream(asked(tools=TOOLS), commit=True)) as events:
        async for event in events:
            if event.kind == "choice":
                pieces.append(event.data)
    told = "".join(
        call["function"].get("arguments") or ""
        for p in pieces
        for call in p["delta"].get("tool_calls", ())
    )
    assert told == '{"city": "Thimphu"}'
    assert pieces[0]["delta"]["tool_calls"][0]["id"] == "call_1"
    assert {p["index"] for p in pieces} == {0}


def test_tool_results_go_back_as_they_came(able, other_fake_model):
    able.open()
    other_fake_model.answer = lambda _: "It is 21 degrees."
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    turns = (
        Message(role="user", content="How warm is it?"),
        Message(role="assistant", content="",
                raw={"role": "assistant", "content": None, "tool_calls": [call]}),
        Message(role="tool", content="21",
                raw={"role": "tool", "tool_call_id": "c1", "content": "21"}),
    )  # fmt: skip
    answer = able.ask(Query(id="q", messages=turns, call={"tools": TOOLS}))
    assert answer.answer == "It is 21 degrees."
    sent = other_fake_model.requests[-1]["messages"]
    assert sent[1]["tool_calls"] == [call] and sent[2]["tool_call_id"] == "c1"
    assert sent[0] == {"role": "user", "content": "How warm is it?"}


def test_images_reach_a_model_that_sees(able, other_fake_model):
    parts = [{"type": "text", "text": "What is this?"}, PICTURE]
    answer = able.ask(asked("What is this?", raw=parts))
    assert answer.route == ("large",)
    assert other_fake_model.requests[-1]["messages"][0]["content"] == parts
    worst = next(s.decision for s in answer.trace.steps if s.decision).arms["large"].worst_cost_usd
    # 16,384 tokens for the picture, whatever its bytes; 8,192 for the answer.
    assert 16384 * 10e-6 < worst - 8192 * 40e-6 < 17000 * 10e-6 or worst == pytest.approx(0.25, 1)


async def test_every_choice_is_paid_for(able, other_fake_model):
    wallet = Wallet(100.0)
    query = asked("Tell me something.", n=3, logprobs=True)
    query = query.model_copy(update={"sampling": query.sampling.model_copy(
        update={"max_tokens": 100})})  # fmt: skip
    async with able:
        answer = await able.aask(query, purse=wallet)
    assert len(answer.choices) == 3
    assert [c["index"] for c in answer.choices] == [0, 1, 2]
    assert answer.choices[1]["logprobs"]["content"][0]["logprob"] == -0.5
    ((lease, bill),) = wallet.settled
    assert bill.completion_tokens == 15
    assert bill.usd == pytest.approx(answer.cost_usd) == pytest.approx(11 * 10e-6 + 15 * 40e-6)
    assert lease.usd > 3 * 100 * 40e-6


def test_seed_and_stop_reach_the_small_model_too(make_router, fake_model):
    router = make_router(fake_model).open()
    router.ask(asked("Hello there!", seed=7, stop=["END"], presence_penalty=0.5))
    sent = fake_model.requests[-1]
    assert sent["seed"] == 7 and "END" in sent["stop"] and sent["presence_penalty"] == 0.5


def test_where_no_model_can_the_error_names_the_need(make_router, fake_model):
    with pytest.raises(InputError, match="cannot do what the request needs: tools"):
        make_router(fake_model).ask(asked(tools=TOOLS))
    assert len(fake_model.requests) == 1  # the health check


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (asked(service_tier="priority"), "service_tier"),
        (asked(tools=[{"type": "mcp", "server_url": "http://x"}]), r"tools\.0\.type"),
        (asked(n=0), "n: must be a whole number"),
        (asked(raw=[{"type": "video_url", "video_url": {}}]), "part of type 'video_url'"),
    ],
)
def test_what_no_arm_can_do_is_refused_by_name(make_router, fake_model, query, says):
    with pytest.raises(InputError, match=says):
        make_router(fake_model).ask(query)


async def test_reasoning_is_told_and_is_no_part_of_the_answer(make_router, fake_model):
    router = make_router(fake_model).open()
    fake_model.replay = ({"reasoning_content": "Let me think."}, {"content": "Hello."})
    kinds = []
    async with aclosing(router.astream("Hello there!")) as events:
        async for event in events:
            kinds.append((event.kind, event.text))
            last = event
    assert ("reasoning", "Let me think.") in kinds
    assert last.data.answer == "Hello."
