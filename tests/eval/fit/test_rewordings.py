"""Other dresses: what each changes, and what it leaves alone."""

import json
import random
import re

import pytest

from eval.fit.rewordings import DRESSES, change_numbers, dress, find_options, shuffle_options
from eval.perturb import KINDS

TEXT = "How many apples are 12 baskets of 30 apples, if 5.5 kg of 12 rot? Use int32, x1 and 2,000."
CHOICES = {
    "lines": "Who wrote it?\nA. Ann, the elder\nB. Bob\nC. Cy; D. Dee\nD. Eve\nAnswer:",
    "round": "Pick one.\n(A) red\n(B) green\n(C) blue\n\nReply with the letter.",
    "inline": "The numbers are: a) 4 and 4, b) 6 and 6, c) 8 and 4, d) 4 and 8",
    "digits": "Marked by\n1. letters\n2. third-person\n3. stage directions",
    "square": "Which plot?\n[A] one over k\n[B] ln k\n[C] k squared",
    "printed": "Say.\nChoices: {'text': ['A cat.', \"It's\", 'A dog'], 'label': ['A', 'B', 'C']}",
}
BODIES = {
    "lines": ["Ann, the elder", "Bob", "Cy; D. Dee", "Eve"],
    "round": ["red", "green", "blue"],
    "inline": ["4 and 4", "6 and 6", "8 and 4", "4 and 8"],
    "digits": ["letters", "third-person", "stage directions"],
    "square": ["one over k", "ln k", "k squared"],
    "printed": ["'A cat.'", '"It\'s"', "'A dog'"],
}


def rng(seed: int = 0) -> random.Random:
    return random.Random(seed)


def test_numbers_change_and_all_else_stays() -> None:
    made = change_numbers(TEXT, rng())
    assert made is not None
    assert re.sub(r"\d", "#", made) == re.sub(r"\d", "#", TEXT)
    before, after = (re.findall(r"(?<!\w)[\d.,]*\d", t) for t in (TEXT, made))
    assert before == ["12", "30", "5.5", "12", "2,000"]
    assert all(a != b for a, b in zip(before, after, strict=True))
    assert after[0] == after[3]
    assert "int32" in made and "x1" in made
    assert all(not a.startswith("0") for a in after)


def test_a_text_without_numbers_has_none_to_change() -> None:
    assert change_numbers("utf8 and x1, twelve", rng()) is None
    assert dress("no number here", "numbers", 0) is None


@pytest.mark.parametrize("name", CHOICES)
def test_shuffled_options_are_the_same_set(name: str) -> None:
    text = CHOICES[name]
    found = [text[o.start : o.end] for o in find_options(text)]
    assert found == BODIES[name]
    made = shuffle_options(text, rng())
    assert made is not None and made != text
    again = [made[o.start : o.end] for o in find_options(made)]
    assert sorted(again) == sorted(BODIES[name]) and again != BODIES[name]
    for body in BODIES[name]:
        text, made = text.replace(body, "_", 1), made.replace(body, "_", 1)
    assert made == text


@pytest.mark.parametrize(
    "text",
    ["What is 2 + 2?", "A. one\nB. two", "A. x\nB. x\nC. x", "Vitamin A. It helps. B. is two.", ""],
)
def test_what_is_no_choice_of_three_stays(text: str) -> None:
    assert shuffle_options(text, rng()) is None


def test_openings_are_reworded_by_rule() -> None:
    made = {dress("How many cats are there?", "opening", s) for s in range(9)}
    ends = {"What is the number of cats are there?", "Tell me the number of cats are there?"}
    assert made == ends
    assert dress("Bananas!", "opening", 0) is None
    assert dress("Whyever not", "opening", 0) is None


@pytest.mark.parametrize("kind", ["lead-in", "xml", "agent", "few-shot", "transcript", "manners"])
def test_wrappers_hold_the_text_as_it_is(kind: str) -> None:
    text = 'Odd {braces} and\n"quotes" {}'
    for seed in range(9):
        made = dress(text, kind, seed)
        assert made is not None and text in made and made.count(text) == 1


def test_json_is_json_with_the_text_in_a_field() -> None:
    text = 'He said "no".\nThen {left}.'
    for seed in range(9):
        made = dress(text, "json", seed)
        assert made is not None and text in json.loads(made).values()


def test_all_kinds_of_perturb_are_there_and_repeat_by_seed() -> None:
    assert set(KINDS) <= set(DRESSES)
    for kind in DRESSES:
        assert dress(TEXT, kind, 1) == dress(TEXT, kind, 1)
    assert len({dress(TEXT, "lead-in", s) for s in range(20)}) > 2


@pytest.mark.parametrize("kind", DRESSES)
@pytest.mark.parametrize("text", ["", "a", "12", "(A)", "A. B. C.", "'text': [1, 2", "¿qué?"])
def test_any_text_goes_through(kind: str, text: str) -> None:
    made = dress(text, kind, 0)
    assert made is None or (isinstance(made, str) and made != text)
