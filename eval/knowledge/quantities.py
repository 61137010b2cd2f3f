"""Numbers with their units, as an answer writes them.

What: "1.2 million sq km", "$3,400", "45 %", "(463,000 sq mi)", "between 10 and 12 years",
"twenty-one". What not: what a number is about. A rate's basis ("per 1,000 people") is part of
its unit, and is no number of its own; numbers in words are read only where no figures stand.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eval.knowledge.units import DOLLAR, OTHER_MONEY, UNIT, unit_of

__all__ = ["SCALES", "Quantity", "quantities"]

SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SHORT = {"mn": "million", "mln": "million", "m": "million", "bn": "billion", "b": "billion"}
_SHORT |= {"tn": "trillion", "k": "thousand"}
"""A small "m" is a metre: it is no scale but behind a currency's sign."""
_SMALL = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen",
)
_TENS = re.findall(r"\w+", "twenty thirty forty fifty sixty seventy eighty ninety")
_WORDS = {word: i for i, word in enumerate(_SMALL)}
_WORDS |= {word: 10 * (i + 2) for i, word in enumerate(_TENS)}

_DIGITS = r"\d{1,3}(?:[, \u00a0\u202f’']\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_SCALE = r"(?i:thousand|million|billion|trillion|mln|mn|bn|tn)\b"
_NUMBER = re.compile(
    r"(?P<sign>(?:(?<![\w.,)])|(?<=UTC)|(?<=GMT)|(?<=UTC )|(?<=GMT ))[-−–])?"
    r"(?P<money>US ?\$|\$|€|£|¥|(?i:usd) )?[ ]?"
    rf"(?<![\w.])(?P<digits>{_DIGITS})(?![\w.]*\d)"
    rf"(?:[ -]?(?P<scale>{_SCALE})|(?P<short>[kKbBM]|(?(money)m|(?!)))(?![\w²³^/]))?"
    rf"(?:[ \u00a0-]?{UNIT})?"
)
_RATE = re.compile(
    r"(?:/|\bper\b|\bfor every\b|\bout of(?: every)?\b)[ ]?\d[\d,]*(?:[ ](?:thousand|million)\b)?",
    re.IGNORECASE,
)
_WORD = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})[- ]?)?(?P<small>{'|'.join(_SMALL)})?\b"
    rf"(?:[ ](?P<hundred>hundred))?(?:[ ](?P<scale>{_SCALE}))?(?:[ -]{UNIT})?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a text. `unit` is Pint's name, None for a bare number or a counted noun."""

    value: float
    unit: str | None
    start: int
    end: int
    digits: str
    """As it stands in the text: tells a year ("2021") from a count ("2,021")."""


def quantities(text: str) -> list[Quantity]:
    """All numbers of a text, in order; both ends of a range, with the unit behind the second."""
    seen = _RATE.sub(lambda m: " " * len(m[0]), text)
    found = list(_in_figures(seen))
    return _shared_units(seen, found) if found else list(_in_words(seen))


def _in_figures(text: str) -> Iterator[Quantity]:
    for m in _NUMBER.finditer(text):
        value = float(re.sub(r"[, \u00a0\u202f’']", "", m["digits"]))
        value *= _scale(m["scale"] or m["short"])
        unit = _money(m["money"]) if m["money"] else unit_of(m)
        yield Quantity(-value if m["sign"] else value, unit, m.start(), m.end(), m["digits"])


def _money(sign: str) -> str:
    return DOLLAR if "$" in sign or sign.strip().lower() == "usd" else OTHER_MONEY


def _in_words(text: str) -> Iterator[Quantity]:
    for m in _WORD.finditer(text):
        if m["tens"] or m["small"]:
            value = float(sum(_WORDS[m[g].lower()] for g in ("tens", "small") if m[g]))
            value *= (100 if m["hundred"] else 1) * _scale(m["scale"])
            yield Quantity(value, unit_of(m), m.start(), m.end(), m[0])


def _scale(word: str | None) -> float:
    if word is None:
        return 1.0
    word = word.lower()
    return SCALES[_SHORT.get(word, word)]


def _shared_units(text: str, found: list[Quantity]) -> list[Quantity]:
    """In "10 to 12 km" and "10-12 %" the first number has the second one's unit."""
    out = list(found)
    for i in range(len(out) - 2, -1, -1):
        first, second = out[i], out[i + 1]
        between = text[first.end : second.start]
        if first.unit is None and re.fullmatch(r"\s*(?:-|–|—|to|and)\s*", between):
            out[i] = Quantity(first.value, second.unit, first.start, first.end, first.digits)
    return out
