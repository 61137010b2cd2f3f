"""Start, tell, kill and count the fake upstream (`eval.bench.fake_upstream`), a process."""

import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx

__all__ = ["Charged", "UpstreamProcess", "read_journal"]


class Charged(NamedTuple):
    """What the upstream charged for one request's calls, however they ended."""

    prompt_tokens: int
    completion_tokens: int

    def nano_usd(self, input_nano: int, output_nano: int) -> int:
        """Its price in 1e-9 USD."""
        return self.prompt_tokens * input_nano + self.completion_tokens * output_nano


class UpstreamProcess:
    """The fake upstream as a child process on a port that outlives it.

    Args:
        journal: where each token is put on file; needed to count across `kill`.
    """

    def __init__(
        self,
        journal: Path | None = None,
        *,
        input_nano: int = 1000,
        output_nano: int = 4000,
        seed: int = 0,
    ) -> None:
        self.journal = journal
        self.input_nano = input_nano
        self.output_nano = output_nano
        self._seed = seed
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def api_base(self) -> str:
        """The base URL, with /v1."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def prices(self) -> dict[str, float]:
        """The settings of a model that is served here."""
        return {
            "input_usd_per_million": self.input_nano / 1e3,
            "output_usd_per_million": self.output_nano / 1e3,
        }

    def start(self) -> None:
        """Start it, on the port it had before where it was killed."""
        command = [sys.executable, "-m", "eval.bench.fake_upstream", "--port", str(self.port)]
        command += ["--seed", str(self._seed)]
        command += ["--input-nano-usd", str(self.input_nano)]
        command += ["--output-nano-usd", str(self.output_nano)]
        if self.journal is not None:
            command += ["--journal", str(self.journal)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        if not said.isdigit():
            raise RuntimeError("the fake upstream did not start")
        self.port = int(said)

    def kill(self) -> None:
        """End it at once (SIGKILL); connections break."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def control(self, **body: Any) -> dict[str, int]:
        """Set faults (see `fake_upstream.Upstream.control`); returns the counts."""
        answer = httpx.post(f"http://127.0.0.1:{self.port}/control", json=body, timeout=10)
        answer.raise_for_status()
        counts: dict[str, int] = answer.json()
        return counts

    def served(self) -> dict[str, int]:
        """The counts since it was last started."""
        counts: dict[str, int] = httpx.get(
            f"http://127.0.0.1:{self.port}/control", timeout=10
        ).json()
        return counts

    def charged(self) -> Mapping[str, Charged]:
        """What was charged by request marker, over all its lives. Needs a journal."""
        assert self.journal is not None
        return read_journal(self.journal)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.kill()


def read_journal(path: Path) -> dict[str, Charged]:
    """Sums by marker. A last line that was cut by a kill cannot be: a write is one call."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            marker, prompt, completion = line.split(" ")
            sums[marker][0] += int(prompt)
            sums[marker][1] += int(completion)
    return {marker: Charged(*tokens) for marker, tokens in sums.items()}
