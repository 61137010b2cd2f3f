"""Telemetry of a running gateway: /metrics and its lock, status, logs, traces by OTLP."""

import logging
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import httpx
import pytest

from router.config import load_settings
from router.gateway.parts import Finished, Part
from router.ledger.ledger import Ledger
from router.ledger.money import now, periods_of
from router.ledger.records import Closing, Principal, RequestStart
from router.ledger.tenants import Tenant, add_tenant, set_tenant
from router.purse import Bill
from router.telemetry.logs import access_fields
from router.telemetry.part import TelemetryPart

from ..gateway.conftest import Served, serve  # noqa: TID252
from .conftest import SECRET_ANSWER, SECRET_PROMPT

__all__ = ["Served", "serve"]
ADMIN = "admin-key-0123456789"
KEY = "tenant-key-abcdefgh"


def ask(served, key=None, prompt=SECRET_PROMPT, **headers):
    """One request, once the model has been reached: that takes seconds on a busy machine."""
    until(lambda: httpx.get(f"{served.url}/ready", timeout=30).is_success, 60)
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    body = {"model": "ockham/auto", "messages": [{"role": "user", "content": prompt}]}
    return httpx.post(f"{served.url}/v1/chat/completions", json=body, headers=headers, timeout=30)


def metrics(served, key=None):
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    return httpx.get(f"{served.url}/metrics", headers=headers, timeout=30)


def closed(**own):
    return {"gateway": {"api_keys": [KEY], **own}}


def until(found, seconds=10.0):
    end = time.monotonic() + seconds
    while not found() and time.monotonic() < end:
        time.sleep(0.02)
    assert found()


def test_a_request_is_counted_and_no_text_gets_out(serve, fake_model, caplog):
    fake_model.answer = lambda _: SECRET_ANSWER
    served = serve(fake_model)
    with caplog.at_level(logging.INFO):
        reply = ask(served)
        assert reply.status_code == 200, reply.text
        until(lambda: 'ending="answered"' in metrics(served).text)
    told = metrics(served)
    assert told.headers["content-type"].startswith("text/plain")
    counted = next(x for x in told.text.splitlines() if x.startswith("ockham_requests_total{"))
    for label in ('endpoint="chat"', 'status="200"', 'ending="answered"', 'arm="small"'):
        assert label in counted
    for gauge in ("ockham_in_flight 0.0", "ockham_queue_depth 0.0", "ockham_ledger_backlog",
                  "ockham_tasks"):  # fmt: skip
        assert gauge in told.text
    lines = [r for r in caplog.records if r.name == "ockham.access"]
    assert len(lines) == 1 and lines[0].fields["route"] == ["small"]
    everything = told.text + caplog.text + str([vars(r) for r in caplog.records])
    for hidden in (SECRET_PROMPT, SECRET_ANSWER, "zanzibar", "fake-key"):
        assert hidden not in everything


@pytest.mark.parametrize("key", [None, KEY, "wrong-key-of-some-length"])
def test_metrics_need_the_admin_key_once_there_are_keys(serve, fake_model, key):
    assert metrics(serve(fake_model, **closed(admin_key=ADMIN)), key).status_code == 401


def test_the_admin_key_opens_them_and_a_tenants_never(serve, fake_model):
    assert metrics(serve(fake_model, **closed(admin_key=ADMIN)), ADMIN).status_code == 200
    without = serve(fake_model, **closed())
    assert metrics(without, KEY).status_code == 403
    assert metrics(without).status_code == 401


def test_they_can_be_open_or_off(serve, fake_model):
    assert metrics(serve(fake_model, **closed(), telemetry={"metrics_open": True})).is_success
    off = serve(fake_model, telemetry={"metrics": False})
    assert metrics(off).status_code == 404


def test_alarms_stand_in_the_status(serve, fake_model):
    served = serve(fake_model)
    told = httpx.get(f"{served.url}/ockham/status", timeout=30).json()
    assert told["telemetry"] == {"alarms": []}


def test_keys_and_prompts_are_not_in_the_access_line(ended):
    text = str(access_fields(ended()))
    for hidden in ("key-1", SECRET_PROMPT, SECRET_ANSWER, "zanzibar"):
        assert hidden not in text


class Collector:
    """A collector on loopback that keeps what it is sent."""

    def __init__(self):
        self.got, outer = [], self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                outer.got.append(
                    (self.headers, self.rfile.read(int(self.headers["content-length"])))
                )
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1/traces"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_spans_reach_a_collector_in_the_callers_trace(serve, fake_model):
    fake_model.answer = lambda _: SECRET_ANSWER
    collector = Collector()
    try:
        own = {"otlp_endpoint": collector.url, "otlp_headers": {"x-secret": "s3cret-header"}}
        served = serve(fake_model, telemetry=own)
        trace = "0af7651916cd43dd8448eb211c80319c"
        assert ask(served, traceparent=f"00-{trace}-b7ad6b7169203331-01").status_code == 200
        served.stop()
        until(lambda: collector.got)
        headers, body = collector.got[0]
        assert headers["x-secret"] == "s3cret-header"
        assert bytes.fromhex(trace) in body and b"ockham.classify" in body
        for hidden in (SECRET_PROMPT, SECRET_ANSWER, "zanzibar"):
            assert hidden.encode() not in body
    finally:
        collector.close()


@pytest.mark.parametrize("ends", ["it lasts", "no budget", "a new day"])
async def test_a_budgets_alarm_ends_without_a_further_request(clean_env, monkeypatch, ended, ends):
    with Ledger.open(load_settings()) as ledger:
        ledger.run(lambda c: add_tenant(c, Tenant("acme", daily_usd=1)))
        booking = ledger.book(Principal("acme", "k"), RequestStart("r1", "chat", "m"))
        lease = await booking.reserve("large", 0.8)
        await booking.settle(lease, Bill(0.8, "reported"))
        await booking.close(Closing("failed", 500))
        part, gateway = TelemetryPart(), SimpleNamespace(ledger=ledger)
        monkeypatch.setattr("router.telemetry.part._passed", lambda period, now: 0.1)
        part.finished(Finished(**{**vars(ended()), "model": "m", "policy": None, "query": None}))
        await part.look(gateway)
        assert [alarm.tenant for alarm in part._burning()] == ["acme"]
        await part.look(gateway)
        assert part._burning()
        if ends == "it lasts":
            monkeypatch.setattr("router.telemetry.part._passed", lambda period, now: 0.9)
        elif ends == "no budget":
            ledger.run(lambda c: set_tenant(c, Tenant("acme")))
        else:
            tomorrow = periods_of(now() + timedelta(days=1))
            monkeypatch.setattr("router.ledger.reads.periods_of", lambda _: tomorrow)
        await part.look(gateway)
        assert not part._burning()


class Broken(Part):
    """A part whose promise does not hold."""

    name = "broken"

    @property
    def alarms(self):
        return ("bound broken: 9 of 40",)


def test_another_parts_alarm_is_an_alarm_of_the_bound(serve, fake_model):
    served = serve(fake_model, parts=[TelemetryPart(), Broken()])
    told = httpx.get(f"{served.url}/ockham/status", timeout=30).json()["telemetry"]["alarms"]
    assert [(a["alarm"], a["what"]) for a in told] == [("bound", "bound broken: 9 of 40")]
    until(lambda: 'ockham_alarm{alarm="bound"} 1.0' in metrics(served).text)


def test_the_standard_parts_raise_none(serve, fake_model):
    served = serve(fake_model)
    told = httpx.get(f"{served.url}/ockham/status", timeout=30).json()
    assert told["telemetry"] == {"alarms": []} and "labels" in told
