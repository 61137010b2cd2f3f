"""The gateways that benches load: `ockham serve`, and LiteLLM's proxy as the reference.

Each is a process with one worker, in front of the same fake upstream. LiteLLM's proxy lives in an
environment of its own (`make setup-litellm-proxy`, or `OCKHAM_LITELLM_PYTHON`).
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from eval.bench.upstream import UpstreamProcess
from router.errors import SetupError
from router.models.launcher import free_port

__all__ = ["KEY", "Gateway", "litellm_proxy", "litellm_python", "ockham_config", "ockham_serve"]

KEY = "sk-bench-0123456789abcdef"
_ROOT = Path(__file__).parents[2]
START_S = 300.0


class Gateway:
    """A server process that is ready. `close` ends it as a service manager would (SIGTERM)."""

    def __init__(
        self, command: Sequence[str], port: int, log: Path, ready: str, env: Mapping[str, str]
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        self._command = tuple(command)
        self._file = log.open("ab")
        try:
            self.process = subprocess.Popen(
                command, stdout=self._file, stderr=subprocess.STDOUT, env=dict(env), cwd=log.parent
            )
        except OSError:
            self._file.close()
            raise
        try:
            self._wait(ready)
        except BaseException:
            self.kill()
            raise

    def _wait(self, ready: str) -> None:
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                if httpx.get(self.url + ready, timeout=2).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        raise SetupError(f"{' '.join(self._command[:4])} did not start:\n{self.told()}")

    def told(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def cpu_seconds(self) -> float:
        """CPU time of the process and its children so far: what a neighbour cannot slow."""
        import psutil

        parent = psutil.Process(self.process.pid)
        times = [p.cpu_times() for p in (parent, *parent.children(recursive=True))]
        return float(sum(t.user + t.system for t in times))

    def kill(self) -> None:
        """SIGKILL, no goodbye."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """SIGTERM, and SIGKILL where that does not end it in 20 s."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


def litellm_python() -> Path:
    """The interpreter that has LiteLLM's proxy. Raises `SetupError` where there is none."""
    named = os.environ.get("OCKHAM_LITELLM_PYTHON")
    path = Path(named) if named else _ROOT / ".venv-litellm-proxy/bin/python"
    if not path.is_file():
        raise SetupError(f"no LiteLLM proxy: {path} is missing; run `make setup-litellm-proxy`")
    return path


def litellm_proxy(upstream: UpstreamProcess, folder: Path) -> Gateway:
    """LiteLLM's proxy: one worker, master key, no database, its production switches on."""
    python, port = litellm_python(), free_port()
    params = {
        "model": "openai/fake-large",
        "api_base": upstream.api_base,
        "api_key": "none",
        "input_cost_per_token": upstream.input_nano / 1e9,
        "output_cost_per_token": upstream.output_nano / 1e9,
    }
    config = folder / "litellm.yaml"
    body = {
        "model_list": [{"model_name": "fake-large", "litellm_params": params}],
        "general_settings": {"master_key": KEY},
    }
    config.write_text(json.dumps(body), encoding="utf-8")  # JSON is YAML
    command = [str(python.parent / "litellm"), "--config", str(config), "--num_workers", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
    mode = {"LITELLM_MODE": "PRODUCTION", "LITELLM_LOG": "ERROR", "NO_DOCS": "True"}
    local = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return Gateway(
        command, port, folder / "litellm.log", "/health/liveliness", {**kept, **mode, **local}
    )


def ockham_config(
    upstream: UpstreamProcess, folder: Path, **more: Mapping[str, Any]
) -> dict[str, Any]:
    """A configuration with both tiers on the fake upstream. `more` replaces whole sections."""
    served = {
        "model": "openai/fake-large",
        "api_base": upstream.api_base,
        "api_key": "none",
        "context_tokens": 32768,
        **upstream.prices,
    }
    return {
        "models": {
            "small": {**served, "usd_per_hour": None, "languages": None},
            "large": served,
        },
        # No index: what it costs has a bench of its own.
        "knowledge": {"path": str(folder / "no-index")},
        "gateway": {"api_keys": [KEY]},
        # Not the caller's own: a soak leaves forty thousand rows.
        "ledger": {"url": f"sqlite:///{folder}/ledger.sqlite"},
        **more,
    }


def ockham_serve(
    config: Mapping[str, Any], folder: Path, *, name: str = "ockham", counts: Path | None = None
) -> Gateway:
    """`ockham serve` with a configuration; with `counts`, behind `eval.bench.counted`."""
    port, file = free_port(), folder / f"{name}.yaml"
    file.write_text(json.dumps(config), encoding="utf-8")
    module = (
        ["-m", "eval.bench.counted", str(counts)]
        if counts
        else ["-c", "from router.cli import main; main()"]
    )
    command = [sys.executable, *module, "serve", "--config", str(file), "--port", str(port)]
    # It runs in its folder, so that no ockham.yaml of the caller's is read.
    paths = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    local = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONPATH": paths}
    return Gateway(command, port, folder / f"{name}.log", "/ready", {**os.environ, **local})
