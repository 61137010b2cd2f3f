"""Logistic models of all arms at once through a few dimensions, by L-BFGS.

    logit_im = z_i' A theta_m + z_i' B + c_m
    minimise  sum over rows and arms of the cross-entropy
              + sqrt(m) / 2 * strength * (|A|^2 + |theta|^2 + |B|^2)

B is there or not. The start is the truncated ridge solution of the scores (times SLOPE: what a
logit moves for a unit of probability at 0.6), so that few steps do and no seed is drawn.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.fit.many_arms import Ridge

__all__ = ["LowRank", "fit_low_rank"]

Floats = NDArray[np.float64]
SLOPE = 4.0
STEPS = 60
TINY = 1e-3


@dataclass(frozen=True)
class LowRank:
    """A (w, d), theta (m, d), B (w,), c (m,)."""

    heads: Floats
    arms: Floats
    common: Floats
    bias: Floats


def fit_low_rank(
    z: Floats, y: Floats, start: Ridge, rank: int, strength: float, common: bool
) -> LowRank:
    """`z` (n, w) centred, `y` (n, m) in 0..1. Deterministic."""
    from scipy.optimize import minimize

    first = _start(start, rank, common)
    sizes = np.cumsum([part.size for part in first])[:-1]
    shapes = [part.shape for part in first]
    data = z.astype(np.float32)

    def parts(flat: Floats) -> list[Floats]:
        made = np.split(flat, sizes)
        return [part.reshape(shape) for part, shape in zip(made, shapes, strict=True)]

    def loss(flat: Floats) -> tuple[float, Floats]:
        value, slopes = _loss(data, y, parts(flat), strength, common)
        return value, np.concatenate([s.ravel() for s in slopes])

    flat = np.concatenate([part.ravel() for part in first])
    done = minimize(loss, flat, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    return LowRank(*parts(done.x))


def _start(ridge: Ridge, rank: int, common: bool) -> list[Floats]:
    weights = SLOPE * ridge.weights
    shared = weights.mean(axis=1) if common else np.zeros(len(weights))
    left, size, right = np.linalg.svd(weights - shared[:, None], full_matrices=False)
    d = min(rank, len(size))
    # A direction that starts at nothing on both sides would stay there.
    root = np.sqrt(np.maximum(size[:d], TINY))
    p = np.clip(ridge.bias, 0.01, 0.99)
    return [left[:, :d] * root, right[:d].T * root, shared, np.log(p / (1 - p))]


def _loss(
    z: NDArray[np.float32], y: Floats, parts: list[Floats], strength: float, common: bool
) -> tuple[float, list[Floats]]:
    from scipy.special import expit

    heads, arms, shared, bias = parts
    along = (z @ heads.astype(np.float32)).astype(np.float64)
    logit = along @ arms.T + bias
    if common:
        logit += (z @ shared.astype(np.float32)).astype(np.float64)[:, None]
    off = expit(logit) - y
    value = float((np.logaddexp(0.0, logit) - y * logit).sum())
    pull = strength * float(np.sqrt(y.shape[1]))
    value += 0.5 * pull * float((heads**2).sum() + (arms**2).sum() + (shared**2).sum())
    back = (z.T @ (off @ arms).astype(np.float32)).astype(np.float64)
    own = (z.T @ off.sum(axis=1).astype(np.float32)).astype(np.float64) if common else 0.0
    return value, [
        back + pull * heads,
        off.T @ along + pull * arms,
        own + pull * shared,
        off.sum(axis=0),
    ]
