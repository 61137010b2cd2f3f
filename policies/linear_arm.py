"""One arm of a linear bandit, as plain data: ridge regression of a label on features.

    A = ridge * I + sum x x',   b = sum r x,   theta = A^-1 b,   width = sqrt(x' A^-1 x)

(LinUCB, arXiv 1003.0146, algorithm 1.) Only A^-1 is kept; an observation changes it by one
rank (Sherman-Morrison), here with forgetting g (recursive least squares):

    A <- g A + x x':   A^-1 <- (A^-1 - A^-1 x x' A^-1 / (g + x' A^-1 x)) / g,   b <- g b + r x

Plain forgetting lets A^-1 grow without bound along features that do not vary. So g is never
below ridge * trace(A^-1) / d, which keeps trace(A^-1) <= d / ridge: the arm forgets what it
has learnt, and never its prior.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["LinearArm", "sherman_morrison"]

Floats = NDArray[np.float64]
PRICE_MEMORY = 0.95
"""Weight of an attempt's cost beside that of the next: prices may jump, so 20 attempts count."""


def sherman_morrison(inverse: Floats, x: Floats, forget: float = 1.0) -> Floats:
    """(d, d) inverse of forget * A + x x', given that of A (d, d) and x (d,)."""
    along = inverse @ x
    return np.asarray((inverse - np.outer(along, along) / (forget + x @ along)) / forget)


class LinearArm(BaseModel):
    """What is known of one arm. Frozen: `labelled` and `charged` give the next one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    inverse: tuple[float, ...]
    """A^-1, row after row: d * d numbers."""
    reward: tuple[float, ...]
    """b: d numbers."""
    labels: int = Field(default=0, ge=0)
    paid: float = Field(default=0.0, ge=0)
    """Discounted USD that attempts cost."""
    expected: float = Field(default=0.0, ge=0)
    """Discounted USD that they were predicted to cost."""
    seconds: float | None = Field(default=None, ge=0)
    """Discounted mean of wall seconds; None where nothing was measured."""

    @model_validator(mode="after")
    def _fits(self) -> "LinearArm":
        if len(self.inverse) != len(self.reward) ** 2:
            raise ValueError(
                f"inverse holds {len(self.inverse)} numbers, reward {len(self.reward)}: "
                "d * d and d are expected"
            )
        if not np.isfinite([*self.inverse, *self.reward]).all():
            raise ValueError("inverse and reward must be finite")
        return self

    @staticmethod
    def fresh(name: str, width: int, ridge: float) -> "LinearArm":
        """An arm of which nothing is known, over `width` features."""
        return _fresh(name, width, ridge)

    # Not cached: pydantic would compare and copy the arrays with the fields.
    def _arrays(self) -> tuple[Floats, Floats]:
        d = len(self.reward)
        inverse = np.array(self.inverse).reshape(d, d)
        return inverse, inverse @ np.array(self.reward)

    def estimate(self, x: Floats) -> tuple[Floats, Floats]:
        """(n,) theta . x and (n,) sqrt(x' A^-1 x), of x (n, d)."""
        inverse, theta = self._arrays()
        spread = np.einsum("nd,de,ne->n", x, inverse, x)
        # Rounding may leave a zero slightly below itself.
        return x @ theta, np.sqrt(np.maximum(spread, 0.0))

    def price_ratio(self, predicted: Floats) -> Floats:
        """What attempts cost over what was predicted, one prediction being the prior weight."""
        total = self.expected + predicted
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(total > 0, (self.paid + predicted) / total, 1.0))

    def labelled(self, x: Floats, score: float, ridge: float, forget: float) -> "LinearArm":
        """After a label: x is (d,)."""
        inverse, _ = self._arrays()
        g = float(np.clip(ridge * np.trace(inverse) / len(x), forget, 1.0))
        new = sherman_morrison(inverse, x, g)
        reward = g * np.array(self.reward) + score * x
        change = {
            "inverse": tuple(((new + new.T) / 2).ravel().tolist()),
            "reward": tuple(reward.tolist()),
            "labels": self.labels + 1,
        }
        return self.model_copy(update=change)

    def charged(self, cost_usd: float, predicted: float, seconds: float) -> "LinearArm":
        """After an attempt that cost so much; NaN seconds change nothing."""
        m = PRICE_MEMORY
        clock = self.seconds
        if not np.isnan(seconds):
            clock = seconds if clock is None else m * clock + (1 - m) * seconds
        paid, expected = m * self.paid + cost_usd, m * self.expected + predicted
        return self.model_copy(update={"paid": paid, "expected": expected, "seconds": clock})


@lru_cache(maxsize=256)
def _fresh(name: str, width: int, ridge: float) -> LinearArm:
    """Kept, since each decision asks for it again until the arm has been run; it is frozen."""
    inverse = (np.eye(width) / ridge).ravel().tolist()
    return LinearArm(name=name, inverse=tuple(inverse), reward=(0.0,) * width)
