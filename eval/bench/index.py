"""How fast a built index opens and is searched, what memory it takes, and what it misses.

    open        from the folder to an open index; the encoder's loading is its own row
    search      hybrid, 5 passages, embedding the query included; then its parts
    reference   faiss's flat index in memory, and bm25s's own `retrieve` over the same weights,
                on the same queries in the same process, one thread each
    recall@5    of the 5 rows that exact search finds, how many dense search finds

Queries are half generated Factbook questions, half written prompts about anything; none is
embedded twice in a run. A run's figures are the median and the 95th percentile of its queries,
the report's the median of the runs. Memory is read before the references are made.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Measured", "Timed", "bench_index", "measure"]

K = 5
_CHILD = (
    "import sys; from eval.bench.index import measure; "
    "print(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).as_json())"
)
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Timed(NamedTuple):
    """Milliseconds a query: medians over runs."""

    name: str
    p50: float
    p95: float
    cpu_p50: float
    """Of the thread's own processor time, which a busy neighbour does not stretch."""


class Measured(NamedTuple):
    """All that one process found out."""

    size: int
    kind: str
    encoder_s: float
    open_s: float
    first_ms: float
    """The first search after opening."""
    rss_mib: float
    """Of the whole process, encoder and all, after the searches."""
    grown_mib: float
    """Of it: private memory that opening and searching took."""
    disk_mib: float
    recall: float
    same_words: float
    """Share of queries whose BM25 scores are those of bm25s's own retrieval."""
    timed: tuple[Timed, ...]

    def as_json(self) -> str:
        """One line."""
        return json.dumps({**self._asdict(), "timed": [t._asdict() for t in self.timed]})


def bench_index(path: Path, runs: int, queries: int) -> Measured:
    """Measure in a process of its own, on one thread."""
    env = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1")}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path), str(runs), str(queries)],
        env=env, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    return Measured(**{**told, "timed": tuple(Timed(**t) for t in told["timed"])})


def measure(path: str, runs: int, queries: int) -> Measured:
    """What `bench_index` reports, measured in this process."""
    from router.knowledge.index import KnowledgeIndex
    from router.signals.encoder import Encoder

    texts = questions(queries)
    encoder = Encoder(threads=1, cache_entries=0)
    encoder_s = _seconds(lambda: encoder.encode(["Warm."]))
    before = _memory("RssAnon")
    opened: list[KnowledgeIndex] = []
    open_s = _seconds(lambda: opened.append(KnowledgeIndex.open(Path(path), encoder)))
    (index,) = opened
    first = 1e3 * _seconds(lambda: index.search(texts[0], K))
    steps: dict[str, Callable[[str], Any]] = {
        "search": lambda text: index.search(text, K),
        "embedding": lambda text: encoder.encode([text]),
        "dense alone": lambda text: index.search(text, K, mode="dense"),
        "lexical alone": lambda text: index.search(text, K, mode="lexical"),
    }
    timed = _timed(steps, texts, runs)
    rss, grown = _memory("VmRSS"), _memory("RssAnon") - before
    rows = encoder.encode(texts)
    bare = _References(index, rows)
    places = {text: i for i, text in enumerate(texts)}
    timed += _timed(
        {
            "faiss flat": lambda text: bare.flat(places[text]),
            "bm25s retrieve": bare.words,
        },
        texts,
        runs,
    )
    recall, same = bare.agreement(texts)
    files = index.manifest.files.values()
    return Measured(
        index.size, bare.kind, encoder_s, open_s, first, rss, grown,
        sum(f.bytes for f in files) / (1 << 20), recall, same, tuple(timed),
    )  # fmt: skip


def questions(count: int) -> list[str]:
    """Distinct questions, half about the Factbook, half about anything."""
    from eval.fit.prompts import HELDOUT, read_prompts
    from eval.knowledge.questions import draw, generate

    asked = [q.prompt for q in draw(generate(), count)]
    written = [p.query.text for p in read_prompts(HELDOUT) if len(p.query.text) <= 300]
    mixed = [t for pair in zip(asked, written, strict=False) for t in pair]
    return list(dict.fromkeys([*mixed, *asked]))[:count]


class _References:
    """The libraries by themselves, over the same arrays."""

    def __init__(self, index: Any, rows: NDArray[np.float32]) -> None:
        import faiss
        from bm25s import BM25

        self.index, self.rows = index, rows
        files = index._files
        self.kind = str(files.dense._kind)
        faiss.omp_set_num_threads(1)
        self._flat = faiss.IndexFlatIP(files.dense._vectors.shape[1])
        self._flat.add(files.dense._vectors)
        held = files.lexical
        self._bm25 = BM25()
        self._bm25.scores = {
            "data": held._weights, "indices": held._rows, "indptr": held._starts,
            "num_docs": index.size,
        }  # fmt: skip
        self._bm25.nonoccurrence_array = None
        self._terms = held._terms

    def flat(self, place: int) -> list[int]:
        """The exact nearest rows."""
        rows: list[int] = self._flat.search(self.rows[place][None], K)[1][0].tolist()
        return rows

    def words(self, text: str) -> list[float]:
        """bm25s's best scores."""
        from router.knowledge.words import terms

        entries = [self._terms.find(term.encode()) for term in terms(text)]
        ids = [e for e in entries if e is not None]
        if not ids:
            return []
        scores, _ = self._bm25._get_top_k_results(ids, k=K, sorted=True)
        return [float(s) for s in scores if s > 0]

    def agreement(self, texts: Sequence[str]) -> tuple[float, float]:
        """recall@K of dense search, and how often BM25's scores are the same."""
        files, found, same = self.index._files, 0, 0
        for place, text in enumerate(texts):
            rows, _ = files.dense.search(self.rows[place], K)
            found += len(set(rows.tolist()) & set(self.flat(place)))
            _, scores = files.lexical.search(text, K)
            theirs = self.words(text)
            same += len(scores) == len(theirs) and np.allclose(scores, theirs, rtol=1e-4)
        return found / (K * len(texts)), same / len(texts)


def _timed(steps: dict[str, Callable[[str], Any]], texts: Sequence[str], runs: int) -> list[Timed]:
    """Each step over all texts, the steps in turn, so that a busy neighbour slows them alike."""
    for step in steps.values():
        step(texts[-1])
    held: dict[str, list[NDArray[np.float64]]] = {name: [] for name in steps}
    for _ in range(runs):
        for name, step in steps.items():
            held[name].append(np.array([_both(step, text) for text in texts]))
    return [
        Timed(name, _middle(made, 0, 50), _middle(made, 0, 95), _middle(made, 1, 50))
        for name, made in held.items()
    ]


def _both(step: Callable[[str], Any], text: str) -> tuple[float, float]:
    """Wall clock and processor time in milliseconds."""
    started, used = time.perf_counter(), time.thread_time()
    step(text)
    return 1e3 * (time.perf_counter() - started), 1e3 * (time.thread_time() - used)


def _middle(made: Sequence[NDArray[np.float64]], column: int, percent: int) -> float:
    return statistics.median(float(np.percentile(run[:, column], percent)) for run in made)


def _seconds(step: Callable[..., Any]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def _memory(name: str) -> float:
    """MiB of this process, as Linux counts them."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return float("nan")
