"""Linear logistic models of every arm on what a query looks like: lengths and counts, no words.

    P(arm m correct | x) = sigmoid(b_m + w_m . f(x))

    f(x)   three lengths (characters, words, lines: log) and counting cues (shares of digits,
           numbers, names, punctuation, capitals, ...), standardised and cut at `FORM_CUT`

Words and topics learnt on one benchmark say nothing about another, or mislead (RouteLLM's routers
fall to chance across benchmarks); a long text full of numbers is harder everywhere. So this one is
for tables that nobody has labelled yet. Linear, because it must go on rising beyond the lengths it
saw. On the benchmark that it was fitted on `kernel-logistic` is the better one. Logistic and not a
regressed gain because of arXiv 2602.03478. Fitting is `eval/fit/form_logistic.py`'s work.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from policies.case import CaseBatch, PolicyError
from policies.policy import Needs, register
from policies.text_logistic import LENGTHS
from policies.utility import UtilityPolicy

__all__ = ["FORM_CUT", "FormLogistic", "counts_matrix"]

Floats = NDArray[np.float64]

FORM_CUT = 3.0
"""Deviations. A cue that one training row in a thousand has lies thirty off where it occurs."""


def counts_matrix(
    lengths: NDArray[np.floating], cues: NDArray[np.floating], columns: tuple[int, ...]
) -> Floats:
    """(n, 3 + columns) raw lengths and the cues asked for; `PolicyError` where one is missing."""
    if columns and max(columns) >= cues.shape[1]:
        raise PolicyError(
            f"form-logistic reads column {max(columns)} of the block cues, which has "
            f"{cues.shape[1]}: fit it again on these features"
        )
    return np.hstack([lengths[:, :LENGTHS], cues[:, list(columns)]]).astype(np.float64)


@register
class FormLogistic(UtilityPolicy):
    """A fitted linear model an arm; small enough to read."""

    name: ClassVar[str] = "form-logistic"
    needs: ClassVar[Needs] = Needs(features=frozenset({"lengths", "cues"}))

    fingerprint: str = Field(min_length=1)
    cue_columns: tuple[int, ...]
    """Columns of the block `cues` that are read, after the lengths."""
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    """One over the deviation, 0 for a constant."""
    weights: tuple[tuple[float, ...], ...]
    """(arms, 3 + columns)"""
    bias: tuple[float, ...]

    @model_validator(mode="after")
    def _fits(self) -> "FormLogistic":
        width = LENGTHS + len(self.cue_columns)
        rows = [("mean", self.mean), ("scale", self.scale)]
        rows += [("weights", row) for row in self.weights]
        for name, row in rows:
            if len(row) != width:
                raise ValueError(f"{name} has {len(row)} entries, expected {width}")
        if not len(self.weights) == len(self.bias) == len(self.arms):
            raise ValueError("weights and bias need one row an arm")
        return self

    def predict(self, cases: CaseBatch) -> Floats:
        from scipy.special import expit

        raw = counts_matrix(cases.block("lengths"), cases.block("cues"), self.cue_columns)
        form = np.clip((raw - self.mean) * np.array(self.scale), -FORM_CUT, FORM_CUT)
        return np.asarray(expit(form @ np.array(self.weights).T + np.array(self.bias)))
