"""CARROT: a plug-in rule, estimated quality less estimated cost (arXiv 2502.03261).

    arm = argmax_m  q_m(x) - price * usd_m(x)
    q(x)     = (1 - w) * clip(b + W' z) + w * mean over neighbours      clip to 0..1
    usd_m(x) = usd_m * clip(exp(v_m' z)) * c_m,   c_m so that the mean over training rows is usd_m

z is the centred `policies.representation`. CARROT plugs in any estimator of quality (kNN and a
fine-tuned encoder in the paper); here it is the mean of two that err differently: one linear
model of all arms at once, and nearest neighbours weighed by exp(cos / T), T = TEMPERATURE. The
second line is the predicted length: what a query costs beside the arm's mean, within RANGE.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from policies.case import CaseBatch
from policies.knn import neighbour_mean, unit_rows
from policies.packed import Packed
from policies.policy import Needs, register
from policies.representation import Representation
from policies.utility import UtilityPolicy

__all__ = ["RANGE", "TEMPERATURE", "Carrot"]

Floats = NDArray[np.float64]
TEMPERATURE = 0.1
"""Chosen with k and the weight of the neighbours; `eval/fit/carrot.py` says on what."""
RANGE = (0.2, 5.0)
"""A linear model of a logarithm is not believed beyond this."""


@register
class Carrot(UtilityPolicy):
    """A linear model and a table of neighbours."""

    name: ClassVar[str] = "carrot"
    holds_rows: ClassVar[bool] = True
    needs: ClassVar[Needs] = Needs(features=Representation.features)

    fingerprint: str = Field(min_length=1)
    representation: Representation
    centre: Packed
    """(w,) mean of the representation over training rows."""
    weights: Packed
    """(w, m)"""
    bias: Packed
    """(m,) mean scores."""
    length_weights: Packed
    """(w, m) of the logarithm of an arm's cost beside its mean; zeros where that never varies."""
    length_scale: Packed
    """(m,) the c_m."""
    k: int = Field(ge=1)
    neighbour_share: float = Field(ge=0, le=1)
    """The w above."""
    table: Packed
    table_score: Packed

    @model_validator(mode="after")
    def _fits(self) -> "Carrot":
        width, m = self.centre.shape[0], len(self.arms)
        wanted = {"weights": (width, m), "length_weights": (width, m), "bias": (m,)}
        wanted |= {"length_scale": (m,), "table_score": (self.table.shape[0], m)}
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} is {getattr(self, name).shape}, expected {shape}")
        return self

    def predict(self, cases: CaseBatch) -> Floats:
        linear = np.clip(self.bias.array + self._centred(cases) @ self.weights.array, 0.0, 1.0)
        x = unit_rows(cases.block("embedding"))
        score = self.table_score.array
        near = neighbour_mean(x, self.table.array, score, self.k, TEMPERATURE)
        return np.asarray((1 - self.neighbour_share) * linear + self.neighbour_share * near)

    def usd(self, cases: CaseBatch) -> Floats:
        """An arm that is not known costs what the case says."""
        if not self.length_weights.array.any():
            return cases.predicted_cost
        beside = np.clip(np.exp(self._centred(cases) @ self.length_weights.array), *RANGE)
        beside *= self.length_scale.array
        places = self.places(cases)
        known = places >= 0
        out = np.array(cases.predicted_cost, dtype=np.float64)
        out[:, known] *= beside[:, places[known]]
        return out

    def _centred(self, cases: CaseBatch) -> Floats:
        return np.asarray(self.representation.of(cases.features) - self.centre.array)
