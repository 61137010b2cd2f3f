"""The gateway over real HTTP (uvicorn on loopback): OpenAI's shapes, streaming, hang-ups."""

import json
import socket
import time

import httpx
import pytest

from router.errors import ConfigError
from router.gateway import serve as serving
from router.gateway.auth import check_exposure
from router.gateway.gateway import Gateway

RIGHT = "12 * 7 = 84\n\nThe answer is \\boxed{84}."
WRONG = "12 * 7 = 88\n\nThe answer is \\boxed{88}."
ASK = {"model": "ockham/auto", "messages": [{"role": "user", "content": "Hello there!"}]}
MATH = {"model": "ockham/auto", "messages": [{"role": "user", "content": "What is 12 * 7?"}]}


def sse(response):
    """(comments, data objects, whether [DONE] came) of a server-sent event stream."""
    comments, data, done = [], [], False
    for line in response.iter_lines():
        if line.startswith(": "):
            comments.append(line[2:])
        elif line == "data: [DONE]":
            done = True
        elif line.startswith("data: "):
            data.append(json.loads(line[6:]))
    return comments, data, done


def post(served, body, **kwargs):
    return httpx.post(f"{served.url}/v1/chat/completions", json=body, timeout=30, **kwargs)


def test_a_completion_has_openais_shape(serve, fake_model):
    fake_model.answer = lambda _: RIGHT
    body = post(serve(fake_model), MATH).raise_for_status().json()
    assert body["object"] == "chat.completion" and body["id"].startswith("chatcmpl-")
    assert body["model"] == "hosted_vllm/fake-large"
    assert body["choices"][0]["message"] == {
        "role": "assistant", "content": RIGHT, "refusal": None,
    }  # fmt: skip
    assert body["choices"][0]["finish_reason"] == "stop"
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    extra = body["ockham"]
    assert extra["route"] == ["small"] and extra["verified"] is True
    assert extra["cost_usd"] > 0 and extra["trace_id"] in body["id"]


def test_models(serve, fake_model):
    body = httpx.get(f"{serve(fake_model).url}/v1/models").json()
    names = [m["id"] for m in body["data"]]
    assert names[0] == "ockham/auto" and "ockham/always-small" in names
    assert "ockham/paced-bandit" not in names  # it needs a budget
    assert all(m["object"] == "model" and isinstance(m["created"], int) for m in body["data"])


def test_the_policy_is_chosen_by_the_model_name(serve, fake_model, other_fake_model):
    served = serve(fake_model, other_fake_model)
    body = post(served, {**ASK, "model": "ockham/always-large"}).json()
    assert body["ockham"]["route"] == ["large"]


def test_unchecked_text_streams_word_by_word(serve, fake_model):
    served = serve(fake_model)
    body = {**ASK, "stream": True, "stream_options": {"include_usage": True}}
    with httpx.stream("POST", f"{served.url}/v1/chat/completions", json=body) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        _, data, done = sse(response)
    assert done
    words = [d["choices"][0]["delta"].get("content", "") for d in data if d["choices"]]
    assert len([w for w in words if w]) > 3
    assert "".join(words) == "Hello from the fake model."
    assert data[0]["choices"][0]["delta"]["role"] == "assistant"
    assert data[-2]["choices"][0]["finish_reason"] == "stop" and "ockham" in data[-2]
    assert data[-1]["choices"] == [] and data[-1]["usage"]["total_tokens"] > 0


def test_checked_text_is_held_back_until_it_is_judged(serve, fake_model, other_fake_model):
    fake_model.answer, other_fake_model.answer = lambda _: WRONG, lambda _: RIGHT
    served = serve(fake_model, other_fake_model)
    with httpx.stream(
        "POST", f"{served.url}/v1/chat/completions", json={**MATH, "stream": True}, timeout=30
    ) as response:
        comments, data, done = sse(response)
    text = "".join(d["choices"][0]["delta"].get("content", "") for d in data)
    assert done and text == RIGHT
    assert "attempt small" in comments and "attempt large" in comments
    assert "88" not in text


def test_a_stream_that_fails_does_not_look_complete(serve, fake_model):
    served = serve(fake_model)
    fake_model.mode = "cut"
    with httpx.stream(
        "POST", f"{served.url}/v1/chat/completions", json={**ASK, "stream": True}
    ) as response:
        _, data, done = sse(response)
    assert not done
    assert "broke off" in data[-1]["error"]["message"]
    assert all(d["choices"][0]["finish_reason"] is None for d in data[:-1])


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_hangs_up_stops_the_model(serve, fake_model, stream, caplog):
    served = serve(fake_model)
    fake_model.mode = "endless"
    body = json.dumps({**ASK, "stream": stream}).encode()
    with socket.create_connection(served.url.removeprefix("http://").split(":")) as client:
        client.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )
        while len(fake_model.requests) < 2:  # the health check, then this one
            time.sleep(0.01)
        time.sleep(0.2)
    assert fake_model.hung_up.wait(15)
    time.sleep(0.3)
    assert not [r for r in caplog.records if r.levelname == "ERROR"]


