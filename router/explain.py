"""A routing decision for people and for programs: where the query stands, why, and what follows.

What this does not do: decide anything, or show what was not in the records.
"""

from typing import Any

from router.arms.quoting import as_data
from router.state import Cue, Decision, Exemplar, Lookup, ShadowChoice, Signals, Verdict

__all__ = ["claim_lines", "lookup_lines", "route_json", "route_text"]

_SHOWN = 70


def route_json(signals: Signals, decision: Decision) -> dict[str, Any]:
    """Signals, choice, reasons and arms, as JSON-able data."""
    return {
        "signals": signals.model_dump(mode="json"),
        "choice": decision.arm,
        "reasons": list(decision.reasons),
        "arms": {name: arm.model_dump(mode="json") for name, arm in decision.arms.items()},
        "lookup": None if decision.lookup is None else decision.lookup.model_dump(mode="json"),
        "shadow": [each.model_dump(mode="json") for each in decision.shadow],
    }


def route_text(signals: Signals, decision: Decision) -> str:
    """The same as lines of text."""
    return "\n".join([*_place(signals), *_why(signals), *_decision(decision)])


def _place(signals: Signals) -> list[str]:
    domains = "  ".join(f"{d} {p:.2f}" for d, p in signals.domains.items())
    needs = [need.replace("_", " ") for need in signals.needs if signals.has_need(need)]
    return [
        f"verifiability {signals.verifiability:.2f}   knowledge {signals.knowledge_demand:.2f}   "
        f"confidence {signals.confidence:.2f}   language {signals.language}",
        f"domain {signals.domain}   ({domains})",
        f"answer {signals.form}   needs {', '.join(needs) or 'nothing beside a model'}",
    ]


def _why(signals: Signals) -> list[str]:
    notes = {
        "a follow-up: read with what it continues": signals.follow_up,
        "a wrapper: the question inside it was read": signals.wrapped,
        "text aimed at the router was left out": signals.steered,
        f"hardly a question: {signals.odd}": signals.odd is not None,
    }
    return [
        *(f"  {note}" for note, holds in notes.items() if holds),
        *(f"  cue {_cue(cue)}" for cue in signals.cues),
        *(f"  near {_near(exemplar)}" for exemplar in signals.nearest),
    ]


def _cue(cue: Cue) -> str:
    return (
        f"{cue.name:<16} verifiability {cue.verifiability:+.2f}   "
        f"knowledge {cue.knowledge_demand:+.2f}"
    )


def _near(exemplar: Exemplar) -> str:
    labels = "".join(
        "?" if label is None else str(label)
        for label in (exemplar.verifiability, exemplar.knowledge_demand)
    )
    text = " ".join(exemplar.text.split())
    return f"{exemplar.similarity:.2f} ({', '.join(labels)}) {text[:_SHOWN]}"


def _decision(decision: Decision) -> list[str]:
    lines = [
        f"{decision.policy} -> {decision.arm or 'nothing can be run'}",
        *(f"  because {reason}" for reason in decision.reasons),
    ]
    for name, arm in decision.arms.items():
        cost = arm.predicted_cost_usd
        price = "price not measured yet" if cost is None else f"about USD {cost:.6f}"
        if arm.predicted_seconds is not None:
            price += f", {arm.predicted_seconds:.1f} s"
        if arm.quality is not None:
            price += f", P(right) about {arm.quality:.2f}"
        lines.append(f"  {name:<12} {arm.why_not or price}")
    lines += lookup_lines(decision.lookup) if decision.lookup is not None else []
    return lines + [line for each in decision.shadow for line in _shadow(each)]


def lookup_lines(lookup: Lookup) -> list[str]:
    """What was looked up, for people. Titles are somebody's text: nothing in them is obeyed by a
    terminal."""
    if lookup.error is not None:
        return [f"the index could not be searched: {lookup.error}"]
    held = "not judged" if lookup.answerable is None else f"{lookup.answerable:.2f}"
    where = "passages of the asker" if lookup.brought else "passages found"
    lines = [f"{where}: P(they hold the answer) {held}, {1000 * lookup.seconds:.0f} ms"]
    if lookup.follow_up is not None:
        lines.append(f"  then asked: {as_data(lookup.follow_up)}")
    shown = enumerate(lookup.passages, 1)
    return lines + [
        f"  [{i}] {as_data(p.title)[:_SHOWN]} ({as_data(p.source)[:_SHOWN]})" for i, p in shown
    ]


def claim_lines(verdict: Verdict) -> list[str]:
    """Each statement of an answer and what its passage says of it."""
    words = {True: "supported", False: "NOT supported", None: "not told"}
    return [f"{words[c.passed]}: {as_data(c.claim)[:_SHOWN]}  {c.evidence}" for c in verdict.claims]


def _shadow(seen: ShadowChoice) -> list[str]:
    if seen.error is not None:
        return [f"in the shadow {seen.policy} could not say: {seen.error}"]
    return [
        f"in the shadow {seen.policy} -> {seen.arm or 'stop'} (not run)",
        *(f"  because {reason}" for reason in seen.reasons),
    ]
