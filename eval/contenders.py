"""Who is compared: every policy scored on rows that its fit did not see.

A fitted policy is trained on folds of whole clusters and scores the fold left out; the
labels it trained on are counted and stand in its protocol:

    untrained          nothing was fitted
    in-distribution    fitted on other rows of the same benchmark: flatters what must travel
    transfer           fitted on another benchmark
    preset from X      fitted before, on X; refused on a table that shares a benchmark with X

Threshold policies also get an operating point: large for a stated share of queries. A fold's
threshold is a quantile of the scores of the *other* folds: scores only, no labels. (A fitted
policy's scores of the other folds come from fits that may have seen this fold's labels, which
moves a quantile by next to nothing; where a label chooses a threshold, `eval/tuning.py`
splits the rows in three.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from eval.features import Features
from eval.fit.fitted import CASCADES, FITTED, Fit
from eval.fit.usable import known_features
from eval.folds import Folds, elsewhere
from eval.play import Played, play, why_not
from eval.sources.labels import family_of
from eval.table import Table, case_of
from policies import AlwaysLarge, AlwaysSmall, CaseBatch, Needs, Policy, PolicyError
from policies.random import uniform
from policies.threshold import ThresholdPolicy
from router.config import make_policy
from router.errors import ConfigError, InputError, OckhamError
from router.presets import preset_evidence

__all__ = [
    "BASELINES",
    "Entry",
    "NotReplayable",
    "available",
    "check_policies",
    "enter",
    "mean_cost",
    "preset_terms",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BASELINES = (
    "all-small",
    "all-large",
    "random",
    "prompt-length",
    "best-single",
    "verifiability-threshold",
    "text-logistic",
    "oracle",
)
"""Always shown, whatever is asked for."""

SMALL, LARGE = 0, 1


class NotReplayable(OckhamError):
    """The table lacks what a policy needs; nothing was imputed."""


@dataclass(frozen=True)
class Entry:
    """One policy on one table and seed."""

    policy: str
    protocol: str
    labels: int
    """Training labels of one fit, the mean over folds; 0 where nothing was fitted."""
    played: Played
    """At its operating point."""
    score: Floats | None = None
    """(n,) need of the large arm, where one threshold traces a curve."""
    quality: Floats | None = None
    """(n, A) estimated P(correct), where the policy estimates it."""
    twin_large: Ints | None = None
    """(t,) 1 where the perturbed prompt goes to the large arm, at the same threshold."""


def enter(name: str, table: Table, folds: Folds, share: float, train: Table | None = None) -> Entry:
    """Play one policy by name. `train` is another benchmark's table: transfer.

    Raises:
        NotReplayable: the table lacks what the policy needs.
    """
    special = {
        "all-small": lambda: _always(name, AlwaysSmall(), table),
        "all-large": lambda: _always(name, AlwaysLarge(), table),
        "random": lambda: _random(table, folds, share),
        "best-single": lambda: _best_single(table, folds, train),
        "oracle": lambda: _oracle(table),
    }
    try:
        if name in special:
            return special[name]()
        if name in FITTED:
            return _fitted(name, table, folds, share, train)
        if name in CASCADES:
            return _cascade(name, table, folds, train)
        return _plain(name, make_policy(name), table, folds, share)
    except PolicyError as error:
        why = str(error).removeprefix(f"{name}: ")
        raise NotReplayable(f"{name}: not replayable on this table: {why}") from None


def mean_cost(table: Table) -> Floats:
    """(A,) USD: what is known of an arm's cost before it runs."""
    return np.asarray(table.cost.mean(axis=0))


def one_call(table: Table, column: Ints) -> Played:
    """Every row answered by one arm."""
    rows = np.arange(len(table))
    return Played(column[:, None], column, table.score[rows, column], table.cost[rows, column])


def _always(name: str, policy: Policy, table: Table) -> Entry:
    return Entry(name, "untrained", 0, play(policy, table, mean_cost(table)))


def _random(table: Table, folds: Folds, share: float) -> Entry:
    """The mix of both arms. Its curve is the expectation over all draws, a straight line
    (every row in one block); its operating point is one draw, by the seed."""
    large = uniform(table.row_key, folds.seed) < share
    return Entry("random", "untrained", 0, _wanted(table, large), np.zeros(len(table)))


