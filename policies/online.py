"""Policies that learn while they serve: `observe` gives the next policy.

    policy' = policy.observe(feedback)

The state is one of the policy's fields, plain data: `to_state` / `from_state` carry it, so a
store, a replay and a live router hold the same thing, and both calls stay pure.
"""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.case import STOP, CaseBatch, PolicyError
from policies.policy import Policy

__all__ = ["Feedback", "OnlinePolicy"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of n decisions, in the order in which they ended. Raises `PolicyError`."""

    cases: CaseBatch
    """As the policy was asked: what it had tried then stands in `attempts`."""
    arm: NDArray[np.int64]
    """(n,) column that was run; STOP where none was."""
    cost_usd: NDArray[np.float64]
    """(n,) USD that this attempt really cost."""
    score: NDArray[np.float64]
    """(n,) label in [0, 1]; NaN where there is none, as for most live traffic."""
    seconds: NDArray[np.float64]
    """(n,) wall seconds; NaN where nobody measured."""

    def __post_init__(self) -> None:
        n = len(self.cases)
        for name in ("arm", "cost_usd", "score", "seconds"):
            if getattr(self, name).shape != (n,):
                raise PolicyError(
                    f"feedback.{name} has shape {getattr(self, name).shape}, expected ({n},)"
                )
        if np.any((self.arm < STOP) | (self.arm >= len(self.cases.arms))):
            raise PolicyError(f"feedback.arm names a column outside -1..{len(self.cases.arms) - 1}")
        if not np.all(np.isfinite(self.cost_usd) & (self.cost_usd >= 0)):
            raise PolicyError("feedback.cost_usd must be finite and not below 0")
        if np.any((self.score < 0) | (self.score > 1)):
            raise PolicyError("feedback.score has values outside [0, 1]")
        if np.any((self.seconds < 0) | np.isinf(self.seconds)):
            raise PolicyError("feedback.seconds must be finite and not below 0, or NaN")


class OnlinePolicy(Policy):
    """Base of the policies that learn from what their choices led to."""

    @abstractmethod
    def observe(self, feedback: Feedback) -> "OnlinePolicy":
        """The policy after that feedback, row after row; this one is left as it was."""
