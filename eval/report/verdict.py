"""The verdict of a section in plain words, from its records alone.

A policy *beats* another where the whole 95 % interval of the paired difference lies above
zero, *loses to* it where it lies below, and is *not told from* it otherwise. Areas are
compared by APGR. Best single traces no curve, so it is compared at the operating point by
utility: accuracy minus cost, at the price at which all-small and all-large tie.
"""

from collections.abc import Sequence

from eval.report.data import Cell, Contestant, Section, number

__all__ = ["verdicts"]

PLAIN = {
    "random": "the random mix",
    "prompt-length": "prompt length alone",
    "best-single": "the best single model",
}
NAMED = 4
"""Longer lists are cut; the table of paired differences has them all."""
NOT_JUDGED = ("all-small", "all-large", "best-single", "random", "prompt-length", "oracle")


def verdicts(section: Section) -> list[str]:
    """A sentence a protocol, then the negative results."""
    judged = [c for c in section.with_metric("apgr") if not c.sees and c.policy != "random"]
    if not judged:
        return [_no_area(section)]
    out = []
    for protocol in sorted({c.protocol for c in judged}, key=lambda p: (p == "untrained", p)):
        out.append(_best([c for c in judged if c.protocol == protocol], protocol))
    others = [c for c in judged if c.policy not in NOT_JUDGED]
    out += _against(others, "apgr-minus-prompt-length", PLAIN["prompt-length"], "APGR")
    moved = [c for c in others if _moved(c)]
    over = "cost-APGR, the area over cost instead of calls"
    out += _against(moved, "cost-apgr-minus-prompt-length", PLAIN["prompt-length"], over)
    out += _losers(others, "apgr-minus-random", PLAIN["random"], "APGR")
    points = [c for c in section.contestants if c.policy not in NOT_JUDGED and not c.sees]
    out += _losers(points, "utility-minus-best-single", PLAIN["best-single"], "utility")
    return out


def _best(ranked: Sequence[Contestant], protocol: str) -> str:
    best = ranked[0]
    value = _interval(best.get("apgr"), "apgr", signed=False)
    text = f"{_name(best)} has an APGR of {value}"
    if len(ranked) > 1:
        text = f"Of {len(ranked)} policies ({protocol}), {_name(best)} has the best APGR, {value}"
    words: dict[int, list[str]] = {1: [], -1: [], 0: []}
    for rival, plain in PLAIN.items():
        metric = "utility" if rival == "best-single" else "apgr"
        gap = best.get(f"{metric}-minus-{rival}")
        if rival == best.policy or gap.value is None or gap.low is None:
            continue
        unit = "utility at its operating point " if metric == "utility" else ""
        words[gap.sign()].append(f"{plain} ({unit}{_interval(gap, metric)})")
    said = [
        f"{verb} {_and(words[sign])}"
        for sign, verb in ((1, "beats"), (-1, "loses to"), (0, "is not told from"))
        if words[sign]
    ]
    return f"{text}; it {_and(said)}." if said else f"{text}."


def _against(rows: Sequence[Contestant], metric: str, rival: str, unit: str) -> list[str]:
    """Who loses to a rival, and who cannot be told from it."""
    equal = [c for c in rows if c.get(metric).low is not None and not c.get(metric).sign()]
    out = _losers(rows, metric, rival, unit)
    if equal:
        out.append(f"In {unit}, not told from {rival}: {_gaps(equal, metric)}.")
    return out


def _moved(c: Contestant) -> bool:
    """Whether prompt length, which drives the cost, fares otherwise when cost is the measure."""
    by_calls, by_cost = (c.get(f"{m}-minus-prompt-length") for m in ("apgr", "cost-apgr"))
    return by_cost.low is not None and by_calls.sign() != by_cost.sign()


def _losers(rows: Sequence[Contestant], metric: str, rival: str, unit: str) -> list[str]:
    worse = [c for c in rows if c.get(metric).sign() < 0]
    if not worse:
        return []
    rival = rival[0].upper() + rival[1:]
    return [f"{rival} beats {_gaps(worse, metric)}, in {unit}."]


def _no_area(section: Section) -> str:
    why = next((c.get("apgr").note for c in section.contestants if c.get("apgr").note), "")
    text = (
        f"No APGR can be stated ({why})."
        if why
        else "No policy here traces a curve, so there is no APGR."
    )
    ranked = [c for c in section.with_metric("accuracy") if not c.sees]
    if not ranked:
        return text
    best = ranked[0]
    value = _interval(best.get("accuracy"), "accuracy", signed=False)
    usd = number(best.get("usd-per-1000").value, "usd-per-1000")
    return f"{text} The best accuracy is {_name(best)}'s: {value}, for {usd} USD per 1,000 queries."


def _name(c: Contestant) -> str:
    return f"{c.policy} ({c.terms})" if c.labels[1] else c.policy


def _gaps(rows: Sequence[Contestant], metric: str) -> str:
    """Names with their differences, the greatest first."""
    rows = sorted(rows, key=lambda c: -abs(c.at(metric)))
    named = [f"{_name(c)} ({_interval(c.get(metric), metric)})" for c in rows[:NAMED]]
    return _and(named + ([f"{len(rows) - NAMED} more"] if len(rows) > NAMED else []))


def _interval(cell: Cell, metric: str, signed: bool = True) -> str:
    text = number(cell.value, metric, signed)
    if cell.low is not None and cell.high is not None:
        text += f" [{number(cell.low, metric, signed)}, {number(cell.high, metric, signed)}]"
    return text


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
