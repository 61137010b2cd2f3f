"""Which kept answers are audited: by lot, with a probability that is known and written down.

    u = 1 - |2 P(right) - 1|      1 where P(right) is 1/2 or unknown, 0 where it is 0 or 1
    w = 1 + (W - 1) u             W: audits.uncertain_weight
    p = min(1, share w / mean(w))     the mean over the answers before this one

The mean makes the share of all answers come out as stated, and is of the past alone, so p is
known before the draw. w lies in [1, W], so p >= share / W: no label weighs more than W / share.
The draw hashes the request's id with the seed: the same request is drawn on every replica.
"""

from typing import NamedTuple

import numpy as np

from policies.random import uniform
from router.cases import row_key

__all__ = ["Draw", "Lot"]

STREAM = 0x6175646974
"""Added to the seed ("audit" in ASCII), so that no policy's draws are these."""


class Draw(NamedTuple):
    """What became of one answer in the lottery."""

    drawn: bool
    probability: float
    floor: float
    """The least that any answer's probability could have been."""


class Lot:
    """The lottery of one process. `weight` 1: all answers alike."""

    def __init__(self, share: float, weight: float, seed: int, stream: int = STREAM) -> None:
        self._share, self._weight, self._seed = share, weight, seed + stream
        # As if one answer of middling certainty had been seen: the first has a mean, too.
        self._sum, self._seen = (1 + weight) / 2, 1

    def draw(self, request: str, p_right: float | None) -> Draw:
        """Decide about one answer; `p_right` is its verdict's P(right)."""
        unsure = 1.0 if p_right is None else 1.0 - abs(2.0 * p_right - 1.0)
        own = 1.0 + (self._weight - 1.0) * unsure
        probability = min(1.0, self._share * own * self._seen / self._sum)
        self._sum, self._seen = self._sum + own, self._seen + 1
        floor = min(1.0, self._share / self._weight)
        lot = float(uniform(np.asarray(row_key(request)), self._seed)[0])
        return Draw(lot < probability, probability, floor)
