"""`ockham bench gateway`: Ockham's gateway beside LiteLLM's proxy.

Both have one worker, stand in front of the same fake upstream, and are loaded by the same tool
with the same prompts, in turn, so that a busy neighbour slows them alike. Ockham routes, runs its
checks and books every request in its ledger (SQLite); the proxy has a master key and no database.

    overhead    p50 with one connection, less the upstream's own p50 in the same run
    cpu_ms      CPU time of the server's processes a request: hardly moved by the machine's load
"""

import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from eval.bench.load import Load, press, wrk
from eval.bench.servers import KEY, Gateway, litellm_proxy, ockham_config, ockham_serve
from eval.bench.upstream import UpstreamProcess

__all__ = ["Measured", "Row", "bench_gateway", "overhead_ms", "speedup"]

CHAT = "/v1/chat/completions"
ONE, MANY = 1, 32


class Row(NamedTuple):
    """One server at one number of connections: medians over the runs."""

    server: str
    connections: int
    p50_ms: float
    p95_ms: float
    per_second: float
    cpu_ms: float | None
    requests: int
    """All runs together."""
    errors: int


class Measured(NamedTuple):
    """The rows, and what shows that each request took the whole way."""

    rows: list[Row]
    graph_runs: int
    litellm_calls: int
    upstream_calls: int
    """Those of the Ockham runs."""
    acknowledged: int
    """Requests that the load tool saw answered by Ockham, warm-up included."""


class _Target(NamedTuple):
    name: str
    url: str
    model: str
    server: Gateway | None


def bench_gateway(
    runs: int, seconds: float, *, stream: bool = False, reference: bool = True
) -> Measured:
    """Measure. `seconds` is the length of one run of one server at one number of connections.

    Raises:
        SetupError: wrk or the reference's environment is missing.
    """
    wrk()
    with (
        tempfile.TemporaryDirectory(prefix="ockham-bench-") as held,
        UpstreamProcess() as upstream,
    ):
        folder = Path(held)
        counts = folder / "counts.json"
        ockham = ockham_serve(ockham_config(upstream, folder), folder, counts=counts)
        targets = [
            _Target("fake upstream alone", upstream.api_base.removesuffix("/v1"), "fake", None),
            _Target("ockham", ockham.url, "ockham/auto", ockham),
        ]
        served = 0
        try:
            if reference:
                proxy = litellm_proxy(upstream, folder)
                targets.insert(1, _Target("LiteLLM proxy", proxy.url, "fake-large", proxy))

            def called() -> int:
                return upstream.served().get("requests", 0)

            loads, served = _press_all(targets, runs, seconds, stream, called)
        finally:
            for target in targets:
                if target.server is not None:
                    target.server.close()
        told = json.loads(counts.read_text(encoding="utf-8"))
    rows = [_row(name, connections, found) for (name, connections), found in loads.items()]
    return Measured(
        rows,
        graph_runs=told.get("graph", 0),
        litellm_calls=told.get("litellm", 0),
        upstream_calls=served,
        acknowledged=sum(load.requests for load, _ in _flat(loads, "ockham")),
    )


_Loads = dict[tuple[str, int], list[tuple[Load, float | None]]]


def _press_all(
    targets: Sequence[_Target], runs: int, seconds: float, stream: bool, called: Callable[[], int]
) -> tuple[_Loads, int]:
    """All runs, the servers in turn; run 0 is the warm-up. Also Ockham's upstream calls."""
    found: _Loads = {}
    served, first = 0, 100_000
    for run in range(runs + 1):
        for connections in (ONE, MANY):
            for target in targets:
                first += 100_000
                before, busy = called(), _cpu(target)
                load = press(
                    target.url + CHAT, connections, seconds if run else 2,
                    key=KEY, model=target.model, first=first, stream=stream,
                )  # fmt: skip
                used = None if busy is None else (_cpu(target) or 0.0) - busy
                calls = called() - before
                name = target.name if run else f"warm-up {target.name}"
                # Also of requests that the end of the load cut off.
                each = None if used is None else 1e3 * used / max(1, calls)
                found.setdefault((name, connections), []).append((load, each))
                served += calls if target.name == "ockham" else 0
    return found, served


def _cpu(target: _Target) -> float | None:
    return None if target.server is None else target.server.cpu_seconds()


def _flat(loads: _Loads, name: str) -> list[tuple[Load, float | None]]:
    """All runs of a server, its warm-up too."""
    return [one for (who, _), found in loads.items() if who.endswith(name) for one in found]


def _row(name: str, connections: int, found: Sequence[tuple[Load, float | None]]) -> Row:
    loads = [load for load, _ in found]
    cpu = [each for _, each in found if each is not None]
    return Row(
        name,
        connections,
        p50_ms=statistics.median(load.p50_ms for load in loads),
        p95_ms=statistics.median(load.p95_ms for load in loads),
        per_second=statistics.median(load.per_second for load in loads),
        cpu_ms=statistics.median(cpu) if cpu else None,
        requests=sum(load.requests for load in loads),
        errors=sum(load.errors for load in loads),
    )


def _of(measured: Measured, server: str, connections: int) -> Row:
    return next(r for r in measured.rows if (r.server, r.connections) == (server, connections))


def overhead_ms(measured: Measured, server: str) -> float:
    """p50 with one connection over the upstream's own, in milliseconds."""
    alone = _of(measured, "fake upstream alone", ONE)
    return _of(measured, server, ONE).p50_ms - alone.p50_ms


def speedup(measured: Measured, connections: int) -> float:
    """Ockham's requests a second over those of LiteLLM's proxy."""
    ours = _of(measured, "ockham", connections)
    return ours.per_second / _of(measured, "LiteLLM proxy", connections).per_second
