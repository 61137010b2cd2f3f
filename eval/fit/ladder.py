"""Fit the cascades of `policies/ladder.py` on recorded outcomes of any number of arms.

    rungs   arms whose attempts show what the rule reads, by rising mean cost; then the arms that
            show nothing, where they are dearer than all of those and better than the best
    kinds   P(right | what it shows), isotonic, for each kind of attempt
    ahead   P(right by rung j | P(right) of this rung), isotonic

A cheaper arm that shows nothing (one sample beside a vote) is no rung: it could be paid for, and
never trusted. Costs and qualities are means over the training rows, every sample a row.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from eval.fit.isotonic import fit_calibrated
from eval.fit.soft_labels import soft_labels
from eval.play import revealed
from eval.table import Table
from policies.calibrated import Calibrated
from policies.case import Outcome, PolicyError
from policies.check_cascade import CheckCascade
from policies.ladder import Ladder, Rung
from policies.logprob_cascade import LogprobCascade, logprob_columns
from policies.self_consistency import SelfConsistency
from policies.utility import FittedArm

__all__ = ["fit_check_cascade", "fit_logprob_cascade", "fit_self_consistency", "rungs_of"]

Floats = NDArray[np.float64]
L = TypeVar("L", bound=Ladder)
C = 1.0
"""Of the logistic that weighs log-probabilities: scikit-learn's default, not searched."""


def fit_self_consistency(table: Table) -> SelfConsistency:
    """Raises `PolicyError` where no arm's attempts show votes."""
    return _fitted(SelfConsistency, table)


def fit_check_cascade(table: Table) -> CheckCascade:
    """Raises `PolicyError` where no arm's attempts were checked."""
    return _fitted(CheckCascade, table)


def fit_logprob_cascade(table: Table) -> LogprobCascade:
    """Raises `PolicyError` where no arm's attempts show log-probabilities."""
    columns = rungs_of(LogprobCascade, table)
    weights = tuple(_logprob_weights(table, column) for column in columns)
    return _fitted(LogprobCascade, table, weights=weights)


def rungs_of(kind: type[Ladder], table: Table) -> list[int]:
    """Columns of the ladder, cheapest first.

    Raises:
        PolicyError: no arm shows what the rule reads, or nothing is left to escalate to.
    """
    cost, quality = table.cost.mean(axis=0), table.score.mean(axis=0)
    order = np.argsort(cost, kind="stable").tolist()
    speaking = [c for c in order if _attempts_speak(kind, table, c)]
    if not speaking:
        raise PolicyError(
            f"{kind.name}: no attempt of {', '.join(a.name for a in table.arms)} shows {kind.shown}"
        )
    dearest, best = cost[speaking].max(), quality[speaking].max()
    blind = [c for c in order if c not in speaking and cost[c] > dearest and quality[c] > best]
    if len(speaking) + len(blind) < 2:
        raise PolicyError(
            f"{kind.name}: no arm is dearer and better than {table.arms[speaking[0]].name}, "
            "so there is nothing to escalate to"
        )
    return speaking + blind


def _attempts_speak(kind: type[Ladder], table: Table, column: int) -> bool:
    return bool(kind.speaks(revealed(table, np.full((len(table), 1), column))).any())


def _fitted(kind: type[L], table: Table, **more: object) -> L:
    columns = rungs_of(kind, table)
    m = len(columns)
    quality = table.score[:, columns].mean(axis=0)
    always = tuple(Calibrated(blank=float(q)) for q in quality)
    params = {
        "arms": tuple(_arm(table, columns, i) for i in range(m)),
        "quality": tuple(quality.tolist()),
        "rungs": (Rung(kinds=always[:1] * len(kind.kinds), ahead=always),) * m,
        **more,
    }
    # The numbers are read by the policy's own code, so training sees what serving will.
    reader = kind.model_validate(params)
    rungs = tuple(_rung(reader, table, columns, i) for i in range(m))
    return reader.model_copy(update={"rungs": rungs})


def _arm(table: Table, columns: list[int], rung: int) -> FittedArm:
    arm = table.arms[columns[rung]]
    if len(columns) == 2:  # known by tier too, so that it serves a pair of other names
        return FittedArm(name=arm.name, tier="large" if rung else "small")
    return FittedArm(name=arm.name, tier=arm.tier)


def _rung(reader: Ladder, table: Table, columns: list[int], rung: int) -> Rung:
    column = columns[rung]
    attempts = revealed(table, np.full((len(table), 1), column))
    kind, number = (part[:, 0] for part in reader.number(rung, attempts))
    alive = table.outcome[:, column] != Outcome.FAILED
    score, mean = table.score[:, column], float(table.score[:, column].mean())
    kinds, p = [], np.full(len(table), mean)
    for k in range(len(reader.kinds)):
        own = alive & (kind == k)
        kinds.append(fit_calibrated(number[own], score[own], mean))
        p[own] = kinds[-1].of(number[own])
    later = table.score[alive][:, columns]
    means = table.score[:, columns].mean(axis=0)
    ahead = tuple(
        fit_calibrated(p[alive], later[:, j], float(means[j])) for j in range(len(columns))
    )
    return Rung(kinds=tuple(kinds), ahead=ahead)


def _logprob_weights(table: Table, column: int) -> tuple[float, float, float]:
    """Of a logistic P(right | mean, answer's, answer's not known); (1, 0, 0) where all agree."""
    attempts = revealed(table, np.full((len(table), 1), column))
    x, y = logprob_columns(attempts)[:, 0], table.score[:, column]
    rows = ~np.isnan(x[:, 0]) & (table.outcome[:, column] != Outcome.FAILED)
    made = soft_labels(y[rows])
    if made.one_class:
        return 1.0, 0.0, 0.0
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=C, random_state=0, max_iter=1000)
    model.fit(x[rows][made.row], made.label, sample_weight=made.weight)
    w = model.coef_[0].tolist()
    return w[0], w[1], w[2]
