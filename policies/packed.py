"""An array in a policy's state: base64 of its float32 bytes, little-endian, and its shape.

Plain data as every state is, at 5 bytes a number. A training table of neighbours as a list of
decimal numbers would take 20, and most of a second to check.
"""

import base64
import binascii
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, model_validator

__all__ = ["Packed"]


class Packed(BaseModel):
    """A frozen array of finite float32 numbers; `array` is its float64 copy, read-only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape: tuple[int, ...]
    data: str

    def __eq__(self, other: object) -> bool:
        """By content: pydantic's own would compare the cached array too, which has no truth."""
        if not isinstance(other, Packed):
            return NotImplemented
        return (self.shape, self.data) == (other.shape, other.data)

    def __hash__(self) -> int:
        return hash((self.shape, self.data))

    @classmethod
    def of(cls, values: ArrayLike) -> "Packed":
        """Pack any array of numbers; what float32 cannot hold is rounded."""
        array = np.ascontiguousarray(values, dtype="<f4")
        return cls(shape=array.shape, data=base64.b64encode(array.tobytes()).decode("ascii"))

    @cached_property
    def array(self) -> NDArray[np.float64]:
        flat = np.frombuffer(base64.b64decode(self.data), dtype="<f4")
        made = flat.reshape(self.shape).astype(np.float64)
        made.flags.writeable = False
        return made

    @model_validator(mode="after")
    def _whole(self) -> "Packed":
        try:
            raw = base64.b64decode(self.data, validate=True)
        except binascii.Error as error:
            raise ValueError(f"data is no base64: {error}") from None
        if len(raw) != 4 * int(np.prod(self.shape)):
            raise ValueError(f"data holds {len(raw)} bytes, shape {self.shape} takes 4 a number")
        if not np.isfinite(np.frombuffer(raw, dtype="<f4")).all():
            raise ValueError("data must be finite")
        return self
