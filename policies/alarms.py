"""Alarms over a stream of decisions: is the policy still the one that was calibrated?

    ShareAlarm    strong share against its calibrated value: drift either way, and collapse
    RegretAlarm   what is lost to the best single arm, where labels exist
    ScoreAlarm    distribution of the scores against those of the calibration

The first two are Shiryaev-Roberts e-detectors (Shin, Ramdas & Rinaldo, arXiv 2203.03532). With
factors L_t >= 0 whose mean is at most 1 while all is well, R_t = (1 + R_{t-1}) * L_t has
E[R_t] <= t, so that raising the alarm at R_t >= N makes the mean time to a false alarm at least
N decisions, whenever a change may come. Several alternatives are averaged, which keeps that.

The third compares windows by the greatest distance of distribution functions (Kolmogorov and
Smirnov), with bounds that hold for any sample size and any distribution (Dvoretzky, Kiefer,
Wolfowitz; Massart's constant): over the whole stream it is false with probability at most alpha.

All are frozen plain data; `update` gives the next one. An alarm stays raised; begin again
with a fresh one. Decisions are taken to be independent given that all is well: a budget's
guard makes shares steadier than that, which only makes alarms rarer.
"""

import math
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from policies.case import PolicyError

__all__ = ["RegretAlarm", "ScoreAlarm", "ShareAlarm"]

_CEILING = 1e300
"""Where R stops growing: an alarm that is certain need not overflow."""


