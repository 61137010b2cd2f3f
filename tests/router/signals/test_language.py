"""The language guess: a code where it is sure, "und" where it is not."""

import pytest

from router.signals.language import guess_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is 12*7?", "en"),
        ("Who won the 2022 FIFA World Cup?", "en"),
        ("How many clips did Natalia sell altogether in April and May?", "en"),
        ("Wie heißt die Hauptstadt von Bhutan?", "de"),
        ("¿Cuál es la capital de Bután?", "es"),
        ("Quelle est la capitale du Bhoutan ?", "fr"),
        ("Wat is de hoofdstad van Bhutan?", "nl"),
        ("ブータンの首都はどこですか", "ja"),
        ("不丹的首都是哪里?", "zh"),
        ("Какая столица Бутана?", "ru"),
        ("भूटान की राजधानी क्या है?", "hi"),
        ("부탄의 수도는 어디입니까?", "ko"),
    ],
)
def test_a_clear_text_gets_its_language(text: str, language: str) -> None:
    assert guess_language(text) == language


@pytest.mark.parametrize(
    "text",
    ["", "   ", "12*7?", "x^2 - 5y^2 = 4", "ok", "\x00\x01\x02", "dGhpcyBpcyBh" * 50, "🙂🙂"],
)
def test_what_cannot_be_told_is_und(text: str) -> None:
    assert guess_language(text) == "und"


@pytest.mark.parametrize(
    "text",
    ["Solve $\\frac{x}{2} = 3$ and explain", "def f(x): return x + 1", "Compute 3/8 + 5/12",
     "Simplify sin(x)^2 + cos(x)^2"],
)  # fmt: skip
def test_english_mathematics_is_never_called_foreign(text: str) -> None:
    assert guess_language(text) in {"en", "und"}


def test_the_prose_decides_not_the_code() -> None:
    text = "Was macht diese Funktion und warum?\n```python\ndef add(a, b):\n    return a + b\n```"
    assert guess_language(text) == "de"
