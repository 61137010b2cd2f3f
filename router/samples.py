"""How an attempt ends, and what is kept of the samples that it was chosen from.

The stage that an arm adds to the records of one run (`router.state`).
"""

from enum import StrEnum
from typing import Literal

from router.record import Record

__all__ = ["AttemptStatus", "ClaimCheck", "Sample", "Selection", "TokenStats"]


class AttemptStatus(StrEnum):
    """How an attempt ended. Every attempt has exactly one; none is dropped."""

    OK = "ok"
    TRUNCATED = "truncated"
    """The token cap was reached before the answer closed."""
    NO_ANSWER = "no_answer"
    """Nothing but thinking, or nothing at all."""
    PROVISIONAL = "provisional"
    """A box inside thinking that never closed: returned only if a check passes."""
    ABSTAINED = "abstained"
    """The reader says that the passages do not hold the answer."""
    FAILED = "failed"
    """The call failed; `error` says how."""
    CANCELLED = "cancelled"
    """Samples only: it was stopped in the middle, since it could change nothing any more."""
    NOT_RUN = "not_run"
    """Samples only: it was never started; `error` says why."""


class TokenStats(Record):
    """Log-probabilities of one completion, nats a token."""

    mean: float
    minimum: float
    answer: float | None = None
    """Mean over the tokens of the final answer; None where they could not be found."""
    certainty: float | None = None
    """Mean over the tokens of minus the mean log-probability of the candidates that the server
    listed for each (DeepConf's token confidence, arXiv 2508.15260); None where it listed none."""
    tokens: int


class ClaimCheck(Record):
    """One claim of a trajectory, and what the same model said when it was asked to check it."""

    claim: str
    holds: bool | None
    """None: the reply could not be read, or there was none; it counts as not validated."""
    status: str = "checked"


class Sample(Record):
    """One of the samples that an arm's method drew. Tokens and cost include its claims' checks."""

    status: AttemptStatus
    text: str = ""
    answer: str | None = None
    """What its cluster rests on: the closed answer, or the program."""
    cluster: int | None = None
    """Samples with equivalent answers share it; None: the sample has no vote."""
    weight: float | None = None
    """What its vote counted, where the method weighs votes."""
    variant: str | None = None
    """Which prompt and temperature of the spectrum it was drawn with."""
    passed: bool | None = None
    """What the verifier said, where the method asked it."""
    confidence: float | None = None
    logprobs: TokenStats | None = None
    claims: tuple[ClaimCheck, ...] = ()
    reliability: float | None = None
    """Of its claims: (validated / M) ** M; None where the method checks none."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tokens_basis: Literal["reported", "counted"] = "reported"
    cost_usd: float = 0.0
    seconds: float = 0.0
    error: str | None = None


class Selection(Record):
    """How a method came from its samples to one answer."""

    method: str
    planned: int
    """Samples that the declaration allows."""
    drawn: int
    """Samples that were started."""
    chosen: int | None
    """Index of the sample whose text is the answer."""
    prompts: str | None = None
    """Version of the prompts that extracted and checked claims, where any did."""
    share: float | None = None
    """Of the votes' weight, what the chosen cluster has."""
    reasons: tuple[str, ...] = ()
    """Why it stopped, and what it could not do, in words."""
