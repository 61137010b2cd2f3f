"""Perturbations keep what is asked, and repeat by seed."""

import re

import pytest

from eval.perturb import KINDS, perturb

TEXT = "A trader bought 12 oranges for 3 dollars each.\nHow many dollars did the trader spend?" * 3


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_stay_and_the_text_changes(kind: str) -> None:
    made = perturb(TEXT, kind, 0)
    assert made != TEXT
    assert re.findall(r"\d+", made) == re.findall(r"\d+", TEXT)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same(kind: str) -> None:
    assert perturb(TEXT, kind, 3) == perturb(TEXT, kind, 3)


def test_typos_swap_letters_and_lose_none() -> None:
    made = perturb(TEXT, "typos", 1)
    assert sorted(made) == sorted(TEXT)
    changed = [a for a, b in zip(TEXT.split(), made.split(), strict=True) if a != b]
    assert 0 < len(changed) < len(TEXT.split()) / 3
    assert made != perturb(TEXT, "typos", 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "a", "hello", "12", "naïve ümläuts élan"])
def test_any_text_goes_through(kind: str, text: str) -> None:
    assert isinstance(perturb(text, kind, 0), str)


def test_words_survive_space_case_and_manners() -> None:
    for kind in ("space", "case"):
        assert perturb(TEXT, kind, 0).lower().split() == TEXT.lower().split()
    assert TEXT in perturb(TEXT, "manners", 0)
