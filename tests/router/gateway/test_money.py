"""Tenants, budgets and rows: what the ledger has of every request, whatever happened to it."""

import json
import socket
import time

import httpx
import pytest

from router.embedding import Embedded
from router.errors import LedgerError
from router.gateway.connection import Connection
from router.gateway.errors import budget_told, out_of_budget
from router.ledger import reads, tenants
from router.ledger.booking import Booking
from router.ledger.story import story
from router.ledger.tenants import Tenant

ASK = {"model": "ockham/auto", "messages": [{"role": "user", "content": "Hello there!"}]}


def post(served, body=ASK, key=None, path="/v1/chat/completions", **headers):
    headers |= {"authorization": f"Bearer {key}"} if key else {}
    return httpx.post(f"{served.url}{path}", json=body, headers=headers, timeout=30)


def get(served, path, key=None):
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.get(f"{served.url}{path}", headers=headers, timeout=30)


def tenant_with_key(served, name, **settings):
    """A new tenant's key. From now on the gateway asks for keys."""

    def make(connection):
        tenants.add_tenant(connection, Tenant(name, **settings))
        return tenants.create_key(connection, name, "test")[0]

    key = served.gateway.ledger.run(make)
    served.gateway._keys._has_keys = (0.0, False)
    return key


def rows(served):
    """All requests of the ledger, the first first."""
    from router.ledger.reads import list_requests

    return served.gateway.ledger.read(list_requests)[::-1]


def test_one_row_a_request_whatever_happened(serve, fake_model):
    served = serve(fake_model)
    assert post(served).status_code == 200
    assert post(served, {**ASK, "model": "gpt-4"}).status_code == 404
    assert post(served, {**ASK, "n": 0}).status_code == 400
    assert post(served, {**ASK, "stream": True}).text.endswith("data: [DONE]\n\n")
    fake_model.mode = "error"
    assert post(served).status_code == 503
    for _ in range(100):
        kept = rows(served)
        if len(kept) == 5 and all(row["ending"] for row in kept):
            break
        time.sleep(0.05)
    assert [row["ending"] for row in kept] == [
        "answered", "refused", "refused", "answered", "failed",
    ]  # fmt: skip
    assert [row["http_status"] for row in kept] == [200, 404, 400, 200, 503]
    assert kept[0]["cost_usd"] > 0 and kept[3]["stream"]
    assert kept[3]["first_token_seconds"] > 0
    assert kept[1]["error"] == "model_not_found"


async def free_vectors(texts, model, *, dimensions, purse):
    """Fake of the encoder: it reserves nothing."""
    vectors = tuple((0.5, 0.5) for _ in texts)
    return Embedded(model=model, vectors=vectors, tokens=1, cost_usd=0, basis="reported", seconds=0)


def test_nobody_is_told_anything_before_the_row_is_committed(serve, fake_model, monkeypatch):
    """A replica that is killed right after it answered leaves a row for the sweep to find."""
    served = serve(fake_model)
    rich = tenant_with_key(served, "rich")
    poor = tenant_with_key(served, "poor", daily_usd=0.0)
    seen = []
    send = Connection._send

    async def look_first(self, message):
        if message["type"] == "http.response.start":
            there = [row for row in rows(served) if row["id"] == self.id]
            seen.append((message["status"], len(there), there and there[0]["ending"]))
        await send(self, message)

    monkeypatch.setattr(Connection, "_send", look_first)
    monkeypatch.setattr(served.gateway.router, "aembed", free_vectors)
    post(served, key=rich)
    post(served, {**ASK, "model": "gpt-4"}, key=rich)
    post(served, key=poor)
    post(served, {"model": "ockham/embed", "input": "Hi"}, key=rich, path="/v1/embeddings")
    post(served, key="nobody")
    # One row each, not yet closed; a stranger leaves none.
    assert seen == [(200, 1, None), (404, 1, None), (429, 1, None), (200, 1, None), (401, 0, [])]
    _closed(served, 4)
    embedded = rows(served)[-1]
    assert (embedded["endpoint"], embedded["model"]) == ("embeddings", "ockham/embed")
    assert embedded["prompt_tokens"] == 1


def test_a_refusal_is_told_while_the_ledger_is_away(serve, fake_model, monkeypatch):
    served = serve(fake_model)
    assert post(served).status_code == 200

    async def away(self):
        raise LedgerError("the ledger is away")

    monkeypatch.setattr(Booking, "begin", away)
    monkeypatch.setattr(served.gateway.router, "aembed", free_vectors)
    assert post(served, {**ASK, "model": "gpt-4"}).status_code == 404
    answer = post(served, {"model": "ockham/embed", "input": "Hi"}, path="/v1/embeddings")
    assert answer.status_code == 503, "an answer waits for its row"


