"""One call of one arm, whatever comes back. Not registered: it is no routing rule.

For a caller who names a model, and for evaluations of one arm.
"""

from typing import ClassVar

import numpy as np

from policies.case import STOP, CaseBatch, ChoiceBatch
from policies.policy import Policy, choose_from

__all__ = ["OnlyArm"]


class OnlyArm(Policy):
    """The arm where nothing was tried yet and it can be run, else STOP."""

    name: ClassVar[str] = "only-arm"

    arm: str

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        column = [arm.name for arm in cases.arms].index(self.arm)
        fresh = np.asarray(~cases.tried.any(axis=1), dtype=bool)
        runs = np.asarray(fresh & cases.available[:, column], dtype=bool)
        reasons = {"only": runs, "done": ~fresh, "cannot": fresh & ~runs}
        sentences = {
            "only": f"the run is of {self.arm} alone",
            "done": "one call was made",
            "cannot": f"{self.arm} cannot be run",
        }
        return choose_from(cases, np.where(runs, column, STOP), reasons, sentences)
