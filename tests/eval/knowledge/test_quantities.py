"""Numbers with units, as texts write them."""

import pytest

from eval.knowledge.dates import dates
from eval.knowledge.quantities import quantities
from eval.knowledge.units import converted

READ = {
    "1.2 million sq km": [(1.2e6, "kilometer**2")],
    "35 km², 12 km^2": [(35, "kilometer**2"), (12, "kilometer**2")],
    "463,000 square miles": [(463_000, "mile**2")],
    "3 cu m": [(3, "meter**3")],
    "12 nm": [(12, "nautical_mile")],
    "2 million bbl/day": [(2e6, "oil_barrel/day")],
    "$1.2m and €5bn": [(1.2e6, "usd"), (5e9, "other_money")],
    "1.2m": [(1.2, "meter")],
    "12M": [(12e6, None)],
    "95 airports, 2 mistakes, 5 hectares": [(95, None), (2, None), (5, "hectare")],
    "5,300 US dollars": [(5300, "usd")],
    "UTC-5, GMT+3": [(-5, None), (3, None)],
    "a 10-12 year range": [(10, "year"), (12, "year")],
    "10 to 12 km": [(10, "kilometer"), (12, "kilometer")],
    "6.1 deaths/1,000 live births": [(6.1, None)],
    "3 in every 5": [(3, None), (5, None)],
    "3 out of every 5": [(3, None)],
    "−10.5 °C": [(-10.5, "degree_Celsius")],
    "twenty-one thousand feet": [(21_000, "foot")],
    "two of 5": [(5, None)],
    "15.6 µg/m³": [(15.6, "microgram/meter**3")],
    "10.0.0.1 and v2": [],
    "none": [],
}


@pytest.mark.parametrize("text", READ)
def test_read(text):
    assert [(q.value, q.unit) for q in quantities(text)] == READ[text]


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "becomes"),
    [
        (100, "kilometer", "mile", 62.137),
        (1, "hectare", "meter**2", 10_000),
        (1, "oil_barrel", "liter", 158.987),
        (1, "nautical_mile", "meter", 1852),
        (1, "metric_ton", "kilogram", 1000),
        (365.25, "day", "year", 1),
    ],
)
def test_converted(value, unit, wanted, becomes):
    assert converted(value, unit, wanted) == pytest.approx(becomes, rel=1e-4)


@pytest.mark.parametrize(
    ("unit", "wanted"),
    [("kilometer", "kilometer**2"), ("pct", "year"), ("other_money", "usd"), ("year", "usd")],
)
def test_what_does_not_measure_the_same(unit, wanted):
    assert converted(1, unit, wanted) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8 August 1949", ["1949-08-08"]),
        ("the 1st of May", ["05-01"]),
        ("Sept. 3rd, 2001", ["2001-09-03"]),
        ("1581-07-26 or so", ["1581-07-26"]),
        ("31/12/1999", ["1999-12-31"]),
        ("3/4/1999", ["1999-04-03", "1999-03-04"]),
        ("in 1949, maybe", []),
        ("45 August", []),
    ],
)
def test_dates(text, found):
    assert dates(text) == found
