"""P1's estimator: binomial regression of model x item means on log10(parameters).

    share right = g + (1 - g) * logistic(item + stratum + slope[axis of item] * log10(size))

g is the item's guess floor; a stratum is family x era (x source), so that sizes are compared
only among models that were trained alike. Fitted by Fisher scoring (the same estimates as
statsmodels' GLM where g is 0: a test holds them together), for all resamples of whole families
at once: a resample is a weight of 0, 1, 2, ... for each family.

Censored cells are bounds: at or below the floor the likelihood only asks that the share be low,
above .99 only that it be high. Items and strata are nuisance, two slopes are the result.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.hypothesis.grid import TOP, Grid

__all__ = ["Design", "cells_of_fit", "design", "draw_families", "fit_slopes", "step_slopes"]

Floats = NDArray[np.float64]
STEPS = 30
CLOSE = 1e-6
FAR = 12.0
"""Log-odds beyond which nothing is asked."""
RIDGE = 1e-6
State = tuple[Floats, Floats, Floats]
"""Items (r, i), strata (r, s), slopes (r, 2)."""
CHUNK = 2_000_000
"""Cells of a batch of resamples that are in memory at once."""


@dataclass(frozen=True)
class Design:
    """The arrays of one fit. x is centred; weights are questions."""

    x: Floats  # (m,) log10 of parameters, centred
    stratum: NDArray[np.int64]  # (m,)
    family: NDArray[np.int64]  # (m,)
    axis: NDArray[np.int64]  # (i,)
    floor: Floats  # (i,)
    mean: Floats  # (m, i), 0 where there is none
    n: Floats  # (m, i), 0 where there is none

    @property
    def families(self) -> int:
        """How many."""
        return int(self.family.max(initial=-1)) + 1

    @property
    def onehot(self) -> Floats:
        """(s, m): which rows a stratum has."""
        strata = int(self.stratum.max(initial=-1)) + 1
        found: Floats = (self.stratum[None, :] == np.arange(strata)[:, None]).astype(np.float64)
        return found


def design(grid: Grid, active: bool = False, floors: bool = True, equal: bool = False) -> Design:
    """A grid's arrays.

    Args:
        active: active instead of total parameters.
        floors: take the guess floors into account.
        equal: every cell weighs as one of a hundred questions.
    """
    held = grid.held
    x = np.log10(grid.active if active else grid.total)
    n = np.where(held, 100.0 if equal else grid.n, 0.0)
    return Design(
        x=x - x.mean() if len(x) else x,
        stratum=_codes(grid.strata),
        family=_codes(grid.families),
        axis=grid.axis,
        floor=grid.floor if floors else np.zeros_like(grid.floor),
        mean=np.where(held, np.nan_to_num(grid.mean), 0.0),
        n=n,
    )


def draw_families(families: int, resamples: int, rng: np.random.Generator) -> Floats:
    """(r, f) how often each family is drawn."""
    if not families:
        return np.zeros((resamples, 0))
    drawn = rng.multinomial(families, np.full(families, 1 / families), size=resamples)
    return drawn.astype(np.float64)


def fit_slopes(data: Design, times: Floats) -> Floats:
    """(r, 2) slopes on the log-odds a decade of size, verifiable and knowledge.

    times: (r, f) weight of each family. nan where the drawn families hold no two sizes in one
    stratum on an axis, or where the fit does not settle.
    """
    out = np.full((len(times), 2), np.nan)
    if not data.n.any():
        return out
    size = max(1, CHUNK // data.n.size)
    start = _fit(data, np.ones((1, data.families)), None)
    for first in range(0, len(times), size):
        part = times[first : first + size]
        out[first : first + size] = _fit(data, part, start)[2]
    return out


def _fit(data: Design, times: Floats, start: State | None) -> State:
    """Items (r, i), strata (r, s) and slopes (r, 2) by Fisher scoring; nan slopes: no answer."""
    onehot = data.onehot
    runs, strata = len(times), len(onehot)
    weight = times[:, data.family]
    if start is None:
        alpha, gamma, beta = _rough(data, runs), np.zeros((runs, strata)), np.zeros((runs, 2))
    else:
        alpha, gamma, beta = (np.repeat(part, runs, axis=0) for part in start)
    told = _informed(data, onehot, weight)
    step = np.full(runs, np.inf)
    for _ in range(STEPS):
        score, info = _pull(data, _eta(data, (alpha, gamma, beta)))
        score *= weight[:, :, None]
        info *= weight[:, :, None]
        d_alpha, d_gamma, d_beta = _solve(data, onehot, score, info)
        step = np.abs(d_beta).max(axis=1)
        damp = np.minimum(1.0, 2.0 / np.maximum(np.abs(d_alpha).max(axis=1, initial=0), 1e-9))
        alpha = np.clip(alpha + damp[:, None] * d_alpha, -FAR, FAR)
        gamma = np.clip(gamma + damp[:, None] * d_gamma, -FAR, FAR)
        beta = beta + damp[:, None] * d_beta
        if float(np.nanmax(step)) < CLOSE:
            break
    beta = np.where(told & (step < 1e-3)[:, None], beta, np.nan if start else beta)
    return alpha, gamma, beta


def step_slopes(data: Design, times: Floats) -> Floats:
    """`fit_slopes` by one scoring step from the fit of the whole table: the same to first order.

    Some fifty times as fast, since the families' sums are made once. For the simulated worlds
    and for what is printed beside; the verdict's own interval is refitted.
    """
    if not data.n.any():
        return np.full((len(times), 2), np.nan)
    start = _fit(data, np.ones((1, data.families)), None)
    score, info = _pull(data, _eta(data, start)[0])
    members = (data.family[None, :] == np.arange(data.families)[:, None]).astype(np.float64)
    onehot, x = data.onehot, data.x
    of = np.array([data.family[row > 0][0] for row in onehot])
    on = np.stack([data.axis == 0, data.axis == 1]).astype(np.float64)
    drawn = times[:, of][:, :, None]
    strata = len(onehot)
    sums = times @ (members @ info) + RIDGE
    cross = np.empty((len(times), strata + 2, len(data.axis)))
    cross[:, :strata] = drawn * (onehot @ info)
    cross[:, strata:] = (times @ (members @ (info * x[:, None])))[:, None, :] * on
    squares = times @ (members @ (info * (x * x)[:, None]) @ on.T)
    right = np.empty((len(times), strata + 2))
    right[:, :strata] = drawn[:, :, 0] * (onehot @ score).sum(axis=1)
    right[:, strata:] = times @ (members @ (score * x[:, None]) @ on.T)
    mixed = drawn * ((onehot * x) @ info @ on.T)
    _, _, moved = _reduce(sums, cross, mixed, squares, times @ (members @ score), right)
    beta = start[2] + moved
    return np.where(_informed(data, onehot, times[:, data.family]), beta, np.nan)


def cells_of_fit(data: Design) -> tuple[Floats, Floats, Floats, Floats]:
    """Of the fit of the whole table: slopes (2,), and per cell the log-odds, score and info."""
    start = _fit(data, np.ones((1, data.families)), None)
    eta = _eta(data, start)[0]
    return start[2][0], eta, *_pull(data, eta)


def _eta(data: Design, state: State) -> Floats:
    alpha, gamma, beta = state
    eta = alpha[:, None, :] + gamma[:, data.stratum, None]
    eta = eta + beta[:, None, :][:, :, data.axis] * data.x[None, :, None]
    clipped: Floats = np.clip(eta, -FAR, FAR)
    return clipped


def _rough(data: Design, runs: int) -> Floats:
    """Items' first log-odds, from their means."""
    n = data.n.sum(axis=0)
    mean = (data.n * data.mean).sum(axis=0) / np.maximum(n, 1)
    share = np.clip((mean - data.floor) / (1 - data.floor), 0.02, 0.98)
    return np.repeat((np.log(share) - np.log1p(-share))[None], runs, axis=0)


