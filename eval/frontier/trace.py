"""One policy's curve: what it scores and what it pays at every price.

A policy that knows a `price` (quality that a USD is worth) is swept over a grid of prices, from
inf (the cheapest arm) to 0 (the best at any cost); a policy that knows only a threshold over the
share of large calls; anything else is a point. Each fold of whole clusters is played by a policy
fitted on the other folds. The sweep is the curve: nothing on it is chosen by a scored label.

    prices       spaced evenly on a log scale between what makes the dearest arm's extra cost
                 worth LEAST of quality and what makes the cheapest arm's cost worth all of it
    thresholds   quantiles of the scores of the *other* folds: scores only, no labels

Every attempt and check is paid for, by `eval.play`. A rule that makes a single call takes a
quick way, its estimates once and `best_value` a price, to the very same choices.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.contenders import NotReplayable, mean_cost, preset_terms
from eval.fit.fitted import CASCADES, FITTED
from eval.fit.usable import known_features
from eval.folds import Folds
from eval.play import play, why_not
from eval.table import Table, case_of
from policies.case import CaseBatch, Outcome, PolicyError
from policies.policy import Policy
from policies.threshold import ThresholdPolicy
from policies.utility import UtilityPolicy, best_value
from router.config import make_policy

__all__ = ["ALWAYS", "Trace", "price_grid", "trace"]

Floats = NDArray[np.float64]
ALWAYS = ("best-single", "random-mix", "oracle")
"""Always shown, with every single arm. random-mix is the hull of the single arms."""
_REPLAYS = {"all-small": "always-small", "all-large": "always-large"}
"""Names that `ockham replay` gives to policies of the registry."""
POINTS = 48
LEAST = 1e-3
"""Quality: the dearest arm's extra cost is worth this at the lowest price above 0."""


@dataclass(frozen=True)
class Trace:
    """G points of one policy on n rows of one seed."""

    policy: str
    protocol: str
    labels: int
    """Training labels of one fit, the mean over folds; 0 where nothing was fitted."""
    knob: str
    """What was swept: price, threshold (share of large calls), arms, or nothing."""
    at: tuple[float, ...]
    """(G,) the knob, from the cheapest end to the dearest."""
    score: Floats
    """(G, n)"""
    usd: Floats
    """(G, n) paid, attempts and checks included."""


def price_grid(table: Table, points: int = POINTS) -> Floats:
    """(points,) prices from inf to 0, set by the arms' mean costs alone."""
    usd = mean_cost(table)
    paid = usd[usd > 0]
    spread = float(usd.max() - usd.min())
    if not len(paid) or not spread > 0:
        # All arms cost the same: no price can tell them apart.
        return np.array([np.inf, 0.0])
    inner = np.geomspace(1.0 / float(paid.min()), LEAST / spread, points - 2)
    return np.concatenate([[np.inf], inner, [0.0]])


def trace(name: str, table: Table, folds: Folds, points: int = POINTS) -> Trace:
    """The curve of one policy by name: of `FITTED`, of the registry, a preset, or of ALWAYS.

    Raises:
        NotReplayable: the table lacks what the policy needs.
    """
    try:
        if name == "best-single":
            return _best_single(table, folds)
        if name == "random-mix":
            names = tuple(float(i) for i in range(len(table.arms)))
            return Trace(name, "untrained", 0, "arms", names, table.score.T, table.cost.T)
        if name == "oracle":
            return _oracle(table, price_grid(table, points))
        if name in FITTED or name in CASCADES:
            return _fitted(name, table, folds, points)
        return _plain(name, table, folds, points)
    except PolicyError as error:
        why = str(error).removeprefix(f"{name}: ")
        raise NotReplayable(f"{name}: not replayable on this table: {why}") from None


def _best_single(table: Table, folds: Folds) -> Trace:
    """The arm that did best on the training rows: one point."""
    column, sizes = np.zeros(len(table), dtype=np.int64), []
    for k in range(folds.count):
        rows = folds.train(table, k)
        column[folds.of == k] = int(table.score[rows].mean(axis=0).argmax())
        sizes.append(len(rows))
    score, usd = _taken(table, column)
    labels = round(float(np.mean(sizes)))
    return Trace("best-single", "in-distribution", labels, "nothing", (0.0,), score, usd)


def _oracle(table: Table, grid: Floats) -> Trace:
    """Sees the scores: the bound of every rule that makes one call, not a policy."""
    yes = np.ones_like(table.score, dtype=bool)
    made = [_taken(table, best_value(table.score, table.cost, p, yes)) for p in grid.tolist()]
    return _joined("oracle", "sees the scores", 0, "price", grid, made)


def _plain(name: str, table: Table, folds: Folds, points: int) -> Trace:
    policy = make_policy(_REPLAYS.get(name, name))
    protocol, labels = preset_terms(name, table)
    knob, at = _knob(policy, table, points)
    whole = np.ones(len(table), dtype=bool)
    sweep = _sweep(policy, table, mean_cost(table), whole, at, knob)
    if isinstance(sweep, _Scores):
        score, usd = _by_threshold(sweep.score, folds, table, at)
        return Trace(name, protocol, labels, knob, tuple(at.tolist()), score, usd)
    return _joined(name, protocol, labels, knob, at, sweep)