def test_a_hang_up_during_a_checked_silence_stops_the_model_too(serve, fake_model):
    served = serve(fake_model)
    fake_model.mode = "endless"
    with httpx.stream(
        "POST", f"{served.url}/v1/chat/completions", json={**MATH, "stream": True}, timeout=30
    ) as response:
        next(response.iter_lines())
        time.sleep(0.2)
    assert fake_model.hung_up.wait(15)


@pytest.mark.parametrize(
    ("change", "status", "code", "param"),
    [
        ({"model": "gpt-4"}, 404, "model_not_found", "model"),
        ({"messages": []}, 400, "invalid_value", "messages"),
        ({"messages": [{"role": "user", "content": " "}]}, 400, "invalid_value", None),
        ({"messages": [{"role": "user", "content": "x" * 300_000}]}, 400, "invalid_value", None),
        ({"tools": []}, 400, "invalid_value", "tools"),
        ({"n": 0}, 400, "invalid_value", "n"),
        ({"n": True}, 400, "invalid_value", "n"),
        ({"temperature": "0.5"}, 400, "invalid_value", "temperature"),
        ({"functions": []}, 400, "unsupported_parameter", "functions"),
        ({"audio": {"voice": "x"}}, 400, "unsupported_parameter", "audio"),
        ({"store": True}, 400, "invalid_value", "store"),
        ({"top_k": 3}, 400, "unsupported_parameter", "top_k"),
        ({"top_logprobs": 3}, 400, "invalid_value", None),
        ({"tool_choice": "required"}, 400, "invalid_value", None),
        ({"ockham": {"max_cost": 1}}, 400, "unsupported_parameter", "ockham.max_cost"),
        ({"response_format": {"type": "xml"}}, 400, "invalid_value", "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, 400, "invalid_value", "response_format"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": 3}}}},
            400, "invalid_value", None,
        ),
        ({"temperature": 9}, 400, "invalid_value", "temperature"),
        ({"max_tokens": 1, "max_completion_tokens": 2}, 400, "invalid_value", None),
    ],
)  # fmt: skip
def test_bad_requests_are_named_in_openais_shape(serve, fake_model, change, status, code, param):
    response = post(serve(fake_model), {**ASK, **change})
    assert response.status_code == status
    error = response.json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert error["message"]


SCHEMA = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("form", "said", "verified"),
    [
        ({"type": "json_schema", "json_schema": {"name": "p", "schema": SCHEMA}}, '{"x": 1}', True),
        ({"type": "json_schema", "json_schema": {"schema": SCHEMA}}, '{"x": "1"}', False),
        ({"type": "json_object"}, '{"y": 1}', True),
        ({"type": "json_object"}, "[1]", False),
    ],
)
def test_a_response_format_is_asked_of_the_model_and_checked(
    serve, fake_model, form, said, verified
):
    fake_model.answer = lambda _: said
    body = post(serve(fake_model), {**ASK, "response_format": form}).json()
    assert body["choices"][0]["message"]["content"] == said
    assert body["ockham"]["verified"] is verified
    sent = fake_model.requests[-1]["response_format"]["json_schema"]["schema"]
    assert sent == form.get("json_schema", {}).get("schema", {"type": "object"})


@pytest.mark.parametrize(
    "form",
    [
        {"type": "json_schema", "json_schema": {"name": "p", "schema": SCHEMA}},
        {"type": "json_object"},
    ],
)
def test_a_response_format_reaches_an_arm_that_can_do_it(serve, fake_model, other_fake_model, form):
    other_fake_model.answer = lambda _: '{"x": 1}'
    models = {"large": {
        "tier": "large", "api_base": other_fake_model.api_base, "api_key": "k",
        "can": ["json_schema"], "usd_per_hour": None, "input_usd_per_million": 10,
        "output_usd_per_million": 40,
    }}  # fmt: skip
    served = serve(fake_model, other_fake_model, models=models)
    body = post(served, {**MATH, "response_format": form}).json()
    assert body["ockham"]["route"] == ["large"] and body["ockham"]["verified"] is True
    assert len(fake_model.requests) == 1  # the health check


