"""What attempts show as columns of numbers, and the expected best of several uncertain answers.

    E[max(b, Q_1, .., Q_k)] = b + integral from b to 1 of (1 - product of F_m(t)) dt

exactly, for independent Q_m of finitely many equally likely values: F_m is a staircase.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from policies.case import AttemptBlock, Outcome

__all__ = ["EVIDENCE", "SIGNS", "evidence_of", "expected_best", "logit"]

Floats = NDArray[np.float64]

EDGE = 1e-3
"""Probabilities nearer to 0 or 1 than this count as this near: their log-odds end there."""
SIGNS = ("agreement", "logprob", "logprob_answer", "confidence")
EVIDENCE = (
    *(name for sign in SIGNS for name in (sign, f"has_{sign}")),
    *("passed", "failed", "incomplete"),
)
"""Columns of `evidence_of`; a number that is not known is 0 beside a flag of 0."""


def evidence_of(attempts: AttemptBlock) -> Floats:
    """(n, k, len(EVIDENCE))."""
    columns = []
    for sign in SIGNS:
        value = getattr(attempts, sign)
        known = ~np.isnan(value)
        columns += [np.where(known, value, 0.0), known.astype(np.float64)]
    cut = (attempts.outcome != Outcome.ANSWERED) & (attempts.outcome != Outcome.NONE)
    flags = (attempts.passed == 1.0, attempts.passed == 0.0, cut)
    return np.stack([*columns, *(f.astype(np.float64) for f in flags)], axis=-1)


def logit(p: Floats) -> Floats:
    """Log-odds, ending at those of `EDGE`."""
    inside = np.clip(p, EDGE, 1 - EDGE)
    return np.asarray(np.log(inside / (1 - inside)))


def expected_best(
    best: Floats, values: Sequence[Floats], sets: Sequence[Sequence[int]]
) -> list[Floats]:
    """For each set, (n,) E[max(best, Q_m for m in the set)].

    best: (n,) in 0..1. values: of each m, (n, q) equally likely values in 0..1.
    """
    ends = np.concatenate([best[:, None], *values, np.ones((len(best), 1))], axis=1)
    steps = np.sort(np.maximum(ends, best[:, None]), axis=1)
    width = np.diff(steps, axis=1)
    # F_m at the left end of every interval: it is constant until the next value.
    below = [(v[:, None, :] <= steps[:, :-1, None]).mean(axis=2) for v in values]
    made = []
    for members in sets:
        # In the order given, so that a row alone has the bits that it has in a batch.
        product = np.ones_like(width)
        for m in members:
            product = product * below[m]
        made.append(best + (width * (1.0 - product)).sum(axis=1))
    return made
