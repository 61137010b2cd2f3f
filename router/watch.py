"""Watch the traffic of a running router: is it still what the policy was calibrated on?

    share    of requests that called a large arm: drift, and collapse to all or nothing
    score    distribution of one of the signals in windows, against the first requests

Fed after each answered request of the configured policy (a caller who names another policy is not
counted), in memory alone: a restart begins anew. An alarm is logged once and stays raised; the
gateway's /health shows it, and goes on saying ok, because the router still answers. The rules and
what they promise: `policies.alarms`. With labels, watch recorded traffic: `ockham policy watch`.
"""

import logging
from typing import Any, Literal

from pydantic import Field

from policies.alarms import ScoreAlarm, ShareAlarm
from router.section import Section
from router.state import Answer

__all__ = ["Watch", "WatchSettings", "calibrated_share"]

_log = logging.getLogger(__name__)
MOST = 20_000
"""Requests that are held at once: the memory of a router is bounded, and an answer waits on it."""


class WatchSettings(Section):
    """What is watched."""

    share: float | None = Field(default=None, gt=0, lt=1)
    """Calibrated share of requests that call a large arm; null: that of the first requests."""
    shift: float = Field(default=0.1, gt=0, lt=1)
    """Drift of the share that matters."""
    every: float = Field(default=10_000, gt=1)
    """Mean number of requests to a false alarm of the share, at the least."""
    score: Literal["verifiability", "knowledge_demand", "confidence"] = "verifiability"
    calibrate: int = Field(default=500, ge=20, le=MOST)
    """First requests, which show what is normal."""
    window: int = Field(default=500, ge=20, le=MOST)
    """Requests whose scores are compared at once."""
    alpha: float = Field(default=0.01, gt=0, lt=1)
    """Probability that the score's alarm is ever false."""


def calibrated_share(strong: int, n: int) -> float:
    """A share in (0, 1) of what was seen, half a request added to either side."""
    return (strong + 0.5) / (n + 1)


class Watch:
    """Two alarms over the requests of one router. Fed from one thread, its event loop's."""

    def __init__(self, settings: WatchSettings, large: frozenset[str]) -> None:
        self._settings = settings
        self._large = large
        self._first: list[tuple[bool, float]] = []
        self._share: ShareAlarm | None = None
        self._score: ScoreAlarm | None = None
        self._seen = 0

    def see(self, answer: Answer) -> None:
        """Count one answered request."""
        strong = not self._large.isdisjoint(answer.route)
        score = float(getattr(answer.signals, self._settings.score))
        self._seen += 1
        if self._share is None or self._score is None:
            self._first.append((strong, score))
            if len(self._first) == self._settings.calibrate:
                self._calibrated()
            return
        share, scores = self._share.update([strong]), self._score.update([score])
        if share.raised and not self._share.raised:
            _log.warning("%s", self._said_share(share))
        if scores.raised and not self._score.raised:
            _log.warning("%s", self._said_score(scores))
        self._share, self._score = share, scores

    def report(self) -> dict[str, Any]:
        """Plain data for /health."""
        made: dict[str, Any] = {"requests": self._seen, "alarms": []}
        if self._share is None or self._score is None:
            return made | {"calibrating": self._settings.calibrate - len(self._first)}
        if self._share.raised:
            made["alarms"].append(self._said_share(self._share))
        if self._score.raised:
            made["alarms"].append(self._said_score(self._score))
        return made | {"calibrated_share": self._share.share}

    def _calibrated(self) -> None:
        own = self._settings
        n, strong = len(self._first), sum(s for s, _ in self._first)
        share = own.share if own.share is not None else calibrated_share(strong, n)
        self._share = ShareAlarm(share=share, shift=own.shift, every=own.every)
        reference = tuple(sorted(score for _, score in self._first))
        self._score = ScoreAlarm(reference=reference, window=own.window, alpha=own.alpha)
        self._first = []

    def _said_share(self, alarm: ShareAlarm) -> str:
        at = (alarm.raised_at or 0) + self._settings.calibrate
        return (
            f"the share of requests that call a large arm has left {alarm.share:.3f} (request {at})"
        )

    def _said_score(self, alarm: ScoreAlarm) -> str:
        at = (alarm.raised_at or 0) + self._settings.calibrate
        return (
            f"the distribution of {self._settings.score} is not that of the first "
            f"{self._settings.calibrate} requests (request {at})"
        )
