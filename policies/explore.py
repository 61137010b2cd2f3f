"""Exploration around any policy: with probability epsilon an arm is drawn, and that is recorded.

    P(arm m) = (1 - epsilon) * P_inner(m) + epsilon / k     for the k arms that can be run

Recorded traffic can be judged for another policy only where every arm had a known chance
(inverse propensity; epsilon-greedy logging, Dudik, Langford & Li, arXiv 1103.4601), so the exact
probabilities stand in `ChoiceBatch.probability`, composed with the inner policy's own.

The draw is a hash of the query's key, the calls made and the seed, on a stream of its own: it is
independent of a `random` or another `explore` inside with another seed, which the product above
needs. Arms that are not made for the query are drawn only where no other can be run, and none
that is over the cap of a `cost-cap`, be it around this wrapper or inside it.
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from policies.case import CaseBatch, ChoiceBatch
from policies.cost_cap import CostCap
from policies.policy import prefer_capable, register
from policies.random import uniform
from policies.wrapper import Wrapper, calls_made, layers, with_reasons

__all__ = ["Explore"]

Floats = NDArray[np.float64]

STREAM = 0x6578706C6F7265
"""Added to the seed ("explore" in ASCII): `random` hashes the same keys with small seeds."""
CALL = np.uint64(0xD1342543DE82EF95)
"""An odd multiplier: the second call of a request draws anew."""


@register
class Explore(Wrapper):
    """Epsilon-uniform exploration of what can be run."""

    name: ClassVar[str] = "explore"

    epsilon: float = Field(default=0.05, gt=0, le=1)
    first_call: bool = True
    """Draw only for a request's first call; else any later call, or stop, may be replaced."""
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _own_draws(self) -> "Explore":
        if any(isinstance(p, Explore) and p.seed == self.seed for p in layers(self.inner)):
            raise ValueError(
                f"seed {self.seed} is that of an explore inside it, whose draws would be the same: "
                "give another seed"
            )
        return self

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        choice = self.inner.choose(cases)
        may = self._drawable(cases)
        calls = calls_made(cases)
        count = may.sum(axis=1)
        can = (count > 0) & ((calls == 0) | (not self.first_call))
        keys = cases.row_key + calls.astype(np.uint64) * CALL
        u = uniform(keys, STREAM + self.seed)
        drawn = can & (u < self.epsilon)
        # Given u < epsilon, u / epsilon is uniform: one draw says both whether and which.
        nth = np.minimum(np.floor(u / self.epsilon * count), count - 1)
        pick = np.argmax(may & (np.cumsum(may, axis=1) - 1 == nth[:, None]), axis=1)
        made = replace(
            choice,
            arm=np.where(drawn, pick, choice.arm),
            attempt=np.where(drawn, -1, choice.attempt),
            probability=self._mixed(choice.probability, may, count, can),
        )
        said = {
            "explore:drawn": f"drawn at random (epsilon {self.epsilon:g}), to learn what it does"
        }
        return with_reasons(made, {"explore:drawn": drawn}, said)

    def _drawable(self, cases: CaseBatch) -> NDArray[np.bool_]:
        """(n, A) arms that a draw may fall on."""
        fits = cases.open
        for policy in layers(self.inner):
            if isinstance(policy, CostCap):
                fits = fits & policy.affordable(cases)
        return prefer_capable(cases, fits)

    def _mixed(
        self,
        inner: Floats,
        may: NDArray[np.bool_],
        count: NDArray[np.int64],
        can: NDArray[np.bool_],
    ) -> Floats:
        share = may * (self.epsilon / np.maximum(count, 1))[:, None]
        mixed = np.minimum((1.0 - self.epsilon) * inner + share, 1.0)
        return np.where(can[:, None], mixed, inner)