class _Alarm(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    raised_at: int | None = None
    """The decision (from 1) at which it was raised."""
    seen: int = Field(default=0, ge=0)

    @property
    def raised(self) -> bool:
        """It has been raised."""
        return self.raised_at is not None


class ShareAlarm(_Alarm):
    """The share of strong arms against `share`.

    Alternatives: share -+ `shift`, and the collapses to 1 and to 0 (99 % and 1 %). For an
    alternative q: L = q / share on a strong decision, (1 - q) / (1 - share) on another.
    """

    share: float = Field(gt=0, lt=1)
    """Calibrated share of strong decisions."""
    shift: float = Field(default=0.1, gt=0, lt=1)
    """The drift that matters."""
    every: float = Field(default=10_000, gt=1)
    """N: mean number of decisions to a false alarm, at the least."""
    evidence: tuple[float, ...] = ()
    """R of every alternative."""

    @property
    def alternatives(self) -> tuple[float, ...]:
        """Shares that it looks for, in the order of `evidence`."""
        near = (self.share - self.shift, self.share + self.shift)
        return (*(q for q in near if 0 < q < 1), 0.01, 0.99)

    def update(self, strong: Sequence[bool]) -> "ShareAlarm":
        """After these decisions, in order."""
        q = np.array(self.alternatives)
        factors = np.array([(1 - q) / (1 - self.share), q / self.share])
        steps = factors[np.asarray(strong, dtype=bool).astype(int)]
        found = _detect(steps, self.evidence, self.every)
        return self.model_copy(update=_after(self, found, len(strong)))


class RegretAlarm(_Alarm):
    """Regret to the best single arm: score of that arm minus score of what was served.

    H0: its mean is at most `allowed`. L = 1 + k (d - allowed) / (1 + allowed) for d in [-1, 1]
    and k in .05, .2, .5, which is never below 0. Feed it only requests where both are labelled
    by the same audit; a choice of requests by their outcome breaks the guarantee.
    """

    allowed: float = Field(default=0.0, ge=0, lt=1)
    every: float = Field(default=10_000, gt=1)
    evidence: tuple[float, ...] = ()

    def update(self, best_single: Sequence[float], served: Sequence[float]) -> "RegretAlarm":
        """After these labels in [0, 1], in order. Raises `PolicyError` on others, or NaN."""
        best, own = _labels("best_single", best_single), _labels("served", served)
        if len(best) != len(own):
            raise PolicyError(f"best_single has {len(best)} labels, served {len(own)}")
        bets = np.array([0.05, 0.2, 0.5])
        gap = (best - own - self.allowed) / (1 + self.allowed)
        found = _detect(1 + gap[:, None] * bets, self.evidence, self.every)
        return self.model_copy(update=_after(self, found, len(best)))


class ScoreAlarm(_Alarm):
    """Scores in windows of `window` against the m of the calibration.

    Raised where sup |F_window - F_reference| > sqrt(ln(4 / alpha) / 2 m)
    + sqrt(ln(4 / a_j) / 2 w) at window j = 1, 2, ...; a_j = 6 alpha / (pi j)^2 sum to alpha.
    With m = 2,000 and w = 500 the first window tells a distance of about .12.
    """

    reference: tuple[float, ...] = Field(min_length=2)
    """Scores of the calibration, rising."""
    window: int = Field(default=500, ge=2)
    alpha: float = Field(default=0.01, gt=0, lt=1)
    windows: int = Field(default=0, ge=0)
    pending: tuple[float, ...] = ()
    distance: float = 0.0
    """Of the last whole window."""

    @model_validator(mode="after")
    def _rising(self) -> "ScoreAlarm":
        if np.any(np.diff(self.reference) < 0):
            raise ValueError("reference must be sorted")
        return self

    def update(self, scores: Sequence[float]) -> "ScoreAlarm":
        """After these scores, in order. Raises `PolicyError` where one is not finite."""
        if not np.isfinite(np.asarray(scores, dtype=np.float64)).all():
            raise PolicyError("scores must be finite")
        pending = (*self.pending, *(float(s) for s in scores))
        windows, raised, distance = self.windows, self.raised_at, self.distance
        while len(pending) >= self.window:
            part, pending = pending[: self.window], pending[self.window :]
            windows += 1
            distance = _distance(np.array(self.reference), np.array(part))
            if raised is None and distance > self.limit(windows):
                raised = windows * self.window
        change = {"windows": windows, "pending": pending, "distance": distance,
                  "raised_at": raised, "seen": self.seen + len(scores)}  # fmt: skip
        return self.model_copy(update=change)

    def limit(self, nth: int) -> float:
        """The distance that raises the alarm at window `nth` (from 1)."""
        spent = 6 * self.alpha / (math.pi * nth) ** 2
        ours = math.sqrt(math.log(4 / self.alpha) / (2 * len(self.reference)))
        return ours + math.sqrt(math.log(4 / spent) / (2 * self.window))


def _detect(
    steps: np.ndarray, evidence: tuple[float, ...], every: float
) -> tuple[tuple[float, ...], int | None]:
    """R after the steps (n, K), and the first step (from 1) at which its mean reached `every`."""
    r = np.array(evidence) if evidence else np.zeros(steps.shape[1])
    first = None
    for i, step in enumerate(steps, start=1):
        r = np.minimum((1 + r) * step, _CEILING)
        if first is None and r.mean() >= every:
            first = i
    return tuple(r.tolist()), first


def _after(
    alarm: _Alarm, found: tuple[tuple[float, ...], int | None], count: int
) -> dict[str, object]:
    evidence, first = found
    now = alarm.seen + first if first is not None else None
    raised = alarm.raised_at if alarm.raised else now
    return {"evidence": evidence, "raised_at": raised, "seen": alarm.seen + count}


def _labels(name: str, values: Sequence[float]) -> np.ndarray:
    got = np.asarray(values, dtype=np.float64)
    if not np.all((got >= 0) & (got <= 1)):
        raise PolicyError(f"{name} must hold labels in [0, 1]")
    return got


def _distance(reference: np.ndarray, part: np.ndarray) -> float:
    """sup |F_reference - F_part|; `reference` is sorted."""
    part = np.sort(part)
    at = np.concatenate([reference, part])
    ours = np.searchsorted(reference, at, side="right") / len(reference)
    theirs = np.searchsorted(part, at, side="right") / len(part)
    return float(np.abs(ours - theirs).max())
