"""The fake upstream: whole answers are told from cut ones, faults are on the wire, counts hold."""

import json

import httpx
import pytest

from eval.bench.fake_replies import FAULTS, plan, whole, wire
from eval.bench.replies import judge_body, judge_stream, prompt_of
from eval.bench.upstream import UpstreamProcess

BROKEN = ("cut", "reset", "bad_json", "html")


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    with UpstreamProcess(tmp_path_factory.mktemp("upstream") / "journal") as one:
        yield one


def ask(upstream, prompt, fault="ok", *, stream=False):
    upstream.control(faults={} if fault == "ok" else {fault: 1.0})
    body = {"messages": [{"role": "user", "content": prompt}], "stream": stream,
            "stream_options": {"include_usage": True}}  # fmt: skip
    url = f"{upstream.api_base}/chat/completions"
    with httpx.stream("POST", url, json=body, timeout=5) as reply:
        data = b""
        try:
            for piece in reply.iter_raw():
                data += piece
        except httpx.HTTPError:
            return reply.status_code, data, True
    return reply.status_code, data, False


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("stream", [False, True])
def test_a_whole_answer_is_an_answer(upstream, number, stream):
    prompt = prompt_of(number)
    status, data, broke = ask(upstream, prompt, stream=stream)
    assert not broke
    if stream:
        assert judge_stream(prompt, data.decode().splitlines()) == "answered"
    else:
        assert judge_body(prompt, status, data) == "answered"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("number", [0, 1])
def test_no_broken_reply_is_an_answer(upstream, fault, stream, number):
    prompt = prompt_of(number)
    status, data, _ = ask(upstream, prompt, fault, stream=stream)
    told = (
        judge_stream(prompt, data.decode().splitlines())
        if stream
        else judge_body(prompt, status, data)
    )
    assert told.startswith("BAD")


def test_a_cut_answer_that_claims_to_be_complete_is_found_out():
    prompt = prompt_of(2)
    words = "".join(plan({"messages": [{"content": prompt}]}, "ok").words)
    for said, wanted in ((words, "answered"), (words[:-1], "BAD"), (words.split(" ")[0], "BAD")):
        choice = {"message": {"content": said}, "finish_reason": "stop"}
        assert judge_body(prompt, 200, json.dumps({"choices": [choice]}).encode()).startswith(
            wanted
        )
    for text in ("", "amber", "amber basin sum000000000000"):
        assert not whole(prompt, text)


def test_errors_need_openais_shape():
    assert judge_body("p", 503, b'{"error": {"message": "m", "type": "t", "code": "c"}}') == (
        "refused 503 c"
    )
    internal = b'{"error": {"message": "m", "type": "t"}}'
    for status, body in ((503, b"{}"), (503, b"<html>"), (500, internal)):
        assert judge_body("p", status, body).startswith("BAD")
    for event in ("{}", "[]", "1", '{"choices": [{}]}', '{"choices": [{"delta": []}]}'):
        assert judge_stream("p", [f"data: {event}", ""]).startswith("BAD")


def test_the_journal_holds_what_was_charged_also_after_a_kill(upstream):
    prompt = prompt_of(4001)
    for stream in (False, True):
        ask(upstream, prompt, stream=stream)
    reply = plan({"messages": [{"content": prompt}]}, "ok")
    ask(upstream, prompt_of(4003), "error500")
    upstream.kill()
    charged = upstream.charged()
    assert charged["r-4001"] == (2 * reply.prompt_tokens, 2 * len(reply.words))
    assert "r-4003" not in charged
    port = upstream.port
    upstream.start()
    assert upstream.port == port
    ask(upstream, prompt)
    assert upstream.charged()["r-4001"] == (3 * reply.prompt_tokens, 3 * len(reply.words))
    assert upstream.served()["requests_ok"] == 1


@pytest.mark.parametrize("fault", [f for f in FAULTS if f not in ("error500", "busy429", "html")])
def test_what_is_charged_is_what_is_written(fault):
    reply = plan({"messages": [{"content": prompt_of(0)}], "stream": True}, fault)
    assert sum(tokens for _, tokens in wire(reply)) == reply.charged == len(reply.words)


def test_an_unknown_fault_is_refused(upstream):
    with pytest.raises(httpx.HTTPStatusError):
        upstream.control(faults={"tea": 1.0})
