"""Fit `policies.matrix_factorisation` on the outcomes of all arms."""

import numpy as np

from eval.fit.low_rank import fit_low_rank
from eval.fit.many_arms import first_price, fit_ridge
from eval.fit.usable import known_features
from eval.table import Table
from policies.matrix_factorisation import MatrixFactorisation
from policies.packed import Packed
from policies.utility import fitted_arms

__all__ = ["fit_matrix_factorisation"]

DIMENSIONS = 16
STRENGTH = 6.0
"""Chosen as in `eval.fit.irt`."""


def fit_matrix_factorisation(table: Table) -> MatrixFactorisation:
    """A projection and the arms' factors from the rows of a table."""
    features = known_features(table, "matrix-factorisation")
    x = np.asarray(features.blocks["embedding"], dtype=np.float64)
    start = fit_ridge(x, table.score)
    got = fit_low_rank(x - start.centre, table.score, start, DIMENSIONS, STRENGTH, common=False)
    return MatrixFactorisation(
        arms=fitted_arms(table.arms),
        price=first_price(table),
        fingerprint=features.fingerprint,
        centre=Packed.of(start.centre),
        projection=Packed.of(got.heads),
        factors=Packed.of(got.arms),
        bias=Packed.of(got.bias),
    )
