"""What telemetry reads of a finished request: the gateway's `Finished` is one."""

from typing import Protocol

from router.ledger.records import Ending, Principal
from router.purse import Bills
from router.state import Answer, Trace

__all__ = ["Seen", "policy_of"]


class Seen(Protocol):
    """A request that has ended, however; times in seconds from its arrival."""

    @property
    def id(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def principal(self) -> Principal: ...
    @property
    def stream(self) -> bool: ...
    @property
    def status(self) -> int: ...
    @property
    def ending(self) -> Ending: ...
    @property
    def error(self) -> str | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def waited_seconds(self) -> float: ...
    @property
    def first_token_seconds(self) -> float | None: ...
    @property
    def answer(self) -> Answer | None: ...
    @property
    def trace(self) -> Trace | None: ...
    @property
    def bills(self) -> Bills: ...


def policy_of(seen: Seen) -> str:
    """Name of the policy that served; "" where none did."""
    return seen.trace.policy if seen.trace is not None else ""
