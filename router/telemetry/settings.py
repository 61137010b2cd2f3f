"""The section `telemetry` of the configuration."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from router.section import Section, http_url

__all__ = ["TelemetrySettings"]


class TelemetrySettings(Section):
    """What is told of running requests. A restart takes a change over."""

    metrics: bool = True
    """Serve GET /metrics (Prometheus), with the admin key."""
    metrics_open: bool = False
    """Without a key: for a scraper inside a network of your own."""
    most_tenants: int = Field(default=100, ge=0, le=10_000)
    """Tenants that are told apart in the metrics; all others are `other`."""
    otlp_endpoint: (
        Annotated[str, http_url("http://collector:4318/v1/traces", "otlp_headers")] | None
    ) = None
    """Send traces to this collector, OTLP over HTTP; null: OpenTelemetry is not even imported."""
    otlp_headers: Mapping[str, SecretStr] = {}
    otlp_sample: float = Field(default=1.0, ge=0, le=1)
    """Share of traces that are sent; a caller's own decision (traceparent) wins."""
    log_format: Literal["text", "json"] = "text"
    access_log: bool = True
    """One line a request: who, which route, what it cost; no prompt, no answer, no key."""
    burn_pace: float = Field(default=1.5, gt=1)
    """Alarm where a tenant's budget is spent so many times faster than its period passes."""
    burn_share: float = Field(default=0.25, gt=0, le=1)
    """... and at least this share of it is gone: a burst in the first minute is no alarm."""
