"""What the fits of many arms share: the representation, and ridge regression of all at once.

    W = (Z'Z + lambda I)^-1 Z'Y        Z centred, one eigendecomposition for every lambda

lambda is chosen among LAMBDAS by the leave-one-out error of the training rows, which is closed:
residual / (1 - h), h the diagonal of the hat matrix (PRESS; Golub, Heath and Wahba 1979).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.features import Features
from eval.fit.text_logistic import vocabulary
from eval.table import Table
from policies.packed import Packed
from policies.representation import Representation, dense_blocks

__all__ = [
    "Ridge",
    "first_price",
    "fit_representation",
    "fit_ridge",
]

Floats = NDArray[np.float64]
LAMBDAS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
SPREAD = 0.05
"""Standard deviation of an embedding's column: the other blocks get the same."""
TERMS = 500
"""On RouteLLM's MMLU pair 500 terms had all of the gain that 2,000 had, in a tenth of the time."""


@dataclass(frozen=True)
class Ridge:
    """Weights (w, m) on centred rows, and what they were centred by."""

    centre: Floats
    weights: Floats
    bias: Floats
    strength: float


def first_price(table: Table) -> float | None:
    """A pair is decided by its threshold until it is given a price; many arms need one."""
    return None if len(table.arms) == 2 else 0.0


def fit_representation(features: Features) -> Representation:
    """Means, scales and the TERMS most frequent terms of these rows."""
    dense = dense_blocks(features.blocks)
    spread = dense.std(axis=0)
    # The store holds float32: the spread of a constant column is rounding, not 0.
    varies = spread > 1e-6 * (1 + np.abs(dense).max(axis=0))
    scale = np.divide(SPREAD, spread, out=np.zeros_like(spread), where=varies)
    buckets, idf = vocabulary(features.blocks["terms"].astype(np.int64))
    frequent = np.sort(np.argsort(idf, kind="stable")[:TERMS])
    return Representation(
        mean=Packed.of(dense.mean(axis=0)),
        scale=Packed.of(scale),
        buckets=tuple(buckets[frequent].tolist()),
        idf=tuple(idf[frequent].tolist()),
    )


def fit_ridge(x: Floats, y: Floats) -> Ridge:
    """Ridge of (n, m) targets on (n, w) rows, one strength for all of them."""
    centre, bias = x.mean(axis=0), y.mean(axis=0)
    z, target = x - centre, y - bias
    values, vectors = np.linalg.eigh(z.T @ z)
    values = np.maximum(values, 0.0)
    along = z @ vectors
    pulled, squares = along.T @ target, along * along
    best: tuple[float, float, Floats] | None = None
    for strength in LAMBDAS:
        inner = pulled / (values + strength)[:, None]
        hat = squares @ (1 / (values + strength)) + 1 / len(x)
        left_out = (target - along @ inner) / (1 - np.minimum(hat, 1 - 1e-9))[:, None]
        error = float((left_out * left_out).mean())
        if best is None or error < best[0]:
            best = (error, strength, inner)
    assert best is not None
    return Ridge(centre, vectors @ best[2], bias, best[1])
