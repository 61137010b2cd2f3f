"""How fast a query is placed: one decision, batches, memory, and the event loop meanwhile.

    decision    tokenise, embed, score, explain: `Featuriser.judge` of one query, cache off
    reference   the same texts through sentence-transformers on torch: `encode([text])` alone
    peer        the same texts through Aurelio's `semantic-router` (its package), its encoder
                being the same model on torch
    cached      a decision on a message seen before

Each number of threads runs in its own process. The three are timed in turn on blocks of
queries, so that a busy neighbour slows them alike; a run's figure is the median (and the 99th
percentile) of its queries, and the report's figure the median of the runs. Queries are the
written prompts up to `SHORT` characters, or all single-turn ones.

What this does not do: time loading (`ockham bench import`, and `load_s` here), or a GPU.
"""

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from router.state import Message, Query

__all__ = ["Memory", "Timed", "axes_agree", "bench_signals", "loop_lag", "memory"]

SHORT = 120
_BLOCK = 20
_BATCH = 256
_CHILD = (
    "import sys; from eval.bench.signals import _child; "
    "_child(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))"
)
_MIB = 1 << 20


class Timed(NamedTuple):
    """One row of the report; milliseconds, or texts a second where the name says so."""

    threads: int
    name: str
    p50: float
    p99: float
    batch_per_s: float | None


class Memory(NamedTuple):
    """Resident memory in MiB after some queries."""

    queries: int
    mib: float


def bench_signals(threads: Sequence[int], runs: int, queries: int) -> list[Timed]:
    """All rows, each number of threads in its own process."""
    rows: list[Timed] = []
    for count in threads:
        env = {**os.environ, "OMP_NUM_THREADS": str(count), "OPENBLAS_NUM_THREADS": str(count)}
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, str(count), str(runs), str(queries)],
            env=env, capture_output=True, text=True, check=True,
        )  # fmt: skip
        rows += [Timed(*row) for row in json.loads(done.stdout.splitlines()[-1])]
    return rows


def texts(count: int, longest: int = SHORT) -> list[str]:
    """Written single-turn prompts up to a length, repeated in order up to `count`."""
    from eval.fit.prompts import HELDOUT, read_prompts

    found = [p.query.text for p in read_prompts(HELDOUT) if len(p.query.messages) == 1]
    kept = [t for t in found if len(t) <= longest]
    return [kept[i % len(kept)] for i in range(count)]


