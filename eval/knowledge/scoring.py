"""Is a free-text answer right? Numbers with their units, names, lists of names, dates, phrases.

Reading, as `eval/benchmarks/reading.py` and NQ-open do it: thinking is dropped; the last box,
else what follows "Answer:" or "the answer is", else the first line; of it the first sentence
that says more than the question. Labels before a copied value ("Capital: name:") are dropped.

    number  every figure of the answer must be the gold one within its tolerance, after conversion
            by Pint: "2 (or maybe 3)" is wrong, "100 km (62 mi)" right. Figures of the question,
            years of estimates ("2021 est.") and the basis of a rate are no answers. A unit that
            measures something else is wrong; none is right, because the question states it.
            Converted from another unit, 0.5 % is allowed at least: people round what they convert.
    name    any spelling, in a sentence or not, and no other name with it (`naming.py`)
    names   as many of the values as the question needs, and no other name
    date    the whole date, or the day of the year where that is asked; no second date
    text    all phrases that are needed, within 25 words

An answer that says nothing of the kind (no figure, no date) is an answer, and wrong; only an
empty one is unparsed. What this does not do: judge meaning, or give half a mark.
"""

import re
from collections.abc import Callable, Mapping

from eval.benchmarks.benchmark import Graded
from eval.benchmarks.closed_book import read_short
from eval.knowledge.dates import dates
from eval.knowledge.gold import Gold
from eval.knowledge.naming import plain_words, said
from eval.knowledge.quantities import Quantity, quantities
from eval.knowledge.units import DOLLAR, PERCENT, converted
from policies.outcome import Status

__all__ = ["final_answer", "score"]

MAX_ANSWER = 500
LONGEST_LINE = 4 * MAX_ANSWER
"""Read of a line: who writes more has lost the thread, and is not waited for."""
MAX_PHRASE = 25
"""Words of an answer of kind `text`: who recites everything names the right phrase too."""
CONVERTED = 0.005
"""Least relative tolerance of a value that was given in another unit."""
CANONICAL: Mapping[str, str | None] = {
    "km**2": "kilometer**2",
    "km": "kilometer",
    "m": "meter",
    "percent": PERCENT,
    "USD": DOLLAR,
    "years": "year",
    "hours": "hour",
    "litres": "liter",
    "tonnes": "metric_ton",
    "ug/m**3": "microgram/meter**3",
    "count": None,
    "people": None,
    "children per woman": None,
}
"""The generator's units in the names of `units.py`; None: a bare number, whatever is counted."""
_RATE = re.compile(r"per (\d+) ")
_TITLED = re.findall(r"\w+", "St Mt Dr Mr Lt sq est Col Gen Maj Rev Hon Sen Capt Prof Pres")
_SENTENCE = re.compile(
    r"(?:(?<=[^\W_]{2})|(?<=['’]s)|(?<=\d)|(?<=[)%]))"
    + "".join(rf"(?<!\b{short})" for short in _TITLED)
    + r"[.!?]\s+(?=[A-Z])"
)
_LABELS = re.compile(r"\A(?:[^:;\d]{1,80}:[ ]+)+(?=\S)")
"""In front of a value that is copied out of a passage: "Bhutan. Capital: name: Thimphu"."""
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATED = re.compile(r"(?:\(|\b(?:in|as of|since|by|of|est\.?|early|late|mid|year)|[A-Z][a-z]+)\s*$")
_ESTIMATE = re.compile(r"\s*(?:est|estimate|data|figures?|\)|census)")
_NOT = re.compile(
    r"\b(?:not|never|\w+n['’]t)\s+(?:(?:in|on|at|about|the|exactly)\s+)*(?=[\d$€-])", re.I
)
"""Said right in front of a figure or a date: it is denied."""
_BEHIND = re.compile(r"\b(?:behind|earlier|minus)\b", re.IGNORECASE)


