"""Fit `policies.retrieval_value` on outcomes of arms with context none and index.

    memory      logistic regression of the score on the two axes (`eval.fit.linear`)
    passages    least squares of the score on [P, 1 - P], both coefficients held in 0..1
    refused     mean score of the rows whose check failed or whose reader abstained

P is what was judged of the passages before they were read: the check's measure `answerable`
(`Verdict.measured`), which `eval.table.case_of` also shows the policy in replay. P was calibrated
on other rows (`router/knowledge/answerability.json` says on which); here nothing is tuned: the
strength of the logistic is fixed. An arm of context index whose rows hold no P is not known to the
policy; a table without such arms makes a policy of what the models know alone.
"""

import numpy as np
from numpy.typing import NDArray

from eval.fit.linear import fit_linear
from eval.fit.soft_labels import constant_log_odds, soft_labels
from eval.fit.usable import Unusable, known_features
from eval.table import ANSWERABLE, Table, answerable_of
from policies.case import Arm, Outcome
from policies.retrieval_value import KnowingArm, RetrievalValue

__all__ = ["fit_retrieval_value"]

Floats = NDArray[np.float64]
STRENGTH = 1.0
"""Inverse of the L2 penalty: two columns and a bias need little."""
LEAST_SPREAD = 1e-6


def fit_retrieval_value(table: Table) -> RetrievalValue:
    """All arms of the table; `Unusable` where the texts or the judged passages are not there."""
    features = known_features(table, "retrieval-value")
    axes = features.blocks["axes"].astype(np.float64)
    p = answerable_of(table)
    arms = []
    for column, arm in enumerate(table.arms):
        score = table.score[:, column]
        refused = _refused(table, column)
        if arm.context == "none":
            weights, bias = _logistic(axes, score)
            arms.append(
                KnowingArm(
                    name=arm.name,
                    tier=arm.tier,
                    context="none",
                    bias=bias,
                    weights=weights,
                    refused=refused,
                )
            )
        else:
            arms.append(_reader(arm, p, score, refused))
    return RetrievalValue(arms=tuple(arms), fingerprint=features.fingerprint)


def _reader(arm: Arm, p: Floats | None, score: Floats, refused: float) -> KnowingArm:
    if p is None or not np.isfinite(p).any():
        raise Unusable(
            f"retrieval-value: no row of {arm.name} says how likely its passages held the answer "
            f"(measure {ANSWERABLE!r} of its check): record the arm again with an index"
        )
    known = np.isfinite(p)
    read, miss = _read_and_miss(p[known], score[known])
    return KnowingArm(
        name=arm.name, tier=arm.tier, context="index", read=read, miss=miss, refused=refused
    )


def _read_and_miss(p: Floats, score: Floats) -> tuple[float, float]:
    """Both in 0..1; the mean for both where P never differs."""
    from scipy.optimize import lsq_linear

    if np.ptp(p) < LEAST_SPREAD:
        mean = float(score.mean())
        return mean, mean
    made = lsq_linear(np.column_stack([p, 1 - p]), score, bounds=(0.0, 1.0))
    read, miss = np.clip(made.x, 0.0, 1.0).tolist()
    return read, miss


def _refused(table: Table, column: int) -> float:
    """Mean score of what gave no answer that holds; 0 where there is no such row."""
    outcome, passed = table.outcome[:, column], table.passed[:, column]
    said = (outcome != Outcome.NONE) & (outcome != Outcome.FAILED)
    rows = said & ((outcome != Outcome.ANSWERED) | (passed == 0.0))
    return float(table.score[rows, column].mean()) if rows.any() else 0.0


def _logistic(x: Floats, y: Floats) -> tuple[tuple[float, float], float]:
    made = soft_labels(y)
    if made.one_class:
        return (0.0, 0.0), constant_log_odds(y)
    fit = fit_linear(x[made.row], made.label.tolist(), made.weight, STRENGTH)
    return (float(fit.weights[0, 0]), float(fit.weights[0, 1])), float(fit.bias[0])
