"""A real `ockham serve`, pointed at fake hosted models."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

OCKHAM = (sys.executable, "-c", "from router.cli import main; main()")


class GatewayProcess:
    """`ockham serve --port 0` with a configuration file; its `url`, its log."""

    def __init__(self, folder: Path, config: Mapping[str, Any], *args: str) -> None:
        self.config = folder / "gateway.yaml"
        self.write(config)
        env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [*OCKHAM, "serve", "--port", "0", "--config", str(self.config), *args],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, cwd=folder,
        )  # fmt: skip
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.url = self._address()
        except BaseException:
            self.stop()
            raise

    def write(self, config: Mapping[str, Any]) -> None:
        """Put another configuration in the file (JSON is YAML)."""
        self.config.write_text(json.dumps(config), encoding="utf-8")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def _address(self) -> str:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            for line in list(self.lines):
                found = re.search(r"http://[\d.]+:(\d+)", line)
                if found and "running on" in line:
                    return found[0]
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError("the gateway did not start:\n" + "\n".join(self.lines))

    @property
    def log(self) -> str:
        """All that it has printed so far."""
        return "\n".join(self.lines)

    def wait_ready(self, timeout_s: float = 120) -> None:
        """Until /ready says so."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/ready", timeout=10).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError("the gateway is not ready:\n" + self.log)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def stop(self, timeout_s: float = 60) -> int:
        """SIGTERM; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(5)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return self.process.returncode


def fake_models(small: str, large: str | None = None, **more: Any) -> dict[str, Any]:
    """The `models` section for fakes at these base URLs, with stated prices."""

    def one(url: str, price: float) -> dict[str, Any]:
        return {
            "api_base": url, "api_key": "fake-key", "usd_per_hour": None,
            "input_usd_per_million": price, "output_usd_per_million": 4 * price,
            "context_tokens": 8192, "max_tokens": 512, **more,
        }  # fmt: skip

    models = {"small": one(small, 1.0)}
    if large is not None:
        models["large"] = one(large, 10.0)
    return models
