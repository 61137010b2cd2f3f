"""The value of a policy on logged traffic, as records: accuracy, USD, both together, and how sure.

    accuracy-M      of all requests, M in ips, snips, dr; with undecided audits accuracy-low-M and
                    accuracy-high-M: all of those wrong, or all right
    usd-per-1000-M  USD per 1,000 requests
    utility-M       accuracy minus USD at the price of an answer at which all-small and all-large
                    tie on this log (`eval.scorecard`), by dr; fixed in the bootstrap
    ess, ess-labels effective sample sizes of the weights, without and with the labels'
    no-support      share of requests at which the target does what the log never would have done
    label-cover     sum of w l / sum of w: 1 where every answer had its stated chance of a label;
                    below 1 beyond doubt, some had none, and accuracy is not identified
    clipped         share of weights that --clip cut

Where support is lacking nothing is estimated: the value is null, and the note says how much is
lacking and where. Labels count 1 / their sampling probability.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.compare import Interval
from eval.offpolicy.estimators import METHODS, Weighted, clipped, effective, estimate, widened
from eval.offpolicy.log import Log
from eval.offpolicy.reward import cross_fitted
from eval.offpolicy.target import Match, Steps, match, own
from eval.replay import Record
from policies import AlwaysLarge, AlwaysSmall
from policies.case import PolicyError
from policies.policy import Policy

__all__ = ["LACKING", "Plan", "judge", "weights_of"]

Floats = NDArray[np.float64]
LACKING = 1e-6
"""Share of requests without support up to which it is rounding."""
UNCOVERED = 0.01
"""Share of answers without a chance of a label that is put up with."""
_USD = "usd-per-1000"
_Z999 = 3.2905
"""Normal quantile of a two-sided 99.9 %."""


@dataclass(frozen=True)
class Plan:
    """How a log is judged."""

    steps: Steps = "sequence"
    clip: float | None = None
    resamples: int = 1000
    seed: int = 0


def judge(
    log: Log, policies: Sequence[tuple[str, Policy | None]], plan: Plan, protocol: str = ""
) -> Iterator[Record]:
    """Every record of every policy (None: what the log itself did); a policy that the log cannot
    feed is one record."""
    maker = _Judged(log, plan, protocol)
    for name, policy in policies:
        try:
            found = own(log) if policy is None else match(policy, log, plan.steps)
        except PolicyError as error:
            yield maker.record(name, "not-replayable", note=str(error))
            continue
        yield from maker.records(name, found)


def weights_of(log: Log) -> Floats:
    """(n,) 1 / the label's probability, 0 where there is no label."""
    chance = log.label_probability
    return np.where(chance > 0, 1.0 / np.maximum(chance, 1e-12), 0.0)


