"""Reading the inputs of a metric: (n,) float64 arrays of one length, finite, weights >= 0."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Floats", "column", "row_weight"]

Floats = NDArray[np.float64]


def column(name: str, values: ArrayLike, n: int | None = None, finite: bool = True) -> Floats:
    """`values` as an (n,) float64 array; ValueError says what is wrong with it."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name} must be a non-empty (n,) array, not of shape {array.shape}")
    if n is not None and len(array) != n:
        raise ValueError(f"{name} has {len(array)} rows, the others {n}")
    bad = ~np.isfinite(array) if finite else np.isnan(array)
    if bad.any():
        raise ValueError(f"{name} has {int(bad.sum())} values that are not numbers: drop or score")
    return array


def row_weight(weight: ArrayLike | None, n: int) -> Floats:
    """(n,) non-negative weights; ones where none are given."""
    if weight is None:
        return np.ones(n)
    array = column("weight", weight, n)
    if array.min() < 0:
        raise ValueError("weight must not be negative")
    return array
