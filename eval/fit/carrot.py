"""Fit `policies.carrot`: ridge on one representation for all arms, neighbours, lengths.

The strength of the ridge is chosen by leave-one-out on the training rows (`eval.fit.many_arms`).
The representation, k, the temperature and the neighbours' weight were chosen by hand on
RouteLLM's MMLU pair (squared error of both arms' scores on 2,000 rows of one training fold:
ridge alone 0.1510, neighbours alone 0.1533, their mean 0.149) and are fixed.
"""

import numpy as np
from numpy.typing import NDArray

from eval.fit.many_arms import (
    Ridge,
    first_price,
    fit_representation,
    fit_ridge,
)
from eval.fit.usable import known_features
from eval.table import Table
from policies.carrot import RANGE, Carrot
from policies.knn import unit_rows
from policies.packed import Packed
from policies.utility import fitted_arms

__all__ = ["fit_carrot"]

Floats = NDArray[np.float64]
K = 80
NEIGHBOUR_SHARE = 0.4


def fit_carrot(table: Table) -> Carrot:
    """Both estimates, from the rows of a table."""
    features = known_features(table, "carrot")
    form = fit_representation(features)
    x = form.of(features.blocks)
    quality = fit_ridge(x, table.score)
    length, scale = _lengths(x, table.cost)
    return Carrot(
        arms=fitted_arms(table.arms),
        price=first_price(table),
        fingerprint=features.fingerprint,
        representation=form,
        centre=Packed.of(quality.centre),
        weights=Packed.of(quality.weights),
        bias=Packed.of(quality.bias),
        length_weights=Packed.of(length),
        length_scale=Packed.of(scale),
        k=K,
        neighbour_share=NEIGHBOUR_SHARE,
        table=Packed.of(unit_rows(features.blocks["embedding"])),
        table_score=Packed.of(table.score),
    )


def _lengths(x: Floats, cost: Floats) -> tuple[Floats, Floats]:
    """(w, m) weights and (m,) scales of cost beside the arm's mean; an arm whose cost never
    varies, or that was free on some row, costs its mean."""
    mean = cost.mean(axis=0)
    varies = (cost.min(axis=0) > 0) & (np.ptp(cost, axis=0) > 1e-9 * np.abs(mean))
    weights, scale = np.zeros((x.shape[1], cost.shape[1])), np.ones(cost.shape[1])
    if not varies.any():
        return weights, scale
    beside = cost[:, varies] / mean[varies]
    made: Ridge = fit_ridge(x, np.log(beside))
    weights[:, varies] = made.weights
    fitted = np.clip(np.exp((x - made.centre) @ made.weights), *RANGE)
    scale[varies] = 1.0 / fitted.mean(axis=0)
    return weights, scale
