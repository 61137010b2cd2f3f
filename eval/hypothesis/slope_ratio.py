"""P1: does knowledge rise faster with size than verifiable reasoning? Estimate, guards, verdict."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.hypothesis.grid import Grid
from eval.hypothesis.populations import Population
from eval.hypothesis.registration import Registration
from eval.hypothesis.rules import Estimate, Verdict, decide
from eval.hypothesis.slopes import Design, design, draw_families, fit_slopes, step_slopes

__all__ = ["NAME", "guards", "interval", "judge_slopes", "ratio_of", "resampled", "slope_verdict"]

NAME = "P1_slopes"
FAMILIES = 4
"""With two sizes each: the pre-registered guard."""
Floats = NDArray[np.float64]


def interval(values: Floats, value: float, level: float = 0.95) -> Estimate:
    """Percentile interval; a resample without a value counts as both extremes, so that what is
    undefined widens the interval and never narrows it."""
    if not len(values):
        return Estimate(value, math.nan, math.nan)
    tail = (1 - level) / 2
    low, high = (
        np.where(np.isnan(values), -np.inf, values),
        np.where(np.isnan(values), np.inf, values),
    )
    ends = (
        float(np.quantile(low, tail, method="lower")),
        float(np.quantile(high, 1 - tail, method="higher")),
    )
    return Estimate(value, *(end if math.isfinite(end) else math.nan for end in ends))


def resampled(data: Design, resamples: int, seed: int, quick: bool) -> Floats:
    """(r, 2) slopes of resampled families; nan where there is one family, which has no spread.

    quick: by one scoring step.
    """
    times = draw_families(data.families, resamples, np.random.default_rng([seed, 1]))
    slopes = (step_slopes if quick else fit_slopes)(data, times)
    return slopes if data.families > 1 else np.full_like(slopes, np.nan)


def ratio_of(slopes: Floats) -> Floats:
    """(r,) knowledge over verifiable; nan where the verifiable slope is not above zero."""
    verifiable, knowledge = slopes[:, 0], slopes[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(verifiable > 0, knowledge / verifiable, np.nan)


def guards(grid: Grid, verifiable: Estimate) -> list[str]:
    """What of the pre-registered guards does not hold."""
    failed = []
    if not len(grid.models):
        failed.append("no model has a size and a score on both axes")
    elif len(grid.two_sizes()) < FAMILIES:
        found = sorted(grid.two_sizes())
        names = f" ({', '.join(found)})" if found else ""
        failed.append(f"{len(found)} families with two sizes{names}, {FAMILIES} are needed")
    if not verifiable.low > 0:
        failed.append("lower bound of the verifiable slope is not above 0")
    return failed


def judge_slopes(
    grid: Grid, prediction: Mapping[str, Any], resamples: int, seed: int, quick: bool = False
) -> tuple[str, str, Estimate, Estimate, Estimate]:
    """(verdict, reason, ratio, verifiable slope, knowledge slope) of a grid.

    quick: resamples by one scoring step; for simulated worlds.
    """
    data = design(grid)
    every = np.ones((1, data.families))
    at = fit_slopes(data, every)[0]
    slopes = resampled(data, resamples, seed, quick)
    one, two = (interval(slopes[:, k], float(at[k])) for k in (0, 1))
    ratio = interval(ratio_of(slopes), float(ratio_of(at[None])[0]))
    word, reason = decide(prediction, ratio, guards(grid, one))
    return word, reason, ratio, one, two


def slope_verdict(
    registration: Registration, population: Population, seed: int, resamples: int | None = None
) -> Verdict:
    """The verdict on one population, with the estimates that the file asks to print beside."""
    from eval.hypothesis.slopes_beside import beside

    grid = population.grid.on_both_axes()
    prediction = registration.prediction(NAME)
    draws = resamples or registration.resamples
    word, reason, ratio, one, two = judge_slopes(grid, prediction, draws, seed)
    more: dict[str, object] = {
        "verifiable slope, log-odds a decade": one,
        "knowledge slope, log-odds a decade": two,
    }
    if len(grid.models):
        more |= beside(population, draws, seed)
    else:
        more = dict(one_sided(population.grid, draws, seed))
    return Verdict(
        prediction=NAME,
        population=population.name,
        kind=registration.kind(population.name),
        word=word,  # type: ignore[arg-type]
        reason=reason,
        estimate=ratio,
        models=grid.distinct,
        families=len(set(grid.families)),
        questions=grid.questions,
        beside=more,
        notes=(*_shape(grid), *population.notes),
    )


def one_sided(grid: Grid, resamples: int, seed: int) -> dict[str, Estimate]:
    """Slopes of a table that has one axis only: printed, and no ratio."""
    data = design(grid)
    if not data.n.any():
        return {}
    at = fit_slopes(data, np.ones((1, data.families)))[0]
    drawn = resampled(data, resamples, seed, quick=True)
    names = ("verifiable", "knowledge")
    return {
        f"{name} slope alone, log-odds a decade": interval(drawn[:, k], float(at[k]))
        for k, name in enumerate(names)
        if not math.isnan(at[k])
    }


def _shape(grid: Grid) -> list[str]:
    found = grid.two_sizes()
    held, share = grid.held, grid.mean
    with np.errstate(invalid="ignore"):
        low = int((held & (share <= grid.floor)).sum())
        high = int((held & (share > 0.99)).sum())
    strata = sum(len(v) for v in found.values())
    return [
        f"{len(found)} families with two sizes, in {strata} family x era strata: "
        f"{', '.join(sorted(found)) or 'none'}",
        f"censored cells of {int(held.sum())}: {low} at or below the guess floor, {high} above .99",
    ]
