"""Replay: policies over recorded outcomes, with every metric, interval and comparison.

`replay` yields long-form records, one a number. All policies of one table are resampled
with the same draws of whole questions, so that every difference is paired; p-values are
sign-flip permutation tests over questions, Holm-adjusted over all that one table shows.

A metric that has no meaning on a table (areas where the large arm is not better) is a
record with value null and a note, and a policy that needs what the table lacks is a record
of metric `not-replayable`: nothing is left out in silence.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from eval.compare import bootstrap, holm, paired_permutation
from eval.contenders import Entry, NotReplayable, available, enter
from eval.fit.usable import notes
from eval.folds import folds_of
from eval.metrics import PgrCurve, apgr_routellm, cpt_routellm
from eval.over_seeds import SUFFIX, over_seeds
from eval.scorecard import Scorecard
from eval.table import Table

__all__ = ["Curve", "Plan", "Record", "replay"]

Floats = NDArray[np.float64]
RIVALS = ("random", "prompt-length", "best-single")
COMPARED = ("apgr", "cost-apgr", "utility")
UNTESTED = (*RIVALS, "all-small", "all-large", "oracle")
"""Who is no claim of ours: rivals against each other would only dilute the correction."""


class Record(BaseModel):
    """One number. `n` counts questions; `low`, `high` are a 95 % interval over them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    benchmark: str
    policy: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    seed: int
    protocol: str = ""
    """untrained, in-distribution, transfer from X, sees the scores."""
    labels: int = 0
    """Training labels of one fit."""
    pair: str = ""
    note: str = ""


class Curve(BaseModel):
    """Points of one policy's curve: shares of large calls, USD per query, accuracy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    benchmark: str
    policy: str
    seed: int
    protocol: str
    labels: int
    pair: str
    share: tuple[float, ...]
    usd: tuple[float, ...]
    accuracy: tuple[float, ...]


@dataclass(frozen=True)
class Plan:
    """What to replay, and how."""

    policies: tuple[str, ...] = ()
    """Beside the baselines."""
    folds: int = 5
    labels: int | None = None
    seeds: tuple[int, ...] = (0,)
    share: float = 0.5
    resamples: int = 1000
    against: tuple[str, ...] = ()
    """Rivals beside `RIVALS`: every policy's difference to them, and its test."""


Say = Callable[[str], None]


def replay(
    table: Table, plan: Plan, train: Table | None = None, say: Say | None = None
) -> Iterator[Record | Curve]:
    """All records of one table. `train`: fit on that table instead (transfer).

    Raises:
        InputError: the folds or labels do not fit the table.
    """
    yield from _notes(table, train, plan.seeds[0])
    made = []
    for seed in plan.seeds:
        made.append(_Seed(table, plan, seed, train, say or (lambda _: None)))
        yield from made[-1].records()
    if len(made) > 1:
        yield from _over_seeds(made)


def _over_seeds(made: Sequence["_Seed"]) -> Iterator[Record]:
    first = made[0]
    first.say(f"{first.table.benchmark}: {len(made)} seeds together")
    cards = [{card.entry.policy: card for card in one.cards} for one in made]
    note = f"mean of {len(made)} seeds; 95 % over questions and seeds, both resampled"
    for each in over_seeds(
        cards, first.rivals, first.table.cluster, first.plan.resamples, first.seed
    ):
        if each.policy == "oracle" and "-minus-" in each.metric:
            continue
        entry, got = cards[0][each.policy].entry, each.made
        yield first.record(entry, each.metric + SUFFIX, got.value, got.low, got.high, note)


def _notes(table: Table, train: Table | None, seed: int) -> Iterator[Record]:
    """What is odd about the tables, as records of metric `note`: said once."""
    pair = " -> ".join(a.name for a in table.arms)
    for one in (table,) if train is None else (table, train):
        for said in notes(one):
            yield Record(
                source=table.source,
                benchmark=table.benchmark,
                policy="",
                metric="note",
                value=None,
                low=None,
                high=None,
                n=table.questions,
                seed=seed,
                pair=pair,
                note=said if one is table else f"{one.benchmark}: {said}",
            )


