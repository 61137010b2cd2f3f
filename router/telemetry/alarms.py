"""One registry of alarms: what is wrong with the traffic, in words, and since when.

    collapse    the share of large calls, or the queries, are no longer what they were (`watch`)
    bound       the promised error rate does not hold on the labels
    burn        a tenant's budget is spent faster than its period passes

A kind of alarm is a function that returns everything of its kind that is wrong now. The
registry logs what is new and what has ended, once each.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["Alarm", "Alarms", "Spending", "burning"]

_LOG = logging.getLogger(__name__)


class Alarm(NamedTuple):
    """What is wrong, in words; with a tenant it is nobody else's business."""

    what: str
    tenant: str | None = None


Source = Callable[[], Iterable[Alarm]]


@dataclass(frozen=True, slots=True)
class Spending:
    """What a tenant has spent in a period. `passed`: the share of the period that is over."""

    tenant: str
    period: str
    spent_usd: float
    limit_usd: float
    passed: float


@dataclass(slots=True)
class Alarms:
    """All kinds of alarms of one process."""

    _sources: dict[str, Source] = field(default_factory=dict)
    _since: dict[tuple[str, Alarm], float] = field(default_factory=dict)

    def add(self, kind: str, source: Source) -> None:
        """Ask `source` for alarms of that kind."""
        self._sources[kind] = source

    def look(self) -> dict[str, bool]:
        """Ask all sources; by kind, whether it is raised. A source that breaks is an alarm."""
        now, raised = time.time(), set[tuple[str, Alarm]]()
        for kind, source in self._sources.items():
            try:
                raised |= {(kind, said) for said in source()}
            except Exception as error:
                raised.add((kind, Alarm(f"cannot be watched: {type(error).__name__}")))
        for kind, said in _in_order(raised - self._since.keys()):
            _LOG.warning("alarm %s: %s", kind, said.what)
        for kind, said in _in_order(self._since.keys() - raised):
            _LOG.warning("alarm %s is over: %s", kind, said.what)
        self._since = {one: self._since.get(one, now) for one in raised}
        return {kind: any(k == kind for k, _ in raised) for kind in self._sources}

    def report(self, tenant: str) -> list[dict[str, Any]]:
        """What is raised and a tenant may know, oldest first; `since` in seconds of Unix time."""
        rows = sorted(self._since.items(), key=lambda item: item[1])
        return [
            {"alarm": kind, "what": said.what, "since": at}
            for (kind, said), at in rows
            if said.tenant in (None, tenant)
        ]


def _in_order(raised: Iterable[tuple[str, Alarm]]) -> list[tuple[str, Alarm]]:
    return sorted(raised, key=lambda one: (one[0], one[1].what))


def burning(spendings: Iterable[Spending], pace: float, share: float) -> list[Alarm]:
    """An alarm for each budget that will not last its period at this pace."""
    return [
        Alarm(
            f"tenant {s.tenant} has spent {_percent(s.spent_usd / s.limit_usd)} of its budget "
            f"for the {s.period} when {_percent(s.passed)} of it had passed",
            s.tenant,
        )
        for s in spendings
        if s.limit_usd > 0
        and s.spent_usd >= share * s.limit_usd
        and s.spent_usd >= pace * s.passed * s.limit_usd
    ]


def _percent(share: float) -> str:
    """In steps of ten, so that an alarm that goes on is not a new one every minute."""
    return f"over {10 * int(10 * min(share, 1.0))} %"
