"""The state of the promise "at most alpha of the kept answers are wrong", in numbers and words.

    not_monitored   no labels
    collecting      labels, and neither of the two below yet
    holds           the labels bound the risk by alpha at confidence 1 - delta
    broken          they show that it is above alpha, at the same confidence

alpha and delta are the gate's where the policy is one, else those of `audits`. Only audits of
kept answers of the very rule that serves count; feedback is self-selected and never does.
"Wrong" means: not what the reference arm says (`router.labels.compare`).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from policies import ConformalGate
from router.labels.promise import Promise, error_free, least_audits, promise_of
from router.labels.settings import AuditSettings
from router.ledger.labels import Label

__all__ = ["Bound", "State", "bound_of"]

State = Literal["not_monitored", "collecting", "holds", "broken"]


@dataclass(frozen=True, slots=True)
class Bound:
    """What the labels say of the promise."""

    state: State
    alpha: float
    delta: float
    promised_by: str
    """`gate`, or `audits.alpha`."""
    reference: str
    least: int
    """Error-free labels that it takes, looked at once."""
    least_always: int
    """The same, looked at after every label."""
    lost: int
    """Drawn, and neither decided nor given up: running, or cut off by a crash."""
    promise: Promise

    @property
    def said(self) -> str:
        """One sentence."""
        p, alpha = self.promise, f"{self.alpha:g}"
        need = (
            f"{self.least} error-free audits are the least for at most {alpha} wrong at "
            f"confidence {1 - self.delta:g}, {self.least_always} where one looks all the time"
        )
        if self.state == "not_monitored":
            return f"no labels: bound not monitored; {need}"
        seen = (
            f"{p.wrong} of {p.labels} audited kept answers differ from {self.reference}"
            f" (weighted {p.risk if p.risk is not None else math.nan:.3f}, between {p.lower:.3f} "
            f"and {p.upper:.3f}; {p.undecided} undecided)"
        )
        if self.state == "broken":
            return f"bound broken: {seen}, promised at most {alpha}"
        if self.state == "holds":
            return f"bound holds: {seen}, promised at most {alpha}"
        return f"collecting: {seen}; they count as {p.effective:.0f} equal ones, and {need}"

    def told(self) -> dict[str, Any]:
        """As JSON-able data."""
        own = {name: getattr(self, name) for name in self.__slots__ if name != "promise"}
        return {**own, **asdict(self.promise), "said": self.said}


def bound_of(
    labels: Sequence[Label], settings: AuditSettings, gate: ConformalGate | None, rule: str
) -> Bound:
    """Judge the audits among the labels that belong to the rule (`policy_id`)."""
    own = [
        one
        for one in labels
        if one.source == "audit" and one.meta.get("rule") == rule and one.meta.get("kept")
    ]
    own.sort(key=lambda one: one.id)
    done = [one for one in own if one.meta.get("state") != "drawn"]
    alpha, delta = (gate.alpha, gate.delta) if gate else (settings.alpha, settings.delta)
    found = promise_of(
        [math.nan if one.score is None else 1.0 - one.score for one in done],
        [one.probability for one in done],
        [min(float(one.meta.get("floor", one.probability)), one.probability) for one in done],
        alpha,
        delta,
    )
    state: State = "collecting"
    if not done:
        state = "not_monitored"
    elif found.broken:
        state = "broken"
    elif found.holds:
        state = "holds"
    return Bound(
        state=state,
        alpha=alpha,
        delta=delta,
        promised_by="gate" if gate else "audits.alpha",
        reference=settings.reference,
        least=least_audits(alpha, delta),
        least_always=error_free(alpha, delta),
        lost=len(own) - len(done),
        promise=found,
    )
