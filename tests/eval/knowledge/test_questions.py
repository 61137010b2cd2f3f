"""Generated questions: hand-checked golds, no field's own name, no answer in the question."""

import re

import pytest
import Stemmer

from eval.knowledge.fields import asked_fields
from eval.knowledge.questions import (
    FactQuestion,
    checksum,
    draw,
    generate,
    generate_counted,
    holds,
    says,
)
from router.knowledge.factbook import load_factbook

STEM = Stemmer.Stemmer("english")
SMALL = {
    *("of", "the", "in", "per", "at", "and", "to", "by", "from", "for", "as", "under", "with"),
    *("s", "on", "a", "total", "name", "first"),
}
"""Words that do not name a field."""

# Read by hand in the packaged data.
HAND = [
    ("bt", "capital", "Thimphu"),
    ("us", "capital", "Washington, D.C."),
    ("ci", "capital", "Santiago"),
    ("ag", "currency", "Algerian dinars"),
    ("uy", "currency", "Uruguayan pesos"),
    ("bt", "area", 38394.0),
    ("lt", "area", 30355.0),
    ("cy", "coastline", 648.0),
    ("ks", "coastline", 2413.0),
    ("bt", "land-border", 1136.0),
    ("mu", "highest-point", "Jabal Shams"),
    ("tz", "highest-point", "Kilimanjaro"),
    ("bt", "mean-elevation", 2220.0),
    ("bt", "population", 892877.0),
    ("bg", "main-religion", "Muslim"),
    ("pm", "main-religion", "Evangelical"),
    ("bt", "main-language", "Sharchopkha"),
    ("et", "main-ethnic-group", "Oromo"),
    ("bt", "median-age", 31.2),
    ("bt", "infant-mortality", 23.0),
    ("bt", "drinking-water", 99.1),
    ("bt", "urban-share", 44.4),
    ("ag", "co2", 163_661_000.0),
    ("af", "time-zone", 4.5),
    ("ci", "internet-domain", ".cl"),
    ("fi", "independence", "1917-12-06"),
    ("mn", "national-day", "11-19"),
    ("bx", "top-crop", "chicken"),
    ("rw", "top-buyer", "UAE"),
    ("it", "anthem", "Il Canto degli Italiani"),
    ("pl", "symbol", "white crowned eagle"),
    ("ag", "inflation", 4.0),
    ("ag", "military-spending", 8.0),
    ("ag", "harbours", 17.0),
    ("ve", "largest-city", "Caracas"),
    ("gg", "currency", "laris"),
    ("mx", "head-of-state", "President Claudia SHEINBAUM Pardo"),
    ("to", "legal-system", "customary law"),
    ("ba", "top-crop", "lamb/mutton"),
]


@pytest.fixture(scope="module")
def questions() -> tuple[FactQuestion, ...]:
    return generate(0)


@pytest.fixture(scope="module")
def by_key(questions: tuple[FactQuestion, ...]) -> dict[tuple[str, str], FactQuestion]:
    return {(q.code, q.field): q for q in questions}


@pytest.mark.parametrize(("code", "field", "value"), HAND)
def test_gold_is_what_the_factbook_says(by_key, code, field, value):
    gold = by_key[code, field].gold
    assert (gold.number if isinstance(value, float) else gold.values[0]) == value


def test_golds_of_several_parts(by_key):
    finland = by_key["fi", "neighbours"].gold
    assert (finland.values, finland.needed) == (("Norway", "Sweden", "Russia"), 3)
    euro = by_key["gm", "currency"].gold
    assert set(euro.spellings()) >= {"euros", "euro", "EUR"}
    assert "dinars" not in by_key["ag", "currency"].gold.spellings(), "whose dinars?"
    assert "United States" in by_key["co", "top-buyer"].gold.spellings()
    assert by_key["md", "head-of-state"].gold.spellings() == ("President Maia SANDU", "SANDU")
    assert by_key["tz", "independence"].gold.spellings()[:2] == ("1964-04-26", "1964-10-29")


