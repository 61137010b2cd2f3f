"""What policies that look at answers share: what was tried, and what came of it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from policies.case import FAILED, NONE, AttemptBlock, CaseBatch
from policies.policy import best_attempt
from policies.utility import FittedArm, places_of

__all__ = ["answered_at_all", "likeliest", "rungs_tried"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def rungs_tried(arms: Sequence[FittedArm], cases: CaseBatch) -> Ints:
    """(n, k) which of the fitted arms made each attempt, -1 for none."""
    arm = cases.attempts.arm
    return np.where(arm >= 0, places_of(arms, cases)[np.clip(arm, 0, None)], -1)


def answered_at_all(attempts: AttemptBlock) -> Bools:
    """(n, k) True for attempts that were made and whose call did not die."""
    return np.asarray((attempts.outcome != NONE) & (attempts.outcome != FAILED))


def likeliest(cases: CaseBatch, judged: Floats) -> Ints:
    """(n,) the attempt of the highest P(right), (n, k) with NaN for none; the later of equals.

    Where nothing was judged, `best_attempt`.
    """
    k = judged.shape[1]
    if not k:
        return np.full(len(cases), -1, dtype=np.int64)
    known = np.where(np.isnan(judged), -np.inf, judged)
    latest = k - 1 - np.argmax(known[:, ::-1], axis=1)
    some = ~np.isnan(judged).all(axis=1)
    if some.all():
        return np.asarray(latest, dtype=np.int64)
    return np.where(some, latest, best_attempt(cases)).astype(np.int64)
