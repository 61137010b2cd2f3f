"""One arm and no other: the policy of a run whose arm was drawn by lot."""

from typing import ClassVar

import numpy as np

from policies.case import STOP, CaseBatch, ChoiceBatch
from policies.policy import Policy, choose_from, first_open

__all__ = ["OnlyArm"]


class OnlyArm(Policy):
    """Asks `arm` once, whatever comes of it. Not registered: nobody can ask for it by name."""

    name: ClassVar[str] = "only-arm"

    arm: str

    def choose(self, cases: CaseBatch) -> ChoiceBatch:
        column = [i for i, arm in enumerate(cases.arms) if arm.name == self.arm]
        fresh = np.asarray(~cases.tried.any(axis=1), dtype=bool)
        arm = np.where(fresh, first_open(cases.open, column), STOP)
        return choose_from(
            cases, arm, {"drawn": fresh, "one-call": ~fresh},
            {"drawn": f"{self.arm} was drawn by lot", "one-call": "one call was made"},
        )  # fmt: skip
