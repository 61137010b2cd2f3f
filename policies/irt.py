"""Item response theory as a router: ability against difficulty, in several dimensions.

    q_m(x) = sigmoid(a(x) . theta_m - b(x)),   a(x) = A' z + a_0,   b(x) = B' z + b_0

theta_m is an arm's ability, a(x) what a query asks of each dimension, b(x) its difficulty
(IRT-Router, multidimensional: arXiv 2506.01048; there theta comes from a text about the model,
here it is fitted, since outcomes of every arm are known). z is the centred representation.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from policies.case import CaseBatch
from policies.packed import Packed
from policies.policy import Needs, register
from policies.representation import Representation
from policies.utility import UtilityPolicy

__all__ = ["Irt"]

Floats = NDArray[np.float64]


@register
class Irt(UtilityPolicy):
    """Heads on one representation, an ability an arm."""

    name: ClassVar[str] = "irt"
    needs: ClassVar[Needs] = Needs(features=Representation.features)

    fingerprint: str = Field(min_length=1)
    representation: Representation
    centre: Packed
    discrimination: Packed
    """(w, d) A."""
    discrimination_bias: Packed
    """(d,) a_0."""
    difficulty: Packed
    """(w,) B."""
    difficulty_bias: float
    ability: Packed
    """(m, d) theta."""

    @model_validator(mode="after")
    def _fits(self) -> "Irt":
        width, d = self.centre.shape[0], self.ability.shape[-1]
        wanted = {"discrimination": (width, d), "discrimination_bias": (d,)}
        wanted |= {"difficulty": (width,), "ability": (len(self.arms), d)}
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} is {getattr(self, name).shape}, expected {shape}")
        return self

    def predict(self, cases: CaseBatch) -> Floats:
        from scipy.special import expit

        z = self.representation.of(cases.features) - self.centre.array
        asks = z @ self.discrimination.array + self.discrimination_bias.array
        hard = z @ self.difficulty.array + self.difficulty_bias
        return np.asarray(expit(asks @ self.ability.array.T - hard[:, None]))