def test_what_cannot_be_read_is_no_question_and_is_counted(by_key):
    assert ("bt", "coastline") not in by_key, "Bhutan has no shore"
    assert ("kv", "top-export") in by_key
    assert ("ar", "voting-age") not in by_key, "18-70 years, and 16-17 for some: no single age"
    left = generate_counted(0).left_out
    assert left["coastline"]["zero"] > 30
    assert left["voting-age"]["no single age"] >= 1


def test_there_are_thousands_none_twice(questions):
    assert len(questions) > 20_000
    assert len({q.prompt for q in questions}) == len({q.id for q in questions}) == len(questions)
    assert sum(q.hard for q in questions) * 2 == len(questions)


@pytest.mark.slow
def test_the_seed_decides(questions):
    generate_counted.cache_clear()
    assert checksum(generate(0)) == checksum(questions)
    assert checksum(generate(1)) != checksum(questions)
    assert draw(questions, 10, 3) == draw(questions, 20, 3)[:10]
    assert draw(questions, 10, 3) != draw(questions, 10, 4)


def test_no_template_says_its_field_s_name():
    for field in asked_fields():
        named = set(STEM.stemWords(_words(f"{field.at[1]} {field.at[2]}"))) - SMALL
        for template in (*field.easy, *field.hard):
            said = set(STEM.stemWords(_words(re.sub(r"\{\w+\}", "", template))))
            assert not named & said, (field.id, template, named & said)


def test_no_question_says_its_answer(questions):
    for q in questions:
        if q.gold.kind in ("name", "names", "text"):
            for index in range(len(q.gold.values)):
                for spelling in q.gold.spellings(index):
                    assert not says(q.prompt, spelling), (q.id, q.prompt, spelling)


def test_a_passage_of_the_source_holds_every_answer(questions):
    chunks: dict[str, list[tuple[str, str, str]]] = {}
    for chunk in load_factbook().chunks:
        chunks.setdefault(chunk.source.split("~")[0], []).append(chunk[:3])
    for q in questions:
        assert any(holds(q, *chunk) for chunk in chunks[q.source]), q.id


def test_holding_needs_the_value_the_country_and_the_fact(by_key):
    q = by_key["ve", "capital"]
    urban = "cia-world-factbook/ve#People and Society/Major urban areas - population"
    says_so = "Venezuela. Major urban areas - population: 2.972 million CARACAS (capital)"
    assert holds(q, urban, "Venezuela — Major urban areas", says_so)
    assert not holds(q, urban, "Venezuela — Major urban areas", says_so.replace("(capital)", ""))
    assert not holds(q, "x#y", "Colombia — Trade", "by road to Caracas, the capital next door")
    assert not holds(q, q.source, "Venezuela — Capital", "Venezuela. Capital: Caracasville")


def test_a_figure_that_stands_there_for_another_reason_holds_nothing(by_key):
    q = by_key["cf", "harbours"]
    assert q.evidence == ("5",)
    trade = "cia-world-factbook/cf#Economy/Exports - partners"
    title = f"{q.country} — Exports"
    assert not holds(q, trade, title, "Exports: China 46%, India 6%, Saudi Arabia 5%")
    assert not holds(q, trade, title, "Exports: 5 billion")  # "ports" is not said
    assert not holds(q, trade, title, "Ports: 5% of trade")
    assert holds(q, trade, title, "Ports: 5 (5% of trade)")


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Airports: 95 (2025)", "95", True),
        ("1,950 km", "95", False),
        ("area 1,195 sq km", "195", False),
        ("it is 95.5", "95", False),
        ("about 95, or 96", "95", True),
        ("code .cu", ".cu", True),
    ],
)
def test_says_whole_words_and_whole_figures(text, words, expected):
    assert says(text, words) is expected


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())
