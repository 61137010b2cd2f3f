"""The scorer, by hand-written pairs of gold and answer, and by every generated gold."""

import random
from collections import defaultdict

import pytest

from eval.knowledge.gold import Gold
from eval.knowledge.questions import generate
from eval.knowledge.scoring import final_answer, score
from policies.outcome import Status


def number(value, unit, tolerance=0.03):
    return Gold(kind="number", values=(str(value),), number=value, unit=unit, tolerance=tolerance)


def name(value, *aliases):
    return Gold(kind="name", values=(value,), aliases=(aliases,))


def names(*values, needed=None):
    return Gold(kind="names", values=values, needed=needed or len(values))


IRAN = number(1_200_000, "km**2")
SHARE = number(45.2, "percent")
YEARS = number(72.9, "years", 0.02)
MONEY = number(10_400, "USD", 0.1)
PEOPLE = number(10_273_996, "people", 0.05)
BORN = number(21.46, "per 1000 people", 0.05)
COUNT = number(5, "count", 0)
CLOCK = number(-3.5, "hours", 0)
OFFICE = name("Thimphu")
GUINEA = name("Guinea")
CITY = name("Port-au-Prince")
HEAD = name("President Maia SANDU", "SANDU")
MONEY_NAME = name("Bolivar soberano", "VES", "bolivar")
BELIZE = names("Guatemala", "Mexico")
COLOURS = names("white", "red")
SYMBOL = names("lion", "palm tree", needed=1)
BORN_ON = Gold(kind="date", values=("1949-08-08",))
DAY = Gold(kind="date", values=("08-08",))
STATE = Gold(kind="text", values=("presidential republic",))

