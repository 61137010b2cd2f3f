"""`ockham bench fuzz`: schemathesis on the OpenAPI document of a running gateway.

Its cases are made from the document, right and wrong ones. Held: no 5xx, and every status, header
and body is one that the document promises.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from eval.bench.servers import KEY, ockham_config, ockham_serve
from eval.bench.upstream import UpstreamProcess
from router.errors import SetupError

__all__ = ["Fuzzed", "bench_fuzz"]

_HOOKS = Path(__file__).with_name("fuzz_hooks.py")
_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)


class Fuzzed(NamedTuple):
    """What came of it."""

    cases: int
    passed: bool
    statuses: Mapping[str, int]
    """Answers by path and status."""
    told: str
    """What schemathesis printed."""


def bench_fuzz(cases: int, seed: int = 0) -> Fuzzed:
    """Run at least so many cases, spread over the operations. Raises `SetupError`."""
    with (
        tempfile.TemporaryDirectory(prefix="ockham-fuzz-") as held,
        UpstreamProcess() as upstream,
    ):
        folder = Path(held)
        config = ockham_config(upstream, folder)
        with ockham_serve(config, folder) as server:
            document = httpx.get(f"{server.url}/openapi.json", timeout=30).json()
            each = max(1, -(-cases // max(1, _operations(document))))
            return _run(server.url, each, seed, folder)


def _operations(document: Any) -> int:
    return sum(len(operations) for operations in document["paths"].values())


def _run(url: str, each: int, seed: int, folder: Path) -> Fuzzed:
    tool = Path(sys.executable).with_name("schemathesis")
    if not tool.is_file():
        raise SetupError("schemathesis is not installed; run `make setup`")
    command = [str(tool), "run", f"{url}/openapi.json", "--no-color", "--checks", _CHECKS]
    command += ["--phases", "coverage,fuzzing", "--max-examples", str(each), "--seed", str(seed)]
    command += ["--header", f"Authorization: Bearer {KEY}", "--request-timeout", "60"]
    command += ["--suppress-health-check", "all", "--continue-on-failure", "--no-shrink"]
    counted = folder / "statuses.json"
    hooks = {"SCHEMATHESIS_HOOKS": str(_HOOKS), "FUZZ_STATUSES": str(counted)}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, check=False, env=os.environ | hooks
    )
    found = re.search(r"([\d,]+) generated", done.stdout)
    cases = int(found[1].replace(",", "")) if found else 0
    statuses = json.loads(counted.read_text(encoding="utf-8")) if counted.is_file() else {}
    return Fuzzed(cases, done.returncode == 0, statuses, done.stdout + done.stderr)
