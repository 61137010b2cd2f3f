"""Putting the answer back into the question."""

import time

import pytest

from router.verify.equations import plug_back, states_formula


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is 12*7?", "84"),
        ("What is 100/7?", "14.29"),
        ("Solve 2x+3=11", "4"),
        ("Solve for x: 2x + 3 = 11.", "x = 4"),
        ("Solve 2x-3=11", "7"),
        ("If 5x - 3 = 7x + 9, find x.", "-6"),
        ("If $3x + 5 = 20$, what is the value of $x$?", "5"),
        ("x+y=10 and x-y=2. Find x and y.", "x = 6, y = 4"),
        ("x+y=10 and x-y=2. Find x and y.", "(6, 4)"),
        ("Solve x^2=9", "x = 3 or x = -3"),
        ("Find all solutions of x^2 - 5x + 6 = 0", "2, 3"),
        ("Solve x^2 - 4x + 4 = 0", "2"),
        ("Solve x/4 = 1/3", "4/3"),
        ("Find a such that 2a = 7", "3.5"),
    ],
)
def test_right_answers_hold(question: str, answer: str) -> None:
    found = plug_back(question, answer)
    assert found is not None
    assert found.holds is True
    assert found.evidence


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is 12*7?", "85"),
        ("What is 100/7?", "14"),
        ("What is 100/7?", "14.30"),
        ("Solve 2x+3=11", "5"),
        ("If 5x - 3 = 7x + 9, find x.", "6"),
        ("x+y=10 and x-y=2. Find x and y.", "(4, 6)"),
        ("Solve x^2=9", "x = 3 or x = -4"),
        ("Find all solutions of x^2 - 5x + 6 = 0", "1, 6"),
    ],
)
def test_wrong_answers_fail(question: str, answer: str) -> None:
    found = plug_back(question, answer)
    assert found is not None
    assert found.holds is False


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is 12*7?", "12*7"),  # a restatement
        ("Solve x^2=9", "3"),  # one of two
        ("Find both solutions of x^2 - 5x + 6 = 0", "2"),
        ("Solve x^3 = 8", "2"),  # its other roots are not counted
        ("Solve x^2=9 for positive x", "3"),  # narrowed in words
        ("x+y=10 and x-y=2. Find x.", "6"),  # y is not told
        ("Solve x+y=5 and x*y=6", "(2, 3)"),  # not linear: there may be more
        ("Solve 3x = 1", "0.33"),  # rounded
        ("Solve x = x", "5"),  # anything satisfies it
        ("Solve 2x = 4", "two"),
        ("Solve 2x = 4", "x > 2"),
        ("Solve 2x = 4", "y = 2"),
        ("Solve 2x = 4", "not 2"),
        ("Solve 2x = 4", "x^2 = 2"),
        ("Solve 2x = 4", "-x = 2"),
        ("Solve 2x = 4", "1/x = 2"),
        ("Solve x + y = 2, 2x + 2y = 4", "x = 1, y = 1"),  # one line only
        ("Solve a+b+c=6, a+b=3, c=3 for a, b, c", "a=1, b=2, c=3"),
        ("What is 1/300?", "0.0"),
        ("What is 2/3?", "0.6"),  # cut off
        ("What is 2/3?", "0.666"),
        ("What is 1/3?", "33%"),
    ],
)
def test_what_proves_nothing_claims_nothing(question: str, answer: str) -> None:
    found = plug_back(question, answer)
    assert found is None or found.holds is None


@pytest.mark.parametrize(
    "question",
    [
        "John has 3 apples and 4 pears. How many fruits?",
        "If x+y=10 and x-y=2, what is xy?",
        "If 2x+3=11, what is x+1?",
        "Let f(x) = 2x+1. Find f(3)",
        "Solve 3xy = 12 for x",
        "Let x = 5. What is x + 3?",
        "Find the sum of the roots of x^2 - 5x + 6 = 0",
        "Let x = 5. What is x after adding 3?",
        "x = 1. We then replace x by x+1 three times. Find x.",
        "Find x + 1 if 2x = 6. Solve for x.",
        "Solve x + y = 10, x - y = 2. What is x*y?",
        "If 2x + 3 = 11, find x and then report 2x.",
        "x" * 5000 + " = 3",
    ],
)
def test_other_questions_are_left_alone(question: str) -> None:
    assert plug_back(question, "5") is None


def test_all_unknowns_may_stand_in_the_last_line() -> None:
    question = "x+y=10 and x-y=2. Find x and y."
    found = plug_back(question, "4", "So x = 6 and y = 4.")
    assert found is not None
    assert found.holds is True


def test_states_formula() -> None:
    assert states_formula("What is 12 * 7?")
    assert states_formula("Solve 2x + 3 = 11")
    assert not states_formula("What is the capital of Bhutan?")
    assert not states_formula("Set verbose=true in the file")


@pytest.mark.parametrize("piece", ["x=", "1=", "x+", "((", "2x=3,", "x^9^9=", "and "])
def test_hostile_questions_are_cheap(piece: str) -> None:
    started = time.perf_counter()
    plug_back(piece * (4000 // len(piece)), piece * 1000)
    states_formula(piece * 200_000)
    assert time.perf_counter() - started < 10  # a runaway pattern takes minutes


def test_a_rounded_answer_is_told_apart() -> None:
    found = [plug_back("What is 2/3?", answer) for answer in ("2/3", "0.667")]
    assert [(one.holds, one.exact) for one in found if one] == [(True, True), (True, False)]
