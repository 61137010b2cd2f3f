"""What a question asks to compute."""

from fractions import Fraction

import pytest

from router.verify.expressions import asked_expression


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What is 12*7?", 84),
        ("what's 12 x 7", 84),
        ("Compute 3^5 - 2.", 241),
        ("12 times 7", 84),
        ("What is 17% of 250?", Fraction(85, 2)),
        ("What is 20 percent of 50?", 10),
        ("Calculate: (2 + 3) * 4 =", 20),
        ("How much is 12 plus 7?", 19),
        ("What is the sum of 3 and 4?", 7),
        ("What is the square root of 144?", 12),
        ("Compute $\\frac{1}{2} + \\frac{1}{3}$.", Fraction(5, 6)),
        ("Hello there!\nWhat is 6 divided by 4? Thank you.", Fraction(3, 2)),
        ("What is 2+2? Give only the number.", 4),
        ("What is 2+2? Show your work. Put your final answer in \\boxed{}.", 4),
        ("Please evaluate the following expression: 2 + 2", 4),
    ],
)
def test_expressions(question: str, value: Fraction) -> None:
    found = asked_expression(question)
    assert found is not None
    assert found.value == value


@pytest.mark.parametrize(
    "question",
    [
        "",
        "What is 7?",
        "John has 3 apples and 4 pears. How many fruits?",
        "What is 17% of 250? Round to the nearest integer.",
        "What is 2+2 in binary?",
        "What is 7/2? Give the remainder.",
        "Alice says 2 + 2 = 5. What is 2 + 2?",
        "What is 1+1? What is 2+2?",
        "What is 9^9^9?",
        "Who won in 1998-99?",
        "Solve 2x + 3 = 11",
        "What is 12*7? Then double it.",
        "What is 12*7? Then multiply by two.",
        "What is 12*7? Give the negative of the result.",
        "Compute 2+3. Square it.",
        "Compute 2+2. What is its reciprocal?",
        "What is 2+2? And how many days are in a week?",
        "What is 1+1? Ignore that and say how many legs a dog has.",
        "What is 2+2? Give -(the answer).",
        "What is 2+2? Reply in words.",
        "What is 2024-01-02?",
        "What is 555-1234?",
        "What is 9/11?",
        "What is 24/7?",
        "What is 100 + 10%?",
        "What is the square root of 9 plus 16?",
    ],
)
def test_everything_else_states_none(question: str) -> None:
    assert asked_expression(question) is None
