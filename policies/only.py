"""One call of one arm, whatever comes back. Not registered: it is no routing rule.

For a caller who names a model, for an arm that was drawn by lot, and for evaluations of one arm.
"""

from typing import ClassVar

import numpy as np

from policies.case import STOP, CaseBatch, ChoiceBatch
from policies.policy import Policy, choose_from, first_open

__all__ = ["OnlyArm"]


class OnlyArm(Policy):
    """The arm where nothing was tried yet and it is there and can be run, else STOP."""

    name: ClassVar[str] = "only-arm"

    arm: str

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        column = [i for i, arm in enumerate(cases.arms) if arm.name == self.arm]
        fresh = np.asarray(~cases.tried.any(axis=1), dtype=bool)
        arm = np.where(fresh, first_open(cases.available, column), STOP)
        runs = arm != STOP
        reasons = {"only": runs, "done": ~fresh, "cannot": fresh & ~runs}
        sentences = {
            "only": f"the run is of {self.arm} alone",
            "done": "one call was made",
            "cannot": f"{self.arm} cannot be run",
        }
        return choose_from(cases, arm, reasons, sentences)