def memory(queries: int) -> list[Memory]:
    """Resident memory along `queries` different queries, in this process."""
    from router.signals import Featuriser

    featuriser, made = Featuriser(), texts(1_000, longest=10_000)
    marks = {queries // 10, queries // 4, queries // 2, queries}
    out: list[Memory] = []
    for i in range(queries):
        featuriser.judge([_query(f"{made[i % len(made)]} ({i})")])  # never cached
        if i + 1 in marks:
            out.append(Memory(i + 1, _resident() / _MIB))
    return out


def loop_lag(queries: int) -> tuple[float, float]:
    """(longest, median) ms that the event loop was late while queries were classified."""
    from router.signals import Featuriser
    from router.signals.aside import ThreadedSignals

    featuriser = Featuriser()
    featuriser.load()
    return asyncio.run(_lag(ThreadedSignals(featuriser), texts(queries)))


def axes_agree() -> dict[str, tuple[float, float]]:
    """AUROC on the held-out prompts of the shipped rows, and of exact ones from torch."""
    from eval.fit.prompts import HELDOUT, read_prompts
    from eval.metrics.calibration import auroc
    from router.signals import Encoder
    from router.signals.head import AXES, load_head
    from router.signals.inputs import Inputs

    prompts, head = read_prompts(HELDOUT), load_head()
    scores = [
        head(Inputs(encoder).rows([p.query for p in prompts]).matrix).axes
        for encoder in (Encoder(), Encoder(backend="torch"))
    ]
    out = {}
    for column, axis in enumerate(AXES):
        truth = np.array([getattr(p, axis) for p in prompts])
        ours, exact = (auroc(s[:, column].astype(np.float64), truth) for s in scores)
        out[axis] = (ours, exact)
    return out


def _child(threads: int, runs: int, queries: int) -> None:
    """Run in a process of its own; prints one JSON line."""
    import torch

    torch.set_num_threads(threads)
    asked = texts(queries)
    ways = _ways(threads)
    for way in ways.values():
        for text in asked[:_BLOCK]:
            way(text)  # warm
    seconds: dict[str, list[list[float]]] = {name: [] for name in ways}
    for _ in range(runs):
        for name in ways:
            seconds[name].append([])
        for start in range(0, len(asked), _BLOCK):
            for name, way in ways.items():
                seconds[name][-1] += [_timed(way, t) for t in asked[start : start + _BLOCK]]
    batches = _batches(threads, runs)
    rows = [
        Timed(
            threads,
            name,
            statistics.median(float(np.percentile(run, 50)) for run in taken) * 1e3,
            statistics.median(float(np.percentile(run, 99)) for run in taken) * 1e3,
            batches.get(name),
        )
        for name, taken in seconds.items()
    ]
    print(json.dumps(rows))  # noqa: T201  the parent reads it


def _ways(threads: int) -> dict[str, Callable[[str], Any]]:
    from router.signals import Encoder, Featuriser

    fresh = Featuriser(Encoder(threads=threads, cache_entries=0))
    kept = Featuriser(Encoder(threads=threads))
    torch_model = _sentence_transformer()
    return {
        "decision": lambda text: fresh.judge([_query(text)]),
        "sentence-transformers, embed only": lambda text: torch_model.encode(
            [text], show_progress_bar=False
        ),
        "semantic-router, same model on torch": _peer(torch_model),
        "decision, seen before": lambda text: kept.judge([_query(text)]),
    }


def _peer(torch_model: Any) -> Callable[[str], Any]:
    from semantic_router import IndexedRouter, Route
    from semantic_router.encoders import DenseEncoder

    from eval.fit.zero_shot import ROUTES

    class Same(DenseEncoder):  # type: ignore[misc]  # the package is not followed
        def __call__(self, docs: list[Any]) -> list[list[float]]:
            rows = torch_model.encode([str(d) for d in docs], show_progress_bar=False)
            made: list[list[float]] = rows.tolist()
            return made

    routes = [Route(name=name, utterances=list(said)) for name, (_, said) in ROUTES.items()]
    router = IndexedRouter(Same(name="same"), routes)
    return lambda text: router(text)


def _sentence_transformer() -> Any:
    from sentence_transformers import SentenceTransformer

    from router.paths import data_dir
    from router.signals.weights import unpack

    return SentenceTransformer(str(unpack(data_dir())), device="cpu")


def _batches(threads: int, runs: int) -> dict[str, float]:
    """Texts a second in batches, all lengths: ours and the reference."""
    from router.signals import Encoder, Featuriser

    made = texts(_BATCH, longest=10_000)
    queries, featuriser = [_query(t) for t in made], Featuriser(Encoder(threads=threads))
    torch_model = _sentence_transformer()
    ways: dict[str, Callable[[], Any]] = {
        "decision": lambda: featuriser.judge(queries),
        "sentence-transformers, embed only": lambda: torch_model.encode(
            made, show_progress_bar=False
        ),
    }
    return {name: len(made) / _median_seconds(way, runs) for name, way in ways.items()}


async def _lag(signals: Any, asked: list[str], tick: float = 0.001) -> tuple[float, float]:
    late: list[float] = []
    done = asyncio.Event()

    async def watch() -> None:
        while not done.is_set():
            start = time.perf_counter()
            await asyncio.sleep(tick)
            late.append((time.perf_counter() - start - tick) * 1e3)

    watcher = asyncio.create_task(watch())
    for text in asked:
        await signals.aclassify(_query(text))
    done.set()
    await watcher
    return max(late), statistics.median(late)


def _median_seconds(way: Callable[[], Any], runs: int) -> float:
    return statistics.median(_timed(lambda _: way(), "") for _ in range(runs))


def _timed(way: Callable[[str], Any], text: str) -> float:
    start = time.perf_counter()
    way(text)
    return time.perf_counter() - start


def _query(text: str) -> Query:
    return Query(id="bench", messages=(Message(role="user", content=text),))


def _resident() -> float:
    """Bytes of this process in memory now (Linux), or at its peak elsewhere."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        return float(pages) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * 1024
