"""A model of an outcome from the logged features and the first arm, cross-fitted.

    q(x, a) = ridge regression on standardised features, one for each arm

Fitted on folds of whole clusters, and read on the fold left out, so that no row's value rests on
its own outcome (Chernozhukov et al., arXiv 1608.00060). Rows count by `weight`: the label's and
that of the later steps, which makes q(x, a) the value of starting with a and going on as the
target does. It may be as wrong as it likes: `eval.offpolicy.estimators` says why.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FOLDS", "Modelled", "cross_fitted"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FOLDS = 5
LEAST = 10
"""Rows of an arm from which on features are looked at; below, its mean."""
PENALTY = 10.0
"""Of ridge, a standardised feature."""


@dataclass(frozen=True)
class Modelled:
    """What was expected of every row by models that did not see it."""

    by_arm: Floats
    """(n, A) q(x, a)."""

    def expected(self, chance: Floats) -> Floats:
        """(n,) sum over arms; `chance` is (n, A)."""
        return np.asarray((chance * self.by_arm).sum(axis=1))

    def of(self, arm: Ints) -> Floats:
        """(n,) of the arm that was taken; 0 where none was (-1)."""
        rows = np.arange(len(arm))
        return np.where(arm >= 0, self.by_arm[rows, np.clip(arm, 0, None)], 0.0)


def cross_fitted(
    features: Floats,
    arm: Ints,
    arms: int,
    outcome: Floats,
    weight: Floats,
    clusters: Ints,
    seed: int,
    bounds: tuple[float, float] = (0.0, np.inf),
) -> Modelled:
    """Fit and predict.

    Args:
        features: (n, d), finite; d may be 0.
        arm: (n,) first arm, -1 where none was run.
        weight: (n,) >= 0; rows of weight 0 teach nothing.
        bounds: what an outcome can be.
    """
    names, code = np.unique(clusters, return_inverse=True)
    fold = np.random.default_rng([seed, 17]).permutation(len(names))[code] % FOLDS
    out = np.zeros((len(arm), arms))
    for k in range(FOLDS):
        held = fold == k
        if not held.any():
            continue
        for a in range(arms):
            rows = ~held & (arm == a) & (weight > 0)
            out[held, a] = _predicted(features, rows, outcome, weight, held)
    return Modelled(np.clip(out, *bounds))


def _predicted(
    features: Floats,
    rows: NDArray[np.bool_],
    outcome: Floats,
    weight: Floats,
    held: NDArray[np.bool_],
) -> Floats | float:
    """(held,) predictions of the rows held out."""
    if not rows.any():
        return 0.0
    own, w = outcome[rows], weight[rows]
    if rows.sum() < LEAST or not features.shape[1]:
        return float(np.average(own, weights=w))
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    scale = StandardScaler().fit(features[rows])
    # Weights of mean 1, so that the penalty means the same whatever the labels' probabilities.
    model = Ridge(alpha=PENALTY).fit(
        scale.transform(features[rows]), own, sample_weight=w / w.mean()
    )
    return np.asarray(model.predict(scale.transform(features[held])), dtype=np.float64)
