"""What a body may hold, and what is a 400 and never a server's error."""

import json

import pytest

from router.gateway.body import MAX_VALUES, Gone, parse, read_body, to_object
from router.gateway.chat_schema import ChatRequest
from router.gateway.encode import header, to_json, usd
from router.gateway.errors import Refused

ASK = {"model": "ockham/auto", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b"3", b'"x"', b"null", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e999}',
        b'{"a": "\\ud800"}', b'{"a": "\xff"}', b'{"a": "\x00"}', b"\xef\xbb\xbf{}",
        b'{"a":' + b"[" * 70 + b"]" * 70 + b"}", b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_no_json_object_is_a_400(raw):
    with pytest.raises(Refused) as refused:
        to_object(raw)
    assert (refused.value.status, refused.value.code) == (400, "invalid_json")


def test_many_small_objects_are_not_deep():
    assert to_object(b'{"a": [' + b",".join([b"[1]"] * 200) + b"]}")


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"seed": 10**30}, "invalid_value", "seed"),
        ({"seed": 1.5}, "invalid_value", "seed"),
        ({"max_tokens": 10**12}, "invalid_value", "max_tokens"),
        ({"messages": [{"role": "user"}]}, "invalid_value", "messages.0.content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "invalid_value",
         "messages.0.tool_call_id"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]},
         "invalid_value", "messages.0.content.0"),
        ({"messages": [{"role": "user", "content": "x", "audio": 1}]}, "unsupported_parameter",
         "messages.0.audio"),
        ({"tools": [{"type": "web_search"}]}, "invalid_value", "tools.0.type"),
        ({"web_search_options": {}}, "unsupported_parameter", "web_search_options"),
        ({"nothing_known": None}, "unsupported_parameter", "nothing_known"),
        ({"stream_options": {"include_usage": True}}, "invalid_value", None),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_named(change, code, param):
    with pytest.raises(Refused) as refused:
        parse(ChatRequest, {**ASK, **change})
    assert (refused.value.status, refused.value.code, refused.value.param) == (400, code, param)


def test_nulls_of_what_is_not_supported_are_taken():
    parse(
        ChatRequest, {**ASK, "functions": None, "audio": None, "temperature": None, "tools": None}
    )


def test_every_parameter_of_the_sdk_is_honoured_or_refused_by_name():
    from openai.types.chat.completion_create_params import CompletionCreateParamsBase
    from openai.types.responses.response_create_params import ResponseCreateParamsBase

    from router.gateway.responses_schema import ResponsesRequest

    for theirs, ours in (
        (CompletionCreateParamsBase, ChatRequest), (ResponseCreateParamsBase, ResponsesRequest),
    ):  # fmt: skip
        assert set(theirs.__annotations__) - set(ours.model_fields) == set()


def receiver(*messages):
    left = list(messages)

    async def receive():
        return left.pop(0)

    return receive


async def test_a_body_in_pieces_and_one_that_breaks_off():
    pieces = [
        {"type": "http.request", "body": b"ab", "more_body": True},
        {"type": "http.request", "body": b"cd"},
    ]
    assert await read_body({}, receiver(*pieces), 4, 1) == b"abcd"
    with pytest.raises(Refused, match="over 3 bytes"):
        await read_body({}, receiver(*pieces), 3, 1)
    with pytest.raises(Refused, match="over 3 bytes"):
        await read_body({b"content-length": b"9" * 50}, receiver(), 3, 1)
    with pytest.raises(Gone):
        await read_body({}, receiver({"type": "http.disconnect"}), 3, 1)


def test_whatever_a_model_writes_leaves_as_json_and_as_a_header():
    assert to_json({"a": "x\ud800"}) == '{"a":"x\ufffd"}'.encode()
    assert to_json({"a": float("nan")}) == b'{"a":null}'
    assert header("plain/model-1") == b"plain/model-1"
    assert header("a\r\nb\u00e9") == b"a%0D%0Ab%C3%A9"
    assert (usd(0.0), usd(1e-9), usd(0.25)) == ("0", "0.000000001", "0.25")


def test_a_body_of_very_many_values_is_refused_before_it_is_validated():

    with pytest.raises(Refused, match="JSON values"):
        to_object(json.dumps({"messages": [{}] * (MAX_VALUES + 1)}).encode())
    with pytest.raises(Refused, match="JSON values"):
        to_object(json.dumps({"logit_bias": {str(i): 1 for i in range(MAX_VALUES + 1)}}).encode())
    text = json.dumps({"messages": [{"role": "user", "content": "a," * 2 * MAX_VALUES}]}).encode()
    assert to_object(text)["messages"], "commas of a text are no values"


def test_many_bad_messages_make_one_complaint():
    body = {"model": "ockham/auto", "messages": [{"role": "nobody"}] * 4000}
    with pytest.raises(Refused, match=r"messages\[?\.?0"):
        parse(ChatRequest, body)
    with pytest.raises(Refused, match="4096"):
        parse(ChatRequest, {**body, "messages": [{"role": "user", "content": "x"}] * 4097})