class _Judged:
    """One log: what is shared by all targets on it."""

    def __init__(self, log: Log, plan: Plan, protocol: str) -> None:
        self.log, self.plan, self.protocol = log, plan, protocol
        self.label = weights_of(log)
        self.dense = _dense(log)
        self.rate = self._rate()

    def records(self, name: str, found: Match) -> Iterator[Record]:
        """All numbers of one target, or why there are none."""
        lacking = float(found.lacking.mean())
        where = ", ".join(f"{arm} {share:.1%}" for arm, share in sorted(found.where.items()))
        yield self.record(name, "no-support", Interval(lacking, math.nan, math.nan, 0), where)
        weight, cut = clipped(found.weight, self.plan.clip)
        yield self.plain(name, "ess", effective(weight))
        yield self.plain(name, "ess-labels", effective(weight * self.label))
        if self.plan.clip is not None:
            note = f"weights cut at {self.plan.clip:g}: the values are biased towards the log's"
            yield self.record(name, "clipped", Interval(cut, math.nan, math.nan, 0), note)
        if lacking > LACKING:
            said = (
                f"not identified: at {lacking:.1%} of requests it would do what the logged policy "
                f"never did ({where}); explore there first (policy `explore`)"
            )
            for metric in self._metrics():
                yield self.record(name, metric, note=said)
            return
        yield from self._values(name, found, weight)

    def _metrics(self) -> list[str]:
        kinds = ("accuracy-low", "accuracy-high") if self.log.undecided.any() else ("accuracy",)
        return [f"{kind}-{m}" for kind in (*kinds, _USD, "utility") for m in METHODS]

    def _values(self, name: str, found: Match, weight: Floats) -> Iterator[Record]:
        usd = self._estimate(found, weight, np.ones(len(self.log)), self.log.cost, 1000.0)
        yield from self._labelled(name, found, weight)
        yield from self._utility(name, found, weight)
        for method, got in usd.items():
            yield self.record(name, f"{_USD}-{method}", got)

    def _labelled(self, name: str, found: Match, weight: Floats) -> Iterator[Record]:
        cover = self._cover(weight)
        yield self.record(name, "label-cover", cover)
        if cover.high < 1 - UNCOVERED:
            said = (
                f"not identified: about {1 - cover.value:.0%} of what it would do had no chance of "
                "a label (audits off or out of money, or labels without a probability)"
            )
            for metric in self._metrics():
                if metric.startswith("accuracy"):
                    yield self.record(name, metric, note=said)
            return
        for kind, score in self._accuracies().items():
            made = self._estimate(found, weight, self.label, score)
            note = self._unlabelled(weight)
            for method, got in widened(made, weight * self.label, score).items():
                yield self.record(name, f"{kind}-{method}", got, note)

    def _cover(self, weight: Floats) -> Interval:
        """With an interval at 99.9 %: it is a test, made of every policy. By the linearised ratio
        over clusters, since so far out a bootstrap of a few hundred draws knows nothing."""
        mass = float(weight.sum())
        if not mass > 0:
            return Interval(math.nan, math.nan, math.nan, 0)
        value = float(weight @ self.label) / mass
        of_cluster = np.unique(self.log.cluster, return_inverse=True)[1]
        off = np.bincount(of_cluster, weights=weight * (self.label - value))
        reach = _Z999 * float(np.sqrt(off @ off)) / mass
        return Interval(value, value - reach, value + reach, 0)

    def _accuracies(self) -> dict[str, Floats]:
        log = self.log
        if not log.undecided.any():
            return {"accuracy": log.score}
        return {
            "accuracy-low": np.where(log.undecided, 0.0, log.score),
            "accuracy-high": np.where(log.undecided, 1.0, log.score),
        }

    def _utility(self, name: str, found: Match, weight: Floats) -> Iterator[Record]:
        """Of the labelled: the cost of a run stands beside its label, so both weigh alike."""
        log = self.log
        known = not math.isnan(self.rate) and not log.undecided.any()
        known = known and not self._cover(weight).high < 1 - UNCOVERED
        worth = log.score - self.rate * log.cost
        made = self._estimate(found, weight, self.label, worth, low=-math.inf) if known else {}
        for method in METHODS:
            note = (
                f"one answer is worth USD {1 / self.rate:.4g}"
                if known and self.rate > 0
                else "no price of an answer: all-small and all-large are not both identified, or "
                "large is not better and dearer, or audits are undecided"
            )
            yield self.record(name, f"utility-{method}", made.get(method), note)

    def _estimate(
        self,
        found: Match,
        weight: Floats,
        label: Floats,
        outcome: Floats,
        scale: float = 1.0,
        low: float = 0.0,
    ) -> dict[str, Interval]:
        log, plan = self.log, self.plan
        known = (label > 0) & np.isfinite(outcome)
        label = np.where(known, label, 0.0)
        filled = np.where(known, outcome, 0.0)
        first = log.tried[:, 0]
        model = cross_fitted(
            self.dense, first, len(log.arms), filled, found.later * label, log.cluster,
            plan.seed, (low, math.inf),
        )  # fmt: skip
        rows = Weighted(weight * label, filled, model.expected(found.first), model.of(first))
        return estimate(rows, log.cluster, plan.resamples, plan.seed, scale)

    def _rate(self) -> float:
        """Quality per USD at which all-small and all-large tie; NaN where that is not known."""
        points = []
        for policy in (AlwaysSmall(), AlwaysLarge()):
            found = match(policy, self.log, self.plan.steps)
            if found.lacking.mean() > LACKING or self.log.undecided.any():
                return math.nan
            few = _Few(self, found)
            points.append((few.mean(self.label, self.log.score), few.mean(None, self.log.cost)))
        (low, cheap), (high, dear) = points
        return (high - low) / (dear - cheap) if dear > cheap and high > low else math.nan

    def _unlabelled(self, weight: Floats) -> str:
        log = self.log
        said = f"{int((log.labelled & (weight > 0)).sum()):,} labels"
        if log.feedback:
            said += f"; {log.feedback:,} with feedback alone, which is self-selected"
        return said

    def plain(self, name: str, metric: str, value: float) -> Record:
        return self.record(name, metric, Interval(value, math.nan, math.nan, 0))

    def record(self, name: str, metric: str, got: Interval | None = None, note: str = "") -> Record:
        made = got or Interval(math.nan, math.nan, math.nan, 0)
        return Record(
            source=self.log.name,
            benchmark="traffic of " + ", ".join(self.log.policies),
            policy=name,
            metric=metric,
            value=_finite(made.value),
            low=_finite(made.low),
            high=_finite(made.high),
            n=len(self.log),
            seed=self.plan.seed,
            protocol=self.protocol or f"off-policy, {self.plan.steps}",
            labels=int(self.log.labelled.sum()),
            note=note,
        )


@dataclass(frozen=True)
class _Few:
    """Point values of one target, for the price of an answer."""

    maker: _Judged
    found: Match

    def mean(self, label: Floats | None, outcome: Floats) -> float:
        weight = self.found.weight * (1.0 if label is None else label)
        known = (weight > 0) & np.isfinite(outcome)
        mass = float(weight[known].sum())
        return float(weight[known] @ outcome[known]) / mass if mass > 0 else math.nan


def _dense(log: Log) -> Floats:
    """(n, d) logged features that a regression can read: all but hashed words, no NaN."""
    if log.features is None:
        return np.empty((len(log), 0))
    blocks = [v for name, v in log.features.blocks.items() if name != "terms"]
    wide = np.concatenate([np.asarray(b, dtype=np.float64) for b in blocks], axis=1)
    return np.asarray(np.nan_to_num(wide), dtype=np.float64)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