def _best_single(table: Table, folds: Folds, train: Table | None) -> Entry:
    """The arm that did best on the training rows: of the other folds, or of the other table."""
    if train is not None:
        rows = elsewhere(train, table, folds)
        best = int(train.score[rows].mean(axis=0).argmax())
        column = np.full(len(table), best, dtype=np.int64)
        where = f"transfer from {train.benchmark}"
        return Entry("best-single", where, len(rows), _wanted(table, column == LARGE))
    column = np.zeros(len(table), dtype=np.int64)
    sizes = []
    for k in range(folds.count):
        rows = folds.train(table, k)
        column[folds.of == k] = int(table.score[rows].mean(axis=0).argmax())
        sizes.append(len(rows))
    labels = round(float(np.mean(sizes)))
    return Entry("best-single", "in-distribution", labels, _wanted(table, column == LARGE))


def _oracle(table: Table) -> Entry:
    """Sees the scores: the bound of every pair policy, not a policy. Cheapest best arm."""
    best = table.score.max(axis=1, keepdims=True)
    column = np.where(table.score == best, table.cost, np.inf).argmin(axis=1)
    gain = table.score[:, LARGE] - table.score[:, SMALL]
    return Entry("oracle", "sees the scores", 0, one_call(table, column.astype(np.int64)), gain)


def _plain(name: str, policy: Policy, table: Table, folds: Folds, share: float) -> Entry:
    lacks = why_not(policy, table)
    if lacks:
        raise NotReplayable(f"{name}: not replayable on this table: {lacks}")
    protocol, labels = preset_terms(name, table)
    if isinstance(policy, ThresholdPolicy):
        cost = mean_cost(table)
        cases = case_of(table, cost)
        score, quality = policy.score(cases), policy.estimate(cases)
        twins = table.twins
        twin = policy.score(case_of(twins.of(table), cost)) if twins else None
        if name.endswith(".json"):
            # A preset brings the threshold that it serves with: that is its operating point.
            played = play(policy, table, cost)
            chosen = None if twin is None else (twin >= policy.threshold).astype(np.int64)
            return Entry(name, protocol, labels, played, score, quality, chosen)
        return _at_share(name, protocol, labels, score, table, folds, share, quality, twin)
    return Entry(name, protocol, labels, play(policy, table, mean_cost(table)))


def preset_terms(name: str, table: Table) -> tuple[str, int]:
    """Protocol and labels of a policy that comes as it is: nothing fitted, or a preset.

    Raises:
        NotReplayable: the preset was fitted on a benchmark of this table's family (the rows
            that it would be scored on), or does not say on what.
    """
    if not name.endswith(".json"):
        return "untrained", 0
    evidence = preset_evidence(Path(name))
    labels, origin = evidence.get("fitted_on"), str(evidence.get("benchmark", ""))
    if labels == 0:
        return "untrained", 0
    if not isinstance(labels, int) or not origin:
        raise NotReplayable(
            f"{name}: not replayable: the preset does not say what it was fitted on"
        )
    shared = {family_of(b) for b in origin.split("+")} & {family_of(b) for b in table.benchmarks}
    if shared:
        raise NotReplayable(
            f"{name}: not replayable on this table: it was fitted on {origin}, of the same family "
            f"({', '.join(sorted(shared))}), and would be scored on what it has seen"
        )
    return f"preset from {origin}", labels


def _fitted(name: str, table: Table, folds: Folds, share: float, train: Table | None) -> Entry:
    fit = FITTED[name]
    known_features(table, name)
    if train is not None:
        rows = elsewhere(train, table, folds)
        policy = _fit(fit, train, rows)
        cases = case_of(table, mean_cost(train))
        twin = None
        if table.twins:
            twin = policy.score(case_of(table.twins.of(table), mean_cost(train)))
        where = f"transfer from {train.benchmark}"
        score, quality = policy.score(cases), policy.estimate(cases)
        return _at_share(name, where, len(rows), score, table, folds, share, quality, twin)
    score, quality = np.empty(len(table)), np.empty((len(table), len(table.arms)))
    twins = table.twins
    twin = np.empty(len(twins.origin)) if twins else None
    sizes = []
    for k in range(folds.count):
        rows, held = folds.train(table, k), folds.of == k
        policy, cost = _fit(fit, table, rows), mean_cost(table.take(rows))
        cases = case_of(table.take(held), cost)
        score[held], quality[held] = policy.score(cases), policy.estimate(cases)
        if twins is not None and twin is not None:
            own = folds.of[twins.origin] == k
            twin[own] = policy.score(case_of(twins.of(table, own), cost))
        sizes.append(len(rows))
    labels = round(float(np.mean(sizes)))
    return _at_share(name, "in-distribution", labels, score, table, folds, share, quality, twin)