def test_a_client_that_leaves_is_cancelled_and_settled(serve, fake_model):
    served = serve(fake_model)
    fake_model.mode = "endless"
    body = json.dumps({**ASK, "stream": True}).encode()
    with socket.create_connection(served.url.removeprefix("http://").split(":")) as client:
        client.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )
        client.recv(4096)
    assert fake_model.hung_up.wait(15)
    for _ in range(200):
        kept = rows(served)
        if kept and kept[0]["ending"]:
            break
        time.sleep(0.05)
    assert (kept[0]["ending"], kept[0]["http_status"]) == ("cancelled", 499)
    told = trace_of(served, kept[0]["id"])
    assert told["route"] == "small" and "small was running when the run broke off" in story(told)
    assert served.gateway.places.running == 0 and not served.gateway.running


def test_a_failed_request_can_be_explained(serve, fake_model):
    served = serve(fake_model)
    assert post(served).status_code == 200
    fake_model.mode = "error"
    failed = post(served)
    assert failed.status_code == 503
    _closed(served, 2)
    told = trace_of(served, failed.headers["x-request-id"])
    assert (told["ending"], told["policy"], told["route"]) == ("failed", "verifiability", "small")
    assert told["fingerprint"] and told["features"] and told["prompt_hash"]
    said = story(told)
    for part in ("verifiability -> small", "attempt 1: small", "error: ", "HTTP 503, no_answer"):
        assert part in said, said
    metrics = get(served, "/metrics").text
    assert 'ockham_upstream_errors_total{arm="small"} 1.0' in metrics


def test_what_no_model_will_serve_is_the_requests_fault(serve, fake_model):
    served = serve(fake_model)
    assert post(served).status_code == 200
    fake_model.mode = "rejected"
    answer = post(served)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "request_rejected")
    fake_model.mode = "overflow"
    answer = post(served)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "context_length_exceeded")
    fake_model.mode = "ok"
    long = {**ASK, "messages": [{"role": "user", "content": "word " * 39_000}]}
    answer = post(served, long)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert answer.json()["error"]["param"] == "messages"
    fake_model.mode = "error"
    assert post(served).status_code == 503, "a server that fails may answer another time"


def trace_of(served, ident):
    return served.gateway.ledger.read(lambda c: reads.trace(c, ident, None))


def _closed(served, count):
    for _ in range(200):
        if sum(1 for row in rows(served) if row["ending"]) >= count:
            return
        time.sleep(0.05)
    pytest.fail("rows stay open")


def test_tenants_cannot_read_each_others_traces(serve, fake_model):
    served = serve(fake_model)
    ours, theirs = tenant_with_key(served, "ours"), tenant_with_key(served, "theirs")
    assert post(served).status_code == 401  # there are keys now, also on loopback
    ident = post(served, key=ours).json()["ockham"]["trace_id"]
    told = get(served, f"/ockham/traces/{ident}", ours).json()
    assert told["tenant"] == "ours" and told["ending"] == "answered"
    assert "Hello there!" not in json.dumps(told)  # the tenant did not say so
    assert get(served, f"/ockham/traces/{ident}", theirs).status_code == 404
    label = {"trace_id": ident, "correct": True}
    assert post(served, label, theirs, "/ockham/feedback").status_code == 404
    assert post(served, label, ours, "/ockham/feedback").json()["source"] == "feedback"
    kept = get(served, f"/ockham/traces/{ident}", ours).json()["labels"]
    assert [(one["source"], one["score"]) for one in kept] == [("feedback", 1.0)]
    assert get(served, "/ockham/status", theirs).json()["tenant"] == "theirs"


def test_out_of_budget_is_openais_429(serve, fake_model):
    served = serve(fake_model)
    key = tenant_with_key(served, "poor", daily_usd=0.0)
    for body in (ASK, {**ASK, "stream": True}):
        response = post(served, body, key)
        assert response.status_code == 429
        assert response.json()["error"]["code"] == "insufficient_quota"
    little = tenant_with_key(served, "little", daily_usd=0.0000001)
    response = post(served, {**ASK, "stream": True}, little)
    assert (response.status_code, response.json()["error"]["type"]) == (429, "insufficient_quota")
    assert len(fake_model.requests) == 1  # the health check


