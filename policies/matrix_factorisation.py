"""Matrix factorisation: one bilinear score of a query and an arm (RouteLLM, arXiv 2406.18665).

    q_m(x) = sigmoid(u . (v_m * (W' e(x))) + c_m)

e(x) is the embedding, v_m the factors of an arm. RouteLLM trains delta(M, q) on preferences of
two arms; here on recorded outcomes of each. u is folded into v_m: the product is all that shows.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from policies.case import CaseBatch
from policies.packed import Packed
from policies.policy import Needs, register
from policies.utility import UtilityPolicy

__all__ = ["MatrixFactorisation"]

Floats = NDArray[np.float64]


@register
class MatrixFactorisation(UtilityPolicy):
    """A projection of the embedding, factors and a bias an arm."""

    name: ClassVar[str] = "matrix-factorisation"
    needs: ClassVar[Needs] = Needs(features=frozenset({"embedding"}))

    fingerprint: str = Field(min_length=1)
    centre: Packed
    """(w,) mean embedding of the training rows."""
    projection: Packed
    """(w, d) W."""
    factors: Packed
    """(m, d) u * v_m."""
    bias: Packed
    """(m,)"""

    @model_validator(mode="after")
    def _fits(self) -> "MatrixFactorisation":
        d, m = self.factors.shape[-1], len(self.arms)
        wanted = {"projection": (self.centre.shape[0], d), "factors": (m, d), "bias": (m,)}
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} is {getattr(self, name).shape}, expected {shape}")
        return self

    def predict(self, cases: CaseBatch) -> Floats:
        from scipy.special import expit

        e = np.asarray(cases.block("embedding"), dtype=np.float64) - self.centre.array
        return np.asarray(expit(e @ self.projection.array @ self.factors.array.T + self.bias.array))
