"""Calibrate a conformal gate: from trust and labels to a threshold with a stated bound.

    H_j: risk(tau_j) > alpha,   risk(tau) = P(small wrong | trust >= tau)
    reject H_1, H_2, ... while upper_limit(wrong kept, n kept, delta) <= alpha; stop at the first
    that stands; tau = the last rejected

Fixed-sequence testing (Learn-then-Test, arXiv 2110.01052; strictest first: ACL-SRW 2026.70).
To end on a threshold with risk above alpha the first such H_j of the sequence must be rejected;
given n kept its errors are Bin(n kept, risk), so that happens with probability at most delta.
No correction for the number of thresholds is due, and the risk need not be monotone. Two
conditions, each with its reason:

- The sequence is fixed before calibration is seen, from *other* rows: quantiles of their trust,
  from the quantile on at which they give the first test most power (learning the order on rows of
  its own: Pareto testing, arXiv 2210.07913). Quantiles of the calibration scores would make the
  first false threshold depend on the sample.
- One row of each cluster calibrates: samples of one question are not independent. So the bound
  is for a random question, then a random sample of it.

An error is a counted score below 1: a half-right answer is wrong. A call that failed counts as
kept and wrong; at run time it is asked elsewhere, which can only lower the risk.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.compare import epoch_weight
from eval.metrics.bounds import least_rows, upper_limit
from router.errors import InputError

__all__ = [
    "Certified",
    "Hindsight",
    "Repeated",
    "candidates",
    "certify",
    "hindsight",
    "one_a_cluster",
    "repeat",
    "risk",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
POINTS = 200


@dataclass(frozen=True)
class Certified:
    """`tau` inf: nothing could be certified; `limit` is then that of the first threshold."""

    tau: float
    n: int
    """Calibration rows."""
    kept: int
    wrong: int
    limit: float
    """Upper confidence limit of the risk at tau."""
    tested: int


@dataclass(frozen=True)
class Hindsight:
    """The lowest threshold that is right on these very labels; inf and 0 where none is."""

    tau: float
    share: float


@dataclass(frozen=True)
class Repeated:
    """The gate calibrated again and again, and whether its bound held."""

    splits: int
    calibrated: int
    tested: int
    violations: int
    """Splits whose error among kept test rows is above alpha. More than delta by nature: the
    test part is a sample too, and has the luck that the calibration part lacks."""
    population_violations: int
    """The same count with a known truth: calibration questions drawn independently, with
    replacement, from all rows; a violation is a risk above alpha over all of them."""
    empty: int
    """Splits in which nothing was certified."""
    kept: Floats
    """(splits,) share of test rows kept."""
    best: Floats
    """(splits,) share that the best threshold in hindsight keeps at the same alpha."""

    @property
    def ratio(self) -> Floats:
        """(splits,) kept share over hindsight's, at most 1: what a violation keeps beyond it is
        no merit. NaN where hindsight keeps nothing either."""
        none = np.full(len(self.kept), np.nan)
        ratio: Floats = np.divide(
            np.minimum(self.kept, self.best), self.best, out=none, where=self.best > 0
        )
        return ratio


def candidates(trust: Floats, wrong: Bools, n: int, alpha: float, delta: float) -> Floats:
    """(k,) thresholds, strictest first, the last -inf: every row that has a trust at all.

    The first is the quantile with the greatest power to certify as these rows have it,
    (alpha - error) * sqrt(n kept). Where the strictest quantile keeps too few to certify, or
    the most trusted queries are not the most right, one that is laxer is the better start: the
    sequence ends at the first threshold that fails.

    Args:
        trust, wrong: (m,) of rows that do not calibrate; NaN where a row has no trust.
        n: rows that will calibrate.

    Raises:
        InputError: too few rows for any bound at this alpha and delta, or no trust.
    """
    least = least_rows(alpha, delta)
    if n < least:
        raise InputError(
            f"{n} calibration questions: even without an error {least} are needed to bound it by "
            f"{alpha:g} at confidence {1 - delta:g}"
        )
    if not len(trust) or np.isnan(trust).all():
        raise InputError("no row to choose candidate thresholds from has a trust score")
    shares = np.linspace(least / n, 1.0, POINTS)
    ranked = np.sort(np.where(np.isnan(trust), -np.inf, trust))[::-1]
    places = np.clip(np.ceil(shares * len(ranked)).astype(np.int64) - 1, 0, None)
    quantiles = np.unique(ranked[places])[::-1]
    grid = np.r_[quantiles[np.isfinite(quantiles)], -np.inf]
    kept, bad = _counts(trust, wrong, grid)
    # One success and one failure added: a rate of few rows must not look like certainty.
    power = (alpha - (bad + 1) / (kept + 2)) * np.sqrt(kept)
    return np.asarray(grid[int(power.argmax()) :])


def certify(trust: Floats, wrong: Bools, grid: Floats, alpha: float, delta: float) -> Certified:
    """The last threshold of `grid` before the first whose limit is above alpha.

    trust, wrong: (n,) calibration rows, independent of each other and of the grid. Rows with
    a NaN trust are never kept.
    """
    kept, bad = _counts(trust, wrong, grid)
    limit = upper_limit(bad, kept, delta)
    stands = np.flatnonzero(limit > alpha)
    end = int(stands[0]) if len(stands) else len(grid)
    tested = min(end + 1, len(grid))
    if end == 0:
        return Certified(np.inf, len(trust), 0, 0, float(limit[0]), tested)
    at = end - 1
    return Certified(
        float(grid[at]), len(trust), int(kept[at]), int(bad[at]), float(limit[at]), tested
    )


def hindsight(trust: Floats, wrong: Bools, weight: Floats, alpha: float) -> Hindsight:
    """Among all thresholds, the largest weighted kept share whose error is at most alpha."""
    known = ~np.isnan(trust)
    order = np.flatnonzero(known)[np.argsort(-trust[known], kind="stable")]
    if not len(order):
        return Hindsight(np.inf, 0.0)
    mass = np.cumsum(weight[order])
    error = np.cumsum(weight[order] * wrong[order]) / mass
    ends = np.r_[np.diff(trust[order]) != 0, True]
    right = np.flatnonzero(ends & (error <= alpha))
    if not len(right):
        return Hindsight(np.inf, 0.0)
    at = int(right[-1])
    return Hindsight(float(trust[order][at]), float(mass[at] / weight.sum()))


def risk(trust: Floats, wrong: Bools, weight: Floats, tau: float) -> tuple[float, float]:
    """Weighted error among kept rows (NaN where none is kept), and the kept share."""
    kept = (trust >= tau) & (tau != np.inf)
    mass = float(weight[kept].sum())
    error = float(weight[kept] @ wrong[kept]) / mass if mass else np.nan
    return error, mass / float(weight.sum())


def one_a_cluster(cluster: Ints, rng: np.random.Generator) -> Ints:
    """Indices of one random row of each cluster."""
    _, code = np.unique(cluster, return_inverse=True)
    return np.sort(_rows_of(code, np.unique(code), rng))


def repeat(
    trust: Floats,
    wrong: Bools,
    cluster: Ints,
    other: tuple[Floats, Bools],
    alpha: float,
    delta: float,
    *,
    calibrate: int,
    splits: int,
    seed: int,
) -> Repeated:
    """Calibrate on `calibrate` random clusters, test on the others, `splits` times.

    `other` is trust and wrong of the rows that fix the sequence: the same in every split. Splits
    share rows, so their violations are not independent: a binomial tolerance is nominal. The
    draws that count `population_violations` are independent of each other given the rows.

    Raises:
        InputError: no cluster is left to test on, or too few calibrate for any bound.
    """
    names, code = np.unique(cluster, return_inverse=True)
    if not 0 < calibrate < len(names):
        raise InputError(f"--calibrate {calibrate}: must lie between 1 and {len(names) - 1}")
    weight = epoch_weight(code)
    grid = candidates(*other, calibrate, alpha, delta)
    kept, best, error, truth = (np.zeros(splits) for _ in range(4))

    def tau_of(clusters: Ints, rng: np.random.Generator) -> float:
        rows = _rows_of(code, clusters, rng)
        return certify(trust[rows], wrong[rows], grid, alpha, delta).tau

    for k in range(splits):
        rng = np.random.default_rng([seed, k])
        drawn = rng.permutation(len(names))[:calibrate]
        tau, rest = tau_of(drawn, rng), ~np.isin(code, drawn)
        error[k], kept[k] = risk(trust[rest], wrong[rest], weight[rest], tau)
        best[k] = hindsight(trust[rest], wrong[rest], weight[rest], alpha).share
        tau = tau_of(rng.integers(0, len(names), calibrate), rng)
        truth[k] = risk(trust, wrong, weight, tau)[0]
    return Repeated(
        splits=splits,
        calibrated=calibrate,
        tested=len(names) - calibrate,
        # Nothing kept is no violation: NaN > alpha is False.
        violations=int((error > alpha).sum()),
        population_violations=int((truth > alpha).sum()),
        empty=int(np.isnan(error).sum()),
        kept=kept,
        best=best,
    )


def _rows_of(code: Ints, clusters: Ints, rng: np.random.Generator) -> Ints:
    """(c,) one random row of each of these clusters; `code` numbers them from 0."""
    order, sizes = np.argsort(code, kind="stable"), np.bincount(code)
    place = np.floor(rng.random(len(clusters)) * sizes[clusters]).astype(np.int64)
    rows: Ints = order[(np.cumsum(sizes) - sizes)[clusters] + place]
    return rows


def _counts(trust: Floats, wrong: Bools, grid: Floats) -> tuple[Ints, Ints]:
    """(k,) rows kept at each threshold, and errors among them; ties at a threshold are kept."""
    known = ~np.isnan(trust)
    order = np.argsort(trust[known], kind="stable")
    ranked = trust[known][order]
    below = np.searchsorted(ranked, grid, side="left")
    bad = np.r_[0, np.cumsum(wrong[known][order][::-1])][::-1]
    return (len(ranked) - below).astype(np.int64), bad[below].astype(np.int64)
