"""P1: does knowledge rise faster with size than verifiable reasoning? Estimate, guards, verdict."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eval.hypothesis.grid import KNOWLEDGE, VERIFIABLE, Grid
from eval.hypothesis.populations import Population
from eval.hypothesis.registration import Registration
from eval.hypothesis.rules import Estimate, Verdict, Word, decide, undecided
from eval.hypothesis.slopes import Design, design, draw_families, fit_slopes, step_slopes

__all__ = [
    "FAMILIES",
    "NAME",
    "Judged",
    "guards",
    "interval",
    "judge_slopes",
    "ratio_of",
    "resampled",
    "slope_verdict",
]

NAME = "P1_slopes"
FAMILIES = 4
"""With two sizes each: the pre-registered guard."""
Floats = NDArray[np.float64]


class Judged(NamedTuple):
    """What P1's rule says of one grid."""

    word: Word
    reason: str
    ratio: Estimate
    verifiable: Estimate
    knowledge: Estimate
    undefined: float
    """Share of the resamples that have no ratio."""


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


def guards(grid: Grid, verifiable: Estimate, undefined: float) -> list[str]:
    """What of the pre-registered guards does not hold, in words.

    Args:
        undefined: share of the resamples without a verifiable slope.
    """
    if not grid.models:
        return ["no model has a size and scores on both axes"]
    found, failed = sorted(grid.two_sizes()), []
    if len(found) < FAMILIES:
        names = f" ({', '.join(found)})" if found else ""
        noun = "family" if len(found) == 1 else "families"
        failed.append(f"{len(found)} {noun} with two sizes{names}, {FAMILIES} are needed")
    if len(set(grid.families)) < 2:
        failed.append("one family cannot be resampled, so the slopes have no interval")
    elif math.isnan(verifiable.low):
        failed.append(
            f"the verifiable slope has no lower bound: {100 * undefined:.2f} % of the resamples "
            "drew no family with two sizes and scores that differ"
        )
    elif not verifiable.low > 0:
        failed.append(f"the verifiable slope may be zero (lower bound {verifiable.low:.2f})")
    return failed


def judge_slopes(
    grid: Grid, prediction: Mapping[str, Any], resamples: int, seed: int, quick: bool = False
) -> Judged:
    """What the rule says of a grid whose models have both axes.

    quick: resamples by one scoring step; for simulated worlds.
    """
    data = design(grid)
    every = np.ones((1, data.families))
    at = fit_slopes(data, every)[0]
    slopes = resampled(data, resamples, seed, quick)
    one, two = (interval(slopes[:, k], float(at[k])) for k in (0, 1))
    drawn = ratio_of(slopes)
    ratio = interval(drawn, float(ratio_of(at[None])[0]))
    failed = guards(grid, one, float(np.isnan(slopes[:, VERIFIABLE]).mean()))
    word, reason = decide(prediction, ratio, failed)
    return Judged(word, reason, ratio, one, two, float(np.isnan(drawn).mean()))


def slope_verdict(
    registration: Registration, population: Population, seed: int, resamples: int | None = None
) -> Verdict:
    """The verdict on one population, with the estimates that the file asks to print beside."""
    from eval.hypothesis.slopes_beside import beside

    grid = population.grid.on_both_axes()
    prediction = registration.prediction(NAME)
    draws = resamples or registration.resamples
    if not grid.models:
        return _one_sided_verdict(registration, population, draws, seed)
    found = judge_slopes(grid, prediction, draws, seed)
    return Verdict(
        prediction=NAME,
        population=population.name,
        kind=registration.kind(population.name),
        word=found.word,
        reason=found.reason,
        estimate=found.ratio,
        models=grid.distinct,
        families=len(set(grid.families)),
        questions=grid.questions,
        beside={
            "verifiable slope, log-odds a decade": found.verifiable,
            "knowledge slope, log-odds a decade": found.knowledge,
            "share of the resamples without a ratio": found.undefined,
            **beside(population, draws, seed),
        },
        notes=(*_shape(grid), *population.notes),
    )


def _one_sided_verdict(
    registration: Registration, population: Population, draws: int, seed: int
) -> Verdict:
    """Of a table in which no model has a size and both axes: undecided, and the side it has."""
    grid = population.grid
    sides = [
        f"{int(grid.held[:, grid.axis == axis].any(axis=1).sum())} on the {name} side"
        for axis, name in ((VERIFIABLE, "verifiable"), (KNOWLEDGE, "knowledge"))
    ]
    return undecided(
        NAME,
        population.name,
        registration.kind(population.name),
        "guard failed: no model has a size and scores on both axes "
        f"(with a size: {', '.join(sides)})",
        models=grid.distinct,
        families=len(set(grid.families)),
        questions=grid.questions,
        beside=one_sided(grid, draws, seed),
        notes=population.notes,
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
