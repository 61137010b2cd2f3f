"""`ockham models` with the embedded model: started, answered, ended, and checked."""

import json
import os
import signal
import socket
import subprocess

import httpx
import pytest

from router.config import load_settings
from router.models.pool import Models

from .conftest import OCKHAM
from .test_servers import children, gone, wait_for


def serve(*args):
    """`ockham models serve` until it is ready: the process and what it says."""
    process = subprocess.Popen(
        [*OCKHAM, "models", "serve", "small", "--json", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return process, json.loads(process.stdout.readline() or "{}")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(real_env, how):
    real_env.setenv("OCKHAM_MODELS__SMALL__API_KEY", "key-of-mine")
    process, ready = serve()
    assert ready["kind"] == "embedded" and ready["api_key"] == "key-of-mine"
    (server,) = children(process.pid)
    assert server == ready["pid"]
    ask = {"model": ready["model"], "messages": [{"role": "user", "content": "Hi"}]}
    url = f"{ready['api_base']}/chat/completions"
    assert httpx.post(url, json=ask, timeout=60).status_code == 401
    bearer = {"authorization": "Bearer key-of-mine"}
    body = httpx.post(url, json=ask, headers=bearer, timeout=60).raise_for_status().json()
    assert body["choices"][0]["message"]["content"]
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "no quality result" in said and said.endswith("ended\n")
    wait_for(lambda: gone(server), 10)


def test_the_printed_variables_point_ockham_at_it(real_env):
    process, ready = serve()
    real_env.setenv("OCKHAM_MODELS__SMALL__API_BASE", ready["api_base"])
    real_env.setenv("OCKHAM_MODELS__SMALL__API_KEY", ready["api_key"])
    try:
        report = subprocess.run(
            [*OCKHAM, "models", "check", "--json"], capture_output=True, text=True, timeout=120
        )
        body = json.loads(report.stdout)
        assert body["api_base"] == ready["api_base"]
        states = {fact["name"]: fact["state"] for fact in body["facts"]}
        # llama.cpp does not say its context in /v1/models.
        assert {name for name, state in states.items() if state != "ok"} <= {"context"}
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def test_a_server_that_dies_by_itself_ends_the_command(real_env):
    process, ready = serve()
    os.kill(ready["pid"], signal.SIGKILL)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 4
    assert "error: models.small: the server ended; see " in said


def test_killing_the_command_ends_its_server(real_env):
    process, ready = serve()
    process.kill()
    process.communicate(timeout=30)
    wait_for(lambda: gone(ready["pid"]), 10)


def test_a_port_that_is_taken_is_a_reason(real_env):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        process, ready = serve("--port", str(other.getsockname()[1]))
        _, said = process.communicate(timeout=60)
    assert ready == {} and process.returncode == 4
    assert "llama.cpp could not serve" in said and "Traceback" not in said


async def test_auto_starts_what_the_plan_says(real_env):
    real_env.setenv("OCKHAM_MODELS__SMALL__SERVE", "auto")
    models = Models(load_settings())
    try:
        await models.start()
        assert models.why_not("small") is None
        assert models.endpoint("small").temperature == 0.0
        assert models.context_tokens("small") == 2048
    finally:
        models.stop()