def _pull(data: Design, eta: Floats) -> tuple[Floats, Floats]:
    """Gradient and expected information of each cell's log-likelihood in its log-odds."""
    p = 1 / (1 + np.exp(-eta))
    guess = data.floor
    mu = guess + (1 - guess) * p
    slope = (1 - guess) * p * (1 - p)
    variance = np.maximum(mu * (1 - mu), 1e-9)
    seen = np.maximum(data.mean, guess)  # below the floor is at the floor: a bound
    gap = np.minimum(seen, TOP) - mu
    met = (data.mean > TOP) & (mu > TOP)  # "above .99" is satisfied, and asks no more
    gap = np.where(met, 0.0, gap)
    lever = data.n * slope / variance
    return lever * gap, lever * slope * ~met


def _solve(
    data: Design, onehot: Floats, score: Floats, info: Floats
) -> tuple[Floats, Floats, Floats]:
    """One scoring step."""
    x = data.x
    on = np.stack([data.axis == 0, data.axis == 1]).astype(np.float64)  # (2, i)
    by_size = np.einsum("rmi,m->ri", info, x)
    cross = np.concatenate([onehot @ info, by_size[:, None, :] * on], axis=1)
    mixed = (onehot * x) @ info @ on.T
    squares = np.einsum("rmi,m->ri", info, x * x) @ on.T
    of_size = np.einsum("rmi,m->ri", score, x) @ on.T
    right = np.concatenate([(onehot @ score).sum(axis=2), of_size], axis=1)
    sums = info.sum(axis=1) + RIDGE
    return _reduce(sums, cross, mixed, squares, score.sum(axis=1), right)


