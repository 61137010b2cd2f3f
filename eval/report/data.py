"""What a report shows: result files sorted into sections, one a table, one row a contestant.

Files about the same table (source, benchmark, pair, data checksum, operating share) share a
section, so that label budgets, transfers and seeds stand beside each other. A number that
two files give is taken from the first. Over several seeds a number is the mean, with the
standard deviation over seeds; its interval is the mean of the seeds' intervals, which is
about questions, not seeds.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from eval.compare import seeds
from eval.replay import Curve, Record
from eval.replay_files import read_result
from eval.replay_show import published
from router.errors import InputError

__all__ = ["Cell", "Contestant", "Line", "Section", "Source", "load", "number"]

SEES = "sees the scores"
SAME_LABELS = 1.01
"""Folds of whole clusters differ a little in size between seeds."""
DIGITS = {"usd-per-1000": 3, "cost-at-accuracy": 3, "p-utility": 4, "utility": 4, "routerarena": 4}


@dataclass(frozen=True)
class Source:
    """One result file: its name and its stamp (empty where it has none)."""

    name: str
    stamp: dict[str, Any]

    def table(self, benchmark: str, pair: str) -> dict[str, Any]:
        """The stamp's facts about one table; empty where it has none."""
        for facts in _list(self.stamp, "tables"):
            arms = " -> ".join(str(a) for a in _list(facts, "arms"))
            if facts.get("benchmark") == benchmark and pair in ("", arms):
                return dict(facts)
        return {}

    def plan(self, key: str) -> Any:
        """One entry of the plan, or None."""
        plan = self.stamp.get("plan")
        return plan.get(key) if isinstance(plan, dict) else None


@dataclass(frozen=True)
class Cell:
    """One number of one contestant, over its seeds."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    seeds: int = 1
    sd: float | None = None
    note: str = ""
    values: tuple[float, ...] = ()
    """One a seed, for what must not be averaged."""

    def sign(self) -> int:
        """1 or -1 where the whole interval lies on one side of zero."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True)
class Line:
    """A curve, the mean over seeds: share of large calls, USD per 1,000 queries, accuracy."""

    share: tuple[float, ...]
    usd: tuple[float, ...]
    accuracy: tuple[float, ...]


@dataclass
class Contestant:
    """A policy under one protocol and label budget."""

    policy: str
    protocol: str
    labels: tuple[int, int]
    """Least and most over seeds; 0 where nothing was fitted."""
    records: list[Record]
    line: Line | None = None
    cells: dict[str, Cell] = field(init=False)

    def __post_init__(self) -> None:
        by: dict[str, list[Record]] = {}
        for record in self.records:
            by.setdefault(record.metric, []).append(record)
        self.cells = {metric: _cell(rows) for metric, rows in by.items()}

    @property
    def terms(self) -> str:
        """What it knew: `in-distribution, 1,046 labels`."""
        low, high = self.labels
        count = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        return self.protocol + (f", {count} labels" if high else "")

    @property
    def sees(self) -> bool:
        """A bound, not a policy."""
        return self.protocol == SEES

    @property
    def seeds(self) -> tuple[int, ...]:
        """Its seeds, ascending."""
        return tuple(sorted({r.seed for r in self.records}))

    def get(self, metric: str) -> Cell:
        """Its cell; an empty one where there is no such number."""
        return self.cells.get(metric, Cell(None, None, None, 0))

    def at(self, metric: str) -> float:
        """Its value; NaN where there is none."""
        value = self.get(metric).value
        return math.nan if value is None else value


@dataclass
class Section:
    """One table of one source."""

    source: str
    benchmark: str
    pair: str
    facts: dict[str, Any]
    share: float | None
    contestants: list[Contestant]
    refused: list[Record]
    files: list[str]
    notes: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """`routellm / mmlu`."""
        return f"{self.source} / {self.benchmark}"

    @property
    def questions(self) -> int:
        """Questions of the table."""
        return max((r.n for c in self.contestants for r in c.records), default=0)

    @property
    def ranked(self) -> list[Contestant]:
        """By APGR, then those without one, then the bound."""
        order = {id(c): i for i, c in enumerate(self.with_metric("apgr"))}
        last = len(self.contestants)
        return sorted(self.contestants, key=lambda c: (c.sees, order.get(id(c), last)))

    @property
    def several(self) -> bool:
        """Whether any number is a mean over seeds."""
        return any(len(c.seeds) > 1 for c in self.contestants)

    def with_metric(self, metric: str) -> list[Contestant]:
        """Contestants that have this number, best (largest) first."""
        have = [c for c in self.contestants if c.get(metric).value is not None]
        return sorted(have, key=lambda c: -c.at(metric))

    def published(self) -> dict[str, float]:
        """APGR of others on this benchmark, best first; never mixed with ours."""
        figures = published().get(self.source, {}).get(self.benchmark, {})
        found = {str(name): float(f["apgr"]) for name, f in figures.items()}
        return dict(sorted(found.items(), key=lambda item: -item[1]))


def load(paths: Sequence[Path]) -> tuple[list[Source], list[Section]]:
    """Read result files into sections, in the order of the files.

    Raises:
        InputError: no file, or one that `ockham replay` did not write.
    """
    if not paths:
        raise InputError("no result file; make one with `ockham replay --out`")
    sources: list[Source] = []
    groups: dict[tuple[Any, ...], _Group] = {}
    for path in paths:
        made, records, curves = read_result(path)
        source = Source(path.name, made)
        sources.append(source)
        items: list[Record | Curve] = [*records, *curves]
        for item in items:
            group = groups.setdefault(_key(source, item), _Group())
            group.add(source, item, str(path))
    return sources, [group.section() for group in groups.values()]


