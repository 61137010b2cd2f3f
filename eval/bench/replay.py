"""How fast replay decides, how its cost grows with rows, and what a full comparison takes.

    decide    n decisions of a threshold policy through the policy protocol, as replay asks it
              (case, choice, check), beside the bare comparison of the same scores in numpy
    grow      a replay (ask, reveal, ask again, count) of 10^4 .. 10^7 rows, each size in its own
              process: seconds and peak memory
    compare   `replay` of a stored table: all policies that its columns feed, folds, bootstrap

Features are made up for `decide` and `grow` (two columns of uniforms): deciding is what is
measured, not featurising, which `compare` takes from the store.
"""

import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from eval.bench.clock import median_seconds
from eval.features import Features
from eval.play import play
from eval.replay import Plan, replay
from eval.table import Table
from eval.tables import load_set, load_table, pair_of
from policies.case import Arm, Outcome
from policies.threshold import VerifiabilityThreshold

__all__ = ["Decided", "Grown", "compare", "decide", "grow", "made_up"]

SIZES = (10**4, 10**5, 10**6, 10**7)
_CHILD = "import sys; from eval.bench.replay import _child; _child(int(sys.argv[1]))"


class Decided(NamedTuple):
    """Medians over runs, in seconds."""

    rows: int
    policy_s: float
    bare_s: float


class Grown(NamedTuple):
    """One size: medians over runs, in seconds; memory in MiB."""

    rows: int
    play_s: float
    table_mib: float
    peak_mib: float


def made_up(rows: int, seed: int = 0) -> Table:
    """A table of two arms and `rows` queries with random outcomes and axes."""
    rng = np.random.default_rng(seed)
    axes = rng.random((rows, 2), dtype=np.float32)
    nan = np.broadcast_to(np.nan, (rows, 2))
    return Table(
        source="made up",
        benchmark="made up",
        arms=(Arm("small", "small"), Arm("large", "large")),
        benchmarks=(),
        query_id=(),
        cluster=np.arange(rows),
        row_key=rng.integers(0, 2**63, rows, dtype=np.uint64),
        score=(rng.random((rows, 2)) < (0.6, 0.8)).astype(np.float64),
        outcome=np.full((rows, 2), Outcome.ANSWERED, dtype=np.int64),
        passed=nan,
        confidence=nan,
        cost=np.broadcast_to((1e-4, 4e-3), (rows, 2)),
        tokens=np.full((rows, 2), 100),
        agreement=nan,
        logprob=nan,
        logprob_answer=nan,
        certainty=nan,
        checked=False,
        incomplete=0,
        features=Features({"axes": axes}, np.ones(rows, dtype=bool), "made up"),
    )


def decide(rows: int, runs: int) -> Decided:
    """Seconds for `rows` decisions, beside numpy's bare comparison."""
    from eval.table import case_of

    table, policy = made_up(rows), VerifiabilityThreshold(threshold=0.5)
    axes = table.features.blocks["axes"] if table.features else np.zeros((rows, 2))
    cost = np.array([1e-4, 4e-3])

    def ask() -> None:
        cases = case_of(table, cost)
        policy.choose(cases).check(cases)

    def bare() -> None:
        np.where(1.0 - axes[:, 0].astype(np.float64) >= 0.5, 1, 0)

    return Decided(rows, median_seconds(ask, runs), median_seconds(bare, runs))


def grow(runs: int) -> list[Grown]:
    """`play` at every size, a fresh process each so that peaks do not mix."""
    out = []
    for rows in SIZES:
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, f"{rows}", f"{runs}"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        out.append(Grown(rows, *json.loads(done.stdout)))
    return out


def compare(source: str, benchmark: str, runs: int) -> tuple[list[float], int, int]:
    """Seconds of each full replay (5 folds, 1,000 resamples); questions; policies replayed."""
    data = load_set(source)
    table = load_table(data, pair_of(data, None), benchmark, "|contaminated")
    seconds, policies = [], 0
    for _ in range(runs):
        started = time.perf_counter()
        items = list(replay(table, Plan(folds=5, resamples=1000)))
        seconds.append(time.perf_counter() - started)
        policies = len({i.policy for i in items})
    return seconds, table.questions, policies


def _child(rows: int) -> None:
    """One size of `grow`; prints its numbers as JSON."""
    runs = int(sys.argv[2])
    table = replace(made_up(rows), benchmarks=("",) * rows, query_id=("",) * rows)
    before = _peak_mib()
    policy = VerifiabilityThreshold(threshold=0.5)
    played = median_seconds(lambda: play(policy, table, np.array([1e-4, 4e-3])), runs)
    sys.stdout.write(json.dumps([played, before, _peak_mib()]))


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
