"""What one check found, before it becomes a verdict with a kind and a duration.

What: one shape for all checks, and evidence that can always be written down. What not: it
judges nothing.
"""

import time
from typing import Literal, NamedTuple

from router.state import Verdict

__all__ = ["Finding", "as_verdict"]

MAX_EVIDENCE = 400


class Finding(NamedTuple):
    """The fields of a `Verdict` that a check decides."""

    passed: bool | None
    status: str
    confidence: float | None = None
    """P(the answer is right)."""
    evidence: tuple[str, ...] = ()
    weighed: bool = False
    """The confidence is still to be made, of all that the answer shows."""


def as_verdict(
    kind: Literal["math", "code", "grounding", "format", "logic", "none"],
    finding: Finding,
    started: float,
) -> Verdict:
    """The verdict; `started` is a reading of `time.perf_counter`."""
    return Verdict(
        kind=kind,
        passed=finding.passed,
        status=finding.status,
        confidence=finding.confidence,
        evidence=tuple(map(_writable, finding.evidence)),
        seconds=time.perf_counter() - started,
    )


def _writable(told: str) -> str:
    """Lone surrogates, which answers may hold, cannot be written as JSON."""
    return told[:MAX_EVIDENCE].encode("utf-8", "replace").decode("utf-8")