def number(value: float | None, metric: str = "", signed: bool = False) -> str:
    """As shown on the page; a dash where there is none."""
    if value is None:
        return "–"
    digits = next((d for name, d in DIGITS.items() if metric.startswith(name)), 3)
    sign = "+" if signed else ""
    text = f"{value:{sign},.{digits}f}"
    if not float(text.replace(",", "")):
        text = text.lstrip("+-")
    return text.replace("-", "−")


class _Group:
    """What becomes one section."""

    def __init__(self) -> None:
        self.items: dict[tuple[Any, ...], Record | Curve] = {}
        self.sources: list[Source] = []
        self.clashes: dict[str, int] = {}

    def add(self, source: Source, item: Record | Curve, path: str) -> None:
        if source not in self.sources:
            self.sources.append(source)
        metric = item.metric if isinstance(item, Record) else ""
        key = (type(item), item.policy, item.protocol, item.labels, item.seed, metric)
        first = self.items.setdefault(key, item)
        if first != item and isinstance(first, Record) and isinstance(item, Record):
            self.clashes[path] = self.clashes.get(path, 0) + 1
        if isinstance(item, Curve):
            _check(item, path)

    def section(self) -> Section:
        records = [i for i in self.items.values() if isinstance(i, Record)]
        curves = [i for i in self.items.values() if isinstance(i, Curve)]
        refused = {(r.policy, r.note): r for r in records if r.metric == "not-replayable"}
        first = next(iter(self.items.values()))
        source = self.sources[0]
        kept = [r for r in records if r.metric not in ("not-replayable", "note")]
        odd = dict.fromkeys(r.note for r in records if r.metric == "note")
        return Section(
            source=first.source,
            benchmark=first.benchmark,
            pair=first.pair,
            facts=source.table(first.benchmark, first.pair),
            share=_number(source.plan("share")),
            contestants=list(_contestants(kept, curves)),
            refused=list(refused.values()),
            files=[s.name for s in self.sources],
            notes=[
                f"{count} numbers of {Path(path).name} stand in an earlier file with another "
                "value or interval; the earlier file's are shown."
                for path, count in self.clashes.items()
            ]
            + list(odd),
        )


def _key(source: Source, item: Record | Curve) -> tuple[Any, ...]:
    facts = source.table(item.benchmark, item.pair)
    share = _number(source.plan("share"))
    return (item.source, item.benchmark, item.pair, str(facts.get("checksum")), share)


def _contestants(records: Sequence[Record], curves: Sequence[Curve]) -> Iterable[Contestant]:
    """One a policy, protocol and label budget, in the order of the file."""
    for policy, protocol in dict.fromkeys((r.policy, r.protocol) for r in records):
        own = [r for r in records if (r.policy, r.protocol) == (policy, protocol)]
        drawn = [c for c in curves if (c.policy, c.protocol) == (policy, protocol)]
        for low, high in _budgets({r.labels for r in own}):
            rows = [r for r in own if low <= r.labels <= high]
            lines = [c for c in drawn if low <= c.labels <= high and c.share]
            yield Contestant(policy, protocol, (low, high), rows, _line(lines))


def _budgets(labels: set[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for count in sorted(labels):
        if spans and count <= spans[-1][0] * SAME_LABELS:
            spans[-1] = (spans[-1][0], count)
        else:
            spans.append((count, count))
    return spans


def _cell(rows: Sequence[Record]) -> Cell:
    n, note = max(r.n for r in rows), next((r.note for r in rows if r.note), "")
    values = tuple(v for v in (_number(r.value) for r in rows) if v is not None)
    if not values:
        return Cell(None, None, None, n, len(rows), note=note)
    lows = [v for v in (_number(r.low) for r in rows) if v is not None]
    highs = [v for v in (_number(r.high) for r in rows) if v is not None]
    whole = len(lows) == len(highs) == len(values)
    got = seeds(values)
    return Cell(
        value=values[0] if len(values) == 1 else got.mean,
        low=float(np.mean(lows)) if whole else None,
        high=float(np.mean(highs)) if whole else None,
        n=n,
        seeds=len(values),
        sd=got.sd if len(values) > 1 else None,
        note=note,
        values=values,
    )


def _line(curves: Sequence[Curve]) -> Line | None:
    """The mean over seeds at equal shares; one seed's curve as it is."""
    if not curves:
        return None
    first = curves[0]
    if all(
        (c.share, c.usd, c.accuracy) == (first.share, first.usd, first.accuracy) for c in curves
    ):
        return Line(first.share, tuple(1000 * u for u in first.usd), first.accuracy)
    grid = np.unique(np.concatenate([c.share for c in curves]).round(6))
    if len(grid) > 201:
        grid = np.linspace(grid[0], grid[-1], 201)
    usd = np.mean([np.interp(grid, c.share, c.usd) for c in curves], axis=0)
    accuracy = np.mean([np.interp(grid, c.share, c.accuracy) for c in curves], axis=0)
    return Line(tuple(grid.tolist()), tuple((1000 * usd).tolist()), tuple(accuracy.tolist()))


def _check(curve: Curve, path: str) -> None:
    parts = (curve.share, curve.usd, curve.accuracy)
    if len({len(p) for p in parts}) > 1 or not all(math.isfinite(v) for p in parts for v in p):
        raise InputError(f"{path}: the curve of {curve.policy} has gaps; replay again")


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _list(holder: Any, key: str) -> list[Any]:
    found = holder.get(key) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []
