"""Units as people write them: "sq km", "km²" and "square kilometres" are one unit of Pint's.

What: a pattern that finds a unit behind a number, and `converted`, which takes a value from one
unit to another. Conversion is Pint's; only the spellings are ours, and where Pint's own reading
would surprise: "nm" is a nautical mile in the Factbook (Pint: nanometre), a barrel is one of oil
(Pint: 31.5 gallons), a ton is a metric one. Percent and US dollars are dimensions of their own,
so that 45 % is neither 45 years nor 0.45.

What not: currencies other than the dollar, which have no fixed rate, and nouns that are counted
("airports"): those are no units here, and a number before them is a bare one.
"""

import re
from functools import cache
from typing import Any

__all__ = ["DOLLAR", "OTHER_MONEY", "PERCENT", "UNIT", "converted", "unit_of"]

PERCENT, DOLLAR, OTHER_MONEY = "pct", "usd", "other_money"

_LENGTHS = {
    "kilometer": r"(?i:kilomet(?:er|re)s?|kms?)",
    "meter": r"(?i:met(?:er|re)s?)|m",
    "centimeter": r"(?i:centimet(?:er|re)s?)|cm",
    "millimeter": r"(?i:millimet(?:er|re)s?)|mm",
    "nautical_mile": r"(?i:nautical miles?|naut\.? mi\.?|nmi|nm)|NM",
    "mile": r"(?i:(?:statute )?miles?|mi)",
    "foot": r"(?i:feet|foot|ft)",
    "yard": r"(?i:yards?|yds?)",
    "inch": r"(?i:inch(?:es)?)",
}
_OTHERS = {
    PERCENT: r"%|(?i:per ?cent(?:age points?)?|pct\.?)",
    DOLLAR: r"(?i:us ?\$|usd|(?:us |u\.s\. )?dollars?)",
    "microgram/meter**3": (
        r"(?i:(?:micrograms?|[µμu]g)(?:/| per )(?:m3|m³|m\^3|cubic met(?:er|re)s?))"
    ),
    "hectare": r"(?i:hectares?)|ha",
    "acre": r"(?i:acres?)",
    "oil_barrel": r"(?i:barrels?(?: of oil)?|bbls?)",
    "liter": r"(?i:lit(?:er|re)s?)|[lL]",
    "megametric_ton": r"Mt",
    "metric_ton": r"(?i:metric tons?|tonnes?|tons?)|t",
    "kilogram": r"(?i:kilograms?|kilos?|kg)",
    "gram": r"(?i:grams?)|g",
    "kilowatt_hour": r"(?i:kilowatt[- ]?hours?|kwh)",
    "megawatt_hour": r"(?i:megawatt[- ]?hours?|mwh)",
    "gigawatt_hour": r"(?i:gigawatt[- ]?hours?|gwh)",
    "terawatt_hour": r"(?i:terawatt[- ]?hours?|twh)",
    "kilowatt": r"(?i:kilowatts?)|kW",
    "megawatt": r"(?i:megawatts?)|MW",
    "gigawatt": r"(?i:gigawatts?)|GW",
    "british_thermal_unit": r"(?i:british thermal units?|btu)",
    "degree_Celsius": r"°C|(?i:degrees? celsius)",
    "year": r"(?i:years?(?:[ -]of[ -]age|[ -]old)?|yrs?\.?)",
    "month": r"(?i:months?)",
    "week": r"(?i:weeks?)",
    "day": r"(?i:days?)",
    "hour": r"(?i:hours?|hrs?)",
    "minute": r"(?i:minutes?|mins?)",
}
_PER = {"day": r"(?i:d|days?)", "year": r"(?i:yr|years?)", "hour": r"(?i:h|hours?)"}
_SLASH = r"[ ]?(?:/|(?i:\bper\b|\ba\b))[ ]?"
_OTHER_MONEY = r"€|£|¥|₹|(?i:euros?|eur|pounds? sterling|gbp|yen|rupees?|yuan|rmb)"


def _powers() -> dict[str, str]:
    """Every length, squared and cubed, in front or behind."""
    found = {}
    for unit, spelt in _LENGTHS.items():
        found[f"{unit}**2"] = (
            rf"(?i:sq(?:uare|\.)?)[ -]?(?:{spelt})|(?:{spelt})(?:²|\^?2|(?i:[ ]squared))"
        )
        found[f"{unit}**3"] = (
            rf"(?i:cu(?:bic|\.)?)[ -]?(?:{spelt})|(?:{spelt})(?:³|\^?3|(?i:[ ]cubed))"
        )
    return found


_ALL = {**_powers(), **_OTHERS, **_LENGTHS}
_NAMES = list(_ALL)
UNIT = (
    "(?:"
    + "|".join(f"(?P<u{i}>{spelt})" for i, spelt in enumerate(_ALL.values()))
    + f"|(?P<other>{_OTHER_MONEY}))"
    + r"(?![^\W\d_])"
    + "(?:"
    + _SLASH
    + "(?:"
    + "|".join(f"(?P<per_{name}>{spelt})" for name, spelt in _PER.items())
    + r")(?![^\W\d_]))?"
)
"""Regular expression: a unit, as it may stand behind a number."""


def unit_of(match: re.Match[str]) -> str | None:
    """Pint's name of a matched `UNIT`; None where none stood there (a noun, nothing)."""
    groups = match.groupdict()
    if groups.get("other"):
        return OTHER_MONEY
    name = next((_NAMES[i] for i in range(len(_NAMES)) if groups.get(f"u{i}")), None)
    per = next((unit for unit in _PER if groups.get(f"per_{unit}")), None)
    return f"{name}/{per}" if name and per else name


def converted(value: float, unit: str, wanted: str) -> float | None:
    """The value in `wanted`; None where the two do not measure the same."""
    if unit == wanted:
        return value
    import pint

    registry = _registry()
    try:
        return float(registry.Quantity(value, unit).to(wanted).magnitude)
    except pint.DimensionalityError:
        return None


@cache
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(cache_folder=None)
    for own in (PERCENT, DOLLAR, OTHER_MONEY):
        registry.define(f"{own} = [{own}]")
    return registry
