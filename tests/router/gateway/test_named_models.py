"""A request for a model by its name is passed through: to the letter, at once, and booked."""

import httpx
import pytest

from .test_app import MATH, RIGHT, post, sse

CODE = "Write a function that sorts."
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "person", "strict": True,
        "schema": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    },
}  # fmt: skip


def named(text, **more):
    return {"model": "small", "messages": [{"role": "user", "content": text}], **more}


@pytest.mark.parametrize("text", [MATH["messages"][0]["content"], CODE])
def test_the_messages_and_parameters_are_the_clients(serve, fake_model, text):
    served = serve(fake_model)
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "name": "ada", "content": [{"type": "text", "text": text}]},
    ]
    own = {"temperature": 0.3, "top_p": 0.9, "seed": 7, "user": "me", "presence_penalty": 0.5,
           "max_tokens": 50}  # fmt: skip
    asked = {**named(text, **own), "stop": ["END"], "messages": turns}
    body = post(served, asked).raise_for_status().json()
    sent = fake_model.requests[-1]
    assert sent["messages"] == turns
    assert {name: sent[name] for name in own} == own
    assert sent["stop"][0] == "END", "before those that the model's own template ends with"
    extra = body["ockham"]
    assert extra["route"] == ["small"] and extra["cost_usd"] > 0
    assert extra["verdict"] == {"kind": "none", "status": "unchecked", "passed": None}
    kept = httpx.get(f"{served.url}/ockham/traces/{extra['trace_id']}").raise_for_status().json()
    assert kept["ending"] == "answered"


def test_the_same_question_to_the_router_or_an_arm_keeps_the_arms_words(serve, fake_model, index):
    served = serve(fake_model, index=index)
    fake_model.answer = lambda _: RIGHT
    post(served, MATH).raise_for_status()
    assert "boxed" in fake_model.requests[-1]["messages"][0]["content"]
    post(served, {**MATH, "model": "small+index"})
    assert "Thimphu" in str(fake_model.requests[-1]["messages"])


@pytest.mark.parametrize("form", [None, SCHEMA])
def test_every_word_streams_at_once(serve, fake_model, form):
    served = serve(fake_model)
    body = named("What is 12 * 7?", stream=True, stream_options={"include_usage": True})
    body |= {"response_format": form} if form else {}
    with httpx.stream("POST", f"{served.url}/v1/chat/completions", json=body) as response:
        comments, data, done = sse(response)
    words = [d["choices"][0]["delta"].get("content") for d in data if d["choices"]]
    assert done and [w for w in words if w] == ["Hello", " from", " the", " fake", " model."]
    (extra,) = [d["ockham"] for d in data if "ockham" in d]
    status = "unparsed" if form else "unchecked"
    assert extra["verdict"]["status"] == status and f"verdict small {status}" in comments
    assert extra["verdict"]["kind"] == ("format" if form else "none")


def test_a_schema_reaches_the_model_as_it_came(serve, fake_model):
    served = serve(fake_model)
    fake_model.answer = lambda _: '{"a": 1}'
    body = post(served, named("Who?", response_format=SCHEMA)).raise_for_status().json()
    assert fake_model.requests[-1]["response_format"] == SCHEMA
    assert body["ockham"]["verified"] is True
    json_object = {"type": "json_object"}
    post(served, named("Who?", response_format=json_object)).raise_for_status()
    assert fake_model.requests[-1]["response_format"] == json_object
    flat = {"type": "json_schema", **SCHEMA["json_schema"]}
    asked = {"model": "small", "input": "Who?", "text": {"format": flat}, "user": "me"}
    httpx.post(f"{served.url}/v1/responses", json=asked, timeout=30).raise_for_status()
    sent = fake_model.requests[-1]
    assert (sent["response_format"], sent["user"]) == (SCHEMA, "me")


def test_another_models_ability_refuses_no_named_one(serve, fake_model, other_fake_model):
    able = {"large": {"tier": "large", "api_base": other_fake_model.api_base, "api_key": "k",
                      "usd_per_hour": 1, "can": ["json_schema"]}}  # fmt: skip
    served = serve(fake_model, other_fake_model, models=able)
    body = post(served, named("Who?", response_format=SCHEMA)).raise_for_status().json()
    assert body["ockham"]["route"] == ["small"]
    assert fake_model.requests[-1]["response_format"] == SCHEMA


@pytest.mark.parametrize("model", ["small", "ockham/auto"])
def test_a_cap_that_is_lowered_is_told(serve, fake_model, model):
    served = serve(fake_model)
    asked = {**named("Hello there!", max_tokens=9000), "model": model}
    note = post(served, asked).raise_for_status().json()["ockham"]["note"]
    assert fake_model.requests[-1]["max_tokens"] == 384
    assert note.endswith("9000 tokens were asked for: 384 are the most that small may write")
    within = post(served, {**asked, "max_tokens": 20}).json()["ockham"]["note"]
    assert "asked for" not in within
    schemas = httpx.get(f"{served.url}/openapi.json").json()["components"]["schemas"]
    assert "configuration" in str(schemas["ChatRequest"]["properties"]["max_tokens"])