class _Seed:
    """One seed: the same folds, the same draws, for every policy."""

    def __init__(self, table: Table, plan: Plan, seed: int, train: Table | None, say: Say) -> None:
        self.table, self.plan, self.seed, self.train, self.say = table, plan, seed, train, say
        self.pair = " -> ".join(a.name for a in table.arms)
        self.rivals = tuple(dict.fromkeys((*RIVALS, *plan.against)))
        self.cards: list[Scorecard] = []

    def records(self) -> Iterator[Record | Curve]:
        entries, refused = self._enter()
        yield from refused
        self.cards = cards = [Scorecard(self.table, entry) for entry in entries]
        gaps = _gaps(cards, self.rivals)
        yield from self._measured(cards, gaps)
        for card in cards:
            yield from self._published(card.entry)
            curve = card.curve()
            if curve is not None and curve.cost is not None:
                yield self._curve(card.entry, curve)
        yield from self._tests(cards)

    def _enter(self) -> tuple[list[Entry], list[Record]]:
        # In a transfer the folds only hold thresholds apart: the labels are the other table's.
        own = None if self.train is not None else self.plan.labels
        folds = folds_of(self.table, self.plan.folds, own, self.seed)
        folds = replace(folds, labels=self.plan.labels)
        entries, refused = [], []
        for name in available((*self.plan.policies, *self.plan.against)):
            self.say(f"{self.table.benchmark} seed {self.seed}: {name}")
            try:
                entries.append(enter(name, self.table, folds, self.plan.share, self.train))
            except NotReplayable as error:
                refused.append(self.record(name, "not-replayable", note=str(error)))
        return entries, refused

    def _measured(self, cards: Sequence[Scorecard], gaps: Sequence["_Gap"]) -> Iterator[Record]:
        """One bootstrap for all cards and all differences between them."""
        sizes = np.cumsum([0, *(len(c.names) for c in cards)])
        self.say(f"{self.table.benchmark} seed {self.seed}: {self.plan.resamples} resamples")

        def all_values(weight: Floats) -> Floats:
            flat = np.concatenate([card.values(weight) for card in cards])
            return np.concatenate([flat, [gap.value(flat, sizes) for gap in gaps]])

        made = bootstrap(all_values, self.table.cluster, self.plan.resamples, self.seed)
        for i, card in enumerate(cards):
            for j, name in enumerate(card.names):
                got = made[sizes[i] + j]
                yield self.record(
                    card.entry, name, got.value, got.low, got.high, _why(card, name, got.value)
                )
        for gap, got in zip(gaps, made[sizes[-1] :], strict=True):
            note = _why(cards[gap.ours], gap.name, got.value)
            yield self.record(cards[gap.ours].entry, gap.name, got.value, got.low, got.high, note)

    def _published(self, entry: Entry) -> Iterator[Record]:
        """RouteLLM's own definition, beside ours; its thresholds move with the sample."""
        if entry.score is None:
            return
        weak, strong = self.table.score[:, 0], self.table.score[:, 1]
        score = entry.score
        if entry.policy == "oracle":
            # Their ten thresholds need distinct scores: ties of the oracle are drawn.
            score = score + 1e-6 * np.random.default_rng(self.seed).random(len(score))
        note = "RouteLLM's ten thresholds, no interval"
        yield self.record(entry, "apgr-routellm", apgr_routellm(score, weak, strong), note=note)
        for x in (0.5, 0.8):
            value = cpt_routellm(score, weak, strong, x) / 100
            yield self.record(entry, f"cpt{x * 100:.0f}-routellm", value, note=note)

    def _tests(self, cards: Sequence[Scorecard]) -> Iterator[Record]:
        """Utility against every rival, by permutation, adjusted together."""
        by_name = {card.entry.policy: card.utility() for card in cards}
        asked = [
            (card.entry, rival)
            for card in cards
            for rival in self.rivals
            if card.entry.policy not in (*UNTESTED, rival) and rival in by_name
        ]
        asked = [(e, r) for e, r in asked if np.isfinite(by_name[e.policy]).all()]
        raw = [
            paired_permutation(
                by_name[e.policy], by_name[r], self.table.cluster, 2000, seed=self.seed
            )
            for e, r in asked
        ]
        for (entry, rival), p in zip(asked, holm(raw).tolist() if raw else [], strict=True):
            note = f"two-sided, Holm over {len(raw)} tests"
            yield self.record(entry, f"p-utility-vs-{rival}", p, note=note)

    def _curve(self, entry: Entry, curve: PgrCurve) -> Curve:
        keep = np.unique(np.linspace(0, len(curve.share) - 1, 201).astype(int))
        assert curve.cost is not None
        points = {
            "share": curve.share[keep].tolist(),
            "usd": curve.cost[keep].tolist(),
            "accuracy": curve.quality[keep].tolist(),
        }
        return Curve.model_validate({**self._labels(entry), **points})

    def _n(self, metric: str) -> int:
        twins = self.table.twins
        if metric == "robustness" and twins is not None:
            return len(np.unique(self.table.cluster[twins.origin]))
        return self.table.questions

    def _labels(self, entry: Entry | str) -> dict[str, object]:
        if isinstance(entry, Entry):
            name, protocol, labels = entry.policy, entry.protocol, entry.labels
        else:
            name, protocol, labels = entry, "", 0
        return {
            "source": self.table.source,
            "benchmark": self.table.benchmark,
            "policy": name,
            "seed": self.seed,
            "protocol": protocol,
            "labels": labels,
            "pair": self.pair,
        }

    def record(
        self,
        entry: Entry | str,
        metric: str,
        value: float = math.nan,
        low: float = math.nan,
        high: float = math.nan,
        note: str = "",
    ) -> Record:
        return Record.model_validate(
            {
                **self._labels(entry),
                "metric": metric,
                "value": _finite(value),
                "low": _finite(low),
                "high": _finite(high),
                "n": self._n(metric),
                "note": note,
            }
        )


@dataclass(frozen=True)
class _Gap:
    """A difference between two cards in one metric, by their places in the flat vector."""

    name: str
    ours: int
    place: int
    rival: int
    rival_place: int

    def value(self, flat: Floats, sizes: NDArray[np.int64]) -> float:
        theirs = flat[sizes[self.rival] + self.rival_place]
        return float(flat[sizes[self.ours] + self.place] - theirs)


def _gaps(cards: Sequence[Scorecard], rivals: Sequence[str]) -> list[_Gap]:
    out = []
    place = {card.entry.policy: i for i, card in enumerate(cards)}
    for i, card in enumerate(cards):
        for rival in rivals:
            j = place.get(rival)
            if j is None or i == j or card.entry.policy == "oracle":
                continue
            for metric in COMPARED:
                if metric in card.names and metric in cards[j].names:
                    at, other = card.names.index(metric), cards[j].names.index(metric)
                    out.append(_Gap(f"{metric}-minus-{rival}", i, at, j, other))
    return out


def _why(card: Scorecard, name: str, value: float) -> str:
    """What a number depends on, or why there is none."""
    if math.isfinite(value):
        return card.notes.get(name, "")
    curve = card.curve()
    return curve.undefined if curve is not None and curve.undefined else "undefined on this table"


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