def _fitted(name: str, table: Table, folds: Folds, points: int) -> Trace:
    if name in FITTED:
        known_features(table, name)
    score, usd, need = np.empty((0, 0)), np.empty((0, 0)), np.full(len(table), np.nan)
    sizes, knob, at = [], "", np.empty(0)
    for k in range(folds.count):
        rows, held = folds.train(table, k), folds.of == k
        train = table.take(rows)
        policy: Policy = FITTED[name](train) if name in FITTED else CASCADES[name](train)
        if not k:
            knob, at = _knob(policy, table, points)
            score, usd = np.empty((len(at), len(table))), np.empty((len(at), len(table)))
        sweep = _sweep(policy, table, mean_cost(train), held, at, knob)
        if isinstance(sweep, _Scores):
            need[held] = sweep.score
        else:
            for g, (s, c) in enumerate(sweep):
                score[g, held], usd[g, held] = s[0], c[0]
        sizes.append(len(rows))
    if knob == "threshold":
        score, usd = _by_threshold(need, folds, table, at)
    labels = round(float(np.mean(sizes)))
    return Trace(name, "in-distribution", labels, knob, tuple(at.tolist()), score, usd)


def _knob(policy: Policy, table: Table, points: int) -> tuple[str, Floats]:
    """What to sweep; a pair policy decides between the small and the large end."""
    if "price" in type(policy).model_fields:
        return "price", price_grid(table, points)
    if isinstance(policy, ThresholdPolicy):
        return "threshold", np.linspace(0.0, 1.0, points)
    return "nothing", np.zeros(1)


@dataclass(frozen=True)
class _Scores:
    """(n,) a pair policy's scores: the thresholds are set once all folds have theirs."""

    score: Floats


Pairs = Sequence[tuple[Floats, Floats]]


def _sweep(
    policy: Policy, table: Table, usd: Floats, rows: NDArray[np.bool_], at: Floats, knob: str
) -> Pairs | _Scores:
    """(1, m) score and (1, m) USD of these rows at each value of the knob."""
    lacks = why_not(policy, table)
    if lacks:
        raise PolicyError(lacks)
    part = table.take(rows)
    if knob == "threshold" and isinstance(policy, ThresholdPolicy):
        return _Scores(policy.score(case_of(part, usd)))
    if knob == "nothing":
        return [_played(policy, part, usd)]
    if _one_call(policy, part) and isinstance(policy, UtilityPolicy):
        pick = _quick(policy, case_of(part, usd))
        if pick is not None:
            return [_taken(part, pick(price)) for price in at.tolist()]
    return [_played(policy.model_copy(update={"price": p}), part, usd) for p in at.tolist()]


def _one_call(policy: Policy, table: Table) -> bool:
    """True where the rule is `UtilityPolicy.choose` itself and no call fails, so none is made
    again; a rule with a `choose` of its own is played."""
    own = type(policy).choose is UtilityPolicy.choose
    return own and not bool((table.outcome == Outcome.FAILED).any())


def _quick(policy: UtilityPolicy, cases: CaseBatch) -> Callable[[float], NDArray[np.int64]] | None:
    """Its choice at any price, from estimates made once; None where it does not know an arm."""
    quality, usd = policy.estimate(cases), policy.priced(cases)
    if not (np.isfinite(quality).all() and np.isfinite(usd).all()):
        return None
    return lambda price: best_value(quality, usd, price, cases.open)


def _played(policy: Policy, table: Table, usd: Floats) -> tuple[Floats, Floats]:
    made = play(policy, table, usd)
    return made.score[None], made.cost[None]


def _taken(table: Table, column: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """(1, n) score and USD where every row is answered by one arm."""
    rows = np.arange(len(table))
    return table.score[rows, column][None], table.cost[rows, column][None]


def _by_threshold(
    need: Floats, folds: Folds, table: Table, shares: Floats
) -> tuple[Floats, Floats]:
    """(G, n) each: large for a share of the queries, by quantiles of the other folds' scores."""
    if np.isnan(need).any():
        raise PolicyError(f"its score is NaN on {int(np.isnan(need).sum())} rows")
    made = []
    for share in shares.tolist():
        cut = [np.quantile(need[folds.of != k], 1 - share) for k in range(folds.count)]
        large = need >= np.asarray(cut)[folds.of]
        if share in (0, 1):
            large = np.full(len(need), bool(share))
        made.append(_asked(table, large))
    return np.vstack([s for s, _ in made]), np.vstack([c for _, c in made])


def _asked(table: Table, large: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """(1, n) score and USD of a pair policy: its end, and after a dead call the next arm."""
    ends: dict[str, list[int]] = {"small": [], "large": []}
    for column, arm in enumerate(table.arms):
        ends[arm.tier].append(column)
    order = np.where(large[:, None], ends["large"] + ends["small"], ends["small"] + ends["large"])
    rows = np.arange(len(table))[:, None]
    dead = table.outcome[rows, order] == Outcome.FAILED
    calls = np.cumprod(np.hstack([np.ones((len(table), 1), bool), dead[:, :-1]]), axis=1) > 0
    score = np.where(calls & ~dead, table.score[rows, order], 0.0).sum(axis=1)
    return score[None], np.where(calls, table.cost[rows, order], 0.0).sum(axis=1)[None]


def _joined(name: str, protocol: str, labels: int, knob: str, at: Floats, made: Pairs) -> Trace:
    score, usd = np.vstack([s for s, _ in made]), np.vstack([c for _, c in made])
    return Trace(name, protocol, labels, knob, tuple(at.tolist()), score, usd)
