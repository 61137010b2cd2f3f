"""Signals and workers of a real `ockham serve`, and rates that two of them count in one Redis."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from eval.bench.fake_model import FakeModel
from router.config import load_settings
from router.ledger import tenants
from router.ledger.ledger import Ledger
from router.ledger.tenants import Tenant
from router.models.launcher import free_port
from router.paths import data_dir

from .gateway_process import GatewayProcess, fake_models

ASK = {"model": "ockham/auto", "messages": [{"role": "user", "content": "Hello there!"}]}


@pytest.fixture
def fake():
    model = FakeModel()
    yield model
    model.hung_up.set()
    model.close()


@pytest.fixture
def config(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(data_dir()))
    return {
        "models": fake_models(fake.api_base, fake.api_base),
        "ledger": {"url": f"sqlite:///{tmp_path}/ledger.sqlite"},
        "gateway": {"drain_s": 20},
    }


def ask(served, **kwargs):
    return httpx.post(f"{served.url}/v1/chat/completions", json=ASK, timeout=60, **kwargs)


def ask_and_leave(served, seconds):
    with suppress(httpx.TimeoutException):
        httpx.post(f"{served.url}/v1/chat/completions", json=ASK, timeout=seconds)


def test_it_drains_and_reloads(config, tmp_path, fake):
    served = GatewayProcess(tmp_path, config)
    try:
        served.wait_ready()
        served.write({**config, "policy": {"name": "no-such-policy"}})
        served.signal(signal.SIGHUP)
        _until(lambda: "was not reloaded" in served.log and "no-such-policy" in served.log)
        served.write({**config, "policy": {"name": "always-large"}})
        served.signal(signal.SIGHUP)
        _until(lambda: ask(served).headers["x-ockham-route"] == "large")
        fake.mode = "slow"
        answers = []
        asking = threading.Thread(target=lambda: answers.append(ask(served)))
        before = len(fake.requests)
        asking.start()
        _until(lambda: len(fake.requests) > before)
        served.signal(signal.SIGTERM)
        asking.join(60)
        assert answers[0].status_code == 200
        served.process.wait(60)
    finally:
        served.stop()
    with Ledger.open(load_settings(ledger=config["ledger"])) as ledger:
        from router.ledger.reads import list_requests

        assert {row["ending"] for row in ledger.read(list_requests)} == {"answered"}


def test_two_workers_count_rates_in_one_redis(config, tmp_path):
    port = free_port()
    redis = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    with Ledger.open(load_settings(ledger=config["ledger"])) as ledger:
        who = Tenant("slow", requests_per_minute=3)
        ledger.run(lambda c: tenants.add_tenant(c, who))
        key, _ = ledger.run(lambda c: tenants.create_key(c, "slow", "test"))
    config["gateway"] = {"rate_limit_url": f"redis://127.0.0.1:{port}/0", "workers": 2}
    served = GatewayProcess(tmp_path, config)
    try:
        served.wait_ready()
        signed = {"authorization": f"Bearer {key}"}
        statuses = [ask(served, headers=signed).status_code for _ in range(8)]
        assert statuses.count(200) == 3 and statuses.count(429) == 5
        assert "gateway.rate_limit_url" not in served.log
    finally:
        served.stop()
        redis.terminate()
        redis.wait(10)


def test_whichever_worker_is_asked_tells_the_counts_of_all(config, tmp_path, fake):
    config["gateway"] |= {"workers": 2}
    config["telemetry"] = {"metrics_open": True}
    before = _folders()
    served = GatewayProcess(tmp_path, config)
    try:
        served.wait_ready()
        workers = set()
        while len(workers) < 2:
            ask(served)
            workers |= {child.pid for child in psutil.Process(served.process.pid).children()
                        if "spawn_main" in " ".join(child.cmdline())}  # fmt: skip
        for _ in range(18):
            ask(served)
        counts = [told(served, "ockham_requests_total", ending="answered") for _ in range(20)]
        assert set(counts) == {counts[0]} and counts[0] >= 19
        fake.mode = "endless"
        asking = threading.Thread(target=ask_and_leave, args=[served, 15])
        asking.start()
        _until(lambda: [told(served, "ockham_in_flight") for _ in range(6)] == [1] * 6)
        asking.join()
        fake.mode = "ok"
        _until(lambda: [told(served, "ockham_in_flight") for _ in range(6)] == [0] * 6)
        os.kill(min(workers), signal.SIGKILL)
        _until(lambda: "died" in served.log)
        served.wait_ready()
        assert ask(served).status_code == 200
        assert told(served, "ockham_requests_total", ending="answered") == counts[0] + 1
    finally:
        served.stop()
    assert _folders() == before


def _folders():
    return set(Path(tempfile.gettempdir()).glob("ockham-metrics-*"))


def told(served, name, **labels):
    """The sum of a metric over the labels that are not named."""
    text = httpx.get(f"{served.url}/metrics", timeout=60).text
    return sum(
        s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
        if s.name == name and labels.items() <= s.labels.items()
    )


def _until(holds, most_s=60):
    deadline = time.monotonic() + most_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
