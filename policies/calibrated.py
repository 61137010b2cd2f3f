"""Maps from what an attempt shows to P(right), as plain data.

    p(x) = straight lines through (at, value), flat beyond the ends;   p(unknown) = blank

What isotonic regression leaves of its training rows (Zadrozny & Elkan 2002; used for cascades
in arXiv 2404.10136): the values never fall as x rises. A number that is not known is no number:
it gets the rate of the training rows that lacked it too, never a guess at x.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Calibrated"]

Floats = NDArray[np.float64]


class Calibrated(BaseModel):
    """A rising map to 0..1; without points it is the constant `blank`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    at: tuple[float, ...] = ()
    value: tuple[float, ...] = ()
    blank: float = Field(ge=0, le=1)
    """Where x is NaN."""

    @model_validator(mode="after")
    def _rising(self) -> "Calibrated":
        if len(self.at) != len(self.value):
            raise ValueError("at and value differ in length")
        if np.any(np.diff(self.at) <= 0) or np.any(np.diff(self.value) < 0):
            raise ValueError("at must rise, and value must not fall")
        if self.value and not 0 <= self.value[0] <= self.value[-1] <= 1:
            raise ValueError("value must lie in 0..1")
        return self

    def of(self, x: Floats) -> Floats:
        """P(right) of each, any shape; never NaN."""
        if not self.at:
            return np.full(x.shape, self.blank)
        return np.where(np.isnan(x), self.blank, np.interp(x, self.at, self.value))
