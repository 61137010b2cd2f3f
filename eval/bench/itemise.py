"""`ockham bench gateway --itemise`: where one request's CPU time goes, stage by stage.

The gateway runs in this process, under uvicorn on asyncio's own loop; the load tool is wrk with
one connection. CPU time is measured a thread, without a profiler. That of the event loop's thread
is then divided among the packages that spent it, in the proportions that a second, profiled load
shows (cProfile; a builtin's time goes to its callers). Other threads do one thing each.

What this does not do: name waiting. A wall-clock figure is in `ockham bench gateway`.
"""

import asyncio
import cProfile
import json
import pstats
import tempfile
import threading
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from eval.bench.load import press
from eval.bench.servers import KEY, ockham_config
from eval.bench.upstream import UpstreamProcess
from router.models.launcher import free_port

__all__ = ["STAGES", "Stage", "itemise", "show", "stage_of"]

SECONDS = 6.0


class Stage(NamedTuple):
    """A stage, the CPU milliseconds of one request in it, and what it would take to remove."""

    name: str
    cpu_ms: float
    removal: str


STAGES: dict[str, tuple[tuple[str, ...], str]] = {
    "HTTP": (
        ("uvicorn", "httptools", "h11", "starlette", "anyio"),
        "a server in compiled code (granian, nginx unit); uvloop, used in service, is not in here",
    ),
    "gateway: auth, limits, queue, body, response": (
        ("router/gateway", "limits", "orjson", "pydantic", "router/telemetry", "prometheus_client"),
        "answer from a template for plain requests; nothing big is left",
    ),
    "ledger": (
        ("router/ledger", "sqlalchemy", "sqlite3", "psycopg", "alembic"),
        "hand-written SQL instead of SQLAlchemy's; open and reserve in one operation",
    ),
    "featurise": (
        ("router/signals", "onnxruntime", "tokenizers", "py3langid"),
        "a smaller encoder, or a CPU with VNNI; in service a process of its own",
    ),
    "graph: LangGraph": (
        ("langgraph", "langchain_core", "langsmith", "router/graph.py", "router/facade.py"),
        "a plain loop over the same nodes, or nodes that are fused: each superstep is 0.4 ms",
    ),
    "policy and its cases": (
        ("policies/", "router/cases.py", "numpy", "router/arms/bounds.py", "router/bounds.py"),
        "a compiled rule for batches of one",
    ),
    "LiteLLM and its client": (
        ("litellm", "openai", "httpx", "httpcore", "aiohttp", "router/models", "tiktoken", "yarl",
         "multidict", "certifi", "typing_extensions", "propcache"),
        "our own client for OpenAI's form: the bar asks for LiteLLM",
    ),
    "arms": (("router/arms", "router/samples.py", "router/purse.py", "router/paying.py"), "little"),
    "verify": (("router/verify", "sympy", "math_verify"), "little: sums are checked in 0.5 ms"),
    "records": (("router/state.py", "router/answer.py"), "little"),
    "event loop": (("asyncio/", "selectors", "concurrent", "contextvars", "threading"),
                   "uvloop, which service uses; fewer tasks and thread hops a request"),
}  # fmt: skip
OTHER = "other"
THREADS = {
    "ockham-ledger": "ledger",
    "encode": "featurise",
    "asyncio": "LiteLLM and its client",
}
"""Which stage a thread works for, by the start of its name. LiteLLM prepares each call in asyncio's
common threads; nothing else of such a request runs there."""


def stage_of(file: str) -> str:
    """The stage that a source file belongs to. Our own folders first: `router/x` is no package."""
    path = file.replace("\\", "/")
    place = path.rsplit("site-packages/", 1)[-1]
    for name, (parts, _) in STAGES.items():
        for part in parts:
            if place.startswith(part) or (part.startswith(("router/", "policies/", "asyncio/"))
                                          and f"/{part}" in path):  # fmt: skip
                return name
    return next((n for n, (parts, _) in STAGES.items() if path.rsplit("/", 1)[-1][:-3] in parts),
                OTHER)  # fmt: skip


def itemise(runs: int) -> list[Stage]:
    """CPU milliseconds by stage, the largest first; `runs` loads are measured."""
    return asyncio.run(_measure(runs))


async def _measure(runs: int) -> list[Stage]:
    import uvicorn

    from router.config import load_settings
    from router.facade import Router
    from router.gateway.app import create_app

    with tempfile.TemporaryDirectory() as held, UpstreamProcess() as upstream:
        folder = Path(held)
        made = ockham_config(upstream, folder)
        app = create_app(Router(load_settings(**made)))
        port = free_port()
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False))
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.05)
            if serving.done():
                serving.result()
        try:
            return await _itemised(f"http://127.0.0.1:{port}/v1/chat/completions", runs)
        finally:
            server.should_exit = True
            await serving


async def _itemised(url: str, runs: int) -> list[Stage]:
    first = 0

    async def load(seconds: float) -> int:
        nonlocal first
        first += 100_000
        done = await asyncio.to_thread(
            press, url, 1, seconds, key=KEY, model="ockham/auto", first=first
        )
        return done.requests

    await load(4)
    before, requests = _threads(), 0
    for _ in range(runs):
        requests += await load(SECONDS)
    after = _threads()
    profile = cProfile.Profile()
    profile.enable()
    await load(SECONDS)
    profile.disable()
    shares = _shares(profile)
    loop = threading.get_native_id()
    spent: defaultdict[str, float] = defaultdict(float)
    for ident, (name, seconds) in after.items():
        used = seconds - before.get(ident, ("", 0.0))[1]
        if ident == loop:
            for stage, share in shares.items():
                spent[stage] += used * share
        else:
            stages = (stage for start, stage in THREADS.items() if name.startswith(start))
            spent[next(stages, OTHER)] += used
    removal = {name: what for name, (_, what) in STAGES.items()}
    return [
        Stage(name, 1e3 * seconds / max(1, requests), removal.get(name, ""))
        for name, seconds in sorted(spent.items(), key=lambda item: -item[1])
    ]


def _threads() -> dict[int, tuple[str, float]]:
    """Name and CPU seconds of each thread, by the system's id."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    return {
        t.id: (names.get(t.id, "native"), t.user_time + t.system_time)
        for t in psutil.Process().threads()
    }


def _shares(profile: cProfile.Profile) -> dict[str, float]:
    """The share of each stage in the profiled CPU time; waiting (`poll`) is left out."""
    stats: Any = pstats.Stats(profile)
    spent: Counter[str] = Counter()
    for (file, _, function), (_, _, own, _, callers) in stats.stats.items():
        if file != "~":
            spent[stage_of(file)] += own
        elif "poll" not in function and "lock" not in function:
            for (caller, _, _), (_, _, part, _) in callers.items():
                spent[stage_of(caller) if caller != "~" else OTHER] += part
    whole = sum(spent.values()) or 1.0
    return {stage: seconds / whole for stage, seconds in spent.items()}


def show(stages: list[Stage], as_json: bool) -> str:
    """The table as text, or as JSON."""
    if as_json:
        return json.dumps([stage._asdict() for stage in stages]) + "\n"
    total = sum(stage.cpu_ms for stage in stages)
    lines = [f"CPU of one request, one connection: {total:.2f} ms"]
    lines += [f"{s.cpu_ms:7.2f} ms  {s.cpu_ms / total:4.0%}  {s.name:46} {s.removal}"
              for s in stages]  # fmt: skip
    return "\n".join(lines) + "\n"