RIGHT = [
    (OFFICE, "thimphu city"),
    (OFFICE, "it is thimphu"),
    (SYMBOL, "the golden lion"),
    (IRAN, "1,200,000 km2"),
    (IRAN, "1.2 million sq km"),
    (IRAN, "463,000 sq mi"),
    (IRAN, "120 million hectares"),
    (IRAN, "1 200 000"),
    (IRAN, "1.19 million square kilometres (2021 est.)"),
    (IRAN, "It covers 1,200,000 square kilometers (463,323 square miles)."),
    (IRAN, "between 1,190,000 and 1,210,000 km²"),
    (IRAN, "\\boxed{1200000}"),
    (IRAN, "<think>5?</think>Answer: 1.2 million"),
    (SHARE, "45.2%"),
    (SHARE, "45 per cent"),
    (SHARE, "45.2"),
    (SHARE, "In 2021, about 45 percent."),
    (YEARS, "72.9 years"),
    (YEARS, "875 months"),
    (YEARS, "73"),
    (YEARS, "Brazil. Life expectancy at birth: 72.9 years (2024 est.)"),
    (MONEY, "$10,400"),
    (MONEY, "10.4 thousand US dollars"),
    (MONEY, "USD 10,000"),
    (PEOPLE, "10.3 million people"),
    (PEOPLE, "10M"),
    (BORN, "21.46 births per 1,000 people"),
    (BORN, "21.5/1,000"),
    (BORN, "2.146 %"),
    (COUNT, "five"),
    (COUNT, "5 airports"),
    (COUNT, "There are 5 of them as of 2021."),
    (CLOCK, "UTC-3.5"),
    (CLOCK, "-3.5 hours"),
    (CLOCK, "3.5 hours behind UTC"),
    (OFFICE, "Thimphu"),
    (OFFICE, "thimphu."),
    (OFFICE, "The capital of Bhutan is Thimphu."),
    (OFFICE, "**Thimphu**, Bhutan"),
    (OFFICE, "Thimphu (since 1961)"),
    (OFFICE, "Thimphu. It was founded in 1961 by King Jigme."),
    (OFFICE, "Bhutan. Capital: Thimphu"),
    (OFFICE, "Bhutan — Capital: name: Thimphu"),
    (OFFICE, "Ethnic groups: Thimphu 35.4%"),
    (CITY, "Port au Prince"),
    (HEAD, "Maia Sandu"),
    (HEAD, "President Sandu"),
    (MONEY_NAME, "Bolívares"[:7]),
    (MONEY_NAME, "the bolivar (VES)"),
    (BELIZE, "Mexico and Guatemala"),
    (BELIZE, "Guatemala; México"),
    (BELIZE, "The neighbours are Mexico and Guatemala."),
    (COLOURS, "red and white"),
    (SYMBOL, "the lion"),
    (SYMBOL, "lion, palm tree"),
    (BORN_ON, "8 August 1949"),
    (BORN_ON, "August 8th, 1949"),
    (BORN_ON, "1949-08-08"),
    (BORN_ON, "On the 8th of August, 1949."),
    (DAY, "8 August"),
    (DAY, "August 8, 1949"),
    (STATE, "It is a presidential republic."),
    (STATE, "Presidential Republic"),
]
WRONG = [
    (IRAN, "It is not 1,200,000 sq km"),
    (IRAN, "It isn't about 1,200,000 sq km"),
    (BORN_ON, "not 8 August 1949"),
    (BORN_ON, "It wasn't on 8 August 1949"),
    (OFFICE, "The capital isn't Thimphu"),
    (OFFICE, "I don't think it is Thimphu"),
    (OFFICE, "It cannot be Thimphu"),
    (OFFICE, "paro thimphu"),
    (GUINEA, "new guinea"),
    (IRAN, "1,200,000 km"),
    (IRAN, "1,200,000 sq mi"),
    (IRAN, "1.2 billion sq km"),
    (IRAN, "1,300,000 km2"),
    (IRAN, "1.2"),
    (IRAN, "1,200,000 km2 or 1,300,000 km2"),
    (IRAN, "between 1,000,000 and 1,200,000 km2"),
    (IRAN, "1,200,000 km2 (800,000 sq mi)"),
    (IRAN, "very large"),
    (SHARE, "0.452"),
    (SHARE, "45 years"),
    (SHARE, "54.2%"),
    (SHARE, "45%, 54%"),
    (YEARS, "72.9%"),
    (YEARS, "72.9 months"),
    (YEARS, "70"),
    (MONEY, "€10,400"),
    (MONEY, "$104,000"),
    (MONEY, "$10,400 or $9"),
    (PEOPLE, "10.3"),
    (PEOPLE, "10.3 million km"),
    (PEOPLE, "10.3 billion"),
    (BORN, "21.46%"),
    (BORN, "2.1 per 1,000"),
    (COUNT, "6"),
    (COUNT, "5.1"),
    (COUNT, "5 km"),
    (COUNT, "2005"),
    (CLOCK, "3.5"),
    (CLOCK, "UTC+3.5"),
    (CLOCK, "UTC-3"),
    (OFFICE, "Paro"),
    (OFFICE, "Thimphu or Paro"),
    (OFFICE, "thimphu, paro"),
    (OFFICE, "Paro, Thimphu"),
    (OFFICE, "not Thimphu"),
    (OFFICE, "It isn't Paro, I do not know whether Thimphu is right"),
    (OFFICE, "Thimphubad"),
    (OFFICE, "The capital is Paro, near Thimphu"),
    (OFFICE, "I don't know."),
    (GUINEA, "Equatorial Guinea"),
    (GUINEA, "Guinea-Bissau"),
    (GUINEA, "Papua New Guinea"),
    (CITY, "Port"),
    (HEAD, "Igor Dodon"),
    (HEAD, "Maia"),
    (MONEY_NAME, "dollar"),
    (BELIZE, "Mexico"),
    (BELIZE, "Mexico, Guatemala, Honduras"),
    (BELIZE, "Honduras and El Salvador"),
    (COLOURS, "red, white and blue"),
    (COLOURS, "red"),
    (SYMBOL, "eagle"),
    (SYMBOL, "lion, eagle"),
    (BORN_ON, "1949"),
    (BORN_ON, "August 1949"),
    (BORN_ON, "8 August 1948"),
    (BORN_ON, "8 August 1949 or 9 August 1949"),
    (BORN_ON, "7 August 1949"),
    (DAY, "18 August"),
    (DAY, "August"),
    (STATE, "semi-presidential republic"),
    (STATE, "a republic"),
    (STATE, "a presidential republic or a monarchy"),
    (STATE, "presidential republic " * 15),
]
ASKED = "What is the capital of Bhutan, Brazil, or Belize; who are the neighbours of Belize?"


