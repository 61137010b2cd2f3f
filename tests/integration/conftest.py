"""Real parts: the embedded model's server, the encoder, the index that `make setup` built."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from router.models.launcher import VllmServer
from router.paths import data_dir

from .postgres import postgres
from .vllm_servers import server_of

__all__ = ["postgres"]

OCKHAM = (sys.executable, "-c", "from router.cli import main; main()")


@pytest.fixture
def real_env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No keys and no settings of the caller's, but the data directory that set-up filled."""
    data = data_dir()
    if not (data / "knowledge").exists():
        pytest.fail(f"no knowledge index in {data}: run `make setup`")
    for name in list(os.environ):
        if name.startswith("OCKHAM_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OCKHAM_DATA_DIR", str(data))
    monkeypatch.setenv("OCKHAM_MODELS__SMALL__THREADS", "1")
    monkeypatch.chdir(tmp_path)
    return monkeypatch


Ockham = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def ockham(real_env: pytest.MonkeyPatch) -> Ockham:
    """`ockham(*args)`: run the command, return what it printed."""

    def run(*args: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run([*OCKHAM, *args], capture_output=True, text=True, timeout=170)
        if check and done.returncode != 0:
            pytest.fail(f"ockham {' '.join(args)} ended with {done.returncode}: {done.stderr}")
        return done

    return run


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, VllmServer]]:
    """Two vLLM servers on CPU, started at the same time; see `make_models.py`."""
    both = {"smollm2": server_of("smollm2", 2048), "tiny-qwen2": server_of("tiny-qwen2", 65_536)}

    async def start() -> None:
        await asyncio.gather(*(server.start() for server in both.values()))

    try:
        asyncio.run(start())
        yield both
    finally:
        for server in both.values():
            server.stop()


@pytest.fixture(scope="session")
def smol(servers: dict[str, VllmServer]) -> VllmServer:
    """Real text, rarely right."""
    return servers["smollm2"]


@pytest.fixture(scope="session")
def tiny(servers: dict[str, VllmServer]) -> VllmServer:
    """Random weights of VibeThinker's class; it hardly ever ends by itself."""
    return servers["tiny-qwen2"]


@pytest.fixture(params=["smollm2", "tiny-qwen2"])
def either(request: pytest.FixtureRequest, servers: dict[str, VllmServer]) -> VllmServer:
    """One after the other."""
    return servers[request.param]


def lines_of(done: "subprocess.CompletedProcess[str]") -> list[dict[str, object]]:
    """The JSON lines of a command's output."""
    return [json.loads(line) for line in done.stdout.splitlines()]
