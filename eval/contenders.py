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

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from eval.features import Features
from eval.fit.text_logistic import fit_text_logistic
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
    "FITTED",
    "Entry",
    "Folds",
    "NotReplayable",
    "available",
    "check_policies",
    "draw_labels",
    "enter",
    "folds_of",
    "mean_cost",
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

Fit = Callable[[Features, Floats, Floats], ThresholdPolicy]
FITTED: dict[str, Fit] = {"text-logistic": fit_text_logistic}
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


@dataclass(frozen=True)
class Folds:
    """(n,) fold of every row, clusters whole; and which rows may be trained on at most."""

    of: Ints
    count: int
    labels: int | None
    seed: int

    def train(self, table: Table, fold: int) -> Ints:
        """Row indices for fitting when `fold` is left out; `InputError` if too few."""
        return draw_labels(table, _outside(table, self.of, fold), self.labels, self.seed + fold)


def folds_of(table: Table, count: int, labels: int | None, seed: int) -> Folds:
    """Random folds of whole clusters.

    Raises:
        InputError: fewer clusters than folds, or more labels asked for than a fold leaves.
    """
    clusters = np.unique(table.cluster)
    if not 2 <= count <= len(clusters):
        raise InputError(f"--folds {count}: must lie between 2 and the {len(clusters)} questions")
    rng = np.random.default_rng(seed)
    fold = np.arange(len(clusters)) % count
    rng.shuffle(fold)
    of = fold[np.searchsorted(clusters, table.cluster)]
    left = min(len(_outside(table, of, k)) for k in range(count))
    if labels is not None and labels > left:
        raise InputError(
            f"--labels {labels}: {count} folds of {len(table):,} rows of {table.benchmark} leave "
            f"{left:,} for training; give at most that, or more --folds"
        )
    return Folds(of, count, labels, seed)


def _outside(table: Table, of: Ints, fold: int) -> Ints:
    """Rows of the other folds, without those whose text stands in this one under another id."""
    other = np.flatnonzero(of != fold)
    return other[~np.isin(table.row_key[other], table.row_key[of == fold])]


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
        return _plain(name, make_policy(name), table, folds, share)
    except PolicyError as error:
        raise NotReplayable(f"{name}: not replayable on this table: {error}") from None


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
        rows = _elsewhere(train, table, folds)
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
    protocol, labels = _preset_terms(name, table)
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


def _preset_terms(name: str, table: Table) -> tuple[str, int]:
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
    if table.features is None or not table.features.known.all():
        lacking = "no features" if table.features is None else "queries without a published text"
        raise NotReplayable(f"{name}: not replayable on this table: it has {lacking}")
    if train is not None:
        if train.features is None or not train.features.known.all():
            raise NotReplayable(f"{name}: {train.benchmark} has queries without a published text")
        rows = _elsewhere(train, table, folds)
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


def _fit(fit: Fit, train: Table, rows: Ints) -> ThresholdPolicy:
    assert train.features is not None
    part = train.score[rows]
    return fit(train.features.take(rows), part[:, SMALL], part[:, LARGE])


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


def _elsewhere(train: Table, table: Table, folds: Folds) -> Ints:
    """Rows of `train` to fit on: none of them asks what `table` asks.

    Raises:
        InputError: the two tables share queries, or `train` has too few rows.
    """
    names = set(zip(table.benchmarks, table.query_id, strict=True))
    both = names.intersection(zip(train.benchmarks, train.query_id, strict=True))
    if both:
        raise InputError(
            f"--train-on {train.benchmark}: {len(both):,} of its queries are scored in "
            f"{table.benchmark}; train on another benchmark, or leave it out of --benchmark"
        )
    other = np.flatnonzero(~np.isin(train.row_key, table.row_key))
    return draw_labels(train, other, folds.labels, folds.seed)


def draw_labels(table: Table, rows: Ints, labels: int | None, seed: int) -> Ints:
    """`labels` of these rows, by whole clusters as far as they fit, drawn by the seed."""
    if not len(rows):
        raise InputError(f"{table.benchmark} has no row to train on that is not scored too")
    if labels is None or labels == len(rows):
        return rows
    if labels > len(rows):
        raise InputError(f"--labels {labels}: {table.benchmark} has {len(rows):,} rows to train on")
    order = np.random.default_rng([seed, 7]).permutation(np.unique(table.cluster[rows]))
    rank = np.argsort(order)
    place = rank[np.searchsorted(np.sort(order), table.cluster[rows])]
    return np.sort(rows[np.argsort(place, kind="stable")[:labels]])


def available(extra: Sequence[str]) -> tuple[str, ...]:
    """The baselines and the policies asked for, each once."""
    return tuple(dict.fromkeys((*BASELINES, *extra)))


def check_policies(names: Sequence[str]) -> None:
    """Before anything is played: can all of these be entered? `InputError` names the first."""
    for name in names:
        if name in BASELINES or name in FITTED:
            continue
        try:
            make_policy(name)
        except ConfigError as error:
            also = ", ".join(BASELINES)
            raise InputError(f"--policies {name}: {error}; the baselines are: {also}") from None
