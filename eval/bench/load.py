"""The load tool: wrk, closed loop, keep-alive, a different prompt every time (`load.lua`).

Half of the prompts are sums, which a check can hold, and half ask for a text that nothing checks.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from router.errors import SetupError

__all__ = ["Load", "press", "wrk"]

SCRIPT = Path(__file__).with_name("load.lua")


class Load(NamedTuple):
    """What wrk saw. Milliseconds; `errors`: transport errors and statuses over 399."""

    requests: int
    seconds: float
    p50_ms: float
    p95_ms: float
    errors: int

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def wrk() -> str:
    """The load tool's path. Raises `SetupError` where it is not installed."""
    found = shutil.which("wrk")
    if found is None:
        raise SetupError("wrk is not installed; on Debian: apt install wrk")
    return found


def press(
    url: str,
    connections: int,
    seconds: float,
    *,
    key: str,
    model: str,
    first: int,
    stream: bool = False,
) -> Load:
    """Load an endpoint. `first` numbers the prompts; give each call numbers of its own."""
    command = [wrk(), "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
    told = {"KEY": key, "MODEL": model, "STREAM": str(stream).lower(), "FIRST": str(first)}
    done = subprocess.run(
        [*command, "-s", str(SCRIPT), url],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SetupError(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    said = json.loads(done.stdout.strip().splitlines()[-1])
    return Load(
        requests=said["requests"],
        seconds=said["seconds"],
        p50_ms=said["p50_us"] / 1e3,
        p95_ms=said["p95_us"] / 1e3,
        errors=said["errors"],
    )