def _cascade(name: str, table: Table, folds: Folds, train: Table | None) -> Entry:
    """Each fold by a cascade fitted on the others, at the price where all-small ties all-large.

    One operating point and no curve: a cascade has a price, and no score to put a threshold on
    (`ockham policy frontier` traces it).
    """
    tried = np.full((len(table), len(table.arms)), -1, dtype=np.int64)
    returned = np.full(len(table), -1, dtype=np.int64)
    score, cost, sizes = np.empty(len(table)), np.empty(len(table)), []
    for k in range(folds.count):
        held = np.flatnonzero(folds.of == k)
        source = table if train is None else train
        rows = folds.train(table, k) if train is None else elsewhere(train, table, folds)
        own = source.take(rows)
        policy = CASCADES[name](own).model_copy(update={"price": tie_price(own)})
        made = play(policy, table.take(held), mean_cost(own))
        tried[held, : made.tried.shape[1]] = made.tried
        returned[held], score[held], cost[held] = made.returned, made.score, made.cost
        sizes.append(len(rows))
    where = "in-distribution" if train is None else f"transfer from {train.benchmark}"
    return Entry(name, where, round(float(np.mean(sizes))), Played(tried, returned, score, cost))


def tie_price(table: Table) -> float:
    """Quality a USD at which all-small and all-large are worth the same; 0 where neither pays."""
    gain = float(table.score[:, LARGE].mean() - table.score[:, SMALL].mean())
    extra = float(table.cost[:, LARGE].mean() - table.cost[:, SMALL].mean())
    return gain / extra if gain > 0 and extra > 0 else 0.0


def _fit(fit: Fit, train: Table, rows: Ints) -> ThresholdPolicy:
    return fit(train.take(rows))


def _at_share(
    name: str,
    protocol: str,
    labels: int,
    score: Floats,
    table: Table,
    folds: Folds,
    share: float,
    quality: Floats | None = None,
    twin: Floats | None = None,
) -> Entry:
    if np.isnan(score).any():
        raise PolicyError(f"its score is NaN on {int(np.isnan(score).sum())} rows")
    threshold = np.empty(folds.count)
    for k in range(folds.count):
        threshold[k] = np.quantile(score[folds.of != k], 1 - share)
    if share in (0, 1):
        threshold[:] = np.inf if share == 0 else -np.inf
    large = score >= threshold[folds.of]
    twin_large = None
    if table.twins is not None and twin is not None:
        twin_large = (twin >= threshold[folds.of[table.twins.origin]]).astype(np.int64)
    return Entry(name, protocol, labels, _wanted(table, large), score, quality, twin_large)


class _Wanted(ThresholdPolicy):
    """The calls of a pair policy whose choices are made: block `wanted`, 1 for large."""

    name: ClassVar[str] = "wanted"
    needs: ClassVar[Needs] = Needs(features=frozenset({"wanted"}))

    threshold: float = 0.5

    def score(self, cases: CaseBatch) -> Floats:
        return np.asarray(cases.block("wanted")[:, 0], dtype=np.float64)


def _wanted(table: Table, large: NDArray[np.bool_]) -> Played:
    """One call a row, and another one only where the call itself failed: as live."""
    block = {"wanted": large.astype(np.float64)[:, None]}
    features = Features(block, np.ones(len(table), dtype=bool), "wanted")
    return play(_Wanted(), replace(table, features=features, twins=None), mean_cost(table))


def available(extra: Sequence[str]) -> tuple[str, ...]:
    """The baselines and the policies asked for, each once."""
    return tuple(dict.fromkeys((*BASELINES, *extra)))


def check_policies(names: Sequence[str]) -> None:
    """Before anything is played: can all of these be entered? `InputError` names the first."""
    for name in names:
        if name in BASELINES or name in FITTED or name in CASCADES:
            continue
        try:
            make_policy(name)
        except ConfigError as error:
            also = ", ".join(BASELINES)
            raise InputError(f"--policies {name}: {error}; the baselines are: {also}") from None
