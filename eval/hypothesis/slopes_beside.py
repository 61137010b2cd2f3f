"""What P1 prints beside its verdict: other sizes, weights, pairs, and the frontier.

None of it decides anything. Resamples are of whole families throughout.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.hypothesis.families import year_of
from eval.hypothesis.grid import KNOWLEDGE, TOP, VERIFIABLE, Grid, logit
from eval.hypothesis.populations import Population
from eval.hypothesis.rules import Estimate
from eval.hypothesis.slope_ratio import interval, ratio_of, resampled
from eval.hypothesis.slopes import Design, design, draw_families, step_slopes

__all__ = [
    "Frontier",
    "Pair",
    "beside",
    "frontier",
    "levels",
    "pairs",
    "points_a_decade",
    "quick_ratio",
]

Floats = NDArray[np.float64]
LOW_QUANTILE = 0.1
"""Of sizes at a score: "the smallest that reach it"."""
FRONTIER_DRAWS = 100
LEAST = 0.005
"""Shares are clipped here: the log-odds of nothing are no number."""
ENOUGH = 12
"""Models that a frontier needs."""


class Pair(NamedTuple):
    """One family x era x source: how its scores move with size, log-odds a decade."""

    stratum: str
    family: str
    models: int
    smallest: float
    largest: float
    verifiable: float
    knowledge: float


class Frontier(NamedTuple):
    """Quantile regression of log10(size) on score and year, on one axis of one source."""

    place: str
    axis: str
    models: int
    decades_a_logit: Estimate
    decades_a_year: Estimate
    at: Floats
    """Coefficients: constant, ability, year (less 2024)."""


def beside(population: Population, resamples: int, seed: int) -> dict[str, object]:
    """Name -> estimate of the ratio under another choice."""
    grid = population.grid.on_both_axes()
    found: dict[str, object] = {
        "ratio, active parameters": quick_ratio(design(grid, active=True), resamples, seed),
        "ratio, no guess floor": quick_ratio(design(grid, floors=False), resamples, seed),
        "ratio, every subject weighs the same": quick_ratio(
            design(grid, equal=True), resamples, seed
        ),
        "ratio, within-family pairs only": pair_ratio(grid, resamples, seed),
    }
    if population.kept_formats is not None:
        kept = population.kept_formats.on_both_axes()
        found["ratio, format zeros kept"] = quick_ratio(design(kept), resamples, seed)
    places = sorted(set(grid.places))
    if len(places) > 1:
        for place in places:
            own = grid.rows(np.array([p == place for p in grid.places]))
            families = len(own.two_sizes())
            if families:
                name = f"ratio, {place} alone ({families} families with two sizes)"
                found[name] = quick_ratio(design(own), resamples, seed)
    return found


def quick_ratio(data: Design, resamples: int, seed: int) -> Estimate:
    at = step_slopes(data, np.ones((1, data.families)))
    drawn = resampled(data, resamples, seed, quick=True)
    return interval(ratio_of(drawn), float(ratio_of(at)[0]))


def pairs(grid: Grid) -> list[Pair]:
    """Least-squares slope of mean ability on log10(size) in each stratum with two sizes."""
    x, strata = np.log10(grid.total), np.array(grid.strata)
    found = []
    for family, names in sorted(grid.two_sizes().items()):
        for name in names:
            rows = np.flatnonzero(strata == name)
            slopes = [_slope(grid, rows, x, axis) for axis in (VERIFIABLE, KNOWLEDGE)]
            size = grid.total[rows]
            found.append(Pair(name, family, len(rows), float(size.min()), float(size.max()),
                              *slopes))  # fmt: skip
    return found


def _slope(grid: Grid, rows: NDArray[np.int64], x: Floats, axis: int) -> float:
    """Over the items that all of the rows have."""
    chosen = np.zeros(len(grid.models), dtype=bool)
    chosen[rows] = True
    score = levels(grid.rows(chosen), axis)
    if np.isnan(score).any() or np.ptp(x[rows]) < 1e-3:
        return float("nan")
    return float(np.polyfit(x[rows], score, 1)[0])


def pair_ratio(grid: Grid, resamples: int, seed: int) -> Estimate:
    """Mean knowledge over mean verifiable slope of the strata; bootstrap over families."""
    found = [p for p in pairs(grid) if p.verifiable == p.verifiable and p.knowledge == p.knowledge]
    families = sorted({p.family for p in found})
    if not families:
        return Estimate(float("nan"), float("nan"), float("nan"))
    slopes = np.array([[p.verifiable, p.knowledge] for p in found])
    of = np.array([families.index(p.family) for p in found])
    times = draw_families(len(families), resamples, np.random.default_rng([seed, 2]))[:, of]
    mean = times @ slopes / np.maximum(times.sum(axis=1, keepdims=True), 1)
    if len(families) < 2:
        mean = np.full_like(mean, np.nan)
    return interval(ratio_of(mean), float(ratio_of(slopes.mean(axis=0)[None])[0]))


def levels(grid: Grid, axis: int, items: NDArray[np.bool_] | None = None) -> Floats:
    """(m,) log-odds of the mean share above the guess floor, over the items of an axis that all
    rows have; nan where there is no such item.

    items: of these only, (i,).
    """
    common = grid.held.all(axis=0) & (grid.axis == axis)
    if items is not None:
        common &= items
    if not common.any():
        return np.full(len(grid.models), np.nan)
    share = (grid.mean[:, common] - grid.floor[common]) / (1 - grid.floor[common])
    mean = np.maximum(share, 0).mean(axis=1)
    return logit(np.clip(mean, LEAST, TOP))


def frontier(grid: Grid, seed: int, resamples: int = FRONTIER_DRAWS) -> list[Frontier]:
    """How much size the smallest models need for a score, by source, axis and year."""
    found = []
    for place in sorted(set(grid.places)):
        own = grid.rows(np.array([p == place for p in grid.places]))
        for axis, name in ((VERIFIABLE, "verifiable"), (KNOWLEDGE, "knowledge")):
            one = _frontier(own, axis, name, place, seed, resamples)
            if one is not None:
                found.append(one)
    return found


def _frontier(
    grid: Grid, axis: int, name: str, place: str, seed: int, resamples: int
) -> Frontier | None:
    ability = levels(grid, axis)
    years = np.array([year_of(m) or np.nan for m in grid.models], dtype=np.float64)
    kept = ~np.isnan(ability) & ~np.isnan(years)
    if kept.sum() < ENOUGH or np.ptp(ability[kept]) < 1e-6:
        return None
    x = np.column_stack([np.ones(kept.sum()), ability[kept], years[kept] - 2024])
    if np.ptp(x[:, 2]) == 0:
        x = x[:, :2]
    y = np.log10(grid.total)[kept]
    of = np.array(grid.families)[kept]
    families = sorted(set(of))
    times = draw_families(len(families), resamples, np.random.default_rng([seed, 3, axis]))
    at = _quantile(x, y)
    drawn = []
    for row in times:
        index = np.repeat(np.arange(len(y)), row[[families.index(f) for f in of]].astype(int))
        whole = len(index) and np.linalg.matrix_rank(x[index]) == x.shape[1]
        drawn.append(_quantile(x[index], y[index]) if whole else np.full(x.shape[1], np.nan))
    table = np.array(drawn)
    year = (
        interval(table[:, 2], float(at[2]))
        if x.shape[1] > 2
        else Estimate(float("nan"), float("nan"), float("nan"))
    )
    return Frontier(place, name, len(y), interval(table[:, 1], float(at[1])), year, at)


def _quantile(x: Floats, y: Floats) -> Floats:
    """Coefficients of the low quantile (statsmodels)."""
    import warnings

    from statsmodels.regression.quantile_regression import QuantReg
    from statsmodels.tools.sm_exceptions import ModelWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)  # a flat optimum: any point of it serves
        warnings.simplefilter("ignore", RuntimeWarning)
        fitted = QuantReg(y, x).fit(q=LOW_QUANTILE, max_iter=200)
    found: Floats = np.asarray(fitted.params, dtype=np.float64)
    return found


def points_a_decade(grid: Grid) -> Mapping[str, float]:
    """The naive picture: points of score a decade of size over all models, by axis (OLS)."""
    x = np.log10(grid.total)
    found = {}
    for axis, name in ((VERIFIABLE, "verifiable"), (KNOWLEDGE, "knowledge")):
        cells = np.where(grid.held & (grid.axis == axis), grid.mean * grid.n, np.nan)
        asked = np.where(grid.held & (grid.axis == axis), grid.n, np.nan)
        share = np.nansum(cells, axis=1) / np.maximum(np.nansum(asked, axis=1), 1)
        kept = (~np.isnan(asked)).any(axis=1)
        if kept.sum() > 1 and np.ptp(x[kept]) > 0:
            found[name] = float(np.polyfit(x[kept], share[kept], 1)[0])
    return found
