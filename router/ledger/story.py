"""A request's row in words: what was asked, why it was routed so, what it cost, what came of it.

It tells what the ledger keeps. Where the tenant does not have texts stored there are none,
and the story says so. Rows of older versions may lack parts; what is there is told.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from router.arms.quoting import as_data
from router.explain import claim_lines, lookup_lines, route_text
from router.record import Record
from router.state import Decision, Lookup, Signals, Verdict

__all__ = ["story"]

_R = TypeVar("_R", bound=Record)
_SHOWN = 300
_ENDINGS = {
    "answered": "it was answered",
    "failed": "it failed",
    "refused": "it was refused",
    "cancelled": "the client went away",
    "lost": "its replica died; what was reserved counts as spent",
    None: "it is running, or its replica died and the sweep has not found it",
}


def story(told: Mapping[str, Any]) -> str:
    """Lines of text from `Ledger.trace`'s data."""
    trace = told.get("trace") or {}
    lines = [*_head(told), *_asked(trace), *_steps(told, trace), *_end(told), *_bill(told)]
    return "\n".join([*lines, *_saved(told), *_labels(told)])


def _head(told: Mapping[str, Any]) -> list[str]:
    key = f", key {told['key']}" if told.get("key") else ""
    stream = ", streamed" if told.get("stream") else ""
    return [
        f"request {told['id']}",
        f"{told['created'][:19]} UTC   tenant {told['tenant']}{key}   {told['endpoint']}{stream}   "
        f"asked for {as_data(told['asked_model'])}   replica {told['replica']}",
    ]


def _asked(trace: Mapping[str, Any]) -> list[str]:
    turns = (trace.get("query") or {}).get("messages") or []
    if not turns:
        return ["texts are not stored for this tenant (`ockham tenants set NAME --store-prompts`)"]
    return [f"{turn['role']}: {_short(turn['content'])}" for turn in turns]


def _steps(told: Mapping[str, Any], trace: Mapping[str, Any]) -> list[str]:
    """Signals, then each decision, attempt and verdict in its order."""
    lines: list[str] = []
    signals = _as(Signals, trace.get("signals"))
    attempts = 0
    for step in trace.get("steps", []):
        decision, attempt = _as(Decision, step.get("decision")), step.get("attempt")
        if decision is not None:
            lines += _decided(decision, signals, first=not any("->" in line for line in lines))
        lookup = _as(Lookup, step.get("lookup"))
        if lookup is not None:
            lines += lookup_lines(lookup)
        if attempt:
            attempts += 1
            lines += _attempt(attempts, attempt)
        if step.get("broken"):
            lines.append(f"{as_data(step['broken'])} was running when the run broke off")
        lines += _verdict(step.get("verdict"))
    if not trace:
        lines.append("it left no trace: it ended before its query was placed")
    return lines


def _decided(decision: Decision, signals: Signals | None, first: bool) -> list[str]:
    if decision.arm is None:
        which = "nothing" if decision.attempt is None else f"attempt {decision.attempt + 1}"
        return [
            f"{decision.policy} -> stop, return {which}",
            *(f"  because {reason}" for reason in decision.reasons),
        ]
    if signals is not None and first:
        text = route_text(signals, decision).splitlines()
    else:
        text = [f"{decision.policy} -> {decision.arm}"]
        text += [f"  because {reason}" for reason in decision.reasons]
    chance = decision.arms[decision.arm].probability if decision.arm in decision.arms else 1.0
    worst = [
        f"{name} {arm.worst_cost_usd:.6f}"
        for name, arm in decision.arms.items()
        if arm.worst_cost_usd is not None
    ]
    text.append(f"  taken with probability {chance:.3f}; worst cases, USD: {', '.join(worst)}")
    return text


