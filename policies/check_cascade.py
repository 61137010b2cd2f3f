"""Check cascade: verify, then escalate what is not worth keeping.

    v in {passed, failed, unknown};  gain_j(v, c) = q_j(P(right | v, c)) - P(right | v, c)
    escalate iff gain_j > price * usd_j                                               (`Ladder`)

(AutoMix, arXiv 2310.12963: self-verification, then a router on its outcome.) The verdict of an
exact check comes first: the confidence c orders answers only among those of one verdict, so no
confidence lets a failed answer overtake a passed one unless the training rows did. An answer
that no check could judge is `unknown`, which is a finding of its own, not a failure. What a
check costs is in the cost of the arm that is checked.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from policies.case import AttemptBlock, Outcome
from policies.ladder import INCOMPLETE, Ladder
from policies.policy import Needs, register

__all__ = ["CheckCascade"]

PASSED, FAILED, UNKNOWN, CUT = range(4)


@register
class CheckCascade(Ladder):
    """The kind is the verdict, the number the verifier's confidence."""

    name: ClassVar[str] = "check-cascade"
    needs: ClassVar[Needs] = Needs(attempts=frozenset({"outcome", "passed", "confidence"}))
    kinds: ClassVar[tuple[str, ...]] = ("passed", "failed", "unknown", INCOMPLETE)
    shown: ClassVar[str] = "the verdict of the check"

    @model_validator(mode="after")
    def _by_price(self) -> "CheckCascade":
        if self.tau is not None:
            raise ValueError("tau: a verdict is no number to compare; leave it out, set price")
        return self

    @classmethod
    def show(cls, attempts: AttemptBlock) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        answered = attempts.outcome == Outcome.ANSWERED
        kind = np.select(
            [~answered, attempts.passed == 1.0, attempts.passed == 0.0],
            [CUT, PASSED, FAILED],
            default=UNKNOWN,
        )
        return kind.astype(np.int64), np.asarray(attempts.confidence, dtype=np.float64)

    @classmethod
    def speaks(cls, attempts: AttemptBlock) -> NDArray[np.bool_]:
        return ~np.isnan(attempts.passed) | ~np.isnan(attempts.confidence)
