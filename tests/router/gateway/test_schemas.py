"""Schemas of clients: counted before anything follows them, and checked off the event loop."""

import threading
import time

import httpx
import pytest

from router import InputError
from router.gateway.body import parse
from router.gateway.chat_schema import ChatRequest
from router.gateway.errors import Refused
from router.gateway.responses_schema import ResponsesRequest
from router.gateway.schemas import MAX_CHARS, MAX_VALUES, SchemaChecker, check_size

ASK = {"model": "ockham/auto", "messages": [{"role": "user", "content": "Hello there!"}]}
ASKED = {"model": "ockham/auto", "input": "Hello there!"}


def wide(count):
    """An object of so many properties: three values each, with their names five."""
    fields = {f"property_{i}": {"type": "string", "title": f"Title {i}"} for i in range(count)}
    return {"type": "object", "properties": fields}


def formed(schema):
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def tool(schema, name="f"):
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def flat(schema):
    return {"type": "function", "name": "f", "parameters": schema}


@pytest.fixture
def checker():
    made = SchemaChecker()
    yield made
    made.close()


HUGE = wide(60_000)


@pytest.mark.parametrize(
    ("model", "body", "param"),
    [
        (
            ChatRequest, {**ASK, "response_format": formed(HUGE)},
            "response_format.json_schema.schema",
        ),
        (ChatRequest, {**ASK, "tools": [tool(HUGE)]}, "tools"),
        (ChatRequest, {**ASK, "tools": [tool(wide(5000), f"f{i}") for i in range(4)]}, "tools"),
        (
            ResponsesRequest,
            {**ASKED, "text": {"format": {"type": "json_schema", "name": "a", "schema": HUGE}}},
            "text.format.schema",
        ),
        (ResponsesRequest, {**ASKED, "tools": [flat(HUGE)]}, "tools"),
    ],
)  # fmt: skip
def test_a_body_whose_schemas_are_too_large_is_refused_by_counting(model, body, param):
    with pytest.raises(Refused, match=f"at most {MAX_VALUES} JSON values") as told:
        parse(model, body)
    assert (told.value.status, told.value.param) == (400, param)


def test_schemas_that_openai_takes_are_small_enough():
    big = wide(5000)
    big["required"] = list(big["properties"])
    assert parse(ChatRequest, {**ASK, "response_format": formed(big), "tools": [tool(big)]})


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": ["x" * (MAX_CHARS + 1)]},
        {"properties": {"x" * (MAX_CHARS + 1): True}},
        {"allOf": [{}] * MAX_VALUES},
        {"required": ["x"] * MAX_VALUES},
        {"const": {str(i): i for i in range(MAX_VALUES)}},
    ],
)
def test_names_texts_and_lists_count_too(schema):
    with pytest.raises(ValueError, match="in schemas"):
        check_size([schema])


async def test_a_schema_that_is_not_small_is_checked_in_another_process(checker, monkeypatch):
    here = threading.Event()
    monkeypatch.setattr("jsonschema.validators.validator_for", lambda *_, **__: here.set())
    assert await checker.check(wide(200), "response_format") > 0
    assert not here.is_set()


async def test_a_large_schema_that_is_wrong_is_named(checker):
    wrong = {**wide(200), "required": "all"}
    with pytest.raises(InputError, match=r"^text\.format: The schema is wrong at \$\.required"):
        await checker.check(wrong, "text.format")


async def test_a_check_that_never_ends_is_stopped(checker, monkeypatch):
    monkeypatch.setattr("router.gateway.schemas.SECONDS", 0.05)
    mixed = [{"a": i} if i % 2 else i for i in range(20_000)]
    slow = {"$schema": "http://json-schema.org/draft-04/schema#", "enum": mixed}
    with pytest.raises(InputError, match=r"within 0\.05 s: send a smaller one"):
        await checker.check(slow, "response_format")


def test_a_gateway_refuses_a_huge_schema_and_stays_awake(serve, fake_model):
    served = serve(fake_model)
    bodies = {
        "/v1/chat/completions": {**ASK, "response_format": formed(HUGE)},
        "/ockham/route": {**ASK, "response_format": formed(HUGE)},
    }
    for path, body in bodies.items():
        response = httpx.post(f"{served.url}{path}", json=body, timeout=60)
        assert response.status_code == 400
        assert response.json()["error"]["param"] == "response_format.json_schema.schema"
    assert len(fake_model.requests) == 1  # the health check


def test_other_requests_are_answered_while_a_schema_is_checked(serve, fake_model, monkeypatch):
    served = serve(fake_model)
    mixed = [{"a": i} if i % 2 else i for i in range(20_000)]
    slow = {"$schema": "http://json-schema.org/draft-04/schema#", "enum": mixed}
    told = []
    url = f"{served.url}/v1/chat/completions"
    body = {**ASK, "response_format": formed(slow)}
    asking = threading.Thread(target=lambda: told.append(httpx.post(url, json=body, timeout=60)))
    asking.start()
    while not served.gateway.schemas.started:
        assert asking.is_alive()
        time.sleep(0.01)
    healthy = httpx.get(f"{served.url}/health", timeout=60).status_code
    assert (healthy, told) == (200, []), "the schema is still being checked"
    asking.join()
    assert told[0].status_code == 400 and "send a smaller one" in told[0].text
    assert len(fake_model.requests) == 1  # the health check


@pytest.mark.parametrize("dialect", [[], {}, 3, None])
def test_a_dialect_that_is_no_text_is_the_clients_mistake(serve, fake_model, dialect):
    body = {**ASK, "response_format": formed({"$schema": dialect})}
    response = httpx.post(f"{serve(fake_model).url}/v1/chat/completions", json=body, timeout=30)
    assert response.status_code == 400 and "$schema" in response.json()["error"]["message"]
