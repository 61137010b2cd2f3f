"""Calibrated log-probability cascade: keep the answer whose tokens the model was sure of.

    f = w1 * mean log-probability of all tokens + w2 * that of the final answer's tokens
    P(right | f) by isotonic regression;  escalate iff the gain is worth its price   (`Ladder`)

(Deferral by token-level uncertainty, arXiv 2404.10136.) The mean over all tokens has a length
bias, so the final answer's tokens are a number of their own. Of an answer whose own tokens were
not found (`logprob_answer` NaN) f = w1 * mean + w0, with w0 learned: nothing is made up for it.
An arm that asks its server for no log-probabilities shows nothing.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from policies.case import AttemptBlock, Outcome
from policies.ladder import INCOMPLETE, Ladder
from policies.policy import Needs, register

__all__ = ["LogprobCascade", "logprob_columns"]


@register
class LogprobCascade(Ladder):
    """The number is f; each rung has its own weights."""

    name: ClassVar[str] = "logprob-cascade"
    needs: ClassVar[Needs] = Needs(attempts=frozenset({"outcome", "logprob", "logprob_answer"}))
    kinds: ClassVar[tuple[str, ...]] = ("answered", INCOMPLETE)
    shown: ClassVar[str] = "the log-probability"

    weights: tuple[tuple[float, float, float], ...]
    """(w1, w2, w0) of each rung."""

    @model_validator(mode="after")
    def _weights_fit(self) -> "LogprobCascade":
        if len(self.weights) != len(self.arms):
            raise ValueError(f"weights must have one entry for each of the {len(self.arms)} arms")
        return self

    @classmethod
    def show(cls, attempts: AttemptBlock) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        cut = attempts.outcome != Outcome.ANSWERED
        return cut.astype(np.int64), np.asarray(attempts.logprob, dtype=np.float64)

    def number(
        self, rung: int, attempts: AttemptBlock
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        kind, _ = self.show(attempts)
        return kind, logprob_columns(attempts) @ np.array(self.weights[rung])


def logprob_columns(attempts: AttemptBlock) -> NDArray[np.float64]:
    """(n, k, 3) what the weights weigh: the mean, the answer's or 0, 1 where that is not known."""
    lacking = np.isnan(attempts.logprob_answer)
    own = np.where(lacking, 0.0, attempts.logprob_answer)
    return np.stack([attempts.logprob, own, lacking.astype(np.float64)], axis=-1)
