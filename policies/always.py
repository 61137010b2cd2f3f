"""The two constant baselines: every query to the small arm, every query to the large one.

`always-large` falls back to the small arm where no large one can be run, and says so;
`always-small` never pays for a large one. Both make one call, and a second one only
where the call itself failed.
"""

from typing import ClassVar, Literal

import numpy as np

from policies.case import STOP, CaseBatch, ChoiceBatch
from policies.policy import Policy, choose_from, first_open, last_call_failed, register

__all__ = ["AlwaysLarge", "AlwaysSmall"]

_SENTENCES = {
    "always-small": "the policy always takes the small arm",
    "always-large": "the policy always takes the large arm",
    "large-unavailable": "no large arm can be run, so the small one answers",
    "one-call": "one call was made; this policy does not look at the verdict",
    "nothing-left": "no arm is left that could be run",
}


def _constant(cases: CaseBatch, tiers: tuple[Literal["small", "large"], ...]) -> ChoiceBatch:
    order = [c for tier in tiers for c in cases.columns(tier, "none")]
    again = last_call_failed(cases)
    arm = np.where(again, first_open(cases.open, order), STOP)
    wanted = f"always-{tiers[0]}"
    is_wanted = np.isin(arm, cases.columns(tiers[0], "none"))
    reasons = {
        wanted: is_wanted,
        "large-unavailable": (arm != STOP) & ~is_wanted,
        "one-call": ~again,
        "nothing-left": again & (arm == STOP),
    }
    return choose_from(cases, arm, reasons, _SENTENCES)


@register
class AlwaysSmall(Policy):
    """Every query to the first small arm without an index."""

    name: ClassVar[str] = "always-small"

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        return _constant(cases, ("small",))


@register
class AlwaysLarge(Policy):
    """Every query to the first large arm; the small one only where no large one runs."""

    name: ClassVar[str] = "always-large"

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        return _constant(cases, ("large", "small"))
