"""Methods replayed on a pool: what each answers with k samples, and what they cost.

A question's samples are put into random orders, and a method walks each of them as an arm with
`parallel: 1` would: sample after sample until `done` says why no other is needed, then `choose`.
It pays for the samples walked, and for no other. All methods on a pool walk the same orders,
so what differs between them is not the draw.

Each random order is walked from each of its starts, so every sample stands equally often in
every place: what one sample scores is then the plain mean over all of them, without noise.

Where nobody has a vote, the first sample walked that has a text is the answer, as in an arm.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eval.scaling.pool import Asked, Floats, Pool
from policies.outcome import Status
from router.arms.methods import Adaptive, Sampled
from router.arms.voting import Candidate

__all__ = [
    "Axis",
    "Curve",
    "Walks",
    "curve_of",
    "differences",
    "oracle",
    "orders",
    "shown",
    "stop_after",
    "walk",
]

Places = NDArray[np.intp]
Axis = Literal["tokens", "usd"]


@dataclass(frozen=True)
class Walks:
    """What a method did; all (questions, orders, k), the last axis for k = 1 .. K."""

    chosen: Places
    """Which sample of the question is the answer."""
    answer: Places
    """Its cluster; -1 where nobody had a vote."""
    walked: Places
    """Samples drawn until it stopped."""


@dataclass(frozen=True)
class Curve:
    """A method's means over the orders; arrays are (questions, K), column k - 1 for k."""

    name: str
    score: Floats
    tokens: Floats
    usd: Floats | None

    def spent(self, axis: Axis) -> Floats:
        """(questions, K): tokens, or USD. Raises `ValueError` where no USD were recorded."""
        if axis == "tokens":
            return self.tokens
        if self.usd is None:
            raise ValueError(f"{self.name}: no cost was recorded")
        return self.usd


def orders(pool: Pool, wanted: int, seed: int) -> Places:
    """(questions, orders, K): places of the samples; at least `wanted` orders of each.

    In a pool of V variants the sample j of an order is of variant j mod V, as in the arm.
    """
    turns, each = pool.turns, pool.k // pool.turns
    draws = math.ceil(wanted / each)
    rng = np.random.default_rng(seed)
    base = np.tile(np.arange(each), (len(pool.asked), draws, turns, 1))
    base = rng.permuted(base, axis=-1)  # (questions, draws, variants, samples of the variant)
    shifts = (np.arange(each)[:, None] + np.arange(each)) % each
    started = base[..., shifts]  # (questions, draws, variants, starts, places)
    started = started.transpose(0, 1, 3, 4, 2) * turns + np.arange(turns)
    return started.reshape(len(pool.asked), draws * each, pool.k)


def walk(pool: Pool, method: Sampled, order: Places) -> Walks:
    """Every question, order and k."""
    steps = [_with_k(method, k) for k in range(1, pool.k + 1)]
    shape = (len(pool.asked), order.shape[1], pool.k)
    chosen, answer, walked = (np.empty(shape, np.intp) for _ in range(3))
    for q, one in enumerate(pool.asked):
        candidates = [sample.candidate for sample in one.samples]
        for r, places in enumerate(order[q].tolist()):
            seen = [candidates[i] for i in places]
            for k, step in enumerate(steps):
                stop = stop_after(step, seen[: k + 1])
                place = step.choose(seen[:stop]).sample
                cluster = None if place is None else seen[place].cluster
                chosen[q, r, k] = places[shown(one, places[:stop]) if place is None else place]
                answer[q, r, k] = -1 if cluster is None else cluster
                walked[q, r, k] = stop
    return Walks(chosen, answer, walked)


def shown(one: Asked, places: Sequence[int]) -> int:
    """Where nobody votes: the first with a text of its own, else the first that is no failure."""
    status = [one.samples[place].status for place in places]
    for wanted in ((Status.OK, Status.TRUNCATED), (Status.UNPARSED, Status.ABSTAINED)):
        if (found := next((i for i, s in enumerate(status) if s in wanted), None)) is not None:
            return found
    return 0


def _with_k(method: Sampled, k: int) -> Sampled:
    change: dict[str, int] = {"k": k}
    if isinstance(method, Adaptive):
        change["least"] = min(method.least, k)
    return method.model_copy(update=change)


def stop_after(method: Sampled, seen: Sequence[Candidate]) -> int:
    """Samples after which it draws no more."""
    for n in range(1, len(seen)):
        if method.done(seen[:n]) is not None:
            return n
    return len(seen)


def curve_of(name: str, pool: Pool, order: Places, walks: Walks) -> Curve:
    """Scores of what was chosen, tokens and USD of all that was walked."""
    score = np.take_along_axis(pool.score[:, None, :], walks.chosen, axis=2).mean(axis=1)
    usd = None if pool.usd is None else _paid(pool.usd, order, walks)
    return Curve(name, score, _paid(pool.tokens, order, walks), usd)


def _paid(cost: Floats, order: Places, walks: Walks) -> Floats:
    """(questions, K): mean over the orders of the first `walked` samples' costs."""
    summed = np.take_along_axis(cost[:, None, :], order, axis=2).cumsum(axis=2)
    paid: Floats = np.take_along_axis(summed, walks.walked - 1, axis=2).mean(axis=1)
    return paid


def differences(a: Walks, b: Walks) -> int:
    """Questions x orders x k in which the two answer differently."""
    return int((a.answer != b.answer).sum())


def oracle(score: Floats) -> Floats:
    """(questions, n) scores -> (questions, n): the expected best of k drawn, k = 1 .. n.

    For scores of 0 and 1 it is pass@k, 1 - C(n - c, k) / C(n, k) (Chen et al. 2021, arXiv
    2107.03374, section 2.1), which is unbiased. Graded scores: the sum over the sorted
    scores of each times the chance C(i - 1, k - 1) / C(n, k) that it is the best.
    """
    n = score.shape[1]
    best = [
        [math.comb(i, k - 1) / math.comb(n, k) for i in range(n)]  # i: how many are lower
        for k in range(1, n + 1)
    ]
    found: Floats = np.sort(score, axis=1) @ np.array(best).T
    return found
