"""A hard cap on what one request may cost, around any policy.

    arm m may run iff spent + worst_m <= cap

`spent` is what the attempts of this request have cost, `worst` the arm's `worst_cost`. An arm
over the cap is made unavailable to the inner policy, so that it takes what it would take if that
arm were down; where it asks for such an arm all the same, the request stops with its best attempt.
NaN, a price that nobody knows, is not affordable.

The cap is as hard as `worst_cost` is a bound: live it is the arm's token cap at its price, a
replay knows no more than an arm's mean cost. A draw of `explore` is under the cap whether
`explore` stands inside this wrapper or around it.
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from policies.case import STOP, CaseBatch, ChoiceBatch
from policies.policy import best_attempt, register
from policies.wrapper import Wrapper, with_reasons

__all__ = ["CostCap"]


@register
class CostCap(Wrapper):
    """No request of the inner policy ever costs more than `cap`."""

    name: ClassVar[str] = "cost-cap"

    cap: float = Field(ge=0, allow_inf_nan=False)
    """USD a request, all its attempts together."""

    def affordable(self, cases: CaseBatch) -> NDArray[np.bool_]:
        """(n, A) the worst case still fits."""
        spent = cases.attempts.cost_usd.sum(axis=1)
        return np.asarray(spent[:, None] + cases.worst_cost <= self.cap)

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        fits = self.affordable(cases)
        left = self.cap - cases.attempts.cost_usd.sum(axis=1)
        told = replace(
            cases,
            available=cases.available & fits,
            # NaN where a cost is not known: nothing fits then, and nothing is left.
            request_left=np.fmin(cases.request_left, np.nan_to_num(left, nan=0.0)),
        )
        choice = self.inner.choose(told)
        runs = choice.arm != STOP
        over = runs & ~fits[np.arange(len(cases)), choice.arm]
        arm = np.where(over, STOP, choice.arm)
        choice = replace(
            choice,
            arm=arm,
            attempt=np.where(over, best_attempt(cases), choice.attempt),
            # What does not fit is never run, whichever arm a rule that draws has drawn.
            probability=np.where(fits, choice.probability, 0.0),
        )
        left_out, some = (cases.open & ~fits).any(axis=1), told.open.any(axis=1)
        reasons = {
            "cost-cap:left-out": left_out & some & ~over,
            "cost-cap:stopped": left_out & ~some | over,
        }
        return with_reasons(choice, reasons, self._sentences())

    def _sentences(self) -> dict[str, str]:
        most = f"a request may cost at most USD {self.cap:g}"
        return {
            "cost-cap:left-out": f"{most}: an arm was left out, its worst case is over that",
            "cost-cap:stopped": f"{most}: no further arm's worst case fits",
        }