def _reduce(
    sums: Floats, cross: Floats, mixed: Floats, squares: Floats, items: Floats, right: Floats
) -> tuple[Floats, Floats, Floats]:
    """Solve for items, strata, slopes. Items' block is diagonal, so they are eliminated.

    sums (r, i): items' block; cross (r, s + 2, i): others by items; mixed (r, s, 2): strata by
    slopes; squares (r, 2): slopes' block; items (r, i) and right (r, s + 2): the gradient.
    """
    strata = mixed.shape[1]
    full = np.zeros((len(sums), strata + 2, strata + 2))
    diagonal = np.arange(strata)
    full[:, diagonal, diagonal] = cross[:, :strata].sum(axis=2)
    full[:, :strata, strata:] = mixed
    full[:, strata:, :strata] = mixed.transpose(0, 2, 1)
    full[:, [strata, strata + 1], [strata, strata + 1]] = squares
    every = np.arange(strata + 2)
    small = RIDGE + 1e-9 * full[:, every, every]
    full -= (cross / sums[:, None, :]) @ cross.transpose(0, 2, 1)
    full[:, every, every] += small
    right = right - (cross @ (items / sums)[:, :, None])[:, :, 0]
    found = np.asarray(np.linalg.solve(full, right[:, :, None])[:, :, 0], dtype=np.float64)
    moved = np.asarray((items - (found[:, None, :] @ cross)[:, 0]) / sums, dtype=np.float64)
    return moved, found[:, :strata], found[:, strata:]


def _informed(data: Design, onehot: Floats, weight: Floats) -> NDArray[np.bool_]:
    """(r, 2) whether a drawn stratum tells of size on the axis: two sizes on an item, and scores
    that differ between them by more than their bounds."""
    told = np.zeros((len(weight), 2), dtype=bool)
    seen = np.clip(data.mean, data.floor, TOP)
    strata = [np.flatnonzero(row > 0) for row in onehot]
    for axis in (0, 1):
        tells = np.array([_tells(data, seen, rows, axis) for rows in strata], dtype=bool)
        drawn = tells[data.stratum]
        told[:, axis] = (weight[:, drawn] > 0).any(axis=1)
    return told


def _tells(data: Design, seen: Floats, rows: NDArray[np.int64], axis: int) -> bool:
    if len(rows) < 2 or np.ptp(data.x[rows]) < 1e-3:
        return False
    for item in np.flatnonzero(data.axis == axis):
        have = rows[data.n[rows, item] > 0]
        if len(have) > 1 and np.ptp(data.x[have]) > 1e-3 and np.ptp(seen[have, item]) > 0:
            return True
    return False


def _codes(names: list[str]) -> NDArray[np.int64]:
    order = {name: k for k, name in enumerate(dict.fromkeys(names))}
    return np.array([order[name] for name in names], dtype=np.int64)
