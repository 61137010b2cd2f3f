"""Simulated worlds: is the rule of P1 to be trusted, and could it have decided?

A world has the table's own models, families, items and numbers of questions. What is known in
it is the truth: knowledge rises twice as fast with size as verifiable reasoning (split), as fast
(no split), or half as fast (reversed), at the table's own mean slope. Its noise is estimated from
the table: slopes that differ between families, models that are better or worse than their size,
on both axes and on one, and model x item deviations; answers are binomial.

Slopes' spread between families is taken as it is seen, sampling noise included: too much noise
rather than too little. A family counts by the spread of its sizes, since the slope between 6B and
9B is mostly noise.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.hypothesis.families import COPY
from eval.hypothesis.grid import Grid
from eval.hypothesis.slope_ratio import judge_slopes
from eval.hypothesis.slopes import cells_of_fit, design

__all__ = [
    "KINDS",
    "MOST_WRONG",
    "Noise",
    "Report",
    "more_families",
    "needed",
    "noise_of",
    "simulate",
    "world",
]

KINDS: Mapping[str, float] = {"split": 2.0, "no split": 1.0, "reversed": 0.5}
"""Name -> knowledge slope over verifiable slope."""
RIGHT = {"split": "supported", "no split": "refuted"}
WRONG: Mapping[str, tuple[str, ...]] = {
    "split": ("refuted",),
    "no split": ("supported",),
    "reversed": ("supported",),
}
WORLDS = 200
DRAWS = 250
FEW, FEW_DRAWS = 25, 120
"""Worlds and resamples of each step of `needed`."""
TELLS = 5.0
"""Information (questions' worth) below which a cell says nothing of the noise: at its floor."""
ENOUGH_POWER, MOST_WRONG = 0.8, 0.05
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """What is estimated from a table; log-odds."""

    base: Floats  # (m, i) log-odds without the size term
    x: Floats  # (m,) centred log10 of parameters
    family: NDArray[np.int64]  # (m,)
    slope: float  # mean of both axes, a decade
    of_family: Floats  # (2, 2) covariance of families' slopes
    of_model: float  # SD on both axes
    of_axis: float  # SD on one axis
    of_cell: float  # SD of model x item

    def plain(self) -> dict[str, float]:
        """For the page."""
        return {
            "mean slope, log-odds a decade": self.slope,
            "SD of families' verifiable slopes": float(np.sqrt(self.of_family[0, 0])),
            "SD of families' knowledge slopes": float(np.sqrt(self.of_family[1, 1])),
            "SD of models, both axes": self.of_model,
            "SD of models, one axis": self.of_axis,
            "SD of model x item": self.of_cell,
        }


@dataclass(frozen=True)
class Report:
    """Verdicts of the worlds."""

    worlds: int
    counts: Mapping[str, Mapping[str, int]]
    """Kind -> word -> worlds."""
    noise: Mapping[str, float]

    def share(self, kind: str, *words: str) -> float:
        """Of one kind's worlds."""
        return sum(self.counts[kind].get(word, 0) for word in words) / max(self.worlds, 1)

    @property
    def wrong(self) -> dict[str, float]:
        """Share of wrong verdicts, by kind."""
        return {kind: self.share(kind, *WRONG[kind]) for kind in KINDS}

    @property
    def power(self) -> dict[str, float]:
        """Share of right verdicts, where one is right."""
        return {kind: self.share(kind, word) for kind, word in RIGHT.items()}

    @property
    def underpowered(self) -> bool:
        """Whether either power is below 80 %."""
        return min(self.power.values()) < ENOUGH_POWER

    @property
    def too_often_wrong(self) -> bool:
        """Whether the rule is not to be trusted on this table."""
        return max(self.wrong.values()) > MOST_WRONG

    def plain(self) -> dict[str, Any]:
        """JSON data."""
        return {
            "worlds of each kind": self.worlds,
            "verdicts": {k: dict(v) for k, v in self.counts.items()},
            "wrong": self.wrong,
            "power": self.power,
            "underpowered": self.underpowered,
            "too often wrong": self.too_often_wrong,
            "noise": dict(self.noise),
        }


def noise_of(grid: Grid) -> Noise:
    """Estimated by moments from the residuals of the fit."""
    data = design(grid)
    slopes, eta, score, info = cells_of_fit(data)
    told = info > TELLS
    residual = np.divide(score, info, out=np.zeros_like(score), where=told)
    level = np.full((len(data.x), 2), np.nan)
    within = []
    for axis in (0, 1):
        of = told & (data.axis == axis)
        count = of.sum(axis=1)
        mean = np.divide((residual * of).sum(axis=1), count, out=np.zeros(len(count)),
                         where=count > 0)  # fmt: skip
        level[count > 0, axis] = mean[count > 0]
        apart = np.where(of, (residual - mean[:, None]) ** 2 - np.divide(
            1, info, out=np.zeros_like(info), where=told), 0)  # fmt: skip
        within.append(apart.sum() / max((count - 1).clip(0).sum(), 1))
    steep, rest = _by_family(level, data.x, data.family, data.stratum)
    both = ~np.isnan(rest).any(axis=1)
    apart = rest[both]
    shared = float(np.cov(apart.T)[0, 1]) if len(apart) > 2 else 0.0
    alone = float(np.var(apart[:, 0] - apart[:, 1], ddof=1) / 2) if len(apart) > 2 else 0.0
    return Noise(
        base=eta - slopes[data.axis][None, :] * data.x[:, None],
        x=data.x,
        family=data.family,
        slope=float(slopes.mean()),
        of_family=steep,
        of_model=float(np.sqrt(max(shared, 0.0))),
        of_axis=float(np.sqrt(max(alone, 0.0))),
        of_cell=float(np.sqrt(max(np.mean(within), 0.0))),
    )


def _by_family(
    level: Floats, x: Floats, family: NDArray[np.int64], stratum: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Covariance of families' slopes beyond the common ones, and what they leave of the levels."""
    rest, apart = level.copy(), x.copy()
    for s in np.unique(stratum):
        rows = stratum == s
        apart[rows] -= x[rows].mean()
        with np.errstate(invalid="ignore"):
            rest[rows] -= level[rows].mean(axis=0)
    steep, weights = [], []
    for f in np.unique(family):
        rows = (family == f) & ~np.isnan(rest).any(axis=1)
        spread = float((apart[rows] ** 2).sum())
        if spread > 1e-3:
            slope = apart[rows] @ rest[rows] / spread
            steep.append(slope)
            weights.append(spread)
            rest[rows] -= apart[rows][:, None] * slope
    if len(steep) < 2:
        return np.zeros((2, 2)), rest
    return np.atleast_2d(np.cov(np.array(steep).T, aweights=weights)), rest


def world(grid: Grid, noise: Noise, ratio: float, rng: np.random.Generator) -> Grid:
    """One table in which knowledge rises `ratio` times as fast as verifiable reasoning."""
    low = 2 * noise.slope / (1 + ratio)
    true = np.array([low, ratio * low])
    families = int(noise.family.max()) + 1
    steep = true + rng.multivariate_normal(np.zeros(2), noise.of_family, families)
    model = noise.of_model * rng.standard_normal((len(noise.x), 1))
    model = model + noise.of_axis * rng.standard_normal((len(noise.x), 2))
    eta = noise.base + steep[noise.family][:, grid.axis] * noise.x[:, None] + model[:, grid.axis]
    eta = eta + noise.of_cell * rng.standard_normal(eta.shape)
    mu = grid.floor + (1 - grid.floor) / (1 + np.exp(-np.clip(eta, -30, 30)))
    n = np.maximum(grid.n.round(), 1).astype(np.int64)
    return replace(grid, mean=np.where(grid.held, rng.binomial(n, mu) / n, np.nan))


def more_families(grid: Grid, times: int) -> Grid:
    """The same table with so many copies of each family, each a family of its own."""
    copies = [f"{m}{COPY}{k}" if k else m for k in range(times) for m in grid.models]
    return replace(
        grid,
        models=tuple(copies),
        places=grid.places * times,
        total=np.tile(grid.total, times),
        active=np.tile(grid.active, times),
        mean=np.tile(grid.mean, (times, 1)),
        n=np.tile(grid.n, (times, 1)),
    )


def needed(
    grid: Grid, prediction: Mapping[str, Any], seed: int, most: int = 4
) -> dict[int, dict[str, float]]:
    """Families with two sizes -> power, if there were so many of the same kind."""
    grid = grid.on_both_axes()
    own, found, times = len(grid.two_sizes()), {}, 1
    while own and times < most:
        times *= 2
        made = simulate(
            more_families(grid, times), prediction, seed + times, FEW, FEW_DRAWS, tuple(RIGHT)
        )
        if made is None:
            break
        found[own * times] = made.power
    return found


def simulate(
    grid: Grid,
    prediction: Mapping[str, Any],
    seed: int,
    worlds: int = WORLDS,
    draws: int = DRAWS,
    kinds: Collection[str] = tuple(KINDS),
) -> Report | None:
    """Verdicts of so many worlds of each kind; None where the table has no slope to start from."""
    grid = grid.on_both_axes()
    if not grid.two_sizes():
        return None
    noise = noise_of(grid)
    if not noise.slope > 0:
        return None
    counts: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
    for number, (kind, ratio) in enumerate(KINDS.items()):
        if kind not in kinds:
            continue
        rng = np.random.default_rng([seed, 10, number])
        for one in range(worlds):
            made = world(grid, noise, ratio, rng)
            word = judge_slopes(made, prediction, draws, seed + one, quick=True)[0]
            counts[kind][word] = counts[kind].get(word, 0) + 1
    return Report(worlds, counts, noise.plain())