@pytest.mark.parametrize(("gold", "text"), RIGHT)
def test_right(gold, text):
    assert score(gold, text, ASKED).score == 1.0


@pytest.mark.parametrize(("gold", "text"), WRONG)
def test_wrong(gold, text):
    graded = score(gold, text, ASKED)
    assert (graded.score, graded.status) == (0.0, Status.OK)


@pytest.mark.parametrize("gold", [IRAN, OFFICE, BELIZE, DAY, STATE])
@pytest.mark.parametrize("text", ["", "  \n", "<think>Thimphu", "**"])
def test_nothing_is_unparsed(gold, text):
    graded = score(gold, text)
    assert (graded.score, graded.answer, graded.status) == (0.0, None, Status.UNPARSED)


def test_figures_of_the_question_are_no_answer_unless_they_are_the_answer():
    asked = "Of 1,000 babies, how many die?"
    assert score(number(6, "count", 0), "6 of 1,000", asked).score == 1
    assert score(number(1000, "count", 0), "1,000", asked).score == 1
    assert score(number(6, "count", 0), "6 or 7 of 1,000", asked).score == 0


def test_what_is_read():
    assert final_answer("The answer is: 12 km\nor so") == "12 km"
    assert final_answer("Bhutan. Capital: Thimphu", "the capital of Bhutan") == "Thimphu"
    assert final_answer("Bhutan. It is Thimphu.", "the capital of Bhutan") == "It is Thimphu"
    assert final_answer("Bhutan — Capital: name: Thimphu") == "Thimphu"
    assert final_answer("a 2:1 vote: yes; x: y") == "a 2:1 vote: yes; x: y"
    assert final_answer("St. George's. It is small.") == "St. George's"


def test_an_unknown_unit_is_an_error_not_a_zero():
    with pytest.raises(ValueError, match="furlongs"):
        score(number(5, "furlongs"), "5")


def test_an_endless_answer_is_wrong_and_cut():
    graded = score(OFFICE, "Thimphu " * 500)
    assert graded.score == 0 and len(graded.answer) == 500


MONTHS = "January February March April May June July August September October November December"


def plainly(gold):
    """The gold answer as one would write it down."""
    if gold.kind == "date":
        *year, month, day = gold.values[0].split("-")
        return " ".join([str(int(day)), MONTHS.split()[int(month) - 1], *year])
    return ", ".join(gold.values) if gold.needed > 1 else gold.values[0]


@pytest.fixture(scope="module")
def generated():
    return generate(0)


@pytest.mark.slow
def test_every_generated_gold_is_right_in_its_own_words(generated):
    missed = [q.id for q in generated[::2] if score(q.gold, plainly(q.gold), q.prompt).score != 1]
    # "Sr. Gen. MIN": a full stop inside a title that is not known to be one.
    assert [m for m in missed if not m.startswith("factbook:bm:head-of-state")] == []


def test_another_countrys_answer_is_wrong(generated):
    """Where it is another answer: the same value, and values of which one says the other, aside."""
    fields = defaultdict(list)
    for question in generated:
        fields[question.field].append(question)
    draw, tried, taken = random.Random(0), 0, []
    for question in generated[::5]:
        other = draw.choice(fields[question.field])
        if _may_agree(question.gold, other.gold):
            continue
        tried += 1
        if score(question.gold, plainly(other.gold), question.prompt).score:
            taken.append((question.id, other.id))
    assert tried > 3000
    assert len(taken) <= tried * 0.001, taken


def _may_agree(one, other):
    if one.number is not None:
        return abs(one.number - other.number) <= one.tolerance * abs(one.number) * 1.01
    told = [
        {s.casefold() for i in range(len(g.values)) for s in g.spellings(i)} for g in (one, other)
    ]
    return any(a in b or b in a for a in told[0] for b in told[1])
