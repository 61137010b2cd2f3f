"""Policies around a policy: what they share.

A wrapper has the policy inside as its field `inner`, as plain data in its state, and may stand
inside another one. In a configuration `inner` is a name, or a name with params:

    {name: cost-cap, params: {cap: 0.01, inner: {name: explore, params: {inner: verifiability}}}}

It changes what the inner policy is told, or what became of its choice; it estimates nothing.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from policies.case import CaseBatch, ChoiceBatch, Outcome
from policies.nested import Nested
from policies.online import Feedback, OnlinePolicy
from policies.policy import Needs, Policy

__all__ = ["Wrapper", "calls_made", "layers", "with_reasons"]

Bools = NDArray[np.bool_]


class Wrapper(OnlinePolicy):
    """Base of the wrappers. It learns where the inner policy does, and else stays as it is."""

    inner: Nested

    @property
    def needs(self) -> Needs:  # type: ignore[override]  # what it reads is what is inside reads
        """The inner policy's."""
        return self.inner.needs

    def observe(self, feedback: Feedback) -> "Wrapper":
        if not isinstance(self.inner, OnlinePolicy):
            return self
        return self.model_copy(update={"inner": self.inner.observe(feedback)})


def layers(policy: Policy) -> list[Policy]:
    """The policy and what it wraps, the innermost last."""
    found = [policy]
    while isinstance(found[-1], Wrapper):
        found.append(found[-1].inner)
    return found


def calls_made(cases: CaseBatch) -> NDArray[np.int64]:
    """(n,) attempts so far, whatever became of them."""
    return np.asarray((cases.attempts.outcome != Outcome.NONE).sum(axis=1), dtype=np.int64)


def with_reasons(
    choice: ChoiceBatch, reasons: Mapping[str, Bools], sentences: Mapping[str, str]
) -> ChoiceBatch:
    """The choice with more reasons, after its own. A code that is taken gets a prime."""
    codes, words = list(choice.reason_codes), dict(choice.sentences)
    for code in reasons:
        free = code
        while free in codes:
            free += "'"
        codes.append(free)
        words[free] = sentences.get(code, code)
    flags = np.column_stack([choice.reasons, *reasons.values()]).astype(bool)
    return replace(choice, reason_codes=tuple(codes), reasons=flags, sentences=words)