def test_a_budget_below_every_worst_case_promises_no_other_time(serve, fake_model):
    served = serve(fake_model)
    key = tenant_with_key(served, "small", daily_usd=0.001)
    refused = post(served, key=key)
    assert refused.status_code == 429 and "retry-after" not in refused.headers
    error = refused.json()["error"]
    assert error["code"] == "insufficient_quota"
    assert "USD 0.001 of 0.001 a day" in error["message"]
    assert "cheapest arm's worst case (USD 0.00" in error["message"]
    assert "max_tokens" in error["message"] and "ockham tenants set" in error["message"]
    assert "next day" not in error["message"] and "used up" not in error["message"]
    assert post(served, {**ASK, "max_tokens": 10}, key).status_code == 200, "as it said"


DAY = {"limit_usd": 1.0, "spent_usd": 0.0, "reserved_usd": 0.0}
NO_LIMIT = {"limit_usd": None, "spent_usd": 9.0, "reserved_usd": 9.0}


@pytest.mark.parametrize(
    ("day", "needed", "code", "says"),
    [
        ({"spent_usd": 1.0}, 0.5, "insufficient_quota", "used up"),
        ({"spent_usd": 0.7}, 0.5, "insufficient_quota", "(USD 0.3 of 1 a day) does not hold"),
        ({"spent_usd": 0.7}, 0.5, "insufficient_quota", "that of the next day would hold it"),
        ({"reserved_usd": 0.7}, 0.5, "budget_reserved", "try again"),
        ({"reserved_usd": 0.7}, 1.5, "insufficient_quota", "(USD 1.5)"),
        ({"reserved_usd": 0.7}, None, "budget_reserved", "try again"),
        ({}, 0.5, "budget_reserved", "try again"),  # held a moment ago
        ({"limit_usd": 0.0}, None, "insufficient_quota", "have it raised"),
    ],
)
def test_a_refusal_says_what_helps(day, needed, code, says):
    used = {"day": {**DAY, **day}, "month": NO_LIMIT}
    told = budget_told(out_of_budget(), used, needed)
    assert (told.status, told.code) == (429, code) and says in str(told)


def test_a_budget_that_running_requests_hold_is_to_be_tried_again(serve, fake_model):
    served = serve(fake_model)
    fake_model.mode = "endless"
    url, body = f"{served.url}/v1/chat/completions", {**ASK, "max_tokens": 300}
    # 300 tokens at USD 4 a million, once more for a retry, and the prompt: one fits, two do not.
    key = tenant_with_key(served, "little", daily_usd=0.0035)
    signed = {"authorization": f"Bearer {key}"}
    with httpx.stream("POST", url, json={**body, "stream": True}, headers=signed) as running:
        lines = running.iter_lines()
        assert any("content" in line for line in lines)  # its reserve is taken by then
        refused = post(served, body, key)
    assert refused.status_code == 429 and refused.headers["retry-after"] == "1"
    error = refused.json()["error"]
    assert (error["code"], error["type"]) == ("budget_reserved", "rate_limit_exceeded")


def test_rate_limits_have_openais_headers(serve, fake_model):
    served = serve(fake_model)
    key = tenant_with_key(served, "slow", requests_per_minute=1, tokens_per_minute=1000)
    first = post(served, key=key)
    assert first.status_code == 200
    assert first.headers["x-ratelimit-limit-requests"] == "1"
    assert first.headers["x-ratelimit-remaining-tokens"]
    second = post(served, key=key)
    assert second.status_code == 429 and int(second.headers["retry-after"]) > 0
    assert second.json()["error"]["code"] == "rate_limit_exceeded"


def test_overrides_in_headers_and_body(serve, fake_model, other_fake_model):
    served = serve(fake_model, other_fake_model)
    capped = post(served, {**ASK, "ockham": {"max_cost_usd": 0}})
    assert capped.status_code == 400, "it is the caller's own bound, and no later try helps"
    assert "max_cost_usd" in capped.json()["error"]["message"]
    late = post(served, **{"x-ockham-max-latency-s": "1e-9"})
    assert (late.status_code, late.json()["error"]["code"]) == (408, "request_timeout")
    large = post(served, **{"x-ockham-policy": "always-large"})
    assert large.headers["x-ockham-route"] == "large"
    assert large.json()["ockham"]["policy"].startswith("always-large@")
    assert post(served, **{"x-ockham-max-cost-usd": "nan"}).status_code == 400
    assert post(served, {**ASK, "ockham": {"policy": "no/such.json"}}).status_code == 400
    only = post(served, {**ASK, "model": "large"})
    assert only.headers["x-ockham-route"] == "large"


