"""From an estimate to a verdict, by the rules of the pre-registration and nothing else.

`supported_if` and `refuted_if` are read from the file itself (`lower > 1.25`), so that no
threshold stands in code. `undecided` is the default: no rule met, or a guard failed; it says
which.
"""

import math
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from router.errors import InputError

__all__ = ["NOTHING", "Estimate", "Rule", "Verdict", "Word", "decide", "undecided"]

Word = Literal["supported", "refuted", "undecided"]
_RULE = re.compile(r"(lower|upper) (>=|<=|>|<) (-?\d+(?:\.\d+)?)")
_COMPARE = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True)
class Rule:
    """One condition on an end of the interval."""

    text: str
    end: str
    sign: str
    bound: float

    @classmethod
    def of(cls, text: str) -> "Rule":
        """Read `lower > 1.25`; `InputError` where it is something else."""
        found = _RULE.fullmatch(text.strip())
        if found is None:
            raise InputError(f"preregistration.yaml: {text!r} is no rule (`lower > 1.25`)")
        return cls(text.strip(), found[1], found[2], float(found[3]))

    def met(self, low: float, high: float) -> bool:
        """Whether an interval meets it; an end that is not a number meets nothing."""
        end = low if self.end == "lower" else high
        return not math.isnan(end) and bool(_COMPARE[self.sign](end, self.bound))


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval; nan where there is none."""

    value: float
    low: float
    high: float

    def says(self, digits: int = 3) -> str:
        """`1.02 [0.70, 1.67]`, `1.02, no interval`; a dash where there is no number at all."""
        if all(math.isnan(x) for x in (self.value, self.low, self.high)):
            return "–"
        value = "–" if math.isnan(self.value) else _figure(self.value, digits)
        if math.isnan(self.low) and math.isnan(self.high):
            return f"{value}, no interval"
        low = "−∞" if math.isnan(self.low) else _figure(self.low, digits)
        high = "∞" if math.isnan(self.high) else _figure(self.high, digits)
        return f"{value} [{low}, {high}]"

    def plain(self) -> dict[str, float | None]:
        """For JSON: what is not finite is null."""
        return {
            name: value if math.isfinite(value) else None
            for name, value in (("value", self.value), ("low", self.low), ("high", self.high))
        }


def _figure(value: float, digits: int) -> str:
    """Rounded; nothing below zero that rounds to zero."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


NOTHING = Estimate(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Verdict:
    """What is said of one prediction on one population, with all that a reader must know."""

    prediction: str
    population: str
    kind: Literal["exploratory", "confirmatory"]
    word: Word
    reason: str
    """The rule that was met, the guard that failed, or that neither rule was met."""
    estimate: Estimate = NOTHING
    models: int = 0
    families: int = 0
    questions: int = 0
    beside: Mapping[str, Any] = field(default_factory=dict)
    """What is printed beside it: name -> `Estimate`, number or text."""
    notes: Sequence[str] = ()
    power: Mapping[str, Any] | None = None

    def plain(self) -> dict[str, Any]:
        """JSON data."""
        return {
            "prediction": self.prediction,
            "population": self.population,
            "kind": self.kind,
            "verdict": self.word,
            "reason": self.reason,
            "estimate": self.estimate.plain(),
            "models": self.models,
            "families": self.families,
            "questions": self.questions,
            "beside": {k: _plain(v) for k, v in self.beside.items()},
            "notes": list(self.notes),
            "power": None if self.power is None else dict(self.power),
        }


def decide(
    prediction: Mapping[str, Any], estimate: Estimate, failed: Sequence[str] = ()
) -> tuple[Word, str]:
    """The word and why.

    Args:
        prediction: an entry of `predictions` in the pre-registration.
        failed: guards that do not hold, in words; one is enough for `undecided`.
    """
    if failed:
        return "undecided", "guard failed: " + "; ".join(failed)
    if math.isnan(estimate.low) and math.isnan(estimate.high):
        return "undecided", "no interval: the estimate is not defined on this table"
    supported, refuted = Rule.of(prediction["supported_if"]), Rule.of(prediction["refuted_if"])
    if supported.met(estimate.low, estimate.high):
        return "supported", f"supported_if: {supported.text}"
    if refuted.met(estimate.low, estimate.high):
        return "refuted", f"refuted_if: {refuted.text}"
    return "undecided", f"neither rule met ({supported.text}; {refuted.text})"


def undecided(prediction: str, population: str, kind: Any, reason: str, **more: Any) -> Verdict:
    """A verdict that says only why there is none."""
    return Verdict(prediction, population, kind, "undecided", reason, **more)


def _plain(value: Any) -> Any:
    if isinstance(value, Estimate):
        return value.plain()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
