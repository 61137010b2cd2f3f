"""What a policy would have scored on traffic that another policy served.

With w_i = pi(what was done | x_i) / mu(what was done | x_i), the target's chance of what the log
shows over the logging policy's, l_i the label's weight (1 / its sampling probability; 0 where
there is no label; 1 for what every row has, such as its cost), and outcomes y_i:

    ips     1/n sum w_i l_i y_i                     Horvitz & Thompson, JASA 1952
    snips   sum w_i l_i y_i / sum w_i l_i           Swaminathan & Joachims, NeurIPS 2015
    dr      1/n sum [ sum_a pi(a | x_i) q(x_i, a) + w_i l_i (y_i - q(x_i, a_i)) ]
                                                    Dudik, Langford & Li, arXiv 1103.4601

ips and dr are unbiased wherever mu gives a chance to all that pi does, whatever q is; a good q
makes dr narrower, a bad one does not make it wrong. snips is biased by O(1/n) and steadier than
ips. In `dr` the sum runs over first arms, and w_i is of the whole run: for runs of several steps
it is the doubly robust estimator of Jiang & Li (arXiv 1511.03722) with no model of later steps.

Intervals are percentile bootstraps over whole queries (`eval.compare.bootstrap`): equal queries
draw equal arms, since exploration hashes the text. q is not fitted again in a resample.
What is not here: where the weights come from (`target`), what to do where mu gave no chance
(`value`: nothing is estimated then).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.compare import Interval, bootstrap

__all__ = ["METHODS", "Weighted", "clipped", "effective", "estimate", "widened"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
METHODS = ("ips", "snips", "dr")


@dataclass(frozen=True)
class Weighted:
    """n requests as one target policy meets them, for one outcome."""

    weight: Floats
    """(n,) w_i * l_i."""
    outcome: Floats
    """(n,) y_i; anything where the weight is 0."""
    expected: Floats
    """(n,) sum_a pi(a | x_i) q(x_i, a), of models that did not see row i."""
    predicted: Floats
    """(n,) q(x_i, a_i) of the same models."""

    @property
    def gained(self) -> Floats:
        """(n,) w_i l_i y_i; 0 where nothing weighs, whatever stands there."""
        return np.where(self.weight > 0, self.weight * np.nan_to_num(self.outcome), 0.0)


def estimate(
    rows: Weighted, clusters: Ints, resamples: int = 1000, seed: int = 0, scale: float = 1.0
) -> dict[str, Interval]:
    """`METHODS` -> value with a 95 % interval; NaN where nothing weighs. `scale`: of the value."""
    gained, weight = rows.gained, rows.weight
    doubly = rows.expected + gained - np.where(weight > 0, weight * rows.predicted, 0.0)

    def values(count: Floats) -> Floats:
        total, mass = count.sum(), count @ weight
        own = float(count @ gained)
        ips = own / total if total and mass > 0 else np.nan
        snips = own / mass if mass > 0 else np.nan
        dr = float(count @ doubly) / total if total and mass > 0 else np.nan
        return scale * np.array([ips, snips, dr])

    return dict(zip(METHODS, bootstrap(values, clusters, resamples, seed), strict=True))


def widened(
    made: Mapping[str, Interval], weight: Floats, outcome: Floats
) -> Mapping[str, Interval]:
    """The intervals of a share, at least as wide as chance allows where no label differs.

    Three labels that are all right resample to themselves. Where all that weighs is right (or
    wrong), the share is known to the exact binomial bound of so many effective labels k
    (Clopper & Pearson, Biometrika 1934): from .025 ** (1 / k) on, or up to 1 minus that.
    """
    seen = outcome[weight > 0]
    if not seen.size or not np.all((seen == 0) | (seen == 1)) or seen.min() != seen.max():
        return made
    bound = 0.025 ** (1 / effective(weight))
    if seen[0] == 1:
        return {name: got._replace(low=min(got.low, bound)) for name, got in made.items()}
    return {name: got._replace(high=max(got.high, 1 - bound)) for name, got in made.items()}


def clipped(weight: Floats, most: float | None) -> tuple[Floats, float]:
    """The weights with none above `most`, and the share of rows that this changed.

    Clipping trades variance for bias: the value is then that of a policy nearer the logged one.
    """
    if most is None:
        return weight, 0.0
    return np.minimum(weight, most), float(np.mean(weight > most))


def effective(weight: Floats) -> float:
    """Effective sample size (sum w)^2 / sum w^2 (Kish); 0 where nothing weighs."""
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0
