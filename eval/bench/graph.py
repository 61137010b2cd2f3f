"""How long a query takes outside its model calls, and where that time goes.

One run answers `queries` questions through the real graph, signals, LiteLLM client and
verifiers; only the model is a fake on loopback that answers at once. The reference, in
the same run, is a bare LangGraph loop of the same shape whose nodes do nothing, and the
bare LiteLLM call.

Not measured: retrieval (it has its own bench), and a real model's speed.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypedDict

from eval.bench.fake_model import FakeModel
from router.config import Settings, load_settings
from router.facade import Router
from router.models.client import complete
from router.state import Answer

__all__ = ["Row", "bench_graph"]

QUESTIONS = ("What is 12 * 7?", "Tell me something nice.", "How many legs do 3 cats have?")
REPLY = "3 * 4 = 12\n\nThe answer is \\boxed{12}."


class Row(NamedTuple):
    """One line of the report: medians over runs, in milliseconds a query."""

    name: str
    median_ms: float
    low_ms: float
    high_ms: float


def bench_graph(runs: int, queries: int) -> list[Row]:
    """Measure. Medians over `runs`; low and high are the fastest and the slowest run."""
    return asyncio.run(_measure(runs, queries))


async def _measure(runs: int, queries: int) -> list[Row]:
    fake = FakeModel(lambda _: REPLY)
    try:
        async with Router(_settings(fake), policy="always-small") as router:
            await _answers(router, 3)
            found: dict[str, list[float]] = {}
            for _ in range(runs):
                for name, value in (await _one_run(router, queries)).items():
                    found.setdefault(name, []).append(value)
    finally:
        fake.close()
    return [
        Row(name, 1e3 * statistics.median(v), 1e3 * min(v), 1e3 * max(v))
        for name, v in found.items()
    ]


def _settings(fake: FakeModel) -> Settings:
    small = {"api_base": fake.api_base, "input_usd_per_million": 0, "output_usd_per_million": 0}
    return load_settings(
        models={"small": {**small, "usd_per_hour": None}},
        arms={"small": {"model": "small"}, "small+index": {"model": "small"}},
    )


async def _one_run(router: Router, queries: int) -> dict[str, float]:
    answers = await _answers(router, queries)
    traces = [a.trace for a in answers]
    nodes = {
        node: _mean([sum(s.seconds for s in t.steps if s.node == node) for t in traces])
        for node in ("classify", "decide", "act", "verify")
    }
    model = _mean([t.model_seconds for t in traces])
    total = _mean([t.seconds for t in traces])
    return {
        "outside model calls, all": total - model,
        "  classify (encoder and heads)": nodes["classify"],
        "  decide (policy, twice)": nodes["decide"],
        "  act, without the model call": nodes["act"] - model,
        "  verify": nodes["verify"],
        "  graph, streams and the rest": total - sum(nodes.values()),
        "reference: LangGraph, empty nodes": await _empty_graph(queries),
        "reference: the LiteLLM call alone": await _bare_call(router, queries),
    }


async def _answers(router: Router, queries: int) -> list[Answer]:
    return [await router.aask(QUESTIONS[i % len(QUESTIONS)]) for i in range(queries)]


class _Empty(TypedDict, total=False):
    rounds: int


async def _empty_graph(queries: int) -> float:
    """Mean seconds of a graph of the same shape that does nothing."""
    from langgraph.graph import END, START, StateGraph

    async def node(state: _Empty) -> _Empty:
        return {"rounds": state.get("rounds", 0) + 1}

    graph: Any = StateGraph(_Empty)
    for name in ("classify", "decide", "act", "verify"):
        graph.add_node(name, node)
    graph.add_edge(START, "classify")
    graph.add_edge("classify", "decide")
    graph.add_conditional_edges("decide", lambda s: "act" if s["rounds"] < 4 else END)
    graph.add_edge("act", "verify")
    graph.add_edge("verify", "decide")
    compiled = graph.compile()

    async def run() -> None:
        async for _ in compiled.astream({"rounds": 0}, stream_mode=["custom", "values"]):
            pass

    return await _timed(run, queries)


async def _bare_call(router: Router, queries: int) -> float:
    endpoint = router.models.endpoint("small")

    async def run() -> None:
        await complete(endpoint, [{"role": "user", "content": "Hi"}], max_tokens=16, timeout_s=30)

    return await _timed(run, queries)


async def _timed(work: Callable[[], Awaitable[None]], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        await work()
    return (time.perf_counter() - start) / times


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values)
