"""What every record of a run is: frozen plain data."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Record"]


class Record(BaseModel):
    """Frozen, and unknown fields are errors: a record says all it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")
