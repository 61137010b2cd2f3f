"""Fit `policies.knn`: keep the rows, choose k.

k is chosen on training rows alone: HELD of them, drawn by a fixed seed, ask the others, and the
k of the least squared error of all arms wins.
"""

import numpy as np
from numpy.typing import NDArray

from eval.fit.many_arms import first_price
from eval.fit.usable import known_features
from eval.table import Table
from policies.knn import Knn, neighbour_mean, unit_rows
from policies.packed import Packed
from policies.utility import fitted_arms

__all__ = ["choose_k", "fit_knn"]

Floats = NDArray[np.float64]
KS = (5, 10, 20, 40, 80, 160)
HELD = 1000


def fit_knn(table: Table) -> Knn:
    """The rows of a table as neighbours."""
    features = known_features(table, "knn")
    x = unit_rows(features.blocks["embedding"])
    return Knn(
        arms=fitted_arms(table.arms),
        price=first_price(table),
        fingerprint=features.fingerprint,
        k=choose_k(x, table.score, table.cluster),
        table=Packed.of(x),
        table_score=Packed.of(table.score),
    )


def choose_k(x: Floats, score: Floats, cluster: NDArray[np.int64]) -> int:
    """The k that predicts rows held out (whole clusters, a fifth at most) best."""
    names = np.unique(cluster)
    count = max(1, min(HELD, len(names) // 5))
    held = np.isin(cluster, np.random.default_rng(0).permutation(names)[:count])
    if held.all():
        return 1
    error = {}
    for k in (k for k in KS if k <= (~held).sum() or k == KS[0]):
        guess = neighbour_mean(x[held], x[~held], score[~held], k)
        error[k] = float(((guess - score[held]) ** 2).mean())
    return min(error, key=lambda k: error[k])
