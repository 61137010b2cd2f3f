"""Real servers: the embedded model's process, and the gateway in front of it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from router.config import load_settings
from router.errors import ModelDied
from router.facade import Router
from router.models.launcher import EmbeddedServer

LONG = "Write a long story about a fox."
OCKHAM = (sys.executable, "-c", "from router.cli import main; main()")


def children(pid):
    """Process ids of the embedded servers that a process started."""
    found = psutil.Process(pid).children()
    return [child.pid for child in found if "llama_server" in " ".join(child.cmdline())]


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(what, seconds=30.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    pytest.fail(f"waited {seconds} s in vain")


def busy(server_base, key):
    """How many slots of llama.cpp are writing."""
    answer = httpx.get(
        server_base.removesuffix("/v1") + "/slots", headers={"authorization": f"Bearer {key}"}
    )
    return sum(slot["is_processing"] for slot in answer.json())


def test_killing_the_model_server_in_the_middle_of_ask(real_env):
    real_env.setenv("OCKHAM_MODELS__SMALL__MAX_TOKENS", "1500")
    ask = subprocess.Popen(
        [*OCKHAM, "ask", "--policy", "always-small", "--stream", LONG],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert ask.stdout.read(5), "it has started to write"
    (server,) = children(ask.pid)
    os.kill(server, signal.SIGKILL)
    _, stderr = ask.communicate(timeout=60)
    assert ask.returncode == 4
    assert "broke off in the middle of its answer" in stderr
    assert "Traceback" not in stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_server_ends_with_whoever_started_it(real_env, how):
    real_env.setenv("OCKHAM_MODELS__SMALL__MAX_TOKENS", "1500")
    ask = subprocess.Popen(
        [*OCKHAM, "ask", "--policy", "always-small", "--stream", LONG],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert ask.stdout.read(5)
    (server,) = children(ask.pid)
    ask.send_signal(how)
    ask.communicate(timeout=60)
    wait_for(lambda: gone(server), 10)
    if how is signal.SIGINT:
        assert ask.returncode == 130


async def test_leaving_a_stream_frees_the_real_model(real_env):
    settings = load_settings(models={"small": {"max_tokens": 1500}})
    async with Router(settings, "always-small") as router:
        endpoint = router.models.endpoint("small")
        events = router.astream(LONG)
        async for event in events:
            if event.kind == "delta":
                break
        assert await asyncio.to_thread(busy, endpoint.api_base, endpoint.api_key) == 1
        await events.aclose()
        await asyncio.sleep(1)
        assert await asyncio.to_thread(busy, endpoint.api_base, endpoint.api_key) == 0


async def test_a_dead_embedded_server_is_started_again(real_env):
    async with Router(load_settings()) as router:
        first = router.models.server_pid("small")
        os.kill(first, signal.SIGKILL)
        await asyncio.sleep(0.3)
        # As a call that broke off does.
        router.models.report("small", time.perf_counter(), ModelDied("broke off"))
        answer = await router.aask("Hello! How are you?")
        assert answer.answer
        assert router.models.server_pid("small") != first


async def test_broken_calls_do_not_stop_an_embedded_server(real_env):
    """Others may be in the middle of their answers."""
    async with Router(load_settings()) as router:
        first = router.models.server_pid("small")
        telling = asyncio.create_task(router.aask(LONG))
        await asyncio.sleep(1)
        for _ in range(router.settings.models["small"].breaks_after):
            router.models.report("small", time.perf_counter(), ModelDied("broke off"))
        assert router.models.why_not("small") == "broke off"
        # Waits for the pause to be over.
        assert (await router.aask("Hello! How are you?")).answer
        assert (await telling).answer
        assert router.models.server_pid("small") == first


@pytest.fixture
def own_server(real_env):
    """A llama.cpp server that somebody else runs, as far as the router can tell."""
    settings = load_settings(models={"small": {"threads": 1}})
    server = EmbeddedServer("somebody-elses", settings.models["small"])
    asyncio.run(server.start())
    yield server
    server.stop()


def test_one_line_points_the_arm_at_any_openai_compatible_server(own_server, real_env):
    real_env.setenv("OCKHAM_MODELS__SMALL__API_BASE", own_server.api_base)
    real_env.setenv("OCKHAM_MODELS__SMALL__API_KEY", own_server.api_key)
    with Router.from_config() as router:
        answer = router.ask("Hello! How are you?")
        assert answer.model == f"hosted_vllm/{own_server.alias}"
        assert router.models.server_pid("small") is None


def test_a_wrong_key_is_a_clear_reason(own_server, real_env):
    real_env.setenv("OCKHAM_MODELS__SMALL__API_BASE", own_server.api_base)
    real_env.setenv("OCKHAM_MODELS__SMALL__API_KEY", "wrong-key-1")
    done = subprocess.run([*OCKHAM, "ask", "Hello!"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 4
    assert "key" in done.stderr and "models.small.api_key" in done.stderr
    assert "wrong-key-1" not in done.stderr


def test_missing_weights_are_a_clear_reason(real_env, tmp_path):
    real_env.setenv("OCKHAM_MODELS__SMALL__GGUF", str(tmp_path / "gone.gguf"))
    done = subprocess.run([*OCKHAM, "ask", "Hello!"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "models.small.gguf: Path does not point to a file" in done.stderr


def test_damaged_weights_are_a_clear_reason(real_env, tmp_path):
    (tmp_path / "half.gguf").write_bytes(b"GGUF" + b"\x00" * 1000)
    real_env.setenv("OCKHAM_MODELS__SMALL__GGUF", str(tmp_path / "half.gguf"))
    done = subprocess.run([*OCKHAM, "ask", "Hello!"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 4
    assert "llama.cpp could not serve" in done.stderr


@pytest.fixture
def gateway(real_env):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    real_env.setenv("OCKHAM_MODELS__SMALL__MAX_TOKENS", "1500")
    process = subprocess.Popen(
        [*OCKHAM, "serve", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    url = f"http://127.0.0.1:{port}"

    def up():
        assert process.poll() is None, process.stderr.read().decode()
        try:
            return httpx.get(f"{url}/health").status_code == 200
        except httpx.ConnectError:
            return False

    wait_for(up, 90)
    yield url, process
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


def test_the_gateway_answers_with_the_real_model(gateway):
    url, _ = gateway
    ask = {"model": "ockham/auto", "messages": [{"role": "user", "content": "What is 2 + 2?"}]}
    body = httpx.post(f"{url}/v1/chat/completions", json=ask, timeout=120).raise_for_status().json()
    assert body["choices"][0]["message"]["content"]
    assert body["model"].endswith("smollm2-135m-instruct.q4_1")
    assert body["ockham"]["cost_usd"] > 0


def cpu_ticks(pid):
    """CPU time of a process so far, in clock ticks."""
    stat = (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
    return int(stat[11]) + int(stat[12])


def test_a_client_that_disconnects_in_mid_stream_stops_the_models_work(gateway):
    url, process = gateway
    (server,) = children(process.pid)
    ask = {
        "model": "ockham/always-small",
        "messages": [{"role": "user", "content": LONG}],
        "stream": True,
    }
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=ask, timeout=60) as response:
        seen = 0
        for line in response.iter_lines():
            seen += "content" in line
            if seen > 3:
                break
        assert '"finish_reason": "stop"' not in json.dumps(line)
    time.sleep(1)
    before = cpu_ticks(server)
    time.sleep(2)
    # A writing model keeps a core busy: 200 ticks in two seconds. An idle one does nothing.
    assert cpu_ticks(server) - before < 40