def test_a_dry_run_spends_nothing(serve, fake_model):
    served = serve(fake_model)
    told = post(served, ASK, path="/ockham/route").json()
    assert told["choice"] == "small" and told["reasons"]
    schema = httpx.get(f"{served.url}/openapi.json").json()["components"]["schemas"]["RouteAnswer"]
    assert set(schema["required"]) == set(schema["properties"]) == set(told)
    assert len(fake_model.requests) == 1 and rows(served) == []


TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
FORM = {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}}


@pytest.mark.parametrize(
    ("more", "choice"),
    [
        ({"max_tokens": 20, "stop": ["END"], "seed": 3, "temperature": 0.5, "user": "me"}, "small"),
        ({"tools": TOOLS, "tool_choice": "auto"}, "large"),
        ({"n": 2}, "large"),
        ({"logprobs": True, "top_logprobs": 2}, "large"),
        ({"response_format": FORM}, "large"),
        ({"stream": True, "stream_options": {"include_usage": True}}, "small"),
        ({"model": "large", "metadata": {"a": "b"}}, "large"),
    ],
)
def test_a_dry_run_takes_what_chat_takes_and_decides_alike(
    serve, fake_model, other_fake_model, more, choice
):
    models = {"large": {
        "tier": "large", "api_base": other_fake_model.api_base, "api_key": "k",
        "can": ["tools", "n", "logprobs", "json_schema"], "usd_per_hour": None,
        "input_usd_per_million": 10, "output_usd_per_million": 40,
    }}  # fmt: skip
    served = serve(fake_model, other_fake_model, models=models)
    body = {**ASK, "messages": [{"role": "user", "content": "What is 12 * 7?"}], **more}
    dry = post(served, body, path="/ockham/route").raise_for_status()
    assert dry.json()["choice"] == choice
    assert len(fake_model.requests) == len(other_fake_model.requests) == 1  # the health checks
    assert rows(served) == []
    wet = post(served, body).raise_for_status()
    assert wet.headers["x-ockham-route"].split(",")[0] == choice


def test_a_dry_run_needs_no_model_name_and_refuses_what_chat_refuses(serve, fake_model):
    served = serve(fake_model)
    unnamed = {"messages": ASK["messages"]}
    assert post(served, unnamed, path="/ockham/route").json()["choice"] == "small"
    for wrong in ({"audio": {"voice": "x"}}, {"n": 0}, {"stream_options": {}}, {"max_steps": 1}):
        dry = post(served, {**ASK, **wrong}, path="/ockham/route")
        wet = post(served, {**ASK, **wrong})
        assert dry.status_code == wet.status_code == 400 and dry.json() == wet.json()


def test_a_dry_run_weighs_what_the_budget_has_left(serve, fake_model):
    served = serve(fake_model)
    key = tenant_with_key(served, "poor", daily_usd=1e-7)
    told = post(served, ASK, key, "/ockham/route").raise_for_status().json()
    assert told["choice"] is None
    assert told["arms"]["small"]["over_budget"]
    assert "what the budget has left" in told["arms"]["small"]["why_not"]
    assert rows(served) == []


@pytest.mark.parametrize("stream", [True, False])
def test_a_full_queue_says_when_to_come_again(serve, fake_model, stream):
    served = serve(fake_model, gateway={"max_concurrent": 1, "max_queue": 0})
    fake_model.mode = "endless"
    with httpx.stream(
        "POST", f"{served.url}/v1/chat/completions", json={**ASK, "stream": True}, timeout=30
    ) as running:
        lines = running.iter_lines()
        next(lines)
        refused = post(served, {**ASK, "stream": stream})
        assert refused.status_code == 429 and refused.headers["retry-after"]
        assert refused.json()["error"]["code"] == "queue_full"


def test_who_asks_for_anothers_running_request_is_told_nothing_of_it(serve, fake_model):
    served = serve(fake_model)
    ours, theirs = tenant_with_key(served, "ours"), tenant_with_key(served, "theirs")
    fake_model.mode = "endless"
    signed = {"authorization": f"Bearer {ours}"}
    url = f"{served.url}/v1/chat/completions"
    with httpx.stream("POST", url, json={**ASK, "stream": True}, headers=signed) as running:
        ident = running.headers["x-ockham-trace-id"]
        told = get(served, f"/ockham/traces/{ident}", theirs)
    assert (told.status_code, told.json()["error"]["code"]) == (404, "trace_not_found")
