"""From recorded outcomes to a threshold that serves: tune it, and decide whether to promote.

Questions are split in three by a seed: one part fits the policy, one chooses the threshold,
one scores the choice. No row does two of these.

    tune      the threshold for a budget (USD per 1,000 queries) or an error rate
    promote   the threshold of best utility; written only if on the scoring rows its utility
              beats the best single arm, a random mix of the same large share, and prompt
              length (its threshold chosen alike), each with the 95 % interval above zero

Utility is accuracy minus cost over the value of a correct answer in USD. Where none is
given it is the price at which all-small and all-large tie: the hardest place to win, since
both constants and all their mixtures are then equally good.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.compare import Interval, bootstrap
from eval.contenders import LARGE, SMALL, mean_cost
from eval.fit.fitted import CASCADES, FITTED
from eval.fit.usable import check_prices, check_scores, known_features
from eval.folds import draw_labels
from eval.play import why_not
from eval.scorecard import exchange_rate
from eval.table import Table, case_of
from policies.policy import Policy
from policies.threshold import PromptLength, ThresholdPolicy
from router.config import make_policy
from router.errors import InputError

__all__ = ["Promotion", "Split", "Tuned", "promote", "split_of", "tune"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PARTS = (0.4, 0.2, 0.4)
RESAMPLES = 2000


@dataclass(frozen=True)
class Split:
    """Row indices; clusters whole."""

    fit: Ints
    choose: Ints
    score: Ints


@dataclass(frozen=True)
class Tuned:
    """A policy with its threshold, and what it did on rows that it never saw."""

    policy: ThresholdPolicy
    accuracy: Interval
    usd_per_1000: Interval
    large_share: Interval
    chosen_on: int
    """Rows that chose the threshold."""
    labels: int
    """Rows that fitted it; 0 where nothing was fitted."""
    reached: bool
    """The choosing rows held a threshold that meets the budget or the error rate."""


@dataclass(frozen=True)
class Promotion:
    """`margins` is rival -> utility gained over it, with its interval, on the scoring rows."""

    tuned: Tuned
    usd_per_correct: float
    margins: dict[str, Interval]
    best_single: str

    @property
    def failures(self) -> dict[str, Interval]:
        """The rivals that were not beaten."""
        return {name: m for name, m in self.margins.items() if not m.low > 0}

    @property
    def passed(self) -> bool:
        """Every rival is beaten with the interval above zero."""
        return not self.failures


def split_of(table: Table, labels: int | None, seed: int) -> Split:
    """Three parts of whole clusters; `labels` cuts the fitting part.

    Raises:
        InputError: fewer than 30 questions, or more labels than the fitting part has.
    """
    clusters = np.unique(table.cluster)
    if len(clusters) < 30:
        raise InputError(f"{table.benchmark} has {len(clusters)} questions: at least 30 are needed")
    rng = np.random.default_rng(seed)
    edges = np.cumsum(PARTS)[:-1] * len(clusters)
    part = np.searchsorted(edges, rng.permutation(len(clusters)), side="right")
    of = part[np.searchsorted(clusters, table.cluster)]
    fit, choose, score = (np.flatnonzero(of == k) for k in range(3))
    return Split(draw_labels(table, fit, labels, seed), choose, score)


def tune(
    table: Table,
    name: str,
    *,
    budget: float | None = None,
    max_error: float | None = None,
    labels: int | None = None,
    seed: int = 0,
) -> Tuned:
    """The threshold for a budget (USD per 1,000 queries) or an error rate (0..1).

    Budget: the largest large share that stays within it. Error: the smallest that reaches
    it. Where the choosing rows hold no such threshold, the nearest end, and `reached` False.

    Raises:
        InputError: not exactly one aim, or the policy has no threshold or cannot be replayed.
    """
    if (budget is None) == (max_error is None):
        raise InputError("give --budget or --max-error, one of the two")
    split = _usable_split(table, name, labels, seed)
    policy, fitted = _prepared(table, name, split)

    def choose(share: Floats, usd: Floats, accuracy: Floats) -> tuple[int, bool]:
        if budget is not None:
            within = np.flatnonzero(1000 * usd <= budget)
            return (int(within[-1]), True) if len(within) else (0, False)
        right = np.flatnonzero(1 - accuracy <= (max_error or 0.0))
        return (int(right[0]), True) if len(right) else (int(accuracy.argmax()), False)

    return _tuned(table, policy, split, choose, fitted, seed)


def promote(
    table: Table,
    name: str,
    *,
    usd_per_correct: float | None = None,
    labels: int | None = None,
    seed: int = 0,
) -> Promotion:
    """Whether the policy earns its place; nothing is written here.

    Raises:
        InputError: the policy cannot be replayed, or large is not both better and dearer and
            no value of a correct answer is given.
    """
    split = _usable_split(table, name, labels, seed)
    seen = table.take(np.concatenate([split.fit, split.choose]))
    rate = 1 / usd_per_correct if usd_per_correct else exchange_rate(seen)
    if not (np.isfinite(rate) and rate > 0):
        raise InputError(
            "the large arm is not both better and dearer here, so no price of an answer follows: "
            "give --usd-per-correct"
        )

    def choose(share: Floats, usd: Floats, accuracy: Floats) -> tuple[int, bool]:
        return int((accuracy - rate * usd).argmax()), True

    policy, fitted = _prepared(table, name, split)
    ours = _tuned(table, policy, split, choose, fitted, seed)
    length = _tuned(table, PromptLength(), split, choose, 0, seed)
    test = table.take(split.score)
    value = test.score - rate * test.cost
    mine, theirs = (_large(t.policy, test).astype(np.int64) for t in (ours, length))
    best = int((seen.score - rate * seen.cost).mean(axis=0).argmax())
    rows = np.arange(len(test))
    share = float(mine.mean())
    rivals = {
        "best-single": value[:, best],
        "random": (1 - share) * value[:, SMALL] + share * value[:, LARGE],
        "prompt-length": value[rows, theirs],
    }
    margins = {
        rival: _mean(value[rows, mine] - got, test.cluster, seed) for rival, got in rivals.items()
    }
    return Promotion(ours, 1 / rate, margins, table.arms[best].name)


Chooser = Callable[[Floats, Floats, Floats], tuple[int, bool]]


def _tuned(
    table: Table, policy: ThresholdPolicy, split: Split, choose: Chooser, fitted: int, seed: int
) -> Tuned:
    held = table.take(split.choose)
    score = policy.score(case_of(held, mean_cost(held)))
    thresholds, share, usd, accuracy = _curve(score, held)
    at, reached = choose(share, usd, accuracy)
    mark = table.features.fingerprint if table.features and policy.needs.features else ""
    # A copy and not a new one: what a policy holds outside its state comes along.
    done = policy.model_copy(update={"threshold": float(thresholds[at]), "fingerprint": mark})
    test = table.take(split.score)
    large = _large(done, test).astype(np.int64)
    rows = np.arange(len(test))
    return Tuned(
        policy=done,
        accuracy=_mean(test.score[rows, large], test.cluster, seed),
        usd_per_1000=_mean(1000 * test.cost[rows, large], test.cluster, seed),
        large_share=_mean(large.astype(np.float64), test.cluster, seed),
        chosen_on=len(held),
        labels=fitted,
        reached=reached,
    )


def _usable_split(table: Table, name: str, labels: int | None, seed: int) -> Split:
    """`split_of`, for a table on which a threshold and its cost can mean something."""
    if name in CASCADES:
        raise InputError(
            f"--policy {name}: it has a price and no threshold; `ockham policy frontier` traces it"
        )
    check_scores(table, f"--policy {name}")
    check_prices(table, f"--policy {name}")
    return split_of(table, labels, seed)


def _prepared(table: Table, name: str, split: Split) -> tuple[ThresholdPolicy, int]:
    """The policy, fitted where it needs to be, and on how many rows."""
    if name in FITTED:
        known_features(table, f"--policy {name}")
        return FITTED[name](table.take(split.fit)), len(split.fit)
    policy: Policy = make_policy(name)
    if not isinstance(policy, ThresholdPolicy):
        raise InputError(f"--policy {name}: it has no threshold to choose")
    lacks = why_not(policy, table)
    if lacks:
        raise InputError(f"--policy {name}: not replayable on this table: {lacks}")
    return policy, 0


def _curve(score: Floats, table: Table) -> tuple[Floats, Floats, Floats, Floats]:
    """(k,) thresholds from all-small to all-large; share, USD a query, accuracy at each."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    n = len(score)

    def climb(block: Floats) -> Floats:
        gain = np.cumsum((block[:, LARGE] - block[:, SMALL])[order])[ends]
        return np.asarray(block[:, SMALL].mean() + np.r_[0.0, gain] / n)

    # The last one is all-large, also for a query that scores lower than any seen here.
    thresholds = np.r_[np.inf, score[order][ends[:-1]], -np.inf]
    return thresholds, np.r_[0.0, (ends + 1) / n], climb(table.cost), climb(table.score)


def _large(policy: ThresholdPolicy, table: Table) -> NDArray[np.bool_]:
    score = policy.score(case_of(table, mean_cost(table)))
    return np.asarray(score >= policy.threshold)


def _mean(values: Floats, cluster: Ints, seed: int) -> Interval:
    def mean(weight: Floats) -> float:
        return float(weight @ values / weight.sum())

    return bootstrap(mean, cluster, RESAMPLES, seed)
