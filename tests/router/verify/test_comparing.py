"""One pair, judged in this process: what each answer is told."""

import pytest

from router.verify.comparing import judge


@pytest.mark.parametrize(
    ("gold", "answer", "told"),
    [
        ("2x", "x+x", "equal"),
        ("2x", "3x", "different"),
        (r"\frac{1}{0}", r"\frac{2}{0}", "unparsed"),
        ("2x", r"\frac{", "unparsed"),
        (r"\text{east}", "East", "equal"),
        (r"\text{east}", "west", "different"),
        ("x=5", "5", "equal"),
        ("x=5", "y=5", "different"),
    ],
)
def test_judgements(gold: str, answer: str, told: str) -> None:
    assert judge(gold, answer, against_gold=True) == told


@pytest.mark.parametrize(
    ("gold", "answer"),
    [("52_8", "52"), (r"\frac{100}{3}", r"\frac{100}{3}%"), (r"\frac{100}{3}%", r"\frac{100}{3}")],
)
def test_what_the_question_asked_for_is_left_out_against_gold_only(gold: str, answer: str) -> None:
    assert judge(gold, answer, against_gold=True) == "equal"
    assert judge(gold, answer, against_gold=False) == "different"
