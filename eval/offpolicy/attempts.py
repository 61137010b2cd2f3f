"""Attempts of logged requests as a policy sees them: how they ended, and what the check said.

What not: scores. A policy is never shown one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from eval.table import SIGNS
from policies.case import AttemptBlock, Outcome
from policies.outcome import Status

__all__ = ["attempts_of", "until"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_OUTCOME: Mapping[str, Outcome] = {
    Status.OK: Outcome.ANSWERED,
    Status.UNPARSED: Outcome.ANSWERED,
    Status.TRUNCATED: Outcome.INCOMPLETE,
    Status.ABSTAINED: Outcome.ABSTAINED,
    Status.FAILED: Outcome.FAILED,
    # Nobody labelled it, or nobody could tell: it was an answer all the same.
    Status.MISSING: Outcome.ANSWERED,
}
_PASSED = {"passed": 1.0, "failed": 0.0}
_COLUMN = {"logprob": "logprob_mean"}


def attempts_of(requests: pl.DataFrame, tried: Ints) -> AttemptBlock:
    """(n, K) of requests whose columns are lists over their attempts."""

    def block(name: str, fill: float, of: Mapping[str, float] | None = None) -> Floats:
        out = np.full(tried.shape, fill)
        for i, values in enumerate(requests[name].to_list()):
            for k, value in enumerate(values):
                if value is not None:
                    out[i, k] = of.get(value, fill) if of is not None else value
        return out

    return AttemptBlock(
        arm=tried,
        outcome=block("status", int(Outcome.NONE), {str(s): int(o) for s, o in _OUTCOME.items()})
        .astype(np.int64),
        passed=block("verdict", np.nan, _PASSED),
        confidence=block("verdict_confidence", np.nan),
        cost_usd=block("cost_usd", 0.0),
        completion_tokens=block("completion_tokens", 0).astype(np.int64),
        **{name: block(_COLUMN.get(name, name), np.nan) for name in SIGNS},
        measured=_measured(requests["verdict_measured"].to_list(), tried.shape),
    )  # fmt: skip


def until(attempts: AttemptBlock, rows: Ints, steps: int) -> AttemptBlock:
    """The first `steps` attempts of some rows."""

    def cut(value: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(value[rows, :steps])

    names = ("arm", "outcome", "passed", "confidence", "cost_usd", "completion_tokens", *SIGNS)
    return AttemptBlock(
        **{name: cut(getattr(attempts, name)) for name in names},
        measured={name: cut(value) for name, value in attempts.measured.items()},
    )


def _measured(
    rows: Sequence[Sequence[Sequence[Mapping[str, Any]] | None]], shape: tuple[int, ...]
) -> dict[str, Floats]:
    out: dict[str, Floats] = {}
    for i, attempts in enumerate(rows):
        for k, told in enumerate(attempts):
            for one in told or ():
                out.setdefault(one["name"], np.full(shape, np.nan))[i, k] = one["value"]
    return out
