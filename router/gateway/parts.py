"""Where other parts of the product join the gateway: labels, telemetry, whatever comes.

A part is told of every finished request, may add routes, and has a section of
`GET /ockham/status` and of `/ready`. `create_app` takes the parts; `standard_parts` is the list
of those that `ockham serve` runs with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from router.ledger.records import Ending, Principal
from router.purse import Bills
from router.state import Answer, Query, Trace

if TYPE_CHECKING:
    from router.gateway.gateway import Gateway
    from router.gateway.openapi import Operation

__all__ = ["Finished", "Part", "standard_parts"]


@dataclass(frozen=True, slots=True)
class Finished:
    """A request that has ended, however; times in seconds from its arrival."""

    id: str
    endpoint: str
    principal: Principal
    model: str
    """As asked for; empty where the request could not be read."""
    policy: str | None
    """The policy's name where the request named one."""
    stream: bool
    status: int
    ending: Ending
    error: str | None
    """Code of the error."""
    seconds: float
    waited_seconds: float
    """In the queue."""
    first_token_seconds: float | None
    answer: Answer | None
    trace: Trace | None
    """Of its run, also where that ended without an answer; None where none began."""
    bills: Bills
    """What each arm was charged with."""
    query: Query | None
    traceparent: str | None = None
    """The caller's own trace (W3C), as it came."""


class Part:
    """Base of a part; each method may be left as it is. Nothing here may block or raise."""

    name: ClassVar[str] = "part"

    async def start(self, gateway: "Gateway") -> None:
        """Before the first request."""

    async def stop(self) -> None:
        """After the last one, or where a start broke; the ledger is still open."""

    def finished(self, request: Finished) -> None:
        """A request has ended and its row is closed."""

    def operations(self) -> "Sequence[Operation]":
        """Routes of its own."""
        return ()

    @property
    def alarms(self) -> Sequence[str]:
        """A sentence for everything that is wrong now; of no tenant in particular."""
        return ()

    async def status(self, tenant: str) -> dict[str, Any] | None:
        """Its section of `GET /ockham/status`; None has none."""
        return None


def standard_parts() -> list[Part]:
    """What `ockham serve` runs with."""
    from router.labels.part import LabelsPart
    from router.telemetry.part import TelemetryPart

    return [LabelsPart(), TelemetryPart()]
