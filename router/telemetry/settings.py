"""The section `telemetry` of the configuration."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import (
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

__all__ = ["TelemetrySettings"]


class TelemetrySettings(BaseModel):
    """What is told of running requests; unknown keys are errors. A restart takes a change over."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    metrics: bool = True
    """Serve GET /metrics (Prometheus), with the admin key."""
    metrics_open: bool = False
    """Without a key: for a scraper inside a network of your own."""
    most_tenants: int = Field(default=100, ge=0, le=10_000)
    """Tenants that are told apart in the metrics; all others are `other`."""
    otlp_endpoint: str | None = None
    """Send traces to this collector, OTLP over HTTP; null: OpenTelemetry is not even imported."""
    otlp_headers: Mapping[str, SecretStr] = {}
    otlp_sample: float = Field(default=1.0, ge=0, le=1)
    """Share of traces that are sent; a caller's own decision (traceparent) wins."""
    log_format: Literal["text", "json"] = "text"
    access_log: bool = True
    """One line a request: who, which route, what it cost; no prompt, no answer, no key."""
    burn_pace: Annotated[float, Field(gt=1)] = 1.5
    """Alarm where a tenant's budget is spent so many times faster than its period passes."""
    burn_share: Annotated[float, Field(gt=0, le=1)] = 0.25
    """... and at least this share of it is gone: a burst in the first minute is no alarm."""

    @field_validator("otlp_endpoint")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            url = AnyHttpUrl(value)
        except ValidationError:
            raise ValueError("must be a URL such as http://collector:4318/v1/traces") from None
        if url.username or url.password:
            raise ValueError("must hold no user or password; set otlp_headers instead")
        return value
