"""A conversation stays where its prompt is cached, as long as that pays.

    h   the arm that served the last turn;    a   the arm that `inner` takes for this one
    C   predicted cost; C_h is less what the provider's cache saves: that is the switch cost

    down   a costs less than h:      leave h iff  C_h - C_a > 0      (the saving, net of the cache)
    up     a costs more than h:      leave h iff  worth * (q_a - q_h) > C_a - C_h
           without estimates of q:   leave h iff  a is of a larger tier, or reads other passages

Only a turn's first call is touched, and only where h can be run and is made for the query: who
escalates within a turn has a reason that no cache outweighs. The case says who h is in the
feature block `held`, (n, A): USD that the cache saves in its column, NaN elsewhere.
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from policies.case import STOP, CaseBatch, ChoiceBatch
from policies.policy import register
from policies.wrapper import Wrapper, calls_made, with_reasons

__all__ = ["Sticky"]

Bools = NDArray[np.bool_]
_SENTENCES = {
    "sticky:kept": "the conversation stays where its prompt is cached: leaving gains less",
    "sticky:down": "the turn is easy, and a cheaper arm saves more than the lost cache costs",
    "sticky:up": "the turn needs more than the conversation's arm, cache or not",
}


@register
class Sticky(Wrapper):
    """Keeps the conversation's arm unless leaving gains more than the cache saves."""

    name: ClassVar[str] = "sticky"

    worth: float = Field(default=0.01, ge=0, allow_inf_nan=False)
    """USD that a right answer is worth more than a wrong one."""

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        choice = self.inner.choose(cases)
        held = cases.features.get("held")
        if held is None:
            return choice
        rows = np.arange(len(cases))
        has = ~np.isnan(held).all(axis=1)
        home = np.where(has, np.argmax(~np.isnan(held), axis=1), 0)
        at = (rows, home)
        asked = has & (choice.arm != STOP) & (choice.arm != home) & (calls_made(cases) == 0)
        asked &= cases.open[at] & cases.capable[at]
        to = np.where(asked, choice.arm, home)
        more = cases.predicted_cost[rows, to] - cases.predicted_cost[at]
        leaves = np.where(more < 0, True, self._gains(cases, choice, home, to, more))
        kept = asked & ~leaves
        one = np.zeros_like(choice.probability)
        one[at] = 1.0
        made = replace(
            choice,
            arm=np.where(kept, home, choice.arm),
            probability=np.where(kept[:, None], one, choice.probability),
        )
        reasons = {
            "sticky:kept": kept,
            "sticky:down": asked & leaves & (more < 0),
            "sticky:up": asked & leaves & (more >= 0),
        }
        return with_reasons(made, reasons, _SENTENCES)

    def _gains(
        self,
        cases: CaseBatch,
        choice: ChoiceBatch,
        home: NDArray[np.int64],
        to: NDArray[np.int64],
        more: NDArray[np.float64],
    ) -> Bools:
        """(n,) whether the dearer arm is worth its price; a cost nobody knows is no reason."""
        rows = np.arange(len(cases))
        gain = choice.quality[rows, to] - choice.quality[rows, home]
        large = np.array([arm.tier == "large" for arm in cases.arms])
        reads = np.array([arm.context == "index" for arm in cases.arms])
        needed = (large[to] & ~large[home]) | (reads[to] != reads[home])
        return np.asarray(np.where(np.isnan(gain), needed, self.worth * gain > more), dtype=bool)
