"""Self-consistency cascade: keep the cheap answer where its samples agree.

    a = votes of the winning answer / all votes;    keep iff a >= tau
    or, with a price: escalate iff q_j(P(right | a)) - P(right | a) > price * usd_j   (`Ladder`)

(Mixture of thoughts, arXiv 2310.03094, its consistency check.) The first rung is a voting arm:
the share of a single sample is no evidence. The vote's cost counts all samples that it drew; it
stops early where no answer can overtake, so the share is one of the votes that were cast.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from policies.case import AttemptBlock, Outcome
from policies.ladder import INCOMPLETE, Ladder
from policies.policy import Needs, register

__all__ = ["SelfConsistency"]


@register
class SelfConsistency(Ladder):
    """The number is `agreement`."""

    name: ClassVar[str] = "self-consistency"
    needs: ClassVar[Needs] = Needs(attempts=frozenset({"outcome", "agreement"}))
    kinds: ClassVar[tuple[str, ...]] = ("answered", INCOMPLETE)
    shown: ClassVar[str] = "the share of votes"

    @classmethod
    def show(cls, attempts: AttemptBlock) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        cut = attempts.outcome != Outcome.ANSWERED
        return cut.astype(np.int64), np.asarray(attempts.agreement, dtype=np.float64)
