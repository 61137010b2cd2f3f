"""What the gateway tells the ledger of a request, and what the ledger tells of its caller."""

from dataclasses import dataclass
from typing import Literal

from router.state import Answer, Trace

__all__ = ["Closing", "Ending", "Principal", "RequestStart"]

Ending = Literal["answered", "failed", "refused", "cancelled", "lost"]
"""How a request ended. `refused`: it never ran (limits, budget, bad input); `cancelled`: the
client went away; `lost`: its replica died, found by the sweep."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a tenant, and the key that it came with (None: loopback without keys)."""

    tenant: str
    key: str | None
    stores_prompts: bool = False
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class RequestStart:
    """What is known of a request before it runs."""

    id: str
    """The trace's id."""
    endpoint: str
    """`chat`, `responses`, `embeddings`, `audit`, ..."""
    model: str
    """As the client asked for it."""
    stream: bool = False
    conversation: str | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """How a request ended. `answer` is None unless one was given."""

    ending: Ending
    http_status: int
    answer: Answer | None = None
    trace: Trace | None = None
    """What happened, also where there is no answer."""
    model: str | None = None
    """Which one served, where no answer says it (embeddings)."""
    prompt_tokens: int | None = None
    """Of such a request."""
    error: str | None = None
    """Code of the error; never a prompt's text, never a secret."""
    first_token_seconds: float | None = None
    """From the request's arrival to the first answer token sent."""
