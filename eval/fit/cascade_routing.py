"""Fit `policies/cascade_routing.py`: heads before and after the answer, on training rows only.

The scorer (text-logistic on two arms, or any fit of `FITTED`-like form) is fitted twice over:
on all training rows for serving, and on `INNER` folds of whole clusters, whose left-out
estimates train the heads. A head that was trained on what the scorer has learned by heart
would trust it too much.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from eval.fit.soft_labels import constant_log_odds, soft_labels
from eval.play import revealed
from eval.table import Table, case_of
from policies.cascade_routing import CascadeRouting, Head
from policies.case import Outcome, PolicyError
from policies.evidence import EVIDENCE, SIGNS, evidence_of, logit
from policies.threshold import ThresholdPolicy
from policies.utility import fitted_arms

__all__ = ["fit_cascade_routing"]

Floats = NDArray[np.float64]
Fit = Callable[[Table], ThresholdPolicy]
INNER = 4
"""Folds inside the training rows."""
ATOMS = 8
"""Values that stand for how far `after` moves: the odd sixteenths of its distribution."""
C = 1.0
"""Of every head: scikit-learn's default, not searched."""


def fit_cascade_routing(table: Table, scorer: Fit | None = None) -> CascadeRouting:
    """Any number of arms. `scorer` None: before a call, every arm is as good as its mean.

    Raises:
        PolicyError: no attempt of any arm shows anything, or fewer clusters than inner folds.
    """
    m = len(table.arms)
    reads = _reads(table)
    if not reads:
        raise PolicyError(
            "cascade-routing: no attempt shows a vote, a log-probability or a verdict"
        )
    served = scorer(table) if scorer is not None else None
    told = _left_out(table, scorer) if scorer is not None else np.empty((len(table), 0))
    heads = tuple(np.flatnonzero(~np.isnan(told).any(axis=0)).tolist())
    x = logit(told[:, list(heads)])
    score = table.score
    before = tuple(_head(x, score[:, j]) for j in range(m))
    first = logit(np.stack([h.of(x) for h in before], axis=1))
    after, seen = _after(table, first)
    link = tuple(
        tuple(_head(np.stack([first[:, j], seen[:, i]], 1), score[:, j]) for j in range(m))
        for i in range(m)
    )
    moved = _odds(seen) - _odds(first)
    return CascadeRouting(
        arms=fitted_arms(table.arms),
        scorer=served if heads else None,
        heads=heads,
        before=before,
        after=after,
        link=link,
        spread=tuple(_spread(moved[:, j]) for j in range(m)),
        reads=reads,
    )


def _reads(table: Table) -> tuple[str, ...]:
    """What any attempt shows."""
    signs = [s for s in SIGNS if not np.isnan(getattr(table, s)).all()]
    return (*signs, *(["passed"] if not np.isnan(table.passed).all() else []))


def _left_out(table: Table, fit: Fit) -> Floats:
    """(n, A) estimates of each row by a scorer that has not seen its cluster."""
    clusters = np.unique(table.cluster)
    if len(clusters) < INNER:
        raise PolicyError(
            f"cascade-routing: {len(clusters)} clusters are too few for {INNER} inner folds"
        )
    fold = np.random.default_rng(0).permutation(np.arange(len(clusters)) % INNER)
    of = fold[np.searchsorted(clusters, table.cluster)]
    out = np.full((len(table), len(table.arms)), np.nan)
    for k in range(INNER):
        policy, held = fit(table.take(of != k)), table.take(of == k)
        out[of == k] = policy.estimate(case_of(held, held.cost.mean(axis=0)))
    return out


def _after(table: Table, first: Floats) -> tuple[tuple[Head, ...], Floats]:
    """The head of each arm once it answered, and (n, A) log-odds that it gives."""
    heads, seen = [], np.empty_like(first)
    for j in range(len(table.arms)):
        shown = evidence_of(revealed(table, np.full((len(table), 1), j)))[:, 0]
        x = np.concatenate([first[:, [j]], shown], axis=1)
        alive = table.outcome[:, j] != Outcome.FAILED
        head = _head(x[alive], table.score[alive, j])
        heads.append(head)
        seen[:, j] = logit(head.of(x))
    assert all(len(h.weights) == 1 + len(EVIDENCE) for h in heads)
    return tuple(heads), seen


def _head(x: Floats, score: Floats) -> Head:
    """A logistic of fractional scores; where all agree, or nothing is known, the rate."""
    made = soft_labels(score)
    if x.shape[1] == 0 or made.one_class:
        return Head(bias=constant_log_odds(score), weights=(0.0,) * x.shape[1])
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=C, random_state=0, max_iter=1000)
    model.fit(x[made.row], made.label, sample_weight=made.weight)
    return Head(bias=float(model.intercept_[0]), weights=tuple(model.coef_[0].tolist()))


def _odds(logits: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-logits)))


def _spread(moved: Floats) -> tuple[float, ...]:
    at = (np.arange(ATOMS) + 0.5) / ATOMS
    atoms = np.quantile(moved, at)
    return tuple((atoms - atoms.mean()).tolist())