def _attempt(number: int, attempt: Mapping[str, Any]) -> list[str]:
    lines = [
        f"attempt {number}: {attempt['arm']} on {attempt['model']}: {attempt['status']}, "
        f"{attempt['prompt_tokens']}+{attempt['completion_tokens']} tokens "
        f"({attempt['tokens_basis']}), USD {attempt['cost_usd']:.9f}, {attempt['seconds']:.2f} s",
        f"  price: USD {1e6 * attempt['price']['input_usd']:g} and "
        f"{1e6 * attempt['price']['output_usd']:g} a million tokens in and out "
        f"({attempt['price']['basis']})",
    ]
    if attempt.get("error"):
        lines.append(f"  error: {as_data(attempt['error'])}")
    if attempt.get("text"):
        lines.append(f"  said: {_short(attempt['text'])}")
    made = attempt.get("selection")
    if made:
        share = "" if made["share"] is None else f", {made['share']:.0%} of the votes"
        lines.append(f"  {made['method']}: {made['drawn']} of {made['planned']} samples{share}")
    return lines


def _verdict(found: Any) -> list[str]:
    if not found:
        return []
    right = found.get("confidence")
    lines = [
        f"  check {found['kind']}: {found['status']}"
        + ("" if right is None else f", P(right) {right:.3f}")
    ]
    lines += [f"    {as_data(sentence)}" for sentence in found.get("evidence", ())]
    whole = _as(Verdict, found)
    return lines + ([f"    {line}" for line in claim_lines(whole)] if whole is not None else [])


def _end(told: Mapping[str, Any]) -> list[str]:
    how = _ENDINGS.get(told["ending"], told["ending"])
    status = f", HTTP {told['http_status']}" if told.get("http_status") else ""
    error = f", {as_data(told['error'])}" if told.get("error") else ""
    took = [] if told.get("seconds") is None else [f"{told['seconds']:.2f} s"]
    if told.get("first_token_seconds") is not None:
        took.append(f"first answer token after {told['first_token_seconds']:.2f} s")
    lines = [f"in the end {how}{status}{error}" + (f" ({', '.join(took)})" if took else "")]
    if told.get("arm"):
        right = "" if told["p_right"] is None else f", P(right) {told['p_right']:.3f}"
        lines.append(
            f"  by {told['arm']} on {told['model']}: {told['verdict'] or 'unchecked'}{right}"
        )
    return lines


def _bill(told: Mapping[str, Any]) -> list[str]:
    lines = [f"bill: USD {told['cost_usd']:.9f}"]
    for one in told.get("attempts", ()):
        cost = "still reserved" if one["cost_usd"] is None else f"USD {one['cost_usd']:.9f}"
        lines.append(
            f"  {one['arm']}: {cost} ({one['basis'] or 'open'}), reserved USD "
            f"{one['reserved_usd']:.9f}"
        )
    return lines


def _saved(told: Mapping[str, Any]) -> list[str]:
    estimate = told.get("all_large_usd_estimate")
    if estimate is None:
        return []
    saved = estimate - told["cost_usd"]
    word = "saved" if saved >= 0 else "spent more"
    return [f"all-large would have cost about USD {estimate:.9f}: {word} USD {abs(saved):.9f}"]


def _labels(told: Mapping[str, Any]) -> list[str]:
    found: Sequence[Mapping[str, Any]] = told.get("labels", ())
    if not found:
        return ["no labels"]
    return [
        f"label from {one['source']} of {one['arm']}: "
        f"{'undecided' if one['score'] is None else format(one['score'], 'g')}, sampled with "
        f"probability {one['probability']:g}, {one['created'][:19]} UTC"
        + (f", changed {one['changes']} times" if one["changes"] else "")
        for one in found
    ]


def _as(kind: type[_R], data: Any) -> _R | None:
    """The record, of what is left of it; None where it cannot be made."""
    if not data:
        return None
    try:
        return kind.model_validate({k: v for k, v in data.items() if k in kind.model_fields})
    except ValueError:
        return None


def _short(text: str) -> str:
    """On one line, and nothing in it is obeyed by a terminal."""
    line = as_data(" ".join(text.split()))
    return line if len(line) <= _SHOWN else line[:_SHOWN] + " ..."