def score(gold: Gold, text: str, asked: str = "") -> Graded:
    """1 or 0. `asked`: the question, whose own words and figures are no answers."""
    answer = final_answer(text, asked)
    if not answer:
        return Graded(score=0.0, answer=None, status=Status.UNPARSED)
    right = len(answer) <= MAX_ANSWER and _CHECKS[gold.kind](gold, answer, asked)
    return Graded(score=float(right), answer=answer[:MAX_ANSWER])


def final_answer(text: str, asked: str = "") -> str:
    """The answer as it is graded; empty where there is none. A first sentence that only says
    the question's words again ("Bhutan. It is Thimphu.") is passed over."""
    line = _LABELS.sub("", read_short(text)[:LONGEST_LINE])
    sentences = [s.strip() for s in _SENTENCE.split(line) if s.strip()]
    known = set(plain_words(asked))
    fresh = (s for s in sentences if not set(plain_words(s)) <= known)
    return next(fresh, sentences[0] if sentences else "")


def _number(gold: Gold, answer: str, asked: str) -> bool:
    assert gold.number is not None, gold
    if _NOT.search(answer):
        return False
    stated = {q.value for q in quantities(asked)} - {gold.number}
    found = quantities(answer)
    kept = [q for q in found if q.value not in stated or q.unit is not None] or found
    dated = [q for q in kept if not _is_date(q, answer)]
    kept = dated or kept
    behind = gold.unit == "hours" and bool(_BEHIND.search(answer))
    return bool(kept) and all(_matches(q, gold, behind) for q in kept)


def _matches(q: Quantity, gold: Gold, behind: bool) -> bool:
    wanted = _canonical(gold.unit)
    value: float | None = q.value
    allowed = gold.tolerance
    if q.unit is not None and q.unit != wanted:
        allowed = max(allowed, CONVERTED)
        value = _converted(q, gold.unit, wanted)
    if value is None or gold.number is None:
        return False
    if behind and value > 0:
        value = -value
    return abs(value - gold.number) <= allowed * abs(gold.number) + 1e-9 * max(1, abs(gold.number))


def _converted(q: Quantity, unit: str, wanted: str | None) -> float | None:
    rate = _RATE.match(unit)
    if rate and q.unit == PERCENT:
        return q.value / 100 * float(rate[1])
    if wanted is None or q.unit is None:
        return None
    return converted(q.value, q.unit, wanted)


def _canonical(unit: str) -> str | None:
    if _RATE.match(unit):
        return None
    try:
        return CANONICAL[unit]
    except KeyError:
        raise ValueError(f"no such unit in eval/knowledge/scoring.py: {unit!r}") from None


def _is_date(q: Quantity, answer: str) -> bool:
    """A bare year of an estimate: "(2021 est.)", "in 2021"."""
    if q.unit is not None or not _YEAR.fullmatch(q.digits):
        return False
    before, after = answer[: q.start].rstrip(" "), answer[q.end :]
    return bool(_DATED.search(before) or _ESTIMATE.match(after))


def _name(gold: Gold, answer: str, asked: str) -> bool:
    told = said(answer, [gold.spellings(0)], asked)
    return bool(told.found) and not told.others


def _names(gold: Gold, answer: str, asked: str) -> bool:
    told = said(answer, [gold.spellings(i) for i in range(len(gold.values))], asked)
    return len(told.found) >= gold.needed and not told.others


def _date(gold: Gold, answer: str, asked: str) -> bool:
    day_only = len(gold.values[0]) == len("08-08")
    found = {date[-5:] if day_only else date for date in dates(answer)}
    return bool(found) and found <= set(gold.spellings(0)) and not _NOT.search(answer)


def _text(gold: Gold, answer: str, asked: str) -> bool:
    if len(answer.split()) > MAX_PHRASE or re.search(r"\bor\b", answer):
        return False
    open_text = answer.replace("(", " ").replace(")", " ")
    told = said(open_text, [gold.spellings(i) for i in range(len(gold.values))], asked)
    return len(told.found) >= gold.needed


_CHECKS: Mapping[str, Callable[[Gold, str, str], bool]] = {
    "number": _number,
    "name": _name,
    "names": _names,
    "date": _date,
    "text": _text,
}