def test_a_response_format_of_text_asks_for_nothing(serve, fake_model):
    assert post(serve(fake_model), {**ASK, "response_format": {"type": "text"}}).status_code == 200
    assert "response_format" not in fake_model.requests[-1]


def test_not_json_too_large_wrong_type(serve, fake_model):
    served = serve(fake_model)
    url = f"{served.url}/v1/chat/completions"
    kind = {"content-type": "application/json"}
    assert httpx.post(url, content=b"{", headers=kind).status_code == 400
    assert httpx.post(url, content=b"{}").status_code == 415
    assert httpx.post(url, content=b" " * (17 * 2**20), headers=kind).status_code == 413


def test_no_arm_that_runs_is_503(serve, fake_model):
    served = serve(fake_model)
    fake_model.mode = "error"
    response = post(served, ASK)
    assert response.status_code == 503
    assert "small" in response.json()["error"]["message"]


def test_an_answer_cut_at_the_cap_still_streams_whole(serve, fake_model, other_fake_model):
    served = serve(fake_model, other_fake_model)
    fake_model.mode = "length"
    with httpx.stream(
        "POST", f"{served.url}/v1/chat/completions", json={**ASK, "stream": True}
    ) as response:
        _, data, done = sse(response)
    assert done and data[-1]["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    "text",
    ["a < b and c <", "ends in <thi", "secret</think>the answer", "<think>x</think>the answer"],
)
def test_tags_in_text_do_not_break_a_stream(serve, fake_model, text):
    served = serve(fake_model)
    fake_model.answer = lambda _: text
    with httpx.stream(
        "POST", f"{served.url}/v1/chat/completions", json={**ASK, "stream": True}
    ) as response:
        _, data, done = sse(response)
    words = "".join(d["choices"][0]["delta"].get("content", "") for d in data)
    assert done and words.endswith(text.rpartition("</think>")[2])


def test_errors_have_openais_shape_everywhere(serve, fake_model):
    served = serve(fake_model)
    for response in (httpx.get(f"{served.url}/nowhere"), httpx.put(f"{served.url}/v1/models")):
        assert response.status_code in (404, 405)
        assert response.json()["error"]["type"] == "invalid_request_error"


def test_keys(serve, fake_model):
    served = serve(fake_model, gateway={"api_keys": ["right-key"]})
    assert post(served, ASK).status_code == 401
    assert post(served, ASK, headers={"authorization": "Bearer wrong"}).status_code == 401
    assert post(served, ASK, headers={"authorization": "right-key"}).status_code == 401
    assert post(served, ASK, headers={"authorization": "bearer right-key"}).status_code == 200
    assert post(served, ASK, headers={"authorization": "Bearer right-key"}).status_code == 200
    assert httpx.get(f"{served.url}/health").status_code == 200


def test_a_rebound_host_name_is_refused_on_open_loopback(serve, fake_model):
    served = serve(fake_model)
    assert post(served, ASK, headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "gpu.example"])
async def test_off_loopback_it_does_not_start_without_keys(make_router, fake_model, host):
    gateway = Gateway(make_router(fake_model, gateway={"host": host}))
    with pytest.raises(ConfigError, match="gateway.api_keys: at least one key is needed"):
        await gateway.open()
    keyed = make_router(fake_model, gateway={"host": host, "api_keys": ["k"]})
    check_exposure(keyed.settings.gateway, has_keys=False)
    check_exposure(gateway.generation.settings.gateway, has_keys=True)


def test_the_openai_sdk_works_unmodified(serve, fake_model):
    import openai

    fake_model.answer = lambda _: RIGHT
    client = openai.OpenAI(base_url=f"{serve(fake_model).url}/v1", api_key="none", max_retries=0)
    with client:
        done = client.chat.completions.create(**MATH)
        assert done.choices[0].message.content == RIGHT
        parts = client.chat.completions.create(**ASK, stream=True)
        text = "".join(p.choices[0].delta.content or "" for p in parts)
        assert text == RIGHT
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(**{**ASK, "model": "gpt-4"})


@pytest.mark.parametrize(
    ("cores", "own", "processes"),
    [
        (2, {}, 1),
        (1, {}, 0),
        (8, {"gateway": {"workers": 4}}, 0),
        (8, {"signals": {"processes": 3}}, 3),
    ],
)
def test_a_gateway_of_one_worker_places_queries_in_a_process(
    monkeypatch, clean_env, cores, own, processes
):
    monkeypatch.setattr(serving, "cores", lambda: cores)
    assert serving.AppFactory(None, own).settings().signals.processes == processes
