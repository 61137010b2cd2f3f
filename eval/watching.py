"""Alarms over recorded traffic: which rang, and at which request.

    share     strong share against its calibrated value          policies.alarms.ShareAlarm
    score     scores in windows against those of the calibration policies.alarms.ScoreAlarm
    regret    lost to the best single arm, where both are labelled  policies.alarms.RegretAlarm
    promise   a conformal gate's: errors among kept at most alpha   eval.metrics.bounds.watch

The calibration is a reference set's traffic of the same policy, else the first requests of the
traffic itself, which are then not watched. An alarm without the facts that it reads is off, and
says why; it is never silent.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.metrics.bounds import watch
from eval.traffic import Traffic
from policies.alarms import RegretAlarm, ScoreAlarm, ShareAlarm
from router.errors import InputError
from router.watch import calibrated_share

__all__ = ["Alarm", "Plan", "watch_traffic"]

Floats = NDArray[np.float64]
ENOUGH = 0.5
"""A label from here on is a right answer."""


@dataclass(frozen=True)
class Plan:
    """What to look for."""

    share: float | None = None
    """Stated; None: measured on the calibration."""
    shift: float = 0.1
    every: float = 10_000
    window: int = 500
    alpha: float = 0.01
    """Of the score's alarm."""
    allowed: float = 0.0
    """Regret that is put up with."""
    calibrate: int = 500
    """First requests that calibrate where there is no reference."""
    promise: float | None = None
    """The gate's alpha."""


class Alarm(NamedTuple):
    """One alarm after the whole stream."""

    name: str
    seen: int
    """Requests that it could read."""
    request: int | None
    """The request of the whole traffic, from 1, at which it rang."""
    query: str | None
    created: str | None
    facts: str
    """What it saw, in words; why it is off where it is."""
    off: bool = False


def watch_traffic(traffic: Traffic, reference: Traffic | None, plan: Plan) -> tuple[Alarm, ...]:
    """Every alarm over the traffic.

    Raises:
        InputError: nothing is left to watch after the calibration.
    """
    before = 0
    if reference is None:
        before = plan.calibrate
        if len(traffic) <= plan.calibrate:
            raise InputError(
                f"{len(traffic):,} requests, and the first {plan.calibrate:,} would calibrate: "
                "give --reference, or a smaller --calibrate"
            )
        reference = _part(traffic, slice(None, plan.calibrate))
        traffic = _part(traffic, slice(plan.calibrate, None))
    rung = (
        _share(traffic, reference, plan),
        _scores(traffic, reference, plan),
        _regret(traffic, plan),
        _promise(traffic, plan),
    )
    return tuple(
        each if each.request is None else each._replace(request=each.request + before)
        for each in rung
    )


def _share(traffic: Traffic, reference: Traffic, plan: Plan) -> Alarm:
    share = plan.share
    if share is None:
        share = calibrated_share(int(reference.strong.sum()), len(reference))
    alarm = ShareAlarm(share=share, shift=plan.shift, every=plan.every)
    rang = alarm.update(traffic.strong.tolist()).raised_at
    facts = f"{traffic.strong.mean():.3f} strong, calibrated {share:.3f}"
    return _made("share", traffic, np.arange(len(traffic)), rang, facts)


def _scores(traffic: Traffic, reference: Traffic, plan: Plan) -> Alarm:
    name = traffic.score_name
    known = np.flatnonzero(np.isfinite(traffic.score))
    before = reference.score[np.isfinite(reference.score)]
    if reference.score_name != name or len(before) < 2 or len(known) < plan.window:
        return _off(
            "score", f"{len(known):,} requests with {name}, {len(before):,} in the calibration; a "
            f"window takes {plan.window:,}"
        )  # fmt: skip
    alarm = ScoreAlarm(
        reference=tuple(np.sort(before).tolist()), window=plan.window, alpha=plan.alpha
    ).update(traffic.score[known].tolist())
    facts = (
        f"{name}: distance {alarm.distance:.3f} in the last of {alarm.windows} windows, "
        f"limit {alarm.limit(alarm.windows):.3f}"
    )
    return _made("score", traffic, known, alarm.raised_at, facts)


def _regret(traffic: Traffic, plan: Plan) -> Alarm:
    both = np.flatnonzero(np.isfinite(traffic.best) & np.isfinite(traffic.label))
    if not len(both):
        return _off("regret", "no request has a label of the best single arm beside its own")
    alarm = RegretAlarm(allowed=plan.allowed, every=plan.every)
    best, own = traffic.best[both], traffic.label[both]
    rang = alarm.update(best.tolist(), own.tolist()).raised_at
    facts = f"{(best - own).mean():+.3f} a request lost to it, {plan.allowed:g} allowed"
    return _made("regret", traffic, both, rang, facts)


def _promise(traffic: Traffic, plan: Plan) -> Alarm:
    if plan.promise is None:
        return _off("promise", "the policy promises nothing: it is no conformal gate's preset")
    kept = np.flatnonzero(traffic.kept & np.isfinite(traffic.label))
    if not len(kept):
        return _off("promise", "no kept request has a label")
    wrong = (traffic.label[kept] < ENOUGH).astype(np.float64)
    seen = watch(wrong, plan.promise)
    facts = (
        f"{seen.wrong:,} wrong of {seen.n:,} kept ({wrong.mean():.3f}), promised at most "
        f"{plan.promise:g}"
    )
    return _made("promise", traffic, kept, seen.alarm_at, facts)


def _made(
    name: str, traffic: Traffic, rows: NDArray[np.intp], rang: int | None, facts: str
) -> Alarm:
    if rang is None:
        return Alarm(name, len(rows), None, None, None, facts)
    at = int(rows[rang - 1])
    return Alarm(name, len(rows), at + 1, "/".join(traffic.query[at]), traffic.created[at], facts)


def _off(name: str, why: str) -> Alarm:
    return Alarm(name, 0, None, None, None, why, off=True)


def _part(traffic: Traffic, rows: slice) -> Traffic:
    own = ("query", "created", "strong", "kept", "label", "best", "score", "cost")
    return replace(traffic, **{name: getattr(traffic, name)[rows] for name in own})
