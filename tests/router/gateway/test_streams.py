"""What a stream shows of a run: nothing twice, and never two arms' pieces as one answer."""

import json

import pytest

from router.errors import ModelError
from router.gateway.chat_stream import ChatWriter
from router.samples import AttemptStatus
from router.state import Attempt, Event, Price

PRICE = Price(input_usd=0, output_usd=0, basis="test")
CALL = {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "look", "arguments": '{"x'}}]}


def writer(**kwargs):
    return ChatWriter("id", "ockham/auto", usage=False, **kwargs)


def choice(**delta):
    return Event(kind="choice", arm="small", data={"index": 0, "delta": delta})


def failed():
    attempt = Attempt(
        arm="small", model="m", text="", status=AttemptStatus.FAILED, error="broke off", price=PRICE
    )
    return Event(kind="attempt_done", arm="small", data=attempt)


def shown(writer, *events):
    """The deltas that leave."""
    pieces = [piece for event in events for piece in writer.take(event)[0]]
    data = [json.loads(p.removeprefix(b"data: ")) for p in pieces if p.startswith(b"data: ")]
    return [one["choices"][0]["delta"] for one in data]


def test_a_tool_call_that_broke_off_ends_the_stream():
    """Another arm's call would be put together with the half that the client has."""
    ours = writer()
    assert shown(ours, choice(**CALL)) == [{"role": "assistant", **CALL}]
    with pytest.raises(ModelError, match="broke off"):
        ours.take(failed())


def test_after_a_failure_that_showed_nothing_the_next_arm_is_shown():
    ours = writer()
    assert shown(ours, choice(role="assistant"), failed()) == []
    said = Event(kind="delta", arm="large", text="It rains.")
    assert shown(ours, said) == [{"role": "assistant", "content": "It rains."}]


def test_text_that_comes_raw_and_as_text_is_shown_once():
    said = Event(kind="delta", arm="small", text="It")
    assert shown(writer(), choice(content="It"), said) == [{"role": "assistant", "content": "It"}]


@pytest.mark.parametrize("asked", [True, False])
def test_thoughts_that_come_raw_and_as_reasoning_are_shown_once_where_asked_for(asked):
    thought = Event(kind="reasoning", arm="small", text="Hm")
    expected = [{"role": "assistant", "reasoning_content": "Hm"}] if asked else []
    assert shown(writer(reasoning=asked), choice(reasoning_content="Hm"), thought) == expected
