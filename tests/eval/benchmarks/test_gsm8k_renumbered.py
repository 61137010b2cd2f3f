import random

import pytest

from eval.benchmarks.benchmark import create
from eval.benchmarks.gsm8k_renumbered import INSTANCES, Template, renumbered
from eval.sources.shared import shared_data
from router.errors import InputError, SetupError

TEXT = "A crate holds 1,200 jars and costs $2.50. How many jars are in 4 crates?"


@pytest.fixture
def asked():
    try:
        shared_data()
    except SetupError as error:
        pytest.skip(str(error))
    made = create("gsm8k-renumbered")
    yield made.questions(None, 4711)
    made.close()


def test_figures_keep_their_dress_and_the_gold_follows():
    template = Template(id="x", answer="a * c", draw={"a": (1300, 9000, 100), "b": (3, 9, 0.5),
                                                      "c": (2, 9, 1)})  # fmt: skip
    text, gold = renumbered(template, TEXT, "4800", random.Random(1))
    jars, price, crates = (w.strip("$.?") for w in (text.split()[3], text.split()[7],
                                                    text.split()[13]))  # fmt: skip
    assert "," in jars
    assert len(price.partition(".")[2]) == 2
    assert int(jars.replace(",", "")) * int(crates) == int(gold)
    assert gold != "4800"


def test_a_formula_that_does_not_give_the_published_answer_is_an_error():
    with pytest.raises(InputError, match="does not give 4801"):
        renumbered(Template(id="x", answer="a * c", draw={}), TEXT, "4801", random.Random(1))


@pytest.mark.parametrize("formula", ["a.real", "__import__('os')", "a ** c", "z", "f(a)"])
def test_only_four_operations_are_a_formula(formula):
    with pytest.raises(InputError, match="no formula"):
        renumbered(Template(id="x", answer=formula, draw={}), TEXT, "1", random.Random(1))


def test_ranges_without_a_whole_answer_are_an_error():
    template = Template(id="x", answer="a * c / 7", draw={"c": (4, 4, 1)})
    with pytest.raises(InputError):
        renumbered(template, TEXT, "4800", random.Random(1))


def test_every_template_is_asked_as_published_and_anew(asked):
    by = {}
    for question in asked:
        by.setdefault(question.cluster_id, []).append(question)
    assert len(by) == 24
    for own in by.values():
        assert [q.subject for q in own] == ["canonical"] + ["perturbed"] * INSTANCES
        assert len({q.prompt for q in own}) == len(own)
        assert all(int(q.gold) > 0 for q in own)
    assert len({q.id for q in asked}) == len(asked)


def test_the_seed_decides(asked):
    again = create("gsm8k-renumbered").questions(None, 4711)
    other = create("gsm8k-renumbered").questions(None, 4712)
    assert [q.prompt for q in again] == [q.prompt for q in asked]
    assert [q.prompt for q in other] != [q.prompt for q in asked]


def test_twins_are_half_recorded_and_half_fresh():
    twins = create("reasoning-gym-twins")
    found = twins.questions(None, 4711)
    kinds = [q.subject for q in found]
    assert kinds == ["canonical"] * 60 + ["perturbed"] * 60
    assert {q.cluster_id for q in found[:60]} == {q.cluster_id for q in found[60:]}
    recorded = create("reasoning-gym-small").questions(None, 0)
    assert {q.id for q in found[:60]} <= {q.id for q in recorded}
    with pytest.raises(InputError, match="--seed"):
        twins.questions(None, 3)
