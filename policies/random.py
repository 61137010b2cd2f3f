"""Random routing between the tiers: the baseline whose APGR is 0.5 by construction
(RouteLLM, arXiv 2406.18665, section 5).

The draw is a hash of the query's key and the seed, so the same query takes the same arm
live and in every replay, whatever the batch.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from policies.case import STOP, CaseBatch, ChoiceBatch
from policies.policy import Policy, choose_from, first_open, last_call_failed, register

__all__ = ["Random"]

_SENTENCES = {
    "drawn-large": "drawn at random: large",
    "drawn-small": "drawn at random: small",
    "tier-unavailable": "the drawn tier cannot be run, so the other one answers",
    "one-call": "one call was made; this policy does not look at the verdict",
    "nothing-left": "no arm is left that could be run",
}


def uniform(keys: NDArray[np.uint64], seed: int) -> NDArray[np.float64]:
    """(n,) uniforms in [0, 1) from 64-bit keys: the splitmix64 finaliser (Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = keys + np.uint64((seed * 2 + 1) * 0x9E3779B97F4A7C15 % 2**64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return np.asarray((z >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


@register
class Random(Policy):
    """Large with probability `large_share`, otherwise small."""

    name: ClassVar[str] = "random"

    large_share: float = Field(default=0.5, ge=0, le=1)
    seed: int = Field(default=0, ge=0)

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        small, large = cases.columns("small", "none"), cases.columns("large", "none")
        draw = uniform(cases.row_key, self.seed) < self.large_share
        to_small = first_open(cases.open, small + large)
        to_large = first_open(cases.open, large + small)
        again = last_call_failed(cases)
        arm = np.where(again, np.where(draw, to_large, to_small), STOP)
        got_large = np.isin(arm, large)
        reasons = {
            "drawn-large": again & draw,
            "drawn-small": again & ~draw,
            "tier-unavailable": (arm != STOP) & (got_large != draw),
            "one-call": ~again,
            "nothing-left": again & (arm == STOP),
        }
        return choose_from(cases, arm, reasons, _SENTENCES, self._probability(cases, again))

    def _probability(self, cases: CaseBatch, again: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(n, A) the exact probability of each arm under the draw."""
        small, large = cases.columns("small", "none"), cases.columns("large", "none")
        out = np.zeros((len(cases), len(cases.arms)))
        for share, order in (
            (self.large_share, large + small),
            (1 - self.large_share, small + large),
        ):
            arm = first_open(cases.open, order)
            rows = np.nonzero(again & (arm != STOP))[0]
            out[rows, arm[rows]] += share
        return out
