"""Streams of three arms in which all is known, for pacing: `synthetic` as a source.

    steady   quality and prices stay
    shock    in the middle third the dearest arm costs three times as much

P(right) of the cheap, middle and dear arm at verifiability v and difficulty h (the length):
.9 v + .2 (1 - v) - .2 h, .85 - .3 h and .95 - .1 h, clipped to [.02, .98]. Costs are lognormal
(sigma .5) around USD .0002, .001 and .005, times 1 + h. What cases say of a cost is the mean
over the table, so under a shock they are wrong everywhere.
"""

import numpy as np

from eval.features import Features
from eval.table import Table
from policies.case import Arm, Outcome
from router.errors import InputError

__all__ = ["WORLDS", "three_arms"]

WORLDS = ("steady", "shock")
USD = np.array([0.0002, 0.001, 0.005])
SIGMA = 0.5


def three_arms(world: str, n: int, seed: int) -> Table:
    """A table of n questions. `InputError` on an unknown world or fewer than 1 question."""
    if world not in WORLDS:
        raise InputError(f"--benchmark {world!r}: the source synthetic has {', '.join(WORLDS)}")
    if n < 1:
        raise InputError(f"n = {n}: at least one question is needed")
    rng = np.random.default_rng(seed)
    v, h = rng.random(n), rng.random(n)
    p = np.stack([0.9 * v + 0.2 * (1 - v) - 0.2 * h, 0.85 - 0.3 * h, 0.95 - 0.1 * h], axis=1)
    cost = USD * rng.lognormal(0.0, SIGMA, (n, 3)) * (1 + h)[:, None]
    if world == "shock":
        cost[n // 3 : 2 * n // 3, 2] *= 3
    unknown = np.full((n, 3), np.nan)
    return Table(
        source="synthetic",
        benchmark=world,
        arms=(Arm("cheap", "small"), Arm("middle", "large"), Arm("dear", "large")),
        benchmarks=(world,) * n,
        query_id=tuple(f"{world}:{i}" for i in range(n)),
        cluster=np.arange(n),
        row_key=rng.integers(0, 2**63, n).astype(np.uint64),
        score=(rng.random((n, 3)) < np.clip(p, 0.02, 0.98)).astype(np.float64),
        outcome=np.full((n, 3), int(Outcome.ANSWERED)),
        passed=unknown,
        confidence=unknown,
        cost=cost,
        tokens=np.zeros((n, 3), dtype=np.int64),
        agreement=unknown,
        logprob=unknown,
        logprob_answer=unknown,
        certainty=unknown,
        checked=False,
        incomplete=0,
        features=_features(v, h),
    )


def _features(v: np.ndarray, h: np.ndarray) -> Features:
    n = len(v)
    blocks = {
        "axes": np.stack([v, 1 - v], axis=1),
        "confidence": np.ones((n, 1)),
        "domains": np.zeros((n, 5)),
        "lengths": np.stack([5 + h, 4 + h, np.ones(n)], axis=1),
    }
    return Features(blocks, np.ones(n, dtype=bool), "synthetic")
